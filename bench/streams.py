"""The client on TCP, TLS and WebSocket streams: what a message costs beside OpenSSL's own work, and allocations."""

import os
import re
import ssl
import subprocess

from harness.certificates import Certificates
from harness.device import ROOT
from .counters import Counters
from .stream_server import StreamServer

PROGRAM = os.path.join(ROOT, "dist", "host", "mqtt-bench-streams")
CASES = {"pub 0": ("pub", "0 {count} 20"), "pub 1": ("pub", "1 {count} 20"), "recv 0": ("recv", "{count} 0"),
         "recv 1": ("recv", "{count} 1")}
FEW, MANY = 1_000, 5_000
# Percent of OpenSSL's own instructions.
OVERHEAD = 5
OPENSSL = re.compile(r"lib(ssl|crypto)\.so")


class Streams:
    def __init__(self, directory):
        self.directory = os.path.join(directory, "streams")
        os.mkdir(self.directory)
        self.counters = Counters(self.directory)
        certificates = Certificates(self.directory)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.path("server.crt"), certificates.path("server.key"))

    def run(self, scheme, case, count, wrapper=(), variables=None):
        what, rest = CASES[case]
        with StreamServer(scheme, self.context, count) as server:
            subprocess.run(
                [*wrapper, PROGRAM, scheme, what, str(server.port), *rest.format(count=count).split()],
                check=True, capture_output=True, timeout=120, env={**os.environ, **(variables or {})})

    def instructions(self, scheme, case):
        """(ours, OpenSSL's) for one message."""
        def measure(count):
            path = os.path.join(self.directory, "callgrind")
            self.run(scheme, case, count, ("valgrind", "--tool=callgrind", f"--callgrind-out-file={path}"))
            return divide(path)
        few, many = measure(FEW), measure(MANY)
        return tuple((more - less) / (MANY - FEW) for less, more in zip(few, many))

    def allocations(self, scheme, case):
        """(ours, the libraries') for one message."""
        def measure(count):
            own, every = self.counters.own, self.counters.allocations
            self.run(scheme, case, count, variables=self.counters.variables)
            if self.counters.own == own:
                raise RuntimeError("the allocation counter is not loaded")
            return self.counters.own - own, self.counters.allocations - every
        # A handshake that comes in more pieces takes more memory: the fewest of three count.
        few, many = (min(measure(count) for _ in range(3)) for count in (FEW, MANY))
        own, every = (many[index] - few[index] for index in (0, 1))
        return own / (MANY - FEW), (every - own) / (MANY - FEW)


def divide(path):
    """(instructions outside OpenSSL, instructions inside calls of OpenSSL) of a callgrind file."""
    names, place, callee = {}, "", ""
    outside = inside = everything = 0
    is_call = False

    def name(text):
        match = re.match(r"\((\d+)\)(?: (.*))?", text)
        if match[2]:
            names[match[1]] = match[2]
        return names[match[1]]

    with open(path) as file:
        for line in file:
            if line.startswith("ob="):
                place = callee = name(line[3:])
            elif line.startswith("cob="):
                callee = name(line[4:])
            elif line.startswith("fn="):
                callee = place
            elif line.startswith("calls="):
                is_call = True
            elif line[:1] in "+-*" or line[:1].isdigit():
                cost = int(line.split()[1])
                if not is_call:
                    everything += cost
                elif OPENSSL.search(callee) and not OPENSSL.search(place):
                    inside += cost
                if is_call:
                    is_call, callee = False, place
    outside = everything - inside
    return outside, inside


def measure(table, results, directory):
    streams = Streams(directory)

    def row(case, metric, value, unit, limit=None, note=""):
        table.row(f"{case}, {metric}", value, unit, limit, note)
        results.append({"case": case, "client": "swiftlet", "metric": metric, "value": value, "unit": unit})

    for case in CASES:
        plain, _ = streams.instructions("tcp", case)
        ours, openssl = streams.instructions("tls", case)
        row(f"{case} on TLS", "above OpenSSL's own", round(100 * (ours - plain) / openssl, 2), "%", OVERHEAD,
            f"{ours - plain:.0f} more than the {plain:.0f} without TLS; OpenSSL {openssl:.0f}")
    for scheme in ("tls", "ws", "wss"):
        for case in CASES:
            own, others = streams.allocations(scheme, case)
            row(f"{case} on {scheme}", "allocations", own, "", 0, f"the libraries' own: {others:.2f}")
