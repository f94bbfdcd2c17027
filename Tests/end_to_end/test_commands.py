"""From a topic to a line and back: commands, their results, and the states that follow."""

import fcntl
import re
import signal
import time
import unittest

from harness.device import Device, configuration
from harness.mqtt import Broker, Observer, wait_until

from .support import AVAILABILITY, PREFIX, WithBroker, answer

F_SETPIPE_SZ = 1031


class Commands(unittest.TestCase):
    """One device for all: each test sees only what came after its own mark."""

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.close)
        cls.observer = Observer(cls.broker.port)
        cls.addClassCleanup(cls.observer.close)
        cls.device = Device(configuration(cls.broker.port))
        cls.addClassCleanup(cls.device.close)
        cls.observer.wait(f"{PREFIX}/fan/state")

    def setUp(self):
        self.since = self.observer.mark()

    def command(self, payload, module="fan", qos=1):
        """Sends a command; answers what came on …/result."""
        self.observer.publish(f"{PREFIX}/{module}/set", payload, qos)
        return answer(self.observer.wait(f"{PREFIX}/{module}/result", since=self.since))

    def state(self):
        """What the device says when it is asked for nothing new: the last state published."""
        states = [m.payload for m in self.observer.messages if m.topic == f"{PREFIX}/fan/state"]
        return states[-1]

    def test_on_and_off_are_obeyed_and_answered(self):
        self.assertEqual(self.command("ON"), {"command": "ON", "result": "accepted"})
        self.observer.wait(f"{PREFIX}/fan/state", b"ON", since=self.since)
        self.since = self.observer.mark()
        self.assertEqual(self.command("OFF"), {"command": "OFF", "result": "accepted"})
        self.observer.wait(f"{PREFIX}/fan/state", b"OFF", since=self.since)

    def test_toggle_changes_the_state(self):
        before = self.state()
        self.assertEqual(self.command("TOGGLE")["result"], "accepted")
        self.observer.wait(
            f"{PREFIX}/fan/state", {b"ON": b"OFF", b"OFF": b"ON"}[before], since=self.since)

    def test_commands_of_qos_0_are_obeyed_too(self):
        self.assertEqual(self.command("ON", qos=0)["result"], "accepted")

    def test_a_command_of_qos_2_is_obeyed(self):
        # The broker lowers it to the QoS of the subscription.
        self.assertEqual(self.command("ON", qos=2)["result"], "accepted")

    def test_an_unknown_payload_changes_nothing_and_is_answered_with_a_reason(self):
        before = self.state()
        for payload in (b"bright", b"", b"O N", b"\x00\xff\xfe", "\u00e4".encode(), b'"\\\n'):
            self.since = self.observer.mark()
            result = self.command(payload)
            self.assertEqual(result["result"], "rejected", payload)
            self.assertIn("ON, OFF or TOGGLE", result["reason"])
        self.assertEqual(self.state(), before)
        self.device.wait_log(r'fan: command "bright" rejected: unknown payload')

    def test_a_command_to_nobody_is_answered_with_a_reason(self):
        result = self.command("ON", module="pump")
        self.assertEqual(result["result"], "rejected")
        self.assertIn("no module of that name", result["reason"])

    def test_a_command_to_a_sensor_is_answered_with_a_reason(self):
        self.assertIn("takes no commands", self.command("ON", module="air")["reason"])

    def test_a_payload_of_some_kilobytes_is_refused_with_its_reason(self):
        result = self.command(b"x" * 1000)
        self.assertEqual(result["result"], "rejected")
        self.assertIn("longer than 512 bytes", result["reason"])

    def test_a_payload_of_megabytes_is_refused_with_its_length_and_costs_no_memory(self):
        self.command("ON")
        before = self.device.memory("VmHWM")
        self.since = self.observer.mark()
        result = self.command(b"x" * 5_000_000)
        self.assertEqual(result["result"], "rejected")
        self.assertIn("5000000 bytes", result["reason"])
        self.since = self.observer.mark()
        self.assertEqual(self.command("OFF")["result"], "accepted")
        self.assertLess(self.device.memory("VmHWM") - before, 1024)

    def test_a_burst_of_commands_is_obeyed_in_order(self):
        for index in range(200):
            self.observer.publish(f"{PREFIX}/fan/set", ("ON", "OFF")[index % 2])
        self.observer.publish(f"{PREFIX}/fan/set", "last")
        self.observer.wait(
            f"{PREFIX}/fan/result", lambda payload: b"last" in payload, since=self.since)
        results = [answer(m)["command"] for m in self.observer.messages[self.since:]
                   if m.topic == f"{PREFIX}/fan/result"]
        self.assertEqual(results, ["ON", "OFF"] * 100 + ["last"])
        self.observer.wait(f"{PREFIX}/fan/state", b"OFF", since=self.since)

    def test_commands_that_come_all_at_once_are_each_answered(self):
        # A device that was held up finds them all at once, and its answers do not fit into its buffer.
        for qos in (0, 1):
            since = self.observer.mark()
            self.device.send(signal.SIGSTOP)
            for index in range(200):
                self.observer.publish(f"{PREFIX}/fan/set", f"burst {index}", qos)
            self.device.send(signal.SIGCONT)
            self.observer.publish(f"{PREFIX}/fan/set", "last")
            self.observer.wait(
                f"{PREFIX}/fan/result", lambda payload: b"last" in payload, since=since)
            results = [answer(m)["command"] for m in self.observer.messages[since:]
                       if m.topic == f"{PREFIX}/fan/result"]
            self.assertEqual(results, [f"burst {index}" for index in range(200)] + ["last"])

    def test_a_long_topic_of_ours_is_answered(self):
        # Longer than any module's name: there is nobody, and nothing breaks.
        self.observer.publish(f"{PREFIX}/{'x' * 600}/set", "ON")
        self.observer.publish(f"{PREFIX}/{'x' * 60_000}/set", "ON")
        self.assertEqual(self.command("ON")["result"], "accepted")


class Retained(WithBroker):

    def test_a_command_that_was_retained_before_the_start_is_refused_and_reported(self):
        observer = self.observe()
        observer.publish(f"{PREFIX}/fan/set", "ON", retain=True)
        observer.wait(f"{PREFIX}/fan/set")
        device = self.start()
        result = answer(observer.wait(f"{PREFIX}/fan/result"))
        self.assertEqual((result["command"], result["result"]), ("ON", "rejected"))
        self.assertIn("retained commands are not obeyed", result["reason"])
        device.wait_log("retained commands are not obeyed")
        observer.publish(f"{PREFIX}/fan/set", "TOGGLE")
        observer.wait(f"{PREFIX}/fan/state", b"ON")
        states = [m.payload for m in observer.messages if m.topic == f"{PREFIX}/fan/state"]
        self.assertEqual(states, [b"OFF", b"ON"])

    def test_a_command_published_with_the_retain_flag_is_refused_while_connected_too(self):
        observer = self.observe()
        device = self.start()
        observer.wait(f"{PREFIX}/fan/error")
        observer.publish(f"{PREFIX}/fan/set", "ON", retain=True)
        result = answer(observer.wait(f"{PREFIX}/fan/result"))
        self.assertIn("retained commands are not obeyed", result["reason"])
        self.clear(observer, device)
        self.assertEqual(self.retained(f"{PREFIX}/fan/state"), b"OFF")

    def clear(self, observer, device):
        """As the answer says. That is no command, and not complained of."""
        since = observer.mark()
        observer.publish(f"{PREFIX}/fan/set", "", retain=True)
        observer.publish(f"{PREFIX}/fan/set", "end")
        observer.wait(f"{PREFIX}/fan/result", lambda payload: b"end" in payload, since=since)
        self.assertEqual(sum(m.topic == f"{PREFIX}/fan/result" for m in observer.messages[since:]), 1)
        device.wait_log("^fan: the retained command is cleared")

    def test_with_3_1_1_a_retained_command_reaches_a_connected_device_as_a_fresh_one(self):
        # That version's broker clears the flag for those who are subscribed already (MQTT-3.3.1-9).
        observer = self.observe()
        device = self.start(configuration(f"{{ url: 'mqtt://127.0.0.1:{self.broker.port}', version: 3.1.1 }}"))
        observer.wait(f"{PREFIX}/fan/error")
        observer.publish(f"{PREFIX}/fan/set", "ON", retain=True)
        observer.wait(f"{PREFIX}/fan/state", b"ON")
        self.clear(observer, device)


class Log(WithBroker):

    def test_a_log_that_nobody_reads_holds_up_no_relay_and_tells_what_was_lost(self):
        observer = self.observe()
        device = self.start(is_read=False)
        observer.wait(AVAILABILITY, b"online")
        # Ten rejected commands within some seconds have a line each; with long names they do not fit.
        fcntl.fcntl(device.process.stderr, F_SETPIPE_SZ, 8192)
        for number in range(20):
            observer.publish(f"{PREFIX}/{'x' * 440}{number}/set", "ON")
        observer.publish(f"{PREFIX}/fan/set", "ON")
        observer.wait(f"{PREFIX}/fan/state", b"ON")
        device.read_log()
        device.wait_log("rejected")
        self.broker.kill()
        device.wait_log(r"^warning: log lines lost because nobody read them: \d+$")

    def test_of_a_flood_of_rejected_commands_some_are_logged_and_the_rest_counted(self):
        observer = self.observe()
        device = self.start()
        observer.wait(f"{PREFIX}/fan/error")
        for _ in range(100):
            observer.publish(f"{PREFIX}/fan/set", "nonsense")
        # It comes when its time is over, without another command. On a slow machine they take longer than that time,
        # after which there are ten lines more.
        def counted():
            return [int(number) for number in re.findall("warning: more commands rejected: (\\d+)", device.log)]

        def logged():
            return len(re.findall('fan: command ".*" rejected', device.log))
        wait_until(lambda: counted() and logged() + sum(counted()) >= 100, what="all to be told")
        self.assertEqual(logged() + sum(counted()), 100)
        self.assertLessEqual(logged(), 10 * len(counted()))

    def test_the_longest_line_ends_like_any_other(self):
        observer = self.observe()
        device = self.start()
        observer.wait(AVAILABILITY, b"online")
        observer.publish(f"{PREFIX}/{'x' * 485}/set", "ON")
        observer.publish(f"{PREFIX}/fan/set", "nonsense")
        self.assertTrue(device.wait_log("unknown payload").startswith("warning: fan:"), device.log)

    def test_journald_is_told_the_levels(self):
        device = self.start(variables={"JOURNAL_STREAM": "8:1"})
        device.wait_log("^<6>online")


class Safety(WithBroker):

    def start_relay(self, safety):
        self.observer = self.observe()
        return self.start(configuration(
            self.broker.port, f"  - relay: fan\n    line: GPIO9\n    safety: {safety}\n"))

    def states(self):
        return [m.payload for m in self.observer.messages if m.topic == f"{PREFIX}/fan/state"]

    def test_a_relay_goes_off_by_itself_after_its_time(self):
        self.start_relay("{ max_on: 1s }")
        self.observer.wait(f"{PREFIX}/fan/state", b"OFF")
        begin = time.monotonic()
        self.observer.publish(f"{PREFIX}/fan/set", "ON")
        self.observer.wait(f"{PREFIX}/fan/state", b"ON")
        since = self.observer.mark()
        off = self.observer.wait(f"{PREFIX}/fan/state", b"OFF", since=since)
        self.assertGreaterEqual(off.at - begin, 1)
        self.assertIn("max_on = 1s", answer(self.observer.wait(
            f"{PREFIX}/fan/result", lambda payload: b"safety" in payload))["reason"])

    def test_start_and_stop_levels_are_the_ones_of_the_file(self):
        device = self.start_relay("{ start: on, stop: off }")
        self.observer.wait(f"{PREFIX}/fan/state", b"ON")
        device.stop()
        self.observer.wait(AVAILABILITY, b"offline")
        self.assertEqual(self.states(), [b"ON", b"OFF"])

    def test_a_relay_that_is_held_stays_as_it_is_at_a_stop(self):
        device = self.start_relay("{ start: on, stop: hold }")
        self.observer.wait(f"{PREFIX}/fan/state", b"ON")
        device.stop()
        self.observer.wait(AVAILABILITY, b"offline")
        self.assertEqual(self.retained(f"{PREFIX}/fan/state"), b"ON")

    def test_a_lost_broker_switches_the_relay_and_the_broker_hears_of_it(self):
        device = self.start_relay("{ broker_lost: { after: 1s, then: on } }")
        self.observer.wait(f"{PREFIX}/fan/state", b"OFF")
        begin = time.monotonic()
        self.broker.kill()
        device.wait_log("fan: switched on: the broker has been away for 1s")
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.broker.start()
        observer = self.observe()
        observer.wait(f"{PREFIX}/fan/state", b"ON")


if __name__ == "__main__":
    unittest.main()
