"""`swiftlet sub` whose output nobody reads: the server waits, and that costs no processor time."""

import os
import subprocess
import time
import unittest

from harness.fake_broker import CONNECT, PINGREQ, SUBSCRIBE, FakeBroker, packet, publish

from .test_swiftlet_pub_sub import program


class Silent(FakeBroker):
    """Has no room for answers to pings."""

    def _answer(self, found):
        if found.type != PINGREQ:
            super()._answer(found)


class Stuck(unittest.TestCase):

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
        self.broker.accept_socket(timeout=20)
        self.broker.expect(CONNECT)
        self.broker.send(packet(0x20, answer))

    def processor_time(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def flood(self):
        """Messages until nothing has been taken for half a second: then its memory and the kernel's are full."""
        message = publish("a", b"x" * 60_000)
        self.broker.client.setblocking(False)
        while time.monotonic() < self.taken + 0.5:
            try:
                self.rest = self.rest[self.broker.client.send(self.rest):] or message
                self.taken = time.monotonic()
            except BlockingIOError:
                time.sleep(0.02)

    def check_rest(self):
        self.taken = time.monotonic()
        self.flood()
        begin = self.processor_time()
        time.sleep(1)
        self.assertLess(self.processor_time() - begin, 0.2, "it spins")

    def test_what_it_sends_does_not_wake_it_for_good(self):
        self.check_rest()
        self.broker.expect(PINGREQ, timeout=10)
        self.check_rest()

    def test_a_server_that_comes_back_does_not_wake_it_for_good(self):
        self.check_rest()
        self.broker.drop()
        self.greet(b"\1\0")
        self.rest = publish("a", b"")
        self.check_rest()


if __name__ == "__main__":
    unittest.main()
