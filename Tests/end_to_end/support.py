"""What the end-to-end tests share."""

import json
import unittest

from harness.device import Device, configuration
from harness.mqtt import Broker, Observer

PREFIX = "swiftlet/bench"
AVAILABILITY = f"{PREFIX}/availability"


class WithBroker(unittest.TestCase):
    """Tests against one broker; each test has a device and an observer of its own."""

    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)

    def observe(self, broker=None):
        observer = Observer((broker or self.broker).port)
        self.addCleanup(observer.close)
        return observer

    def start(self, text=None, **options):
        device = Device(text or configuration(self.broker.port), **options)
        self.addCleanup(device.close)
        return device

    def retained(self, topic):
        """What a client that connects now finds on the topic; None: nothing."""
        late = Observer(self.broker.port, topic)
        self.addCleanup(late.close)
        try:
            return late.wait(topic, timeout=0.3).payload
        except TimeoutError:
            return None


def answer(message):
    """A result's payload, which is JSON."""
    return json.loads(message.payload)
