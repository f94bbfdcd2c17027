"""A network that loses three of ten packets and delays the rest: everything takes longer, and is right."""

import time

from harness.waiting import PATIENCE, pulse


def a_network_that_loses_and_delays_packets(bench):
    from harness.mqtt import free_port
    from harness.network import Network

    fan, lamp = bench.chip["RELAY1"], bench.chip["RELAY2"]
    with Network() as cable:
        port = free_port()
        listening = f"allow_anonymous true\nlistener {port} {cable.host}\n"
        with bench.make_broker(port, listening) as broker, bench.make_observer(port, "swiftlet/#") as observer:
            # Each way, so that an answer takes 200 ms.
            cable.disturb("loss 30% delay 100ms")
            begin = time.monotonic()
            with bench.runtime("""
                - relay: fan
                  line: RELAY1
                - relay: lamp
                  line: RELAY2
                  safety: { max_on: 1s }
            """, broker, observer, network=cable) as runtime:
                runtime.wait_online(timeout=PATIENCE)
                runtime.wait("lamp/error", timeout=PATIENCE)
                bench.note(f"online after {time.monotonic() - begin:.1f} s")
                levels, since = bench.levels.mark(), observer.mark()
                for _ in range(3):
                    runtime.command("fan", "TOGGLE")
                runtime.command("lamp", "ON")
                runtime.wait("lamp/state", "ON", since, PATIENCE)
                # Each command was obeyed once, in whatever pieces and repetitions its bytes came.
                assert bench.levels.changes(fan, levels) == [1, 0, 1]
                runtime.wait("lamp/state", "OFF", since, PATIENCE)
                assert bench.levels.changes(lamp, levels) == [1, 0]
                on = bench.levels.wait(lamp, 1, levels)
                off = [level for level in bench.levels.of(lamp, levels) if level.value == 0 and level.at > on.at][0]
                seconds = off.at - on.at
                assert 0.99 < seconds < 1.1 + pulse.allowance(begin), f"max_on acted after {seconds:.2f} s"
                runtime.wait("fan/state", "ON", since, PATIENCE)
                assert "offline" not in runtime.log, runtime.log
                bench.note(f"all done after {time.monotonic() - begin:.1f} s")


SCENARIOS = [a_network_that_loses_and_delays_packets]
