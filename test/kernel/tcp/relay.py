"""A path between two network namespaces that delays, swaps and repeats packets: a TUN device in each, this between them.

relay.py NEAR FAR DEVICE: says "ready", or why it cannot be. Then reads a JSON object a line: what is to be done with
packets from then on, and what was done with them so far is the answer.

  delay      seconds that each packet takes, each way
  swap       N: each N-th data packet towards FAR is overtaken by the data packet after it
  duplicate  N: each N-th data packet towards FAR arrives twice
"""

import ctypes
import fcntl
import heapq
import json
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
# What is to be overtaken waits no longer than this.
PATIENCE = 0.05


def tun_in(namespace, device):
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        # Belongs to the namespace in which it is opened.
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
        return tun
    finally:
        libc.setns(home, 0)
        os.close(home)
        os.close(there)


def has_data(packet):
    """Whether it is TCP with payload."""
    if packet[0] >> 4 == 4:
        header, length, protocol = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0], packet[9]
    else:
        header, length, protocol = 40, 40 + struct.unpack_from("!H", packet, 4)[0], packet[6]
    return protocol == 6 and length > header + (packet[header + 12] >> 4) * 4


class Path:
    """One way."""

    def __init__(self, source, target, disturbed):
        self.source, self.target, self.disturbed = source, target, disturbed
        self.queue = []
        self.order = 0
        self.last = 0.0
        self.held = None

    def put(self, packet, due):
        self.order += 1
        # In order, also when the delay has become shorter meanwhile.
        self.last = max(self.last, due)
        heapq.heappush(self.queue, (self.last, self.order, packet))

    def take(self, packet, now, settings, done):
        due = now + settings["delay"]
        if not self.disturbed or not has_data(packet):
            self.put(packet, due)
            return
        done["data"] += 1
        if self.held is not None:
            self.put(packet, due)
            self.put(self.held[0], due)
            self.held = None
            done["swapped"] += 1
        elif settings["swap"] and done["data"] % settings["swap"] == 0:
            self.held = (packet, now)
        else:
            self.put(packet, due)
            if settings["duplicate"] and done["data"] % settings["duplicate"] == 0:
                self.put(packet, due)
                done["duplicated"] += 1

    def send(self, now):
        if self.held is not None and now - self.held[1] > PATIENCE:
            self.put(self.held[0], now)
            self.held = None
        while self.queue and self.queue[0][0] <= now:
            try:
                os.write(self.target, heapq.heappop(self.queue)[2])
            except OSError:
                pass  # The device is not up, or its queue is full: a packet lost.

    def next(self):
        times = [self.queue[0][0]] if self.queue else []
        return min(times + ([self.held[1] + PATIENCE] if self.held is not None else []), default=float("inf"))


def main():
    try:
        near, far = (tun_in(namespace, sys.argv[3]) for namespace in sys.argv[1:3])
    except OSError as error:
        print(f"no TUN device: {error}", flush=True)
        return
    print("ready", flush=True)
    settings = {"delay": 0.0, "swap": 0, "duplicate": 0}
    done = {"data": 0, "swapped": 0, "duplicated": 0}
    paths = [Path(near, far, True), Path(far, near, False)]
    commands = os.fdopen(0, "rb", 0)
    while True:
        now = time.monotonic()
        wait = min(path.next() for path in paths) - now
        ready = select.select([near, far, commands], [], [], None if wait == float("inf") else max(0.0, wait))[0]
        now = time.monotonic()
        for path in paths:
            while path.source in ready:
                try:
                    path.take(os.read(path.source, 65536), now, settings, done)
                except BlockingIOError:
                    break
            path.send(now)
        if commands in ready:
            line = commands.readline()
            if not line:
                return
            settings.update(json.loads(line))
            print(json.dumps(done), flush=True)


main()
