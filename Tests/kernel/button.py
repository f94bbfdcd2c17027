"""Buttons: from a line to a topic."""

import time

DOOR = """
    - button: door
      line: DOOR
      pull: up
      debounce: 300ms
"""
# Long enough for a slow machine to bounce within it.
DEBOUNCE = 0.300


def settled(runtime, line):
    """Waits until the program watches the open door."""
    line.drive(1)
    runtime.wait_online()
    runtime.wait("door/state", "ON")


def bounced(bench, line, times, level):
    """Bounces the contact from 1 to `level`, within the debounce time; answers the mark before it. A
    busy machine can be too slow for that: then the contact gets time to settle, and once more."""
    for _ in range(10):
        since = bench.observer.mark()
        if line.bounce(times, level) < DEBOUNCE:
            return since
        line.drive(1)
        time.sleep(3 * DEBOUNCE)
    raise TimeoutError(f"no {times} bounces within {DEBOUNCE} s")


def an_input_is_published_when_it_changes(bench):
    line = bench.chip["DOOR"]
    with bench.runtime(DOOR) as runtime:
        settled(runtime, line)
        for level, state in ((0, "OFF"), (1, "ON"), (0, "OFF")):
            since = bench.observer.mark()
            line.drive(level)
            message = runtime.wait("door/state", state, since)
            later = [message.payload for message in runtime.messages("door/state", since)]
            assert later == [message.payload], later


def an_active_low_button_is_on_while_its_line_is_low(bench):
    line = bench.chip["WINDOW"]
    with bench.runtime("""
        - button: window
          line: WINDOW
          active: low
          pull: up
          debounce: 300ms
    """) as runtime:
        runtime.wait_online()
        runtime.wait("window/state", "OFF")
        line.drive(0)
        runtime.wait("window/state", "ON")


def a_bouncing_contact_is_one_event(bench):
    line = bench.chip["DOOR"]
    with bench.runtime(DOOR) as runtime:
        settled(runtime, line)
        since = bounced(bench, line, 21, 0)
        runtime.wait("door/state", "OFF", since)
        # The next real change shows that nothing came in between.
        line.drive(1)
        runtime.wait("door/state", "ON", since)
        states = [message.payload for message in runtime.messages("door/state", since)]
        assert states == [b"OFF", b"ON"], states


def a_contact_that_bounces_back_is_no_event(bench):
    line = bench.chip["DOOR"]
    with bench.runtime(DOOR) as runtime:
        settled(runtime, line)
        since = bounced(bench, line, 20, 1)
        # Time enough for an event to be taken for real; nothing is waited for here.
        time.sleep(2 * DEBOUNCE)
        line.drive(0)
        runtime.wait("door/state", "OFF", since)
        states = [message.payload for message in runtime.messages("door/state", since)]
        assert states == [b"OFF"], states


SCENARIOS = [
    an_input_is_published_when_it_changes,
    an_active_low_button_is_on_while_its_line_is_low,
    a_bouncing_contact_is_one_event,
    a_contact_that_bounces_back_is_no_event,
]
