"""Opens and closes TCP connections to itself, as told on standard input, and answers each line when it is done.

On its start it says the port of its server. Lines: "connections N" opens N one after the other, accepts each, closes
it at the client and then at the server; "messages N" sends N bytes, one at a time, over one connection.
"""

import socket
import sys

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(16)
address = server.getsockname()


def connections(count):
    for _ in range(count):
        client = socket.socket()
        client.connect(address)
        accepted = server.accept()[0]
        client.close()
        accepted.close()


def messages(count):
    client = socket.create_connection(address)
    accepted = server.accept()[0]
    for _ in range(count):
        client.send(b"x")
        accepted.recv(1)
    client.close()
    accepted.close()


print(f"port {address[1]}", flush=True)
for line in sys.stdin:
    name, count = line.split()
    globals()[name](int(count))
    print(f"done {line.strip()}", flush=True)
