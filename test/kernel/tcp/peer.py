"""One end of connections, as told on standard input: a JSON array a line, answered by a JSON value a line."""

import errno
import json
import socket
import struct
import sys

# struct tcp_info of linux/tcp.h, as far as the tests compare it: offset and size.
INFO = {
    "unacked": (24, 4), "total_retrans": (100, 4), "segs_out": (136, 4), "segs_in": (140, 4), "min_rtt": (148, 4),
    "data_segs_in": (152, 4), "data_segs_out": (156, 4), "busy_time": (168, 8), "rwnd_limited": (176, 8),
    "delivered": (192, 4), "bytes_sent": (200, 8), "bytes_retrans": (208, 8), "bytes_received": (128, 8),
    "dsack_dups": (216, 4), "reord_seen": (220, 4), "rcv_ooopack": (224, 4), "rtt": (68, 4), "rttvar": (72, 4),
    "snd_cwnd": (80, 4),
}
sockets = {}


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def listen(name, host, port, backlog, receive_buffer):
    server = socket.socket(family_of(host), socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive_buffer:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    server.bind((host, port))
    server.listen(backlog)
    sockets[name] = server
    return server.getsockname()[1]


def listen_shared(name, host, port, backlog):
    """One of several sockets that listen on the same port."""
    server = socket.socket(family_of(host), socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((host, port))
    server.listen(backlog)
    sockets[name] = server
    return "ok"


def connect(name, host, port):
    client = socket.socket(family_of(host), socket.SOCK_STREAM)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sockets[name] = client
    try:
        client.connect((host, port))
    except OSError as error:
        return errno.errorcode[error.errno]
    return client.getsockname()[1]


def connect_later(name, host, port):
    client = socket.socket(family_of(host), socket.SOCK_STREAM)
    client.setblocking(False)
    sockets[name] = client
    return errno.errorcode[client.connect_ex((host, port))]


def accept(name, server):
    sockets[name] = sockets[server].accept()[0]
    return "ok"


def send(name, size):
    sockets[name].sendall(b"x" * size)
    return "ok"


def send_text(name, text):
    sockets[name].sendall(text.encode())
    return "ok"


def send_pieces(name, count, size):
    for _ in range(count):
        sockets[name].sendall(b"x" * size)
    return "ok"


def fill(name):
    """Sends until the kernel takes no more."""
    sockets[name].setblocking(False)
    sent = 0
    while True:
        try:
            sent += sockets[name].send(b"x" * 16384)
        except BlockingIOError:
            sockets[name].setblocking(True)
            return sent


def receive(name, size):
    left = size
    while left:
        data = sockets[name].recv(min(left, 65536))
        if not data:
            break
        left -= len(data)
    return size - left


def receive_error(name):
    try:
        return len(sockets[name].recv(65536))
    except OSError as error:
        return errno.errorcode[error.errno]


def udp(name, host, port):
    sockets[name] = socket.socket(family_of(host), socket.SOCK_DGRAM)
    sockets[name].bind((host, port))
    return sockets[name].getsockname()[1]


def udp_connect(name, host, port):
    sockets[name] = socket.socket(family_of(host), socket.SOCK_DGRAM)
    sockets[name].connect((host, port))
    return sockets[name].getsockname()[1]


def udp_echo(name, count):
    for _ in range(count):
        data, sender = sockets[name].recvfrom(65536)
        sockets[name].sendto(data, sender)
    return "ok"


def refused(host, port, count):
    """Knocks where nobody listens."""
    for _ in range(count):
        client = socket.socket(family_of(host), socket.SOCK_STREAM)
        client.connect_ex((host, port))
        client.close()
    return "ok"


def close(name):
    sockets.pop(name).close()
    return "ok"


def reset(name):
    sockets[name].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return close(name)


def info(name):
    raw = sockets[name].getsockopt(socket.IPPROTO_TCP, 11, 512)
    return {key: int.from_bytes(raw[at : at + size], "little") for key, (at, size) in INFO.items()}


for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments)), flush=True)
