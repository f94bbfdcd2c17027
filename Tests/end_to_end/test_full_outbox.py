"""An outbox that is full, by its bytes: which readings go is what the device file says, and how many is in the log."""

import json
import re
import shutil
import signal
import tempfile
import time
import unittest

from harness.mqtt import Broker, Observer, wait_until

from .support import SideBySide

# Milliseconds between the readings of a sensor.
PERIOD = {"press": 100, "weather": 100, "air": 100, "alarm": 500}
DEVICE = """\
device: {name}
board: simulator
mqtt:
  url: mqtt://127.0.0.1:{port}
  reconnect: {{ min: 100ms, max: 500ms }}
  outbox: {{ path: {directory}/outbox.db, size: 64KiB, drop: {name} }}
modules:
  - {{ sensor: press, driver: BMP280, bus: i2c-1, address: 0x76, every: 100ms, keep: disk, priority: low, format: json }}
  - {{ sensor: weather, driver: DPS310, bus: i2c-1, address: 0x77, every: 100ms, keep: disk, priority: low, format: json }}
  - {{ sensor: air, driver: SHT3x, bus: i2c-1, every: 100ms, keep: disk, priority: low, format: json }}
  - {{ sensor: alarm, driver: SHT3x, bus: i2c-1, address: 0x45, every: 500ms, keep: disk, priority: high, format: json }}
"""


class FullOutbox(SideBySide):

    def fill(self, name):
        """A device that cannot reach its broker until it has dropped readings for some seconds. Answers the times of the
        readings of each sensor that arrived in the end, and how many it says it has dropped."""
        directory = tempfile.mkdtemp(prefix="swiftlet-outbox-")
        self.addCleanup(shutil.rmtree, directory)
        broker = self.with_cleanup(Broker())
        observer = self.with_cleanup(Observer(broker.port, "swiftlet/#"))
        # It takes connections and says nothing.
        broker.process.send_signal(signal.SIGSTOP)
        try:
            device = self.start(DEVICE.format(name=name, port=broker.port, directory=directory))
            device.wait_log("^warning: the outbox is full: readings are dropped$", timeout=20)
            time.sleep(3)
        finally:
            broker.process.send_signal(signal.SIGCONT)
        self.returned = time.time() * 1000
        line = device.wait_log("readings dropped because the outbox was full: ", timeout=15)
        self.assertEqual(device.log.count("the outbox is full"), 1, "it is said once")

        def is_settled():
            return all(times and times[-1] > self.returned + 3000 for times in self.times(observer).values())
        wait_until(is_settled, 20, "what was kept, and what is new")
        return self.times(observer), int(re.search(r"\d+$", line)[0])

    @staticmethod
    def times(observer):
        """Each sensor's readings of temperature, which are as many as its other ones."""
        times = {sensor: set() for sensor in PERIOD}
        for message in observer.messages:
            sensor, quantity = message.topic.split("/")[2:4] if message.topic.count("/") == 3 else ("", "")
            if quantity == "temperature":
                times[sensor].add(json.loads(message.payload)["sampled"])
        return {sensor: sorted(found) for sensor, found in times.items()}

    def gaps(self, times, period):
        """(from, to) of what is missing."""
        return [pair for pair in zip(times, times[1:]) if pair[1] - pair[0] > 4 * period]

    def check_count(self, times, dropped):
        """What the device says is what is missing: two readings at a time."""
        missing = sum(2 * (round((end - begin) / PERIOD[sensor]) - 1)
                      for sensor, found in times.items() for begin, end in self.gaps(found, PERIOD[sensor]))
        self.assertAlmostEqual(missing, dropped, delta=0.15 * dropped + 10)

    def test_the_oldest_readings_go(self):
        times, dropped = self.fill("oldest")
        self.check_count(times, dropped)
        for sensor in ("press", "weather", "air"):
            gaps = self.gaps(times[sensor], PERIOD[sensor])
            # What is in memory already may have been sent for all we know, and stays.
            self.assertEqual(len(gaps), 1, f"{sensor}: {gaps}")
            self.assertLess(gaps[0][0] - times[sensor][0], 2500)
            self.assertLess(gaps[0][1], self.returned - 2500, "the newest are there")

    def test_the_newest_readings_go(self):
        times, dropped = self.fill("newest")
        self.check_count(times, dropped)
        for sensor in ("press", "weather", "air"):
            gaps = self.gaps(times[sensor], PERIOD[sensor])
            self.assertEqual(len(gaps), 1, f"{sensor}: {gaps}")
            self.assertGreater(gaps[0][1] - gaps[0][0], 2500)
            self.assertLess(abs(gaps[0][1] - self.returned), 2000, "it reaches to the broker's return")

    def test_what_matters_least_goes(self):
        times, dropped = self.fill("priority")
        self.check_count(times, dropped)
        self.assertEqual(self.gaps(times["alarm"], PERIOD["alarm"]), [], "the alarm is whole")
        for sensor in ("press", "weather", "air"):
            self.assertEqual(len(self.gaps(times[sensor], PERIOD[sensor])), 1, sensor)


if __name__ == "__main__":
    unittest.main()
