"""The command lines in `--help` and docs/async-client.md, each with a broker of the test's at its end."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness.certificates import Certificates
from harness.device import ROOT
from harness.mqtt import Broker, free_port
from harness.waiting import PATIENCE

from .test_swiftlet_pub_sub import program, run

PROGRAMS = """
sensors() { printf '1\\n2\\n'; }
jq() { cat; }
"""


class Examples(unittest.TestCase):
    seconds = 10

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="swiftlet-examples-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        os.chmod(cls.directory, 0o755)
        cls.files = files = Certificates(cls.directory)
        cls.ports = {name: free_port() for name in ("mqtts", "wss")}
        tls = f"certfile {files.path('server.crt')}\nkeyfile {files.path('server.key')}\n"
        cls.broker = Broker(settings=(
            f"allow_anonymous true\nlistener {cls.ports['mqtts']} 127.0.0.1\n{tls}"
            f"listener {cls.ports['wss']} 127.0.0.1\n{tls}protocol websockets\n"))
        cls.addClassCleanup(cls.broker.close)

    def execute(self, line):
        """With our servers in the place of the example's, and an end for `sub`."""
        for scheme, port in self.ports.items():
            line = re.sub(rf"{scheme}://(broker|spare)\.local", f"{scheme}://localhost:{port}", line)
        line = line.replace("-h broker.local", "-h localhost").replace("ca.pem", self.files.path("ca.crt"))
        if "-L" not in line:
            line = re.sub(r"swiftlet (pub|sub|rr)", rf"swiftlet \1 -p {self.broker.port}", line)
        line = line.replace("swiftlet sub", "swiftlet sub -W 1").replace("swiftlet rr", "swiftlet rr -W 1").replace("-W 10", "")
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", PROGRAMS + line], capture_output=True, timeout=PATIENCE,
            cwd=self.directory, env={**os.environ, "SSL_CERT_FILE": self.files.path("ca.crt"),
                 "PATH": os.path.dirname(os.path.abspath(program())) + ":" + os.environ["PATH"]})

    def check(self, lines, least):
        self.assertGreaterEqual(len(lines), least, lines)
        for line in lines:
            result = self.execute(line)
            if "scram" in line:
                # mosquitto knows no such method: it has been asked for.
                self.assertEqual(result.returncode, 1, (line, result.stderr))
                self.assertIn(b"bad authentication method", result.stderr.lower())
                continue
            self.assertEqual((result.returncode, result.stderr), (27 if re.search(" (sub|rr) ", line) else 0, b""), line)

    def lines(self, text):
        return [line.strip() for line in text.splitlines() if re.match(r" *([\w=]+ (\| )?)?swiftlet (pub|sub|rr) -", line)]

    def test_help(self):
        for command, least in (("pub", 2), ("sub", 2), ("rr", 1)):
            self.check(self.lines(run(command, "--help").stdout.decode()), least)

    def test_the_page(self):
        with open(os.path.join(ROOT, "docs", "async-client.md")) as page:
            self.check(self.lines(page.read()), 5)


if __name__ == "__main__":
    unittest.main()
