"""The MQTT client beside its peers: the same cases, the same server that costs next to nothing."""

import json
import os
import re
import statistics
import subprocess

from harness.device import ROOT
from .counters import Counters

HERE = os.path.dirname(os.path.abspath(__file__))
# case, then what may not be exceeded: instructions, allocations and system calls for one message.
CASES = {
    "pub 0": ("pub 0 {count} 20", 330, 0.1),
    "pub 1": ("pub 1 {count} 20", 900, 0.1),
    "pub 2": ("pub 2 {count} 20", 1500, None),
    "recv 0": ("recv {count} 0", 400, 0.1),
    "recv 1": ("recv {count} 1", 600, 0.1),
    "recv 2": ("recv {count} 2", None, None),
}
# Small enough for valgrind; the difference of two runs is free of what a start costs.
FEW, MANY = 2_000, 12_000


class Server:
    """A fresh stub server for each client: it sends so many messages to who subscribes."""

    def __init__(self, program, count):
        self.process = subprocess.Popen([program, "0", str(count)], stdout=subprocess.PIPE, text=True)
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

    def run(self, client, case, count, wrapper=(), variables=None, timeout=60):
        """What the client and the wrapper print."""
        program, more = self.programs[client]
        what, rest = CASES[case][0].format(count=count).split(" ", 1)
        with Server(self.stub, count) as server:
            result = subprocess.run(
                [*wrapper, *program, what, server.port, *(rest + more).split()], capture_output=True, text=True,
                timeout=timeout, env={**os.environ, **(variables or {})})
        if result.returncode:
            raise RuntimeError(f"{client}, {case}: status {result.returncode}\n{result.stderr[-500:]}")
        return result

    def each(self, measure):
        return (measure(MANY) - measure(FEW)) / (MANY - FEW)

    def instructions(self, client, case):
        def measure(count):
            result = self.run(client, case, count, (
                "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
            return int(re.search(r"Collected : (\d+)", result.stderr)[1])
        return round(self.each(measure))

    def system_calls(self, client, case):
        """The fewest of three runs: a busy machine cuts a read in two now and then."""
        return min(self.counted_calls(client, case) for _ in range(3 if client.startswith("swiftlet") else 1))

    def counted_calls(self, client, case):
        def measure(count):
            path = os.path.join(self.directory, "strace")
            self.run(client, case, count, ("strace", "-f", "-o", path))
            with open(path) as file:
                return sum(1 for line in file if "(" in line)
        return self.each(measure)

    def allocations(self, client, case):
        def measure(count):
            counters = Counters(self.directory)
            self.run(client, case, count, variables=counters.variables)
            if not counters.allocations:
                raise RuntimeError("the allocation counter is not loaded")
            return counters.allocations
        return self.each(measure)

    def speed(self, client, case, count):
        lines = self.run(client, case, count).stdout.splitlines()
        return json.loads(lines[-1])["per_second"]


def medians(clients, case, names, counts, rounds):
    """Messages per second, each client once a round, so that all see the same machine."""
    speeds = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            speeds[name].append(clients.speed(name, case, counts.get(name, counts[None])))
    return {name: statistics.median(values) for name, values in speeds.items()}


def exact(table, clients, results):
    """Instructions, allocations and system calls: the same on every machine, so they have limits."""
    for case, (_, instructions, calls) in CASES.items():
        for name in ("swiftlet", "swiftlet 5.0", "raw C", "libmosquitto"):
            if name == "libmosquitto" and case == "recv 2":
                continue
            ours = name.startswith("swiftlet")
            for metric, value, limit in (
                    ("instructions", clients.instructions(name, case), instructions if ours else None),
                    ("allocations", clients.allocations(name, case), 0 if ours else None),
                    ("system calls", round(clients.system_calls(name, case), 2), calls if ours else None)):
                table.row(f"{case}, {metric}, {name}", value, "", limit)
                results.append({"case": case, "client": name, "metric": metric, "value": value, "unit": "per message"})


def speed(table, clients, results, rounds):
    """Messages per second beside the peers: depends on the machine, so the ratios are for reading."""
    for case, names in (("pub 0", ["swiftlet", "raw C", "libmosquitto", "paho C", "paho-python"]),
                        ("pub 1", ["swiftlet", "raw C", "libmosquitto", "paho C", "paho-python"]),
                        ("recv 0", ["swiftlet", "raw C", "libmosquitto"])):
        found = medians(clients, case, names, {None: 200_000, "paho C": 10_000, "paho-python": 10_000}, rounds)
        best = max(value for name, value in found.items() if name not in ("swiftlet", "raw C"))
        for name, value in found.items():
            table.row(f"{case}, {name}", int(value), "1/s", None, f"{value / best:.2f} × the best peer")
            results.append({"case": case, "client": name, "metric": "throughput", "value": value, "unit": "1/s"})


UNIT = "per message"


def document(results):
    """docs/benchmarks.md and its plot, from one run."""
    figures = {(each["metric"], each["case"], each["client"]): each["value"] for each in results}
    names = list(dict.fromkeys(each["client"] for each in results))
    lines = ["# The MQTT client beside its peers\n\nWritten by `scripts/bench client --document`: one run against "
             "`bench/stub_server.c` on loopback, 64-byte payloads, QoS 1 and 2 with a window of 20.\nInstructions "
             "(user space, callgrind), allocations and system calls are exact. Throughput depends on the machine and on\n"
             "how its cores are shared: at QoS 1 the ratio to the best peer was between 2 and 19 in different runs on two "
             "cores.\n`raw C` is a floor without any checks, one `send` a message.\n\n"
             "![instructions](benchmarks.svg)\n"]
    for metric, unit in (("instructions", UNIT), ("allocations", UNIT), ("system calls", UNIT),
                         ("throughput", "messages a second")):
        cases = [case for case in CASES if any((metric, case, name) in figures for name in names)]
        lines.append(f"\n## {metric.capitalize()}, {unit}\n\n| client | {' | '.join(cases)} |\n|{'---|' * (len(cases) + 1)}\n")
        for name in names:
            row = [figures.get((metric, case, name)) for case in cases]
            if any(value is not None for value in row):
                cells = ("–" if value is None else f"{value:,.10g}" for value in row)
                lines.append(f"| {name} | {' | '.join(cells)} |\n")
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), "w") as file:
        file.writelines(lines)
    with open(os.path.join(ROOT, "docs", "benchmarks.svg"), "w") as file:
        file.write(plot(figures))


def plot(figures):
    """Bars of instructions per message."""
    colors = {"swiftlet": "#d9480f", "swiftlet 5.0": "#f08c00", "raw C": "#868e96", "libmosquitto": "#1971c2"}
    most = max(value for (metric, _, _), value in figures.items() if metric == "instructions")
    parts, y = [], 30
    for case in CASES:
        parts.append(f'<text x="10" y="{y + 30}">{case}</text>')
        for name, color in colors.items():
            value = figures.get(("instructions", case, name))
            if value is None:
                continue
            width = max(1, value / most * 480)
            parts.append(f'<rect x="70" y="{y}" width="{width:.0f}" height="12" fill="{color}"/>'
                         f'<text x="{75 + width:.0f}" y="{y + 10}" font-size="10">{name} {value:,}</text>')
            y += 14
        y += 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{y}" font-family="sans-serif" font-size="12">'
            f'<rect width="680" height="{y}" fill="white"/>'
            f'<text x="10" y="18">User-space instructions per message</text>{"".join(parts)}</svg>\n')


def write(results):
    with open(os.path.join(ROOT, "bench", "results.json"), "w") as file:
        json.dump(results, file, indent=1)
