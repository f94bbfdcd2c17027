"""How tests wait: for events, never for a time that a machine may need longer for.

A deadline here only ends what hangs. Where a time itself is what was promised, what is promised is a bound below, which
any machine keeps, or it is compared with how late this machine is at the same time by itself: `Pulse`.
"""

import os
import threading
import time

# Seconds after which something that is waited for hangs. No test that passes comes near it on any machine.
PATIENCE = 90


def wait_until(condition, timeout=PATIENCE, what="what is waited for"):
    """Polls a condition that has no event of its own; raises with `what` when time is up. Answers its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


class Pulse:
    """How late this machine is by itself: a thread that only wants to wake up every 10 ms."""

    PERIOD = 0.01
    # What is measured has several steps, in several processes, and each may be as late as that.
    STEPS = 4

    def __init__(self):
        self.late = []
        self.process = None

    def begin(self):
        """Beats from now on; once in a process."""
        if self.process != os.getpid():
            self.process = os.getpid()
            self.late = []
            threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self):
        before = time.monotonic()
        while True:
            time.sleep(self.PERIOD)
            now = time.monotonic()
            if now - before > 2 * self.PERIOD:
                self.late.append((now, now - before - self.PERIOD))
            before = now

    def allowance(self, since=0):
        """Seconds by which something may be later than promised that happened since then (monotonic time)."""
        return self.STEPS * max((late for at, late in self.late if at >= since), default=0)


pulse = Pulse()


def threads_of(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return []


def rests(pid):
    """How often the threads of a process have gone to sleep until something happens."""
    count = 0
    for thread in threads_of(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/status") as file:
                count += next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return count


def processor_time(pid):
    """Seconds of processor time that a process has used so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_asleep(pid):
    """Whether no thread of a process runs or wants to."""
    for thread in threads_of(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] in "RD":
                    return False
        except (FileNotFoundError, ProcessLookupError):
            pass
    return True


def comes_to_rest(pid, beats=10):
    """Whether a process sleeps through so many looks at it, without doing anything in between."""
    before = rests(pid)
    for _ in range(beats):
        if not is_asleep(pid):
            return False
        time.sleep(0.02)
    return rests(pid) == before


def share_of_processor(pid, seconds=1):
    """The part of so much time that a process is running: of one that spins all that the others leave it."""
    begin, used = time.monotonic(), processor_time(pid)
    time.sleep(seconds)
    return (processor_time(pid) - used) / (time.monotonic() - begin)
