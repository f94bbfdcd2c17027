"""Messages of QoS 2 that mosquitto keeps for `swiftlet sub -c`: mosquitto 2.0 sends more of them than Receive Maximum
allows, and the same again on the next connection."""

import signal
import subprocess
import unittest

from harness.breaking import BreakingLine
from harness.mqtt import Broker
from harness.waiting import PATIENCE, wait_until

from .test_swiftlet_pub_sub import program, run

COUNT = 2000
EXPECTED = b"".join(b"%d\n" % number for number in range(1, COUNT + 1))


class KeptSession(unittest.TestCase):
    seconds = 60

    def drain(self, version, **breaks):
        """Has messages kept, takes them over a line that breaks, and answers how many bytes that took."""
        with Broker(settings="allow_anonymous true\nmax_queued_messages 0\nlog_type subscribe\n") as broker:
            options = ["-i", "kept", "-c", "-q", "2", "-t", "kept", "-V", version]
            direct = ["-h", "127.0.0.1", "-p", str(broker.port)]
            first = subprocess.Popen([program(), "sub", *direct, *options], stdout=subprocess.DEVNULL)
            self.addCleanup(first.kill)
            wait_until(lambda: "kept 2 kept" in broker.log(), what="its subscription")
            first.send_signal(signal.SIGINT)
            self.assertEqual(first.wait(PATIENCE), 0)
            subprocess.run(["mosquitto_pub", *direct, "-t", "kept", "-q", "2", "-l"], input=EXPECTED, check=True,
                           timeout=PATIENCE)
            with BreakingLine(broker.port, **breaks) as line:
                result = run("sub", "-h", "127.0.0.1", "-p", str(line.port), *options, "-C", str(COUNT), timeout=60)
                self.assertEqual((result.returncode, result.stdout, result.stderr), (0, EXPECTED, b""))
                # mosquitto 2.0 at times sends all of them before it has read an acknowledgement: `sub` has what it wants
                # then before a line that counts its bytes breaks.
                self.assertIn(line.connections, {1, 2} if "from_client" in breaks else {2} if breaks else {1})
                return line.received

    def check(self, version):
        calm = self.drain(version)
        for broken in ({"from_server": 4_000}, {"from_server": 25_000}, {"from_client": 4_000}):
            self.assertLessEqual(self.drain(version, **broken), 2 * calm, broken)

    def test_with_5_0(self):
        self.check("5")

    def test_with_3_1_1(self):
        self.check("3.1.1")


if __name__ == "__main__":
    unittest.main()
