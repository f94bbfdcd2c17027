"""`make run` as a person uses it: what is on the screen works when it is copied, and Ctrl-C leaves nothing."""

import os
import re
import signal
import subprocess
import threading
import time
import unittest
import uuid

from harness.device import ROOT, environment, simulator
from harness.mqtt import Broker, free_port, wait_until
from harness.waiting import PATIENCE, pulse


class Terminal:
    """A command in a terminal's place: a process group of its own, and what it prints as it appears."""

    def __init__(self, *command, **variables):
        pulse.begin()
        # Every process started from here carries the mark in its environment.
        self.mark = f"SWIFTLET_TEST_MARK={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**{name: value}, **variables), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.thread = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self.thread.start()

    @property
    def screen(self):
        return "".join(self.lines)

    def wait(self, pattern):
        try:
            return wait_until(lambda: re.search(pattern, self.screen, re.M), what=pattern)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the screen:\n{self.screen}") from None

    def press_control_c(self):
        os.killpg(self.process.pid, signal.SIGINT)

    def check_interrupted(self, test):
        """make itself ends by the signal; it complains only about a recipe that failed."""
        test.assertIn(self.process.wait(PATIENCE), (0, -signal.SIGINT), self.screen)
        self.thread.join(PATIENCE)
        test.assertNotIn("***", self.screen)

    def left_behind(self):
        """The processes started from here that still run."""
        left = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if self.mark.encode() in file.read().split(b"\0"):
                        left.append(int(entry))
            except OSError:
                pass
        return left

    def close(self):
        for process in self.left_behind():
            os.kill(process, signal.SIGKILL)
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


class MakeRun(unittest.TestCase):

    def start(self, **variables):
        terminal = Terminal("make", "run", SWIFTLETD=simulator(), **variables)
        self.addCleanup(terminal.close)
        return terminal

    def test_what_is_on_the_screen_works_and_control_c_leaves_nothing_behind(self):
        port = free_port()
        terminal = self.start(BROKER_PORT=str(port))
        terminal.wait(r"^run: started mosquitto on 127\.0\.0\.1:")
        terminal.wait(r"swiftlet/greenhouse/fan/set$")
        subscribe = terminal.wait(r"^  (mosquitto_sub .*)$")[1]
        publish = terminal.wait(r"^  (mosquitto_pub .*fan/set -m ON)$")[1]
        press = terminal.wait(r"^  (mosquitto_pub .*sim/door/set -m ON)$")[1]
        warm = terminal.wait(r"^  (mosquitto_pub .*sim/air/temperature/set -m 31\.5)$")[1]
        terminal.wait(r"^  mosquitto_pub .*sim/air/fault/set -m no_acknowledge$")
        terminal.wait(r"swiftlet/greenhouse/availability\s+online$")
        terminal.wait(r"swiftlet/greenhouse/air/temperature\s+-?\d+\.\d+$")

        subprocess.run(publish, shell=True, check=True, timeout=PATIENCE)
        terminal.wait(r"swiftlet/greenhouse/fan/state\s+ON$")
        subprocess.run(press, shell=True, check=True, timeout=PATIENCE)
        terminal.wait(r"swiftlet/greenhouse/door/state\s+ON$")
        subprocess.run(warm, shell=True, check=True, timeout=PATIENCE)
        terminal.wait(r"swiftlet/greenhouse/sim/air/result\s+.*31\.5.*accepted")
        heard = subprocess.run(f"{subscribe} -C 3", shell=True, capture_output=True, text=True, timeout=PATIENCE).stdout
        self.assertIn("swiftlet/greenhouse/fan/state ON", heard)

        begin = time.monotonic()
        terminal.press_control_c()
        terminal.check_interrupted(self)
        self.assertLess(time.monotonic() - begin - pulse.allowance(begin), 2)
        self.assertRegex(terminal.screen, r"fan/state\s+OFF\n(.*\n)*.*availability\s+offline\n")
        self.assertNotRegex(terminal.screen, "warning:|error:", "what works needs no warning")
        wait_until(lambda: not terminal.left_behind(), what="all processes have ended")

    def test_a_broker_that_answers_is_used_and_left_alone(self):
        with Broker() as broker:
            terminal = self.start(BROKER_PORT=str(broker.port))
            terminal.wait(rf"^run: using the broker that answers on 127\.0\.0\.1:{broker.port}")
            terminal.wait(r"air/temperature\s+-?\d+\.\d+$")
            terminal.press_control_c()
            terminal.check_interrupted(self)
            self.assertTrue(broker.answers())
            wait_until(lambda: not terminal.left_behind(), what="all processes have ended")

    def test_an_example_that_is_not_there_names_those_there_are(self):
        result = subprocess.run(
            ["scripts/run", "no-such"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, env=environment())
        self.assertEqual(result.returncode, 64)
        self.assertIn("greenhouse", result.stderr)


if __name__ == "__main__":
    unittest.main()
