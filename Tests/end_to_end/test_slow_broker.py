"""Brokers that take their time: one byte a second is enough for the whole protocol, and relays do not wait for it."""

import json
import select
import threading
import time
import unittest

from harness.fake_broker import CONNECT, PUBLISH, SUBSCRIBE, FakeBroker, packet, publish

from .support import SideBySide
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

    def send_slowly(self, data, pause=1):
        for byte in data:
            time.sleep(pause)
            self.send(bytes([byte]))

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

    def begin(self, window=None, keep_alive="5s", max_on="7s", more=""):
        broker = self.with_cleanup(SlowBroker(window=window))
        self.began = time.monotonic()
        device = self.start(DEVICE.format(port=broker.port, keep_alive=keep_alive, max_on=max_on, more=more))
        return broker, device

    def check_max_on(self, device, seconds):
        """The lamp, which is on from the start, went off in time; to be called before it does."""
        device.wait_log("lamp: switched off: on for max_on", timeout=seconds + 2)
        self.assertAlmostEqual(time.monotonic() - self.began, seconds, delta=0.6)

    def check_obedient(self, broker):
        broker.send(publish("r/d/f/set", b"ON", qos=1, packet_id=9))
        self.assertIn(b"accepted", broker.expect(PUBLISH, "r/d/f/result").payload)

    def test_a_greeting_of_one_byte_a_second_is_waited_for(self):
        broker, device = self.begin()
        broker.accept_socket()
        broker.expect(CONNECT)
        broker.send_slowly(packet(0x20, b"\0\0"))
        identifier = broker.expect(SUBSCRIBE).body[:2]
        trickle = threading.Thread(target=broker.send_slowly, args=(packet(0x90, identifier + b"\1"),))
        trickle.start()
        self.check_max_on(device, 7)
        trickle.join()
        self.check_obedient(broker)
        self.assertNotIn("offline", device.log)

    def test_a_command_of_one_byte_a_second_is_obeyed_at_its_end(self):
        broker, device = self.begin()
        broker.greet()
        trickle = threading.Thread(target=broker.send_slowly, args=(publish("r/d/f/set", b"ON"),))
        trickle.start()
        self.check_max_on(device, 7)
        trickle.join()
        # Three keep alives without an answer to a ping: the bytes themselves were the signs of life.
        self.assertIn(b"accepted", broker.expect(PUBLISH, "r/d/f/result").payload)
        self.assertNotIn("offline", device.log)

    def test_a_greeting_that_never_ends_is_given_up_and_tried_again(self):
        broker, device = self.begin()
        broker.accept_socket()
        broker.expect(CONNECT)
        trickle = threading.Thread(target=broker.send_slowly, args=(b"\x20\x02\x00", 2.5))
        trickle.start()
        self.check_max_on(device, 7)
        trickle.join()
        begin = broker.accepted_at[0]
        broker.expect_close(timeout=5)
        self.assertAlmostEqual(time.monotonic() - begin, 10, delta=0.7)
        device.wait_log("no connection to the broker, trying again: the broker does not answer")
        broker.greet()
        self.check_obedient(broker)

    def test_a_broker_that_reads_nothing_costs_neither_safety_nor_memory_nor_kept_readings(self):
        broker, device = self.begin(window=4096, keep_alive="60s", max_on="5s", more=KEPT_SENSOR)
        broker.greet()
        first = self.reading(broker)
        before = device.memory("VmHWM")
        rest = send_until_stuck(self, broker, device, "r/d/")
        self.check_max_on(device, 5)
        begin = device.processor_time()
        time.sleep(2)
        self.assertLess(device.processor_time() - begin, 0.2, "it spins")
        self.assertLess(device.memory("VmHWM") - before, 512, "kilobytes for a broker that does not read")
        self.read_again(broker, rest)
        broker.send(publish("r/d/f/set", b"the end", qos=1, packet_id=9))
        times = [first]
        while times[-1] < time.time() * 1000 - 1000:
            times.append(self.reading(broker))
        self.assertGreater(len(times), 8)
        self.assertLess(max(later - earlier for earlier, later in zip(times, times[1:])), 1400, "a reading is missing")
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
