"""A broker that closes in the middle of a packet, at every byte of a whole conversation. Whatever was cut off, the device
comes back, obeys what it was sent once, and nothing that it was not.

The client's own messages of QoS 2 are cut in the same way in Tests/MQTTClientTests/SplitTests.swift; a device sends none.
"""

import concurrent.futures
import unittest

from harness.device import Device
from harness.fake_broker import CONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, SUBSCRIBE, Closed, FakeBroker, packet, publish

# Devices at a time: each has a broker of its own.
AT_A_TIME = 12
DEVICE = """\
device: d
board: simulator
root: r
mqtt: {{ url: 'mqtt://127.0.0.1:{port}', version: {version}, reconnect: {{ min: 100ms, max: 500ms }} }}
modules:
  - relay: a
    line: GPIO5
  - relay: b
    line: GPIO6
  - relay: c
    line: GPIO9
  - relay: d
    line: GPIO10
"""


class Cut(Exception):
    """The byte has come at which this broker closes."""


class CuttingBroker(FakeBroker):
    """Sends `budget` bytes, then closes; None: all that there is to send. Speaks the version that the client does."""

    budget = None

    def send(self, data):
        if self.budget is not None:
            data = data[:self.budget]
            self.budget -= len(data)
        try:
            if data:
                super().send(data)
        except ConnectionError:
            raise Closed from None
        if self.budget == 0:
            self.drop()
            raise Cut

    def _answer(self, found):
        if found.type == SUBSCRIBE and self.is_v5:
            self.send(packet(0x90, found.body[:2] + b"\0\1"))
        else:
            super()._answer(found)

    def publish(self, topic, qos, packet_id):
        plain = publish(topic, b"TOGGLE", qos, packet_id=packet_id)
        if not self.is_v5:
            return plain
        end = 2 + 2 + len(topic) + 2
        return packet(plain[0], plain[2:end] + b"\0" + plain[end:])

    def converse(self, first, second):
        """A whole conversation: a command of QoS 2 to one relay, and one of QoS 1 to another. Cut, or answers the states
        that were published meanwhile."""
        self.accept_socket()
        self.states = {}
        connect = self.expect(CONNECT)
        self.is_v5 = connect.body[6] == 5
        self.send(packet(0x20, b"\0\0\0" if self.is_v5 else b"\0\0"))
        # Availability, and state and error of each relay, all of QoS 1, which `read` acknowledges.
        self.until(lambda found: found.type == PUBLISH and found.topic == "r/d/d/error")
        self.send(self.publish(f"r/d/{first}/set", 2, 7))
        self.until(lambda found: found.type == PUBREC)
        self.send(packet(0x62, b"\0\7"))
        self.until(lambda found: found.type == PUBCOMP)
        self.send(self.publish(f"r/d/{second}/set", 1, 8))
        self.until(lambda found: found.type == PUBACK)
        self.until(lambda found: self.states.get(second) == b"ON" and self.states.get(first) == b"ON")

    def check_that_is_all(self):
        """What comes before an answer to one more command shows what else was done: nothing."""
        before = dict(self.states)
        self.send(self.publish("r/d/nobody/set", 1, 9))
        self.until(lambda found: found.type == PUBACK)
        if self.states != before:
            raise AssertionError(f"{self.states} after {before}")

    def until(self, condition):
        while not self.note(condition):
            pass

    def note(self, condition):
        found = self.read()
        if found.type == PUBLISH and found.topic.endswith("/state"):
            # With 5.0 there is the length of the properties before the payload.
            self.states[found.topic.split("/")[2]] = found.payload[1:] if self.is_v5 else found.payload
        return condition(found)


class CutConversation(unittest.TestCase):

    def cut_at(self, offset, version):
        """What the relays are said to be at the end of a second conversation, after one that was cut."""
        with CuttingBroker() as broker, Device(DEVICE.format(port=broker.port, version=version)):
            broker.budget = offset
            try:
                broker.converse("a", "b")
            except (Cut, Closed):
                pass
            broker.drop()
            broker.budget = None
            broker.converse("c", "d")
            broker.check_that_is_all()
            # Closed without a word: that may mean that 5.0 is not known.
            self.assertEqual(broker.is_v5, version == "5" and offset > 0)
            return broker.states

    def length(self, version):
        """Bytes that the broker sends in the whole conversation."""
        with CuttingBroker() as broker, Device(DEVICE.format(port=broker.port, version=version)):
            broker.budget = 1_000_000
            broker.converse("a", "b")
            return 1_000_000 - broker.budget

    def check(self, version):
        length = self.length(version)
        self.assertGreater(length, 80)
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            outcomes = list(pool.map(lambda offset: self.cut_at(offset, version), range(length)))
        # After a whole command its relay is on: obeyed, and not twice. Before that it is off.
        was_on = {relay: [outcome[relay] == b"ON" for outcome in outcomes] for relay in "ab"}
        for relay in "ab":
            switched = was_on[relay].index(True)
            self.assertEqual(was_on[relay], [False] * switched + [True] * (length - switched), relay)
        # Between them lie at least PUBREL and all of the second command.
        self.assertGreaterEqual(was_on["b"].index(True) - was_on["a"].index(True), 20)

    def test_with_5_0(self):
        self.check("5")

    def test_with_3_1_1(self):
        self.check("3.1.1")


if __name__ == "__main__":
    unittest.main()
