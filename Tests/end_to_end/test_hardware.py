"""Buses that are not there or may not be opened: the error names the remedy, and everything else works."""

import errno
import os
import shutil
import subprocess
import tempfile
import unittest

from harness.device import ROOT, configuration, swiftletd
from harness.waiting import PATIENCE, wait_until

from .support import AVAILABILITY, PREFIX, WithBroker

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# Adapter 987 has no i2c-dev, 986 has it and no device.
OWN_SYSFS = ["unshare", "--map-root-user", "--mount", "sh", "-c", """
    mount -t tmpfs sysfs /sys &&
    mkdir -p /sys/bus/i2c/devices/i2c-987 /sys/bus/i2c/devices/i2c-986 /sys/class/i2c-dev/i2c-986 &&
    exec "$@" """, "sh"]
SENSOR = "  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    every: 1s\n"


def nobody_runs_it():
    """Whether the test may become somebody without rights, who can still start the program."""
    return os.getuid() == 0 and subprocess.run(
        [*NOBODY, swiftletd(), "--version"], capture_output=True).returncode == 0


class Buses(WithBroker):
    """On the board file of a Raspberry Pi 4, whose bus is where the test says."""

    def start_on_bus(self, device, **options):
        boards = os.path.join(self.broker.directory, "boards")
        os.mkdir(boards)
        with open(os.path.join(ROOT, "boards", "raspberry-pi-4.yaml")) as file:
            text = file.read()
        with open(os.path.join(boards, "raspberry-pi-4.yaml"), "w") as file:
            file.write(text.replace("/dev/i2c-1", device))
        shutil.copytree(os.path.join(ROOT, "boards", "headers"), os.path.join(boards, "headers"))
        os.chmod(self.broker.directory, 0o755)
        text = configuration(self.broker.port, SENSOR).replace("board: simulator", "board: raspberry-pi-4")
        return self.start(text, boards=boards, program=swiftletd(), **options)

    def check_error(self, device, observer, *words):
        text = observer.wait(f"{PREFIX}/air/error", lambda payload: payload).payload.decode()
        for word in words:
            self.assertIn(word, text)
        device.wait_log("air: ")
        self.assertEqual(self.retained(f"{PREFIX}/air/error").decode(), text)
        self.assertEqual(self.retained(AVAILABILITY), b"online")
        # A value that nobody measured is never published.
        self.assertFalse([m for m in observer.messages if m.topic.startswith(f"{PREFIX}/air/temp")])
        self.assertEqual(device.stop()[1], 0)

    def test_a_bus_that_is_not_there_names_what_switches_it_on(self):
        observer = self.observe()
        device = self.start_on_bus("/dev/i2c-that-is-not-there")
        self.check_error(device, observer, "/dev/i2c-that-is-not-there does not exist", "dtparam=i2c_arm=on")

    def check_beside(self, device, *words):
        """Beside the adapters of `OWN_SYSFS`; no machine has so many."""
        observer = self.observe()
        self.check_error(self.start_on_bus(device, wrapper=OWN_SYSFS), observer, *words)

    def test_a_controller_without_i2c_dev_is_told_from_a_bus_that_is_switched_off(self):
        self.check_beside("/dev/i2c-987", "/dev/i2c-987 does not exist", "sudo modprobe i2c-dev", "/etc/modules")

    def test_a_bus_that_is_not_in_dev_is_told_from_one_without_i2c_dev(self):
        self.check_beside("/dev/i2c-986", "/dev/i2c-986 is not in /dev", "container")

    def test_a_bus_beside_others_that_are_there_is_switched_off(self):
        self.check_beside("/dev/i2c-985", "/dev/i2c-985 does not exist", "dtparam=i2c_arm=on")

    @unittest.skipUnless(nobody_runs_it(), "needs to become somebody without rights")
    def test_a_bus_that_may_not_be_opened_names_the_group(self):
        node = os.path.join(self.broker.directory, "i2c-1")
        with open(node, "w"):
            os.chmod(node, 0)
        observer = self.observe()
        device = self.start_on_bus(node, wrapper=NOBODY)
        self.check_error(device, observer, f"{node} may not be opened", "usermod -aG i2c")

    def test_a_file_that_is_no_bus_is_an_error_too(self):
        node = os.path.join(self.broker.directory, "i2c-1")
        with open(node, "w"):
            pass
        observer = self.observe()
        device = self.start_on_bus(node)
        self.check_error(device, observer, "target 0x44", "error")


class Libraries(WithBroker):
    """A library that its disk does not give is waited for before any line is requested: nothing is on meanwhile that only
    a running device switches off."""

    def waits_for(self, library, settings, sensor=""):
        """Whether the library is read by a device whose only line is on a chip that is not there, and what it says when
        the disk says something again."""
        directory = tempfile.mkdtemp(dir=self.broker.directory)
        path = os.path.join(directory, library)
        os.mkfifo(path)
        text = ("device: bench\nboard: raspberry-pi-4\nlines: [{ line: NOWHERE, chip: no-such-chip }]\n"
                f"mqtt: {{ {settings} }}\nmodules:\n  - relay: fan\n    line: NOWHERE\n"
                "    safety: { start: on, max_on: 1s }\n" + sensor)
        device = self.start(text, program=swiftletd(), variables={"LD_LIBRARY_PATH": directory})
        writers = []

        def is_read():
            try:
                writers.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                self.assertEqual(error.errno, errno.ENXIO)
            return bool(writers) or device.process.poll() is not None

        wait_until(is_read, PATIENCE, f"{library} is read")
        self.assertTrue(writers, f"ended before it asked for {library}: {device.log}")
        # The request for lines would have failed by now, and ended it.
        self.assertIsNone(device.process.poll())
        self.assertNotIn("no-such-chip", device.log)
        os.close(writers[0])
        device.wait_log("no-such-chip")
        self.assertEqual(device.process.wait(PATIENCE), 69)
        return device.log

    def test_sqlite_is_waited_for_before_a_line_is_requested(self):
        path = os.path.join(self.broker.directory, "box.db")
        log = self.waits_for(
            "libsqlite3.so.0", f"url: 'mqtt://127.0.0.1:1', outbox: {{ path: {path} }}", SENSOR + "    keep: disk\n")
        self.assertIn("readings are kept in memory only", log)

    def test_the_library_of_websockets_is_waited_for_before_a_line_is_requested(self):
        self.waits_for("libwslay.so.1", "url: 'ws://127.0.0.1:1'")

    def test_the_library_of_scram_is_waited_for_before_a_line_is_requested(self):
        log = self.waits_for(
            "libcrypto.so.3", "url: 'mqtt://127.0.0.1:1', username: a, password: b, version: 5, auth: scram-sha-256")
        self.assertIn("libcrypto.so.3 is not there", log)


if __name__ == "__main__":
    unittest.main()
