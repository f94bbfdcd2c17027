"""The time of day: a board without a battery for its clock boots in the past, and NTP sets it later."""

import contextlib
import ctypes
import json
import signal
import time

from harness.waiting import wait_until
from kernel.hardware import SHT3x

DAYS_BEHIND = 14 * 86_400
# adjtimex(2), and what it may set
MAXIMUM_ERROR, STATUS = 0x0004, 0x0010
UNSYNCHRONISED = 0x0040
AIR = """
    - sensor: air
      driver: SHT3x
      bus: i2c-0
      every: 100ms
      format: json
      keep: memory
"""


class Timex(ctypes.Structure):
    """The beginning of struct timex, and room for the rest."""

    _fields_ = [
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_char * 256)]


def step(seconds, synchronised):
    """Sets the clock, as NTP does or as what knows nothing does."""
    time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
    state = Timex(modes=MAXIMUM_ERROR | STATUS, maxerror=0, status=0 if synchronised else UNSYNCHRONISED)
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")


@contextlib.contextmanager
def clock_behind():
    began = time.time() - time.monotonic()
    step(-DAYS_BEHIND, synchronised=False)
    try:
        yield
    finally:
        step(began - (time.time() - time.monotonic()), synchronised=False)


def a_clock_that_is_set_late_gives_no_reading_a_wrong_time(bench):
    with SHT3x() as chip, clock_behind(), bench.make_broker() as broker, \
            bench.make_observer(broker.port, "swiftlet/#") as observer, bench.runtime(AIR, broker, observer) as runtime:
        chip.measure(21.5, 47.25)
        runtime.wait("air/temperature", '{"value":21.50}')
        broker.kill()
        lost = time.time() + DAYS_BEHIND
        chip.wait_transfers(20)
        step(DAYS_BEHIND, synchronised=True)
        set_at = time.time()
        # What it sends before the observer is there would be seen by nobody.
        runtime.process.send_signal(signal.SIGSTOP)
        broker.start()
        with bench.make_observer(broker.port, "swiftlet/#") as runtime.observer:
            runtime.process.send_signal(signal.SIGCONT)

            def kept():
                messages = [json.loads(message.payload) for message in runtime.messages("air/temperature")]
                return [reading["sampled"] / 1000 for reading in messages]
            wait_until(lambda: len(kept()) >= 5, what="readings of before")
            for sampled in kept()[:5]:
                assert lost - 1 < sampled < set_at + 1, f"{sampled} is not from {lost} to {set_at}"


SCENARIOS = [a_clock_that_is_set_late_gives_no_reading_a_wrong_time]
