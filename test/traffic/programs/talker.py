"""Holds sockets and does with them what it is told: a line of JSON in, a line of JSON out.

{"do": NAME, ...} is answered with what NAME returns, see the functions below. Sockets are named by small numbers.
"""

import json
import os
import socket
import sys
import threading

sockets = {}


def keep(new):
    number = len(sockets)
    sockets[number] = new
    return number


def listen(host, backlog=4096):
    new = socket.create_server((host, 0), family=family_of(host), backlog=backlog)
    return {"id": keep(new), "port": new.getsockname()[1]}


def connect(host, port, count=1):
    made = []
    for _ in range(count):
        made.append(keep(socket.create_connection((host, port))))
    return {"ids": made}


def accept(id, count=1):
    return {"ids": [keep(sockets[id].accept()[0]) for _ in range(count)]}


def send(id, data):
    sockets[id].sendall(data.encode())
    return {"pid": os.getpid()}


def receive(id, size):
    data = b""
    while len(data) < size:
        part = sockets[id].recv(size - len(data))
        if not part:
            break
        data += part
    return {"data": data.decode(), "pid": os.getpid()}


def local_port(id):
    return {"port": sockets[id].getsockname()[1]}


def close(id):
    sockets[id].close()
    return {}


def dup(id):
    return {"id": keep(sockets[id].dup())}


def in_thread(call):
    """Does it in a thread of its own, which has a name of its own too."""
    answer = []

    def work():
        with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as comm:
            comm.write("worker-7")
        answer.append(perform(call))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return answer[0]


def in_child(call):
    """Does it in a child, which inherits the sockets and ends."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(perform(call)).encode())
        os._exit(0)
    os.close(writing)
    answer = b""
    while part := os.read(reading, 65536):
        answer += part
    os.close(reading)
    os.waitpid(child, 0)
    return json.loads(answer)


def expect_socket(path):
    """Listens for one to be passed; take_socket takes it."""
    new = socket.socket(socket.AF_UNIX)
    new.bind(path)
    new.listen()
    return {"id": keep(new)}


def pass_socket(id, path):
    with socket.socket(socket.AF_UNIX) as way:
        way.connect(path)
        socket.send_fds(way, [b"x"], [sockets[id].fileno()])
    sockets[id].close()
    return {}


def take_socket(id):
    way, _ = sockets[id].accept()
    with way:
        _, fds, _, _ = socket.recv_fds(way, 1, 1)
    return {"id": keep(socket.socket(fileno=fds[0]))}


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


CALLS = {
    call.__name__: call
    for call in (
        listen, connect, accept, send, receive, local_port, close, dup, in_thread, in_child,
        expect_socket, pass_socket, take_socket,
    )
}


def perform(call):
    call = dict(call)
    return CALLS[call.pop("do")](**call)


for line in sys.stdin:
    print(json.dumps(perform(json.loads(line))), flush=True)
