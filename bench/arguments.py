"""Measures the Embedded build and compares with what is promised."""

import argparse
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EVERY = "sizes allocations memory wake-ups latency client-size client streams idle round-trip throughput".split()


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"any of: {' '.join(EVERY)} (default: all)")
    parser.add_argument("--seconds", type=int, default=60, help="of idling that are watched (default 60)")
    parser.add_argument("--rounds", type=int, default=3, help="of each speed, of which the median counts, and a third "
                        "of those of each round trip (default 3)")
    parser.add_argument("--client", metavar="PROGRAM", default=os.path.join(ROOT, "dist", "host", "mqtt-bench"),
                        help="another program with the command line of mqtt-bench, in its place")
    parser.add_argument("--python", action="store_true", help="paho-python's exact figures too, two minutes more")
    parser.add_argument("--document", action="store_true", help="write docs/benchmarks.md from the client's figures; implies --python")
    arguments = parser.parse_args()
    arguments.python = arguments.python or arguments.document
    if set(arguments.what) - set(EVERY):
        parser.error(f"choose from {' '.join(EVERY)}")
    return arguments


if __name__ == "__main__":
    parse()
