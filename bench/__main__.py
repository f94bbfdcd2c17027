"""scripts/bench calls it: measures the Embedded build and compares with what is promised."""

import concurrent.futures
import os
import shutil
import sys
import tempfile

from harness.device import ROOT, simulator, swiftletd
from harness.mqtt import Broker
from builder.elf import Elf

from . import client_size, clients, document, idle, measurements, streams, timing
from .arguments import EVERY, parse
from .counters import Counters, sites

# What is promised: exceeding one of these fails. Figures without a limit are for comparison only: they
# depend on the machine.
LIMITS = {
    "size, arm64": 442_368,  # as toolchains/arm64.target says
    "allocations in 10,000 readings": 0,
    "allocations in 10,000 commands": 0,
    "memory after connecting": 4096,
    "memory after 10,000 commands": 4096,
}
LIBRARIES = {
    "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "ld-linux-armhf.so.3",
    "ld-linux.so.3", "libresolv.so.2", "libgpiod.so.2", "libgpiod.so.3", "libi2c.so.0", "libyaml-0.so.2"}


class Table:
    def __init__(self):
        self.failures = []

    def row(self, name, value, unit, limit=None, note="", at_least=None):
        limit = LIMITS.get(name, limit)
        is_over = limit is not None and value > limit or at_least is not None and value < at_least
        if is_over:
            self.failures.append(name)
        shown = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
        bound = f"at most {limit:,}" if limit is not None else f"at least {at_least:,}" if at_least is not None else ""
        print(f"  {name:<42} {shown:>10} {unit:<6} {bound:<16} {'EXCEEDED ' if is_over else ''}{note}".rstrip(),
              flush=True)


def sizes(table):
    for target in ("arm64", "arm64-bookworm", "armhf", "armv6", "host"):
        path = os.path.join(ROOT, "dist", target, "swiftletd")
        if not os.path.exists(path):
            print(f"  size, {target:<40} not built (scripts/cross {target.replace('-', ' ')})")
            continue
        needed = Elf(path).needed()
        table.row(f"size, {target}", os.path.getsize(path), "bytes", note="needs " + " ".join(needed))
        strange = set(needed) - LIBRARIES
        if strange:
            table.failures.append(f"{target} needs {' '.join(strange)}, and a board need not have it")


def allocations(table, broker, directory):
    """Counts; where there are any, once more with their places."""
    counters = Counters(directory)
    count, allocated, _, note = measurements.readings_allocate(counters, broker.port, directory, 10_000)
    table.row(f"allocations in {count:,} readings", allocated, "", note=note)
    if allocated:
        _, _, log, _ = measurements.readings_allocate(counters, broker.port, directory, 200, trace=True)
        print(sites(log, unstripped()))
    count, allocated, _ = measurements.commands_allocate(counters, broker.port, 10_000)
    table.row(f"allocations in {count:,} commands", allocated, "")
    if allocated:
        _, _, log = measurements.commands_allocate(counters, broker.port, 130, trace=True)
        print(sites(log, unstripped()))


def unstripped():
    """The same program with its names."""
    if simulator() == os.path.join(ROOT, "dist", "host", "swiftletd-simulator"):
        return os.path.join(ROOT, ".build-host-lto", "release", "swiftletd-simulator")
    return simulator()


def memory(table, broker):
    with open(os.path.join(ROOT, "examples", "greenhouse", "device.yaml")) as file:
        text = file.read().replace("device: greenhouse", "device: bench").replace("raspberry-pi-4", "simulator")
    text = text.replace("mqtt://${BROKER:-localhost}", f"mqtt://localhost:{broker.port}")
    connected, later, most = measurements.memory(broker.port, text, 10_000)
    table.row("memory after connecting", connected, "kB")
    table.row("memory after 10,000 commands", later, "kB")
    table.row("memory, highest", most, "kB")


def wake_ups(table, seconds, pool):
    """Begins to count, which needs time and nothing else; answers what prints the outcome."""
    counting = pool.submit(measurements.wake_ups, seconds, 10, 60)
    return lambda: report_wake_ups(table, seconds, *counting.result())


def report_wake_ups(table, seconds, counted, readings, pings, explained):
    # A reading or an answer may be cut in two by the end of the time.
    table.row(f"wake-ups in {seconds} s", counted, "", limit=explained + 6,
              note=f"{readings} readings × 6 + {pings} PINGREQ × 2 + 6")


def latency(table, broker):
    def rows(name, seconds):
        for percent in (50, 99):
            table.row(f"{name}, p{percent}", 1000 * seconds[len(seconds) * percent // 100], "ms")
    rows("command to result, device alone", measurements.latency_of_device(1000))
    rows("command to result, mosquitto", measurements.latency(broker.port, 1000))
    table.row("clean stop", 1000 * measurements.stop_time(broker.port), "ms")


def small_client(table, broker, results):
    """The client's own code, and the program that does without MQTT 5.0."""
    client_size.measure(table, results)
    client_size.works(table, os.path.join(ROOT, "dist", "host-mqtt3", "mqtt-bench"), broker.port)


PARTS_OF_CLIENT = "client idle round-trip throughput".split()


def client(table, directory, wanted, arguments, results, peers):
    """The client alone, beside its peers."""
    if "client" in wanted:
        clients.exact(table, peers, results, arguments.python)
    if "round-trip" in wanted:
        timing.round_trips(table, peers, results, 3 * arguments.rounds)
    if "throughput" in wanted:
        timing.throughput(table, peers, results, arguments.rounds)


def measure(table, wanted, arguments, directory, results):
    """Everything that is wanted; what idles does so meanwhile."""
    peers = idlers = counting = None
    if set(wanted) & set(PARTS_OF_CLIENT):
        peers = clients.Clients(directory, arguments.client)
    try:
        if "idle" in wanted:
            idlers = idle.Idlers(peers, arguments.seconds)
        if "wake-ups" in wanted:
            counting = wake_ups(table, arguments.seconds, concurrent.futures.ThreadPoolExecutor(1))
        device(table, wanted, arguments, directory, results)
        if "streams" in wanted:
            streams.measure(table, results, directory)
        if peers:
            client(table, directory, wanted, arguments, results, peers)
        if counting:
            counting()
        if idlers:
            idlers.report(table, results)
    finally:
        if idlers:
            idlers.close()


def device(table, wanted, arguments, directory, results):
    """swiftletd, and what needs a broker."""
    with Broker() as broker:
        if "sizes" in wanted:
            sizes(table)
        if "allocations" in wanted:
            allocations(table, broker, directory)
        if "memory" in wanted:
            memory(table, broker)
        if "latency" in wanted:
            latency(table, broker)
        if "client-size" in wanted:
            small_client(table, broker, results)


def main():
    arguments = parse()
    wanted = arguments.what or EVERY
    table, results = Table(), []
    directory = tempfile.mkdtemp(prefix="swiftlet-bench-")
    try:
        print(f"bench: {os.path.relpath(swiftletd(), ROOT)}")
        measure(table, wanted, arguments, directory, results)
        document.write(results)
        if arguments.document:
            document.document(results)
    finally:
        shutil.rmtree(directory)
    if table.failures:
        sys.exit("bench: exceeded: " + "; ".join(table.failures))
    print("bench: every limit holds")


main()
