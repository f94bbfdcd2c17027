"""docs/benchmarks.md, its plot and bench/results.json, from one run."""

import json
import math
import os

from harness.device import ROOT
from . import streams

CLIENTS = ("swiftlet", "swiftlet 5.0", "raw C", "libmosquitto", "paho C", "paho-python")
COLORS = ("#d9480f", "#f08c00", "#868e96", "#1971c2", "#2f9e44", "#9c36b5")
MESSAGES = ("pub 0", "pub 1", "pub 2", "recv 0", "recv 1", "recv 2")
TIMED = ("pub 0", "pub 1", "recv 0")

INTRODUCTION = """# The MQTT client beside its peers

Written by `scripts/bench --document`, from one run; [what is measured and how](../bench/README.md). On loopback, with 64-byte
payloads; QoS 1 and 2 with a window of 20. `swiftlet` is `MQTTClient` as Embedded Swift, with 3.1.1 and 5.0; the others speak
3.1.1. `raw C` is a floor: prepared packets, one `send` a message, no checks, no time limits. Peers are Debian's.

Instructions, allocations, system calls and sizes are exact, and `make bench` fails when ours grow beyond their limits. What
takes time depends on the machine: ratios are for comparison, and those with a limit are measured in turns and on one core.

![instructions](benchmarks.svg)
"""


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.10g}"


def table(figures, title, note, columns, clients=CLIENTS):
    """`columns`: (heading, case, metric)."""
    lines = [f"\n## {title}\n\n", f"{note}\n\n" if note else "",
             f"| client | {' | '.join(heading for heading, _, _ in columns)} |\n", f"|{'---|' * (len(columns) + 1)}\n"]
    for client in clients:
        values = [figures.get((metric, case, client)) for _, case, metric in columns]
        if any(value is not None for value in values):
            lines.append(f"| {client} | {' | '.join(map(number, values))} |\n")
    return "".join(lines)


def document(results):
    figures = {(each["metric"], each["case"], each["client"]): each["value"] for each in results}

    def value(metric, case):
        return number(figures.get((metric, case, "swiftlet")))

    parts = [INTRODUCTION]
    for metric in ("instructions", "allocations", "system calls"):
        parts.append(table(figures, f"{metric.capitalize()} for one message", "", [
            (case, case, metric) for case in MESSAGES]))
    parts.append(table(
        figures, "Messages a second", "Client and server on one core; then a core for the client and one for a server "
        f"that never sleeps, which other programs on the machine disturb: those figures are for reading. To the best peer on one core: {value('throughput to the best peer', 'pub 0')} × at QoS 0, "
        f"{value('throughput to the best peer', 'pub 1')} × at QoS 1; with a core for each "
        f"{value('throughput to the best peer', 'pub 0, a core each')} × and "
        f"{value('throughput to the best peer', 'pub 1, a core each')} ×.",
        [(case, case, "throughput") for case in (*TIMED, "pub 0, a core each", "pub 1, a core each")]))
    parts.append(table(
        figures, "From a command to its answer, µs", "Through mosquitto, everything on one core. Median of ours to raw C's: "
        f"{value('round trip to raw C', 'echo 0')} at QoS 0, {value('round trip to raw C', 'echo 1')} at QoS 1.",
        [(f"QoS {qos}, {name}", f"echo {qos}", f"round trip, p{percent}")
         for qos in (0, 1) for name, percent in (("median", 50), ("99 %", 99))]))
    wake_ups = next((metric for metric, _, _ in figures if metric.startswith("idle, wake-ups")), "")
    parts.append(table(
        figures, "Idle", "Highest resident memory in kB; wake-ups beside those of keep alive.",
        [("memory", "idle", "idle, memory"), ("threads", "idle", "idle, threads"),
         (wake_ups.removeprefix("idle, "), "idle", wake_ups)]))
    parts.append(table(figures, "Code and data on arm64, bytes", "Of the client, in a stripped program, by the linker's map.", [
        (versions, f"code on arm64, {versions}", "size") for versions in ("3.1.1", "3.1.1 and 5.0")]))
    parts.append(table(
        figures, "Above OpenSSL's own, %", "Instructions of ours that a message costs more on TLS, to those that OpenSSL "
        "spends on it.", [(case, f"{case} on TLS", "above OpenSSL's own") for case in streams.COMPARED]))
    most = max((each for (metric, case, _), each in figures.items() if metric == "allocations" and " on " in case), default=0)
    parts.append(f"\nAllocations of ours for one message on TLS, WebSocket and WebSocket on TLS, at QoS 0, 1 and 2, with 3.1.1 and 5.0: at most {number(most)}.\n")
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), "w") as file:
        file.writelines(parts)
    with open(os.path.join(ROOT, "docs", "benchmarks.svg"), "w") as file:
        file.write(plot(figures))


def plot(figures):
    """Bars of instructions for one message, on a logarithmic scale from 10 on."""
    scale = 480 / 5
    parts, y = [], 34
    for case in MESSAGES:
        parts.append(f'<text x="10" y="{y + 42}">{case}</text>')
        for client, color in zip(CLIENTS, COLORS):
            value = figures.get(("instructions", case, client))
            if value is None:
                continue
            width = max(1, (math.log10(max(value, 1)) - 1) * scale)
            parts.append(f'<rect x="70" y="{y}" width="{width:.0f}" height="12" fill="{color}"/>'
                         f'<text x="{75 + width:.0f}" y="{y + 10}" font-size="10">{client} {value:,}</text>')
            y += 14
        y += 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y}" font-family="sans-serif" font-size="12">'
            f'<rect width="720" height="{y}" fill="white"/>'
            f'<text x="10" y="18">User-space instructions for one message (logarithmic scale)</text>{"".join(parts)}</svg>\n')


def write(results):
    with open(os.path.join(ROOT, "bench", "results.json"), "w") as file:
        json.dump(results, file, indent=1)
