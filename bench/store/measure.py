"""scripts/bench-store calls it: bytes, writes and syncs for each message that is kept and removed again."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = {"sqlite": "libsqlite3.so.0", "lmdb": "liblmdb.so.0", "log": None}
CASES = [("one message a commit", 1, 0), ("groups of 20", 20, 0),
         ("one a commit, 2,000 waiting", 1, 2000), ("groups of 20, 2,000 waiting", 20, 2000)]
# What docs/durable-outbox.md promises of the chosen one.
LIMITS = {("sqlite", "one message a commit"): {"bytes": 600, "syncs": 1.05},
          ("sqlite", "groups of 20"): {"bytes": 220, "syncs": 0.08}}


def compile_tools(directory):
    def cc(*words):
        subprocess.run(["cc", "-O2", "-Wall", *words], check=True)
    program, counter = os.path.join(directory, "candidates"), os.path.join(directory, "count_writes.so")
    cc(os.path.join(HERE, "candidates.c"), "-o", program, "-lsqlite3", "-llmdb")
    cc("-shared", "-fPIC", os.path.join(HERE, "count_writes.c"), "-o", counter, "-ldl")
    return program, counter


def measure(program, counter, name, messages, group, backlog):
    with tempfile.TemporaryDirectory(prefix="swiftlet-store-") as directory:
        counts = os.path.join(directory, "counts")
        data = os.path.join(directory, "data")
        os.mkdir(data)
        memory = subprocess.run(
            [program, name, data, str(messages), str(group), str(backlog)], check=True, capture_output=True, text=True,
            env={**os.environ, "LD_PRELOAD": counter, "WRITE_COUNTS": counts}).stdout
        with open(counts) as file:
            writes, written, syncs, blocks = (int(word) / messages for word in file.read().split())
        size = sum(os.path.getsize(os.path.join(data, entry)) for entry in os.listdir(data))
    return {"writes": writes, "bytes": written, "syncs": syncs, "blocks of 4 KiB": blocks,
            "memory, kB": int(memory), "files, kB": size / 1024}


def library_size(name):
    if LIBRARIES[name] is None:
        return 0
    listing = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, env={"PATH": "/sbin:/usr/sbin"}).stdout
    path = next(line.split("=> ")[1] for line in listing.splitlines() if LIBRARIES[name] in line)
    return os.path.getsize(os.path.realpath(path))


def survives_damage(program, name, cut):
    """How the next process ends that opens a database of which the end is missing."""
    with tempfile.TemporaryDirectory(prefix="swiftlet-store-") as directory:
        subprocess.run([program, name, directory, "400", "1", "200"], check=True, capture_output=True)
        for entry in os.listdir(directory):
            path = os.path.join(directory, entry)
            if entry.endswith((".sqlite", ".mdb")) and not entry.startswith("lock"):
                os.truncate(path, int(os.path.getsize(path) * cut))
            elif entry.endswith("-wal"):
                os.remove(path)
        answer = subprocess.run([program, name, directory, "400", "1", "200"], capture_output=True, text=True)
    if answer.returncode < 0:
        return signal.Signals(-answer.returncode).name
    return "goes on" if answer.returncode == 0 else "reports an error"


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench-store", description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--json", help="a file for the figures")
    return parser.parse_args()


def main():
    arguments = parse()
    directory = tempfile.mkdtemp(prefix="swiftlet-store-")
    failures, results = [], []
    try:
        program, counter = compile_tools(directory)
        for title, group, backlog in CASES:
            print(f"{title}, for each message of 107 bytes:")
            for name in LIBRARIES:
                figures = measure(program, counter, name, arguments.messages, group, backlog)
                print(f"  {name:<7}" + "  ".join(f"{what} {value:,.2f}" for what, value in figures.items()), flush=True)
                for what, value in figures.items():
                    results.append({"case": title, "store": name, "metric": what, "value": round(value, 3)})
                for what, limit in LIMITS.get((name, title), {}).items():
                    if figures[what] > limit:
                        failures.append(f"{name}, {title}: {figures[what]:.2f} {what}, at most {limit}")
        print("library, bytes:  " + "  ".join(f"{name} {library_size(name):,}" for name in LIBRARIES))
        for cut in (0.3, 0.6, 0.9):
            fates = "  ".join(f"{name}: {survives_damage(program, name, cut)}" for name in ("sqlite", "lmdb"))
            print(f"the file cut off after {cut:.0%}, the next process:  {fates}")
    finally:
        shutil.rmtree(directory)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)
    if failures:
        sys.exit("bench-store: " + "; ".join(failures))


main()
