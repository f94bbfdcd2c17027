"""Birth, will, clean stop: what others see of a device that comes and goes."""

import signal
import time
import unittest

from harness.device import configuration
from harness.waiting import wait_until

from .support import AVAILABILITY, PREFIX, WithBroker


class Lifecycle(WithBroker):

    def test_a_device_that_starts_is_online_and_tells_its_states(self):
        observer = self.observe()
        self.start()
        self.assertEqual(observer.wait(AVAILABILITY).payload, b"online")
        self.assertEqual(observer.wait(f"{PREFIX}/fan/state").payload, b"OFF")
        self.assertEqual(observer.wait(f"{PREFIX}/door/state").payload, b"OFF")
        self.assertRegex(observer.wait(f"{PREFIX}/air/temperature").payload, rb"^-?\d+(\.\d+)?$")
        self.assertRegex(observer.wait(f"{PREFIX}/air/humidity").payload, rb"^\d+(\.\d+)?$")

    def test_availability_states_and_errors_are_retained_and_readings_are_not(self):
        observer = self.observe()
        self.start()
        observer.wait(f"{PREFIX}/air/temperature")
        self.assertEqual(self.retained(AVAILABILITY), b"online")
        self.assertEqual(self.retained(f"{PREFIX}/fan/state"), b"OFF")
        self.assertEqual(self.retained(f"{PREFIX}/door/state"), b"OFF")
        late = self.observe()
        message = late.wait(f"{PREFIX}/air/temperature")
        self.assertFalse(message.retained)

    def test_a_device_that_is_killed_leaves_its_will(self):
        observer = self.observe()
        device = self.start()
        observer.wait(AVAILABILITY, b"online")
        device.send(signal.SIGKILL)
        observer.wait(AVAILABILITY, b"offline")
        self.assertEqual(self.retained(AVAILABILITY), b"offline")

    def test_sigterm_stops_cleanly(self):
        self.check_clean_stop(signal.SIGTERM)

    def test_sigint_stops_cleanly(self):
        self.check_clean_stop(signal.SIGINT)

    def test_sighup_stops_cleanly(self):
        self.check_clean_stop(signal.SIGHUP)

    def test_how_much_is_logged_is_said_in_the_file_at_the_start_and_by_signals(self):
        observer = self.observe()
        quiet = self.start(configuration(self.broker.port) + "log: warning\n")
        observer.wait(AVAILABILITY, b"online")
        observer.publish(f"{PREFIX}/fan/set", "ON")
        observer.wait(f"{PREFIX}/fan/result")
        self.assertNotIn("online", quiet.log)
        for number, level in [(signal.SIGUSR1, "info"), (signal.SIGUSR1, "debug")]:
            quiet.send(number)
            quiet.wait_log(f"^(debug: )?log: {level}$")
        observer.publish(f"{PREFIX}/fan/set", "OFF")
        quiet.wait_log(r'^debug: \d+\.\d{6} fan: command "OFF" accepted$')
        for number, level in [(signal.SIGUSR2, "info"), (signal.SIGUSR2, "warning"), (signal.SIGUSR2, "error"),
                              (signal.SIGUSR2, "error")]:
            since = quiet.mark()
            quiet.send(number)
            quiet.wait_log(f"log: {level}$", since=since)
        quiet.close()
        loud = self.start(configuration(self.broker.port) + "log: warning\n", arguments=["--log", "debug"])
        loud.wait_log("online: connected")

    def test_under_nohup_the_end_of_the_terminal_stops_nothing(self):
        observer = self.observe()
        device = self.start(wrapper=["nohup"])
        observer.wait(AVAILABILITY, b"online")
        device.send(signal.SIGHUP)
        observer.publish(f"{PREFIX}/fan/set", "ON")
        observer.wait(f"{PREFIX}/fan/state", b"ON")
        self.assertEqual(device.stop()[1], 0)

    def check_clean_stop(self, number):
        observer = self.observe()
        device = self.start()
        observer.wait(f"{PREFIX}/air/temperature")
        observer.publish(f"{PREFIX}/fan/set", "ON")
        observer.wait(f"{PREFIX}/fan/state", b"ON")
        since = observer.mark()
        seconds, status = device.stop(number)
        self.assertEqual(status, 0, device.log)
        self.assertLess(seconds, 1)
        observer.wait(AVAILABILITY, b"offline", since=since)
        # The relay's stop level was published, and before the farewell.
        topics = [(message.topic, message.payload) for message in observer.messages[since:]]
        state = topics.index((f"{PREFIX}/fan/state", b"OFF"))
        self.assertLess(state, topics.index((AVAILABILITY, b"offline")))
        self.assertEqual(self.retained(AVAILABILITY), b"offline")
        self.assertEqual(self.retained(f"{PREFIX}/fan/state"), b"OFF")
        # Once: the broker had no reason to publish the will as well.
        offline = [m for m in observer.messages[since:] if m.topic == AVAILABILITY and not m.retained]
        self.assertEqual(len(offline), 1)

    def test_the_will_is_not_published_at_a_clean_stop(self):
        # An answer on its way to a socket that is closed resets the connection, and the broker throws away
        # the goodbye that it has not read yet: often, not always.
        for attempt in range(10):
            observer = self.observe()
            device = self.start()
            observer.wait(AVAILABILITY, b"online")
            observer.wait(f"{PREFIX}/door/error")
            since = observer.mark()
            device.stop()
            observer.publish("end", "")
            observer.wait("end")
            offline = [m for m in observer.messages[since:] if m.topic == AVAILABILITY]
            self.assertEqual(len(offline), 1, f"attempt {attempt}")

    def test_a_broker_that_is_frozen_does_not_hold_up_a_stop(self):
        observer = self.observe()
        device = self.start()
        observer.wait(AVAILABILITY, b"online")
        self.broker.process.send_signal(signal.SIGSTOP)
        seconds, status = device.stop()
        self.broker.process.send_signal(signal.SIGCONT)
        self.assertEqual(status, 0, device.log)
        self.assertLess(seconds, 3)
        observer.wait(AVAILABILITY, b"offline")

    def test_a_stop_without_a_broker_is_immediate(self):
        self.broker.kill()
        device = self.start()
        device.wait_log("Connection refused")
        seconds, status = device.stop()
        self.assertEqual(status, 0, device.log)
        self.assertLess(seconds, 1)

    def test_a_second_device_of_the_same_name_does_not_make_a_storm(self):
        observer = self.observe()
        first = self.start()
        observer.wait(AVAILABILITY, b"online")
        since, begin = observer.mark(), time.monotonic()
        self.start()
        first.wait_log("offline:")

        def births():
            return sum(m.topic == AVAILABILITY and m.payload == b"online" for m in observer.messages[since:])
        # Each throws the other out, and waits at least half a second before it comes again.
        wait_until(lambda: births() >= 5, what="take-overs")
        self.assertGreater(time.monotonic() - begin, 4 * 0.5)

    def test_the_root_of_the_topics_can_be_chosen(self):
        observer = self.observe()
        self.start(configuration(self.broker.port) + "root: home/ground_floor\n")
        observer.wait("home/ground_floor/bench/availability", b"online")
        observer.publish("home/ground_floor/bench/fan/set", "ON")
        observer.wait("home/ground_floor/bench/fan/state", b"ON")


if __name__ == "__main__":
    unittest.main()
