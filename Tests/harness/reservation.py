"""Numbers that only one test of this machine has at a time: ports, and networks."""

import random
import socket

# They live as long as this process, however it ends, and leave no file behind.
held = []


def reserve(kind, number):
    """Takes the number for this process, until it ends; whether nobody else has it."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0swiftlet-test-{kind}-{number}")
    except OSError:
        name.close()
        return False
    held.append(name)
    return True


def reserved(kind, numbers):
    """The first of the numbers, in a random order, that is free."""
    numbers = list(numbers)
    random.shuffle(numbers)
    for number in numbers:
        if reserve(kind, number):
            return number
    raise RuntimeError(f"no {kind} is free")


def free_port():
    """A port on loopback that no other test is given, that nobody listens on, and that the kernel does not give to
    connections that go out, so that whoever is started later finds it free."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first = int(file.read().split()[0])
    numbers = range(10_000, first) if first > 12_000 else range(10_000, 65_000)
    while True:
        port = reserved("port", numbers)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                pass
