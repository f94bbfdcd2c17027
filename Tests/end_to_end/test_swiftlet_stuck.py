"""`swiftlet sub` whose output nobody reads: the server waits, and that costs no processor time."""

import subprocess
import time
import unittest

from harness.fake_broker import CONNECT, PINGREQ, SUBSCRIBE, FakeBroker, packet, publish
from harness.waiting import PATIENCE, is_asleep, share_of_processor

from .test_swiftlet_pub_sub import program


class Silent(FakeBroker):
    """Has no room for answers to pings."""

    def _answer(self, found):
        if found.type != PINGREQ:
            super()._answer(found)


class Stuck(unittest.TestCase):
    seconds = 7

    def setUp(self):
        self.broker = Silent()
        self.addCleanup(self.broker.close)
        self.process = subprocess.Popen(
            [program(), "sub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-V", "3.1.1", "-t", "a", "-k", "5",
             "--id", "stuck", "-c"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)
        self.greet(b"\0\0")
        self.broker.expect(SUBSCRIBE)
        self.rest = publish("a", b"")

    def greet(self, answer):
        self.broker.accept_socket()
        self.broker.expect(CONNECT)
        self.broker.send(packet(0x20, answer))

    def flood(self):
        """Messages until nothing is taken, however often it is tried, while the process sleeps: then its memory and the
        kernel's are full."""
        message = publish("a", b"x" * 60_000)
        self.broker.client.setblocking(False)
        deadline, stuck = time.monotonic() + PATIENCE, 0
        while stuck < 25:
            self.assertLess(time.monotonic(), deadline, "it takes for ever, or does not sleep")
            try:
                self.rest, stuck = self.rest[self.broker.client.send(self.rest):] or message, 0
            except BlockingIOError:
                stuck = stuck + 1 if is_asleep(self.process.pid) else 0
                time.sleep(0.02)

    def check_rest(self):
        self.flood()
        self.assertLess(share_of_processor(self.process.pid), 0.1, "it spins")

    def test_what_it_sends_does_not_wake_it_for_good(self):
        self.check_rest()
        self.broker.expect(PINGREQ)
        self.check_rest()

    def test_a_server_that_comes_back_does_not_wake_it_for_good(self):
        self.check_rest()
        self.broker.drop()
        self.greet(b"\1\0")
        self.rest = publish("a", b"")
        self.check_rest()


if __name__ == "__main__":
    unittest.main()
