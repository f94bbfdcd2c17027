"""Brokers that take their time: one byte a second is enough for the whole protocol, and relays do not wait for it."""

import json
import select
import threading
import time
import unittest

from harness.fake_broker import CONNECT, PUBLISH, SUBSCRIBE, FakeBroker, packet, publish
from harness.waiting import PATIENCE, pulse

from .support import SideBySide, gaps
from .test_hostile_broker import send_until_stuck

DEVICE = """\
device: d
board: simulator
root: r
mqtt: {{ url: 'mqtt://127.0.0.1:{port}', version: 3.1.1, keep_alive: {keep_alive} }}
modules:
  - relay: f
    line: GPIO5
  - relay: lamp
    line: GPIO6
    safety: {{ start: on, max_on: {max_on} }}
{more}"""
KEPT_SENSOR = """\
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    every: 500ms
    keep: memory
    format: json
"""


class SlowBroker(FakeBroker):
    """Answers nothing by itself but messages and pings, and those only while it is asked to read."""

    def _answer(self, found):
        if found.type != SUBSCRIBE:
            super()._answer(found)

    def send_slowly(self, data, until, pause=1):
        """The last byte when the event `until` has come."""
        *first, last = data
        for byte in first:
            time.sleep(pause)
            self.send(bytes([byte]))
        until.wait(PATIENCE)
        self.send(bytes([last]))

    def trickle(self, data, until, pause=1):
        thread = threading.Thread(target=self.send_slowly, args=(data, until, pause))
        thread.start()
        return thread

    def greet(self):
        self.accept_socket()
        self.expect(CONNECT)
        self.send(packet(0x20, b"\0\0"))
        self.subscribe()

    def subscribe(self):
        identifier = self.expect(SUBSCRIBE).body[:2]
        self.send(packet(0x90, identifier + b"\1"))
        self.expect(PUBLISH, "r/d/lamp/error")


class SlowBrokers(SideBySide):
    seconds = 12

    def begin(self, window=None, keep_alive="5s", max_on="7s", more=""):
        broker = self.with_cleanup(SlowBroker(window=window))
        self.began, self.is_off, already = time.monotonic(), threading.Event(), threading.Event()
        already.set()
        self.already = already
        device = self.start(DEVICE.format(port=broker.port, keep_alive=keep_alive, max_on=max_on, more=more))
        return broker, device

    def check_max_on(self, broker, device, seconds):
        """The lamp, which is on from the start, goes off in time: while the broker is in the middle of something, which
        ends then."""
        try:
            off = device.log_time("lamp: switched off: on for max_on")
        finally:
            self.is_off.set()
        self.assertGreaterEqual(off - self.began, seconds)
        self.assertLess(off - broker.accepted_at[0] - pulse.allowance(self.began), seconds + 0.6)

    def check_obedient(self, broker):
        broker.send(publish("r/d/f/set", b"ON", qos=1, packet_id=9))
        self.assertIn(b"accepted", broker.expect(PUBLISH, "r/d/f/result").payload)

    def test_a_greeting_of_one_byte_a_second_is_waited_for(self):
        broker, device = self.begin()
        broker.accept_socket()
        broker.expect(CONNECT)
        broker.send_slowly(packet(0x20, b"\0\0"), until=self.already)
        identifier = broker.expect(SUBSCRIBE).body[:2]
        trickle = broker.trickle(packet(0x90, identifier + b"\1"), until=self.is_off)
        self.check_max_on(broker, device, 7)
        trickle.join()
        self.check_obedient(broker)
        self.assertNotIn("offline", device.log)

    def test_a_command_of_one_byte_a_second_is_obeyed_at_its_end(self):
        broker, device = self.begin()
        broker.greet()
        trickle = broker.trickle(publish("r/d/f/set", b"ON"), until=self.is_off)
        self.check_max_on(broker, device, 7)
        trickle.join()
        # Three keep alives without an answer to a ping: the bytes themselves were the signs of life.
        self.assertIn(b"accepted", broker.expect(PUBLISH, "r/d/f/result").payload)
        self.assertNotIn("offline", device.log)

    def test_a_greeting_that_never_ends_is_given_up_and_tried_again(self):
        broker, device = self.begin()
        broker.accept_socket()
        broker.expect(CONNECT)
        trickle = broker.trickle(b"\x20\x02\x00", until=self.is_off, pause=2.5)
        self.check_max_on(broker, device, 7)
        trickle.join()
        broker.expect_close()
        closed = time.monotonic()
        self.assertGreaterEqual(closed - self.began, 10)
        self.assertLess(closed - broker.accepted_at[0] - pulse.allowance(self.began), 11)
        device.wait_log("no connection to the broker, trying again: the broker does not answer")
        broker.greet()
        self.check_obedient(broker)

    def test_a_broker_that_reads_nothing_costs_neither_safety_nor_memory_nor_kept_readings(self):
        broker, device = self.begin(window=4096, keep_alive="60s", max_on="5s", more=KEPT_SENSOR)
        broker.greet()
        first = self.reading(broker)
        before = device.memory("VmHWM")
        rest = send_until_stuck(self, broker, device, "r/d/")
        self.check_max_on(broker, device, 5)
        silence = time.time() * 1000
        self.assertLess(device.share_of_processor(2), 0.1, "it spins")
        self.assertLess(device.memory("VmHWM") - before, 512, "kilobytes for a broker that does not read")
        returned = time.time() * 1000
        self.read_again(broker, rest)
        broker.send(publish("r/d/f/set", b"the end", qos=1, packet_id=9))
        times = [first]
        while times[-1] < returned:
            times.append(self.reading(broker))
        self.assertTrue([time for time in times if silence < time < returned], times)
        self.assertEqual(gaps(times, 1400), [], "a reading is missing")
        self.check_obedient(broker)

    def reading(self, broker):
        return json.loads(broker.expect(PUBLISH, "r/d/air/temperature").payload)["sampled"]

    def read_again(self, broker, rest):
        """Sends the rest of a packet while what comes is read, and only then answers."""
        come, is_sent = bytearray(), threading.Event()

        def read():
            while not is_sent.is_set():
                if select.select([broker.client], [], [], 0.05)[0]:
                    come.extend(broker.client.recv(65536))
        reader = threading.Thread(target=read)
        reader.start()
        broker.send(rest)
        is_sent.set()
        reader.join()
        broker.buffer += bytes(come)


if __name__ == "__main__":
    unittest.main()
