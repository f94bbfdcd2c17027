"""What a device has no longer, or calls otherwise now, does not stay on the broker."""

import os
import subprocess

from harness.device import ROOT, configuration, simulator
from harness.waiting import PATIENCE, wait_until

from .support import PREFIX, WithBroker

SENSOR = """\
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    every: 500ms
    retain: yes
"""
FAN = "  - relay: fan\n    line: GPIO17\n"
PUMP = FAN.replace("fan", "pump")


class RetainedTopics(WithBroker):

    def start_with(self, modules, observer):
        device = self.start(configuration(self.broker.port, modules))
        observer.wait(f"{PREFIX}/air/temperature")
        self.wait_remembers(device, f"{PREFIX}/fan/state")
        return device

    def memory(self, device):
        names = [name for name in os.listdir(device.directory) if name.endswith(".topics")]
        if not names:
            return []
        with open(os.path.join(device.directory, names[0])) as file:
            return file.read().split()

    def wait_remembers(self, device, topic):
        wait_until(lambda: topic in self.memory(device), what=f"{topic} is remembered")

    def command(self, device, *words):
        """A command of the program, in the surroundings of the device."""
        return subprocess.run(
            [simulator(), *words, "--boards", os.path.join(ROOT, "boards")], capture_output=True, text=True,
            timeout=PATIENCE, env=device.environment, cwd=device.directory)

    def test_what_was_renamed_or_removed_is_cleared_and_check_names_it_before(self):
        observer = self.observe()
        device = self.start_with(FAN + SENSOR, observer)
        self.assertEqual(self.retained(f"{PREFIX}/fan/state"), b"OFF")
        self.assertIsNotNone(self.retained(f"{PREFIX}/air/humidity"))
        device.stop()
        text = configuration(self.broker.port, PUMP)
        with open(device.config, "w") as file:
            file.write(text)
        stale = [f"{PREFIX}/{topic}" for topic in ("fan/error", "fan/state", "air/error", "air/temperature",
                                                   "air/humidity")]
        told = self.command(device, "check", device.config).stdout
        self.assertEqual([line.split()[-1] for line in told[told.index("clears"):].splitlines()], stale)
        since = observer.mark()
        device.restart(text)
        observer.wait(f"{PREFIX}/pump/state", b"OFF", since=since)
        wait_until(lambda: not set(stale) & set(self.memory(device)), what="all is cleared")
        for topic in stale:
            self.assertIsNone(self.retained(topic), topic)
        self.assertEqual(self.retained(f"{PREFIX}/pump/state"), b"OFF")
        self.assertNotIn("clears", self.command(device, "check", device.config).stdout)

    def test_what_was_of_another_name_of_the_device_is_cleared(self):
        observer = self.observe()
        device = self.start_with(FAN + SENSOR, observer)
        device.stop()
        device.restart(configuration(self.broker.port, FAN).replace("device: bench", "device: shed"))
        wait_until(lambda: f"{PREFIX}/fan/state" not in self.memory(device), what="all is cleared")
        for topic in ("availability", "fan/state", "air/temperature"):
            self.assertIsNone(self.retained(f"{PREFIX}/{topic}"), topic)
        self.assertEqual(self.retained("swiftlet/shed/fan/state"), b"OFF")

    def test_what_a_broker_has_not_cleared_is_remembered(self):
        observer = self.observe()
        device = self.start_with(FAN + SENSOR, observer)
        device.stop()
        port = self.broker.port
        device.restart(configuration("mqtt://127.0.0.1:1", FAN))
        device.wait_log("Connection refused")
        device.stop()
        self.assertIn(f"{PREFIX}/air/temperature", self.memory(device))
        device.restart(configuration(port, FAN))
        wait_until(lambda: f"{PREFIX}/air/temperature" not in self.memory(device), what="all is cleared")
        self.assertIsNone(self.retained(f"{PREFIX}/air/temperature"))

    def test_forget_clears_all_that_the_broker_keeps_of_a_device(self):
        observer = self.observe()
        device = self.start_with(FAN + SENSOR, observer)
        device.stop()
        done = self.command(device, "forget", "--config", device.config)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        topics = [f"{PREFIX}/{topic}" for topic in ("availability", "fan/error", "fan/state", "air/error",
                                                    "air/temperature", "air/humidity")]
        self.assertEqual(done.stdout.splitlines(), [f"cleared {topic}" for topic in topics])
        for topic in topics:
            self.assertIsNone(self.retained(topic), topic)
        self.assertEqual(self.memory(device), [])

    def test_a_device_that_runs_is_not_forgotten(self):
        observer = self.observe()
        device = self.start_with(FAN + SENSOR, observer)
        done = self.command(device, "forget", "--config", device.config)
        self.assertEqual((done.returncode, done.stdout), (75, ""))
        self.assertIn("the device is running, and would publish all of it again: stop it first", done.stderr)
        self.assertEqual(self.retained(f"{PREFIX}/fan/state"), b"OFF")
        device.process.kill()
        device.process.wait()
        self.assertEqual(self.command(device, "forget", "--config", device.config).returncode, 0)

    def test_a_state_directory_that_cannot_be_written_is_told_and_stops_nothing(self):
        observer = self.observe()
        device = self.start(configuration(self.broker.port), variables={"STATE_DIRECTORY": "/proc"})
        observer.wait(f"{PREFIX}/fan/state", b"OFF")
        device.wait_log(r"^warning: /proc/.*\.topics: .*: what is renamed later stays on the broker$")
        observer.publish(f"{PREFIX}/fan/set", "ON")
        observer.wait(f"{PREFIX}/fan/state", b"ON")
