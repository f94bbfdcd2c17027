"""The MQTT client beside its peers: the same cases, the same server that costs next to nothing."""

import concurrent.futures
import json
import os
import re
import subprocess
import tempfile

from harness.device import ROOT
from .counters import Counters

HERE = os.path.dirname(os.path.abspath(__file__))
# case, then what may not be exceeded: instructions, allocations and system calls for one message.
CASES = {
    "pub 0": ("pub 0 {count} 20", 330, 0.1),
    "pub 1": ("pub 1 {count} 20", 900, 0.1),
    # Two round trips for a window of twenty, each with a send and a recv.
    "pub 2": ("pub 2 {count} 20", 1500, 0.2),
    "recv 0": ("recv {count} 0", 400, 0.1),
    "recv 1": ("recv {count} 1", 600, 0.1),
    "recv 2": ("recv {count} 2", None, 0.2),
}
# Small enough for valgrind; the difference of two runs is free of what a start costs.
FEW, MANY = 2_000, 12_000
# The same for those that do a hundred times as much for a message.
SIZES = {"paho C": (200, 1_200), "paho-python": (100, 400)}


class Server:
    """A fresh stub server for each client: it sends so many messages to who subscribes."""

    def __init__(self, program, count, core=None):
        """On a core of its own it never sleeps."""
        words = [program, "0", str(count)]
        if core is not None:
            words = ["taskset", "-c", str(core), *words, "awake"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Clients:
    def __init__(self, directory, ours):
        self.directory = directory
        self.stub = self.compile("stub_server.c")
        self.programs = {
            "swiftlet": ([ours], ""), "swiftlet 5.0": ([ours], " 5"),
            "raw C": ([self.compile("peers/raw.c")], ""),
            "libmosquitto": ([self.compile("peers/libmosquitto.c", "-lmosquitto")], ""),
            "paho C": ([self.compile("peers/paho_c.c", "-lpaho-mqtt3c")], ""),
            "paho-python": (["/usr/bin/python3", os.path.join(HERE, "peers", "paho_python.py")], ""),
        }

    def compile(self, source, *libraries):
        program = os.path.join(self.directory, os.path.basename(source)[:-2])
        subprocess.run(["cc", "-O2", "-Wall", os.path.join(HERE, source), "-o", program, *libraries], check=True)
        return program

    def run(self, client, case, count, wrapper=(), variables=None, core=None, timeout=60):
        """What the client and the wrapper print."""
        program, more = self.programs[client]
        what, rest = CASES[case][0].format(count=count).split(" ", 1)
        with Server(self.stub, count, core) as stub:
            result = subprocess.run(
                [*wrapper, *program, what, stub.port, *(rest + more).split()], capture_output=True, text=True,
                timeout=timeout, env={**os.environ, **(variables or {})})
        if result.returncode:
            raise RuntimeError(f"{client}, {case}: status {result.returncode}\n{result.stderr[-500:]}")
        return result

    def each(self, client, measure):
        few, many = SIZES.get(client, (FEW, MANY))
        return (measure(many) - measure(few)) / (many - few)

    def instructions(self, client, case):
        def measure(count):
            result = self.run(client, case, count, (
                "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"), timeout=300)
            return int(re.search(r"Collected : (\d+)", result.stderr)[1])
        return round(self.each(client, measure))

    def system_calls(self, client, case):
        """The fewest of three runs: a busy machine cuts a read in two now and then."""
        return min(self.counted_calls(client, case) for _ in range(3 if is_ours(client) else 1))

    def counted_calls(self, client, case):
        def measure(count):
            with tempfile.NamedTemporaryFile("r", dir=self.directory) as file:
                self.run(client, case, count, ("strace", "-f", "-o", file.name))
                return sum(1 for line in file if "(" in line)
        return self.each(client, measure)

    def allocations(self, client, case):
        def measure(count):
            with tempfile.TemporaryDirectory(dir=self.directory) as directory:
                counters = Counters(directory)
                # Python takes its objects from memory of its own otherwise.
                self.run(client, case, count, variables={**counters.variables, "PYTHONMALLOC": "malloc"})
                if not counters.allocations:
                    raise RuntimeError("the allocation counter is not loaded")
                return counters.allocations
        return self.each(client, measure)

    def speed(self, client, case, count, cores=()):
        """Messages per second; with two cores, the server has one and the client the other."""
        wrapper, core = (("taskset", "-c", str(cores[1])), cores[0]) if cores else ((), None)
        lines = self.run(client, case, count, wrapper, core=core).stdout.splitlines()
        return json.loads(lines[-1])["per_second"]


def is_ours(client):
    return client.startswith("swiftlet")


def exact(table, clients, results, with_python):
    """Instructions, allocations and system calls: the same on every machine, so ours have limits."""
    names = ["swiftlet", "swiftlet 5.0", "raw C", "libmosquitto", "paho C", *(["paho-python"] if with_python else [])]
    every = [(case, name) for case in CASES for name in names]
    # Two at a time, as time does not count. System calls of ours are counted alone, as they depend on who waits.
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = list(pool.map(lambda one: figures(clients, *one), every))
    for (case, name), (instructions, allocations, calls) in zip(every, found):
        if calls is None:
            calls = clients.system_calls(name, case)
        _, most, most_calls = CASES[case]
        for metric, value, limit in (("instructions", instructions, most), ("allocations", round(allocations, 4), 0),
                                     ("system calls", round(calls, 2), most_calls)):
            table.row(f"{case}, {metric}, {name}", value, "", limit if is_ours(name) else None)
            results.append({"case": case, "client": name, "metric": metric, "value": value, "unit": "per message"})


def figures(clients, case, name):
    calls = None if is_ours(name) else clients.system_calls(name, case)
    return clients.instructions(name, case), clients.allocations(name, case), calls
