"""Starts an image in the emulator as a Pi's firmware would, plays the scenarios, cuts the power; scripts/image-test."""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import time

from builder import disk
from harness.mqtt import Broker, Observer, wait_until
from harness.waiting import pulse
from hil import scenarios
from hil.chips import targets
from hil.machine import Machine
from hil.report import Failed, Report, expect

from .bench import FOR_TESTS, STARTING, CardBench, open_shell
from .card import Card

ONLINE = f"{scenarios.ROOT}/availability"


@contextlib.contextmanager
def machine_of(card, qemu, broker, directory, paused=False):
    """The emulated Pi with the card in it; the firmware's part is played before its first instruction."""
    firmware = card.firmware(qemu)
    extra = targets(directory) + card.drive() + ["-S"]
    with Machine(firmware, firmware.initramfs, broker.port, extra, f"{firmware.command_line} {FOR_TESTS}") as machine:
        firmware.set_lines(scenarios.gpio.Lines(machine.registers))
        if not paused:
            machine.monitor.command("cont")
        try:
            yield machine
        except Exception:
            print("".join(f"  | {text}\n" for text in machine.console.lines), end="", flush=True)
            raise


def play(card, qemu, broker, directory, report):
    """The scenarios of scripts/hil, on a machine that starts by itself."""
    with machine_of(card, qemu, broker, directory, paused=True) as machine:
        bench = CardBench(machine, broker, report)
        try:
            for scenario in scenarios.ALL:
                scenario(bench)
                if scenario is scenarios.start:
                    open_shell(machine)
                    look_inside(bench)
        except Failed:
            print("".join(f"  | {text}\n" for text in machine.console.lines), end="", flush=True)


def look_inside(bench):
    shell = bench.machine.console.shell
    with bench.asserting("swiftletd runs without root, capabilities or ways to get them"):
        status = shell("cat /proc/$(pidof swiftletd)/status")
        for line in ("Uid:\t990\t990\t990\t990", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
                     "NoNewPrivs:\t1"):
            expect(line in status, f"no {line!r} in {status}")
    with bench.asserting("the root is read-only and verified, the data partition as big as the card allows"):
        mounts = shell("cat /proc/mounts")
        expect(any(line.startswith("/dev/mapper/system / squashfs ro") for line in mounts), "\n".join(mounts))
        expect(any(line.split()[1] == "/data" and "ext4" in line for line in mounts), "\n".join(mounts))
        size = int(shell("df -k /data | tail -n 1 | sed 's/  */ /g' | cut -d ' ' -f 2")[0])
        expect(size > 30_000, f"{size} KiB")


def wait_online(observer):
    """A message of this start: what a broker has kept is marked as that."""
    def is_online():
        return any(m.topic == ONLINE and m.payload == b"online" and not m.retained for m in observer.messages)
    wait_until(is_online, timeout=STARTING, what=f"{ONLINE} says online")


def first_publish(card, qemu, broker, directory, report):
    """How long a start takes, from the kernel's first instruction to the first message."""
    with report.asserting("a second start is online") as line, Observer(broker.port) as observer, \
            machine_of(card, qemu, broker, directory, paused=True) as machine:
        begun = time.monotonic()
        machine.monitor.command("cont")
        wait_online(observer)
        line.note = f"kernel start to first publish: {time.monotonic() - begun:.1f} s of this machine's time"


def slots(card, qemu, broker, directory, report):
    """A system on trial runs as often as it may, then the good one; a damaged one is left for the other."""
    card.copy_system()
    card.put(disk.RECORDS[1] * disk.SECTOR, disk.slot_record(2, "a", trial="b", tries=1))
    for what, damaged, record in (
            ("a system on trial in slot B is started, and its one try is used up", False, ["3", "a", "b", "0"]),
            ("it has not confirmed itself and is given up; slot A is damaged since, so B runs", True, ["4", "a", "-", "0"])):
        with report.asserting(what):
            if damaged:
                card.damage_system()
            with machine_of(card, qemu, broker, directory) as machine:
                open_shell(machine)
                boot = machine.console.shell("cat /dev/.swiftlet-boot")[0]
                expect("slot=b " in boot, f"it runs {boot}")
                machine.cut()
            expect(card.record() == record, f"the record says {card.record()}, expected {record}")


def cut_power(card, qemu, broker, directory, report, kills, seed):
    """Every start comes up, whenever the one before it was killed."""
    chance = random.Random(seed)
    report.say(f"power cuts: {kills}, seed {seed}")
    for number in range(1, kills + 1):
        early = number % 2 == 0
        when = "while it starts" if early else "while it runs"
        with report.asserting(f"cut {number}, {when}: the data repairs itself, and the next start is online") as line:
            with Observer(broker.port) as observer, machine_of(card, qemu, broker, directory) as machine:
                if not early:
                    wait_online(observer)
                moment = chance.uniform(0, 15 if early else 3)
                line.note = f"after {moment:.1f} s"
                time.sleep(moment)  # the moment itself is what is tried
                machine.cut()
            card.check_data()
            with Observer(broker.port) as observer, machine_of(card, qemu, broker, directory) as machine:
                wait_online(observer)
                machine.cut()


def main():
    parser = argparse.ArgumentParser(prog="scripts/image-test", description=__doc__)
    parser.add_argument("--qemu", required=True, help="a program, or a directory with one and its libraries")
    parser.add_argument("--image", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that machine and broker end as well
    pulse.begin()
    begun, report = time.monotonic(), Report("card")
    with tempfile.TemporaryDirectory(prefix="swiftlet-card-") as directory, \
            Broker(settings="allow_anonymous true\nlog_type all\n") as broker:
        card = Card(options.image, directory, options.cache)
        play(card, options.qemu, broker, directory, report)
        with contextlib.suppress(Failed):
            if not report.failed:
                first_publish(card, options.qemu, broker, directory, report)
                slots(card, options.qemu, broker, directory, report)
                cut_power(card, options.qemu, broker, directory, report, options.kills, options.seed)
    print(f"image-test: {report.passed} ok, {report.failed} failed, {time.monotonic() - begun:.1f} s")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
