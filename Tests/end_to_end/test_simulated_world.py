"""The world around the simulated board, touched over the broker: a pressed button, warm air, an unplugged chip."""

import subprocess
import unittest

from harness.device import Device, configuration, simulator, swiftletd
from harness.mqtt import Broker, Observer
from harness.waiting import PATIENCE

from .support import PREFIX, WithBroker, answer


class SimulatedWorld(WithBroker):

    def setUp(self):
        super().setUp()
        self.observer = self.observe()
        self.start()
        self.observer.wait(f"{PREFIX}/air/temperature")

    def publish(self, path, payload, *options):
        """As a person does it; answers what came on …/result."""
        since = self.observer.mark()
        subprocess.run(
            ["mosquitto_pub", "-p", str(self.broker.port), "-t", f"{PREFIX}/sim/{path}/set", "-m", payload, *options],
            check=True, timeout=PATIENCE)
        return answer(self.observer.wait(f"{PREFIX}/sim/{path.split('/')[0]}/result", since=since))

    def accept(self, path, payload):
        """A command that is obeyed; what came before it is no longer looked at."""
        self.since = self.observer.mark()
        self.assertEqual(self.publish(path, payload), {"command": payload, "result": "accepted"})

    def reject(self, path, payload, reason):
        result = self.publish(path, payload)
        self.assertEqual(result["result"], "rejected")
        self.assertIn(reason, result["reason"])

    def test_the_button_is_pressed_and_let_go(self):
        self.accept("door", "ON")
        self.observer.wait(f"{PREFIX}/door/state", b"ON", since=self.since)
        self.accept("door", "OFF")
        self.observer.wait(f"{PREFIX}/door/state", b"OFF", since=self.since)
        self.accept("door", "PRESS")
        self.observer.wait(f"{PREFIX}/door/state", b"ON", since=self.since)
        self.observer.wait(f"{PREFIX}/door/state", b"OFF", since=self.since)

    def test_the_air_is_warmed_and_cools_down_again(self):
        self.accept("air/temperature", "31.5")
        self.observer.wait(
            f"{PREFIX}/air/temperature", lambda payload: payload.startswith(b"31.5"), since=self.since)
        self.accept("air/temperature", "auto")
        self.observer.wait(f"{PREFIX}/air/temperature", lambda payload: float(payload) < 31, since=self.since)

    def test_the_chip_is_unplugged_and_plugged_in_again(self):
        self.accept("air/fault", "no_acknowledge")
        self.observer.wait(f"{PREFIX}/air/error", lambda payload: b"does not answer" in payload, since=self.since)
        self.accept("air/fault", "none")
        self.observer.wait(f"{PREFIX}/air/error", b"", since=self.since)
        self.observer.wait(f"{PREFIX}/air/temperature", since=self.since)

    def test_what_cannot_be_is_answered_with_what_can(self):
        self.reject("door", "open", "use ON, OFF, TOGGLE or PRESS")
        self.reject("air/temperature", "warm", "not a number: use one in °C")
        self.reject("air/temperature", "9" * 30, "not a number")
        self.reject("air/temperature", "1e9", "not a number")
        self.reject("air/temperature", "-2000000", "from -1000000 to 1000000")
        self.reject("air/fault", "fire", "none, no_acknowledge, busy")
        self.reject("fan/fault", "noise", "none, busy or gone")
        self.reject("air/pressure", "1000", "sim/air/temperature/set, sim/air/humidity/set or sim/air/fault/set")
        self.reject("pump", "ON", "there is fan, door and air")
        self.reject("door", "x" * 1000, "longer than 512 bytes")
        self.reject("door", "x" * 100_000, "too long: 100000 bytes")
        states = {message.payload for message in self.observer.messages if message.topic == f"{PREFIX}/door/state"}
        self.assertEqual(states, {b"OFF"})


class SimulatedWorldElsewhere(unittest.TestCase):

    def test_only_the_simulator_has_it_in_its_program(self):
        # Words of its answers are in a program that has been stripped of all names too.
        for text in (b"nothing of that name is simulated", b"no_acknowledge|busy|timeout"):
            with open(simulator(), "rb") as file:
                self.assertTrue(text in file.read(), text)
            with open(swiftletd(), "rb") as file:
                self.assertFalse(text in file.read(), text)

    def test_a_command_of_the_past_does_not_touch_it(self):
        with Broker() as broker:
            observer = Observer(broker.port)
            self.addCleanup(observer.close)
            subprocess.run(
                ["mosquitto_pub", "-p", str(broker.port), "-t", f"{PREFIX}/sim/door/set", "-m", "ON", "-r"],
                check=True, timeout=PATIENCE)
            with Device(configuration(broker.port)):
                result = answer(observer.wait(f"{PREFIX}/sim/door/result"))
                self.assertIn("retained commands are not obeyed", result["reason"])
                self.assertEqual(observer.wait(f"{PREFIX}/door/state").payload, b"OFF")


if __name__ == "__main__":
    unittest.main()
