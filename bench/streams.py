"""The client on TCP, TLS and WebSocket streams: what a message costs beside OpenSSL's own work, and allocations."""

import concurrent.futures
import os
import re
import ssl
import subprocess
import tempfile

from harness.certificates import Certificates
from harness.device import ROOT
from .counters import Counters
from .stream_server import StreamServer

PROGRAM = os.path.join(ROOT, "dist", "host", "mqtt-bench-streams")
# On TLS, beside OpenSSL: with a window of one, each message is a record of its own.
COMPARED = {"pub 0": ("pub", "0 {count} 20"), "pub 1": ("pub", "1 {count} 20"), "pub 1, window 1": ("pub", "1 {count} 1"),
            "recv 0": ("recv", "{count} 0"), "recv 1": ("recv", "{count} 1")}
CASES = {**COMPARED, "pub 2": ("pub", "2 {count} 20"), "recv 2": ("recv", "{count} 2")}
COUNTED = ("pub 0", "pub 1", "pub 2", "recv 0", "recv 1", "recv 2")
STREAMS = ("tls", "ws", "wss", "tls 5.0", "ws 5.0", "wss 5.0")
FEW, MANY = 1_000, 5_000
# Percent of OpenSSL's own instructions.
OVERHEAD = 5
OPENSSL = re.compile(r"lib(ssl|crypto)\.so")


class Streams:
    def __init__(self, directory):
        self.directory = os.path.join(directory, "streams")
        os.mkdir(self.directory)
        certificates = Certificates(self.directory)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.path("server.crt"), certificates.path("server.key"))

    def run(self, stream, case, count, wrapper=(), variables=None):
        """`stream`: a scheme, and 5.0 unless it is 3.1.1."""
        scheme, *version = stream.split()
        what, rest = CASES[case]
        words = [*rest.format(count=count).split(), *(["5"] if version else [])]
        with StreamServer(scheme, self.context, count) as server:
            subprocess.run(
                [*wrapper, PROGRAM, scheme, what, str(server.port), *words], check=True, capture_output=True, timeout=120,
                env={**os.environ, **(variables or {})})

    def instructions(self, stream, case):
        """(ours, OpenSSL's) for one message."""
        def measure(count):
            with tempfile.NamedTemporaryFile("r", dir=self.directory) as file:
                self.run(stream, case, count, ("valgrind", "--tool=callgrind", f"--callgrind-out-file={file.name}"))
                return divide(file.name)
        few, many = measure(FEW), measure(MANY)
        return tuple((more - less) / (MANY - FEW) for less, more in zip(few, many))

    def allocations(self, stream, case):
        """(ours, the libraries') for one message."""
        with tempfile.TemporaryDirectory(dir=self.directory) as directory:
            counters = Counters(directory)

            def measure(count):
                own, every = counters.own, counters.allocations
                self.run(stream, case, count, variables=counters.variables)
                if counters.own == own:
                    raise RuntimeError("the allocation counter is not loaded")
                return counters.own - own, counters.allocations - every
            # A handshake that comes in more pieces takes an allocation or two more, whatever the messages take: they
            # take something where the fewest with many of them are above the most with few.
            few = [measure(FEW) for _ in range(3)]
            many = [measure(MANY) for _ in range(3)]
        own, every = (max(0, min(counts) - max(base)) for counts, base in zip(zip(*many), zip(*few)))
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

    every = [(stream, case) for stream in STREAMS for case in COUNTED]
    # Two at a time, as time does not count.
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        plain = pool.map(lambda case: streams.instructions("tcp", case), COMPARED)
        secured = pool.map(lambda case: streams.instructions("tls", case), COMPARED)
        counted = list(pool.map(lambda one: streams.allocations(*one), every))
    for case, (without, _), (ours, openssl) in zip(COMPARED, plain, secured):
        row(f"{case} on TLS", "above OpenSSL's own", round(100 * (ours - without) / openssl, 2), "%", OVERHEAD,
            f"{ours - without:.0f} more than the {without:.0f} without TLS; OpenSSL {openssl:.0f}")
    for (stream, case), (own, others) in zip(every, counted):
        row(f"{case} on {stream}", "allocations", own, "", 0, f"the libraries' own: {others:.2f}")
