"""Boots the emulated Raspberry Pi for each binary and plays the scenarios; scripts/hil calls it."""

import argparse
import os
import signal
import sys
import tempfile
import time

from harness.mqtt import Broker
from harness.waiting import pulse

from . import scenarios
from .chips import targets
from .guest import Parts, write_initramfs
from .machine import Machine
from .report import Failed, Report


def play(name, swiftletd, sysroot, parts, boards, wanted):
    """One machine with one binary; True when every assertion held."""
    report = Report(name)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="swiftlet-hil-") as directory, \
            Broker(settings="allow_anonymous true\nlog_type all\n") as broker:
        initramfs = os.path.join(directory, "initramfs")
        write_initramfs(initramfs, parts, swiftletd, sysroot, boards, scenarios.CONFIGURATION)
        with Machine(parts, initramfs, broker.port, targets(directory)) as machine:
            try:
                with report.asserting("the machine boots") as line:
                    _, match = machine.console.wait("guest is ready: (.*)")
                    line.note = f"{match[1]} of guest time"
                bench = scenarios.Bench(machine, broker, report)
            except Failed:
                wanted = []
            for scenario in wanted:
                try:
                    scenario(bench)
                except Failed:
                    pass
                except Exception as error:  # what a scenario needs before its first assertion
                    report.failed += 1
                    print(f"  FAILED {name}: {scenario.__name__}: {type(error).__name__}: {error}", flush=True)
            if report.failed:
                print(f"  {name}: the guest's console:")
                print("".join(f"  | {text}\n" for text in machine.console.lines), end="", flush=True)
    print(f"  {name}: {report.passed} ok, {report.failed} failed, {time.monotonic() - begin:.1f} s", flush=True)
    return not report.failed


def main():
    names = [scenario.__name__ for scenario in scenarios.ALL]
    parser = argparse.ArgumentParser(prog="scripts/hil", description=__doc__)
    parser.add_argument("scenario", nargs="?", choices=names, help="only this one (default: all, in this order)")
    parser.add_argument("--qemu", required=True, help="a program, or a directory with one and its libraries")
    parser.add_argument("--kernel", required=True, help="an unpacked kernel package")
    parser.add_argument("--busybox", required=True, help="a static busybox for arm64")
    parser.add_argument("--boards", required=True, help="the directory with the board files")
    parser.add_argument("--binary", required=True, action="append", nargs=3, metavar=("NAME", "PROGRAM", "SYSROOT"))
    options = parser.parse_args()
    parts = Parts(options.qemu, options.kernel, options.busybox)
    wanted = [scenario for scenario in scenarios.ALL if options.scenario in (None, scenario.__name__)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that machine and broker end as well
    pulse.begin()
    begin = time.monotonic()
    results = [
        play(name, program, sysroot, parts, options.boards, wanted) for name, program, sysroot in options.binary]
    print(f"hil: {'everything held' if all(results) else 'FAILED'}, {time.monotonic() - begin:.1f} s")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
