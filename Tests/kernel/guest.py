#!/usr/bin/python3 -B
"""The first process of the guest: sets up the hardware, runs the scenarios, switches the machine off.

The kernel passes on from its command line: PROGRAM, BOARDS, OUTPUT, SCENARIO (a part of a name), FULL,
and SYSROOT, where the program finds libraries other than this machine's own.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import traceback

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
sys.dont_write_bytecode = True

from kernel import hardware
from kernel.hardware import Chip, Levels, Target, libc, mount

# The guest's only writable places; what the host keeps in /tmp stays visible.
TEMPORARY = "/run"
OUTPUT = TEMPORARY + "/output"
POWER_OFF = 0x4321FEDC


def set_up():
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("configfs", hardware.CONFIGFS.rsplit("/", 1)[0], "configfs")
    mount("debugfs", "/sys/kernel/debug", "debugfs")
    mount("tracefs", hardware.TRACING, "tracefs")
    mount("tmpfs", TEMPORARY, "tmpfs", "mode=1777")
    os.environ["TMPDIR"] = TEMPORARY
    os.environ.setdefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    mount("none", OUTPUT, "hostfs", os.environ["OUTPUT"])
    with socket.socket() as loopback:
        # SIOCSIFFLAGS: up and running
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sH14x", b"lo", 0x41))


def make_root(sysroot, program, boards):
    """A root directory for the program, with the sysroot's libraries and the guest's devices."""
    root = TEMPORARY + "/root"
    for directory in ("usr", "dev", "proc", "sys", "run"):
        source = sysroot + "/usr" if directory == "usr" else "/" + directory
        mount(source, f"{root}/{directory}", "none", flags=hardware.BIND)
    for link in ("lib", "lib64"):
        os.symlink(f"usr/{link}", f"{root}/{link}")
    shutil.copy(program, f"{root}/swiftletd")
    shutil.copytree(boards, f"{root}/boards")
    return root


class Bench:
    """What every scenario works with."""

    def __init__(self):
        from harness.mqtt import Broker, Observer
        from kernel.runtime import Runtime

        self.root, self.program, self.boards = "/", os.environ["PROGRAM"], os.environ["BOARDS"]
        if os.environ.get("SYSROOT"):
            self.root = make_root(os.environ["SYSROOT"], self.program, self.boards)
            self.program, self.boards = "/swiftletd", "/boards"
        # The first start reads the program and its libraries from the host, which takes as long as it takes.
        subprocess.run(["/usr/sbin/chroot", self.root, self.program, "--version"], check=True, stdout=subprocess.DEVNULL)
        self.full = bool(os.environ.get("FULL"))
        self.chip = Chip("swiftlet-test", ["RELAY1", "RELAY2", "RELAY3", "DOOR", "WINDOW"])
        self.levels = Levels()
        self.broker = Broker()
        self.observer = Observer(self.broker.port, "swiftlet/#")
        self.make_observer = Observer
        self.make_broker = Broker
        self.make_runtime = Runtime
        self.runtimes = []
        self.notes = []

    def note(self, text):
        """A figure for the scenario's line in the report."""
        self.notes.append(text)

    def runtime(self, modules, broker=None, observer=None, user=None, network=None):
        """`network`: the program is at its far end, and finds the broker at its near one."""
        words = ["/usr/sbin/chroot", self.root, self.program, "--boards", self.boards]
        if user is not None:
            words[1:1] = [f"--userspec={user}:{user}", "--groups="]
        if network:
            words[:0] = network.wrapper
        runtime = self.make_runtime(
            words, broker or self.broker, observer or self.observer, modules, network.host if network else "127.0.0.1")
        self.runtimes.append(runtime)
        return runtime

    def run(self, scenario):
        self.runtimes.clear()
        self.notes.clear()
        for line in self.chip.lines.values():
            line.drive(0)
        began = time.monotonic()
        try:
            scenario(self)
            failure = None
        except Exception as error:
            failure = explain(error)
        for runtime in self.runtimes:
            if failure:
                failure += runtime.describe()
            runtime.kill()
        for address in (0x44, 0x48, 0x76, 0x77):
            Target(address).reset()
        name = scenario.__name__.replace("_", " ")
        milliseconds = round((time.monotonic() - began) * 1000)
        notes = "".join(f"; {note}" for note in self.notes)
        print(f"{'FAILED' if failure else 'ok':6}  {name} ({milliseconds} ms{notes})", flush=True)
        if failure:
            print(failure, flush=True)
        return failure is None


def explain(error):
    """What failed, and where in the tests: not where in Python's library."""
    tests = os.path.dirname(os.path.abspath(__file__))
    frames = [
        f"  {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}\n"
        for frame in traceback.extract_tb(error.__traceback__)[1:] if frame.filename.startswith(tests)]
    return f"{type(error).__name__}: {error}\n{''.join(frames)}"


def scenarios(pattern):
    from kernel import broker, button, clock, faults, lossy, relay, sensor

    pattern = pattern.lower().replace(" ", "_")
    everything = [
        function for module in (relay, button, sensor, faults, broker, clock, lossy)
        for function in module.SCENARIOS]
    return [function for function in everything if pattern in function.__name__.lower()]


def main():
    set_up()
    chosen = scenarios(os.environ.get("SCENARIO", ""))
    from harness.waiting import pulse
    pulse.begin()
    bench = Bench()
    good = sum([bench.run(scenario) for scenario in chosen])
    hardware.write(f"{OUTPUT}/result", f"{good} of {len(chosen)}")


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    libc.sync()
    libc.reboot(POWER_OFF)
