"""docs/benchmarks.md, its plot and bench/results.json, from one run."""

import json
import os

from harness.device import ROOT
from .clients import CASES

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
