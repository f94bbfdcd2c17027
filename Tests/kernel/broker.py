"""The broker goes away and comes back; the program goes away and does not."""

import time

from harness.waiting import pulse


def a_broker_that_restarts_finds_everything_as_it_was(bench):
    """Back in less than 10 s, on a machine that is never late itself, with availability and states; a command sent then is obeyed exactly once."""
    line = bench.chip["RELAY1"]
    with bench.make_broker() as broker, bench.make_observer(broker.port, "swiftlet/#") as observer:
        with bench.runtime("""
            - relay: fan
              line: RELAY1
        """, broker, observer) as runtime:
            runtime.wait_online()
            runtime.command("fan", "ON")
            runtime.wait("fan/state", "ON")
            levels, since = bench.levels.mark(), observer.mark()
            broker.kill()
            restarted = time.monotonic()
            broker.start()
            online = runtime.wait_online(since)
            state = runtime.wait("fan/state", "ON", since)
            back = max(online.at, state.at) - restarted
            bench.note(f"back after {back:.1f} s")
            assert back - pulse.allowance(restarted) < 10, f"back after {back:.1f} s"
            assert not bench.levels.of(line, levels), "the line moved"

            since = observer.mark()
            runtime.command("fan", "TOGGLE", qos=1)
            runtime.wait_result("fan", "TOGGLE", since)
            # What follows it marks the end of what a second delivery could have done.
            runtime.command("fan", "ON", qos=1)
            runtime.wait_result("fan", "ON", since)
            assert [level.value for level in bench.levels.of(line, levels)] == [0, 1]
            answers = [message.payload for message in runtime.messages("fan/result", since)]
            assert len(answers) == 2, answers


def a_killed_program_is_offline_by_its_will(bench):
    with bench.runtime("""
        - relay: fan
          line: RELAY1
    """) as runtime:
        runtime.wait_online()
        since = bench.observer.mark()
        runtime.kill()
        runtime.wait("availability", "offline", since)
        bench.chip["RELAY1"].wait_free()


SCENARIOS = [
    a_broker_that_restarts_finds_everything_as_it_was,
    a_killed_program_is_offline_by_its_will,
]
