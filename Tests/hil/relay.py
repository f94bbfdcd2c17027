"""Carries one connection between the emulated network (standard input and output) and the broker.

QEMU starts it for every connection that the guest opens; it ends as soon as either side does.
"""

import os
import selectors
import socket
import sys


def carry(port):
    try:
        broker = socket.create_connection(("127.0.0.1", port), timeout=5)
    except OSError:
        return  # the guest sees its connection closed
    broker.settimeout(None)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(broker, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            data = os.read(key.fd, 65536)
            if not data:
                return
            target = 1 if key.fd != 0 else broker.fileno()
            while data:
                data = data[os.write(target, data):]


if __name__ == "__main__":
    try:
        carry(int(sys.argv[1]))
    except OSError:
        pass  # a side that broke the connection has ended it
