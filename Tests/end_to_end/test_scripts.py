"""What every program in scripts/ has in common."""

import os
import subprocess
import tempfile
import unittest

from harness.device import ROOT
from harness.waiting import PATIENCE

# What builds, installs or measures.
TOOLS = "swift swiftc apt-get sudo gcc mosquitto git dpkg-query".split()


class Scripts(unittest.TestCase):
    def setUp(self):
        """A PATH on which whatever does work writes down that it was called."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.calls = os.path.join(directory.name, "calls")
        for tool in TOOLS:
            path = os.path.join(directory.name, tool)
            with open(path, "w") as file:
                file.write(f'#!/bin/sh\necho "{tool} $*" >>{self.calls}\nexit 1\n')
            os.chmod(path, 0o755)
        self.environment = {**os.environ, "PATH": directory.name + ":/usr/bin:/bin"}

    def run_script(self, name, *arguments):
        result = subprocess.run([os.path.join(ROOT, "scripts", name), *arguments], env=self.environment, timeout=PATIENCE,
                                stdin=subprocess.DEVNULL, capture_output=True, text=True)
        called = ""
        if os.path.exists(self.calls):
            with open(self.calls) as file:
                called = file.read()
            os.remove(self.calls)
        self.assertEqual(called, "", f"{name} {arguments} works instead of answering")
        return result

    def scripts(self):
        return sorted(name for name in os.listdir(os.path.join(ROOT, "scripts")) if name != "lib")

    def test_help_is_printed_and_nothing_else_is_done(self):
        self.assertGreater(len(self.scripts()), 20)
        for name in self.scripts():
            for word in ("--help", "-h"):
                with self.subTest(name, word=word):
                    result = self.run_script(name, word)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    self.assertIn(f"usage: scripts/{name}", result.stdout)

    def test_words_that_mean_nothing_are_refused_before_anything_is_done(self):
        for name in self.scripts():
            with self.subTest(name):
                result = self.run_script(name, "--no-such-option")
                self.assertIn(result.returncode, (2, 64))
                self.assertNotEqual(result.stderr, "")
