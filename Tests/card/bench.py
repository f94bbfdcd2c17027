"""The scenarios' bench for a machine that starts everything by itself, from its card."""

import time

from harness.waiting import PATIENCE
from hil import scenarios

# A whole start, on a machine that is busy with other things.
STARTING = 2 * PATIENCE
# What the image's own command line does not have: a shell to ask in, and less of the kernel's checks of itself.
FOR_TESTS = "swiftlet.shell cryptomgr.notests nokaslr mitigations=off rcupdate.rcu_expedited=1"
# Answers are marked line by line, because others write to the same console.
LOOP = ("stty -echo -onlcr; while read -r number command; do eval \"$command\" >/tmp/answer 2>&1; status=$?; "
        "sed \"s/^/<$number> /\" /tmp/answer; echo \"<$number ended> $status\"; done\n")


def open_shell(machine):
    """The console's, for what cannot be seen from outside: commands go to `machine.console.shell`."""
    console = machine.console
    console.wait("built-in shell", timeout=STARTING)
    console.process.stdin.write(LOOP.encode())
    console.process.stdin.flush()


class CardBench(scenarios.Bench):
    """The program is started by the machine's own start, which `start_runtime` lets begin."""

    def start_runtime(self):
        self.pid = "supervised"
        self.machine.monitor.command("cont")

    def wait_running(self, since):
        deadline = time.monotonic() + STARTING
        for topic, payload in (
                ("availability", b"online"), *((f"{name}/state", None) for name in scenarios.RELAYS)):
            self.observer.wait(
                f"{scenarios.ROOT}/{topic}", payload, since=since, timeout=max(1, deadline - time.monotonic()))

    def expect_alive(self):
        if not self.machine.alive():
            raise AssertionError("the machine has ended")

    def stop_runtime(self):
        self.pid = None
        return self.machine.console.shell(
            "touch /run/down/swiftletd; pid=$(pidof swiftletd); kill -TERM $pid; "
            "while [ -e /proc/$pid ] || [ ! -e /run/log/swiftletd.status ]; do usleep 50000; done; "
            "echo status $(cat /run/log/swiftletd.status)")[-1]
