"""Carries one connection between the emulated network (standard input and output) and the broker.

QEMU starts it for every connection that the guest opens. Each direction ends by itself, as in a real
network: what the guest said before it closed reaches the broker, even when the guest no longer listens.
"""

import socket
import sys
import threading


def copy(source, destination):
    """Until the source has ended; what the destination no longer takes is dropped."""
    try:
        while data := source.recv(65536):
            try:
                destination.sendall(data)
            except OSError:
                pass  # it no longer listens, but may have spoken before
        destination.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of the two is gone


def carry(port):
    try:
        broker = socket.create_connection(("127.0.0.1", port), timeout=5)
    except OSError:
        return  # the guest sees its connection closed
    broker.settimeout(None)
    guest = socket.socket(fileno=0)
    threading.Thread(target=copy, args=(guest, broker), daemon=True).start()
    copy(broker, guest)  # when the broker has closed, this process ends, and with it the guest's connection


if __name__ == "__main__":
    carry(int(sys.argv[1]))
