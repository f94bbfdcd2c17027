"""Relays: from a topic to a line."""

import time

from harness.waiting import PATIENCE


def a_relay_line_follows_set(bench):
    line = bench.chip["RELAY1"]
    with bench.runtime("""
        - relay: fan
          line: RELAY1
    """) as runtime:
        runtime.wait_online()
        assert line.level == 0
        for command, level in (("ON", 1), ("OFF", 0), ("ON", 1)):
            since, levels = bench.observer.mark(), bench.levels.mark()
            runtime.command("fan", command)
            bench.levels.wait(line, level, levels)
            assert line.level == level
            runtime.wait("fan/state", command, since)
            answer = runtime.wait_result("fan", command, since)
            assert answer["result"] == "accepted", answer


def an_active_low_relay_is_on_while_its_line_is_low(bench):
    line = bench.chip["RELAY2"]
    with bench.runtime("""
        - relay: fan
          line: RELAY2
          active: low
    """) as runtime:
        runtime.wait_online()
        assert line.level == 1, "off is high"
        for command, level in (("ON", 0), ("OFF", 1)):
            since, levels = bench.observer.mark(), bench.levels.mark()
            runtime.command("fan", command)
            bench.levels.wait(line, level, levels)
            assert line.level == level
            runtime.wait("fan/state", command, since)


def relays_of_one_chip_do_not_touch_each_other(bench):
    fan, pump, lamp = (bench.chip[name] for name in ("RELAY1", "RELAY2", "RELAY3"))
    began = bench.levels.mark()
    with bench.runtime("""
        - relay: fan
          line: RELAY1
          safety: { start: on }
        - relay: pump
          line: RELAY2
          active: low
        - relay: lamp
          line: RELAY3
    """) as runtime:
        runtime.wait_online()
        levels = {fan: 1, pump: 1, lamp: 0}
        for line, level in levels.items():
            assert {seen.value for seen in bench.levels.of(line, began)} == {level}, "start levels, and no others"
        commands = [("lamp", lamp, "ON", 1), ("pump", pump, "ON", 0), ("fan", fan, "OFF", 0),
                    ("lamp", lamp, "OFF", 0), ("pump", pump, "OFF", 1), ("fan", fan, "ON", 1)]
        for name, line, command, level in commands:
            since, mark = bench.observer.mark(), bench.levels.mark()
            runtime.command(name, command)
            runtime.wait(f"{name}/state", command, since)
            levels[line] = level
            for other, expected in levels.items():
                assert other.level == expected, (name, command, other.offset)
                # A level that a line has already may be set again.
                assert {seen.value for seen in bench.levels.of(other, mark)} <= {expected}


def an_unknown_command_changes_nothing_and_is_answered_with_a_reason(bench):
    line = bench.chip["RELAY1"]
    with bench.runtime("""
        - relay: fan
          line: RELAY1
    """) as runtime:
        runtime.wait_online()
        runtime.command("fan", "ON")
        runtime.wait("fan/state", "ON")
        since, levels = bench.observer.mark(), bench.levels.mark()
        runtime.command("fan", "FOO")
        answer = runtime.wait_result("fan", "FOO", since)
        assert answer["result"] == "rejected" and answer["reason"], answer
        # What follows it on the wire marks the end of what it could have done.
        runtime.command("fan", "OFF")
        bench.levels.wait(line, 0, levels)
        runtime.wait("fan/state", "OFF", since)
        assert [level.value for level in bench.levels.of(line, levels)] == [0]
        states = [message.payload for message in runtime.messages("fan/state", since)]
        assert states == [b"OFF"], states


def a_retained_command_is_refused(bench):
    line = bench.chip["RELAY1"]
    runtime = bench.runtime("""
        - relay: fan
          line: RELAY1
    """)
    topic, levels = runtime.topic("fan/set"), bench.levels.mark()
    bench.observer.publish(topic, "ON", retain=True).wait_for_publish(PATIENCE)
    with runtime:
        runtime.wait_online()
        answer = runtime.wait_result("fan", "ON")
        assert answer["result"] == "rejected" and "retained" in answer["reason"], answer
        # A later command of anybody who does not retain it is obeyed.
        since = bench.observer.mark()
        bench.observer.publish(topic, "", retain=True)
        runtime.command("fan", "OFF")
        runtime.wait_result("fan", "OFF", since)
        assert 1 not in [level.value for level in bench.levels.of(line, levels)]
        runtime.command("fan", "ON")
        bench.levels.wait(line, 1, levels)


def from_before_the_start_a_line_shows_no_level_but_its_start_level(bench):
    """The wiring holds the lines at their start levels before the program runs. From there on, the
    kernel's trace has every level that was put on them, however short: all must be the start level, and
    so must the first one, which comes with the request for the line itself."""
    start = {"RELAY1": 1, "RELAY2": 1, "RELAY3": 0}
    lines = {bench.chip[name]: level for name, level in start.items()}
    for line, level in lines.items():
        line.drive(level)
    since = bench.levels.mark()
    with bench.runtime("""
        - relay: pump
          line: RELAY1
          safety: { start: on }
        - relay: fan
          line: RELAY2
          active: low
        - relay: lamp
          line: RELAY3
    """) as runtime:
        runtime.wait_online()
        for module, state in (("pump", "ON"), ("fan", "OFF"), ("lamp", "OFF")):
            runtime.wait(f"{module}/state", state)
        # The time that the promise is about; nothing is waited for here.
        time.sleep(max(0, runtime.started + 2 - time.monotonic()))
        for line, level in lines.items():
            shown = [entry.value for entry in bench.levels.of(line, since)]
            assert shown and set(shown) == {level}, f"start level {level}, shown: {shown}"
            assert line.level == level


def a_stop_publishes_offline_and_leaves_the_stop_level(bench):
    fan, pump = bench.chip["RELAY1"], bench.chip["RELAY2"]
    with bench.runtime("""
        - relay: fan
          line: RELAY1
        - relay: pump
          line: RELAY2
          safety: { start: off, stop: on }
    """) as runtime:
        runtime.wait_online()
        runtime.command("fan", "ON")
        bench.levels.wait(fan, 1)
        assert pump.level == 0
        since, levels = bench.observer.mark(), bench.levels.mark()
        status = runtime.end()
        assert status == 0, f"exit status {status}"
        runtime.wait("availability", "offline", since)
        assert runtime.disconnected(), "the broker published it, as the will of a lost connection"
        for line, level in ((fan, 0), (pump, 1)):
            bench.levels.wait(line, level, levels)
            assert bench.levels.of(line, levels)[-1].value == level
            line.wait_free()


SCENARIOS = [
    a_relay_line_follows_set,
    an_active_low_relay_is_on_while_its_line_is_low,
    relays_of_one_chip_do_not_touch_each_other,
    an_unknown_command_changes_nothing_and_is_answered_with_a_reason,
    a_retained_command_is_refused,
    from_before_the_start_a_line_shows_no_level_but_its_start_level,
    a_stop_publishes_offline_and_leaves_the_stop_level,
]
