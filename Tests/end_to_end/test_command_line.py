"""What the program says and answers when it is started wrongly, and what its summary shows."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness.device import ROOT, configuration, environment, run, swiftletd
from harness.waiting import PATIENCE

BOARDS = os.path.join(ROOT, "boards")
EXAMPLE = os.path.join(ROOT, "examples", "greenhouse", "device.yaml")

WRONG = """\
device: bench
board: simulator
mqtt: mqtt://127.0.0.1
modules:
  - relay: fan
    line: GPIO5
    actve: low
  - relay: fan
    line: GPIO9
  - relay: pump
    line: GPIO9
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    address: 0x78
"""


class CommandLine(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="swiftlet-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def write(self, text, name="device.yaml"):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def refused(self, status, *arguments, **options):
        """Runs; the exit status is that, nothing is on standard output, and no trap or trace is in sight."""
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertNotIn("Fatal error", result.stderr)
        return result.stderr

    # Fine

    def test_the_version_is_printed(self):
        result = run("--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"^swiftletd \d+\.\d+\.\d+\n$")

    def test_a_report_needs_no_device_file_and_names_build_libraries_kernel_board_and_chips(self):
        for words in (("--version", "--verbose"), ("--verbose", "--version")):
            result = run(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            first, *lines = result.stdout.splitlines()
            self.assertRegex(first, r"^swiftletd \d+\.\d+\.\d+$")
            told = {}
            for line in lines:
                title, text = line.split(None, 1)
                told.setdefault(title, []).append(text)
            self.assertEqual(
                list(told), ["build", "mqtt", "kernel", "board", "library", "gpio", "i2c", "module"])
            self.assertRegex(told["build"][0], r"^Swift 6\.\d.*, ordinary, \S+$")
            self.assertEqual(told["mqtt"], ["5.0 and 3.1.1"])
            system = os.uname()
            self.assertEqual(told["kernel"], [f"{system.sysname} {system.release} {system.machine}"])
            libraries = {text.split()[0]: text for text in told["library"]}
            self.assertEqual(
                list(libraries),
                ["libgpiod", "libi2c", "libyaml", "libssl", "libcrypto", "libwslay", "libsqlite3"])
            for name in ("libgpiod", "libyaml", "libcrypto", "libsqlite3"):
                self.assertRegex(libraries[name], r" v?\d+\.\d+")
            self.assertIn("relay", told["module"])
            self.assertTrue([kind for kind in told["module"] if re.match(r"sensor: .*\bSHT3x\b", kind)])

    def test_help_is_printed_on_standard_output_and_names_every_exit_status(self):
        for word in ("--help", "-h", "help"):
            result = run(word)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("usage: swiftletd", result.stdout)
            for status in ("0", "64", "69", "71", "74", "78"):
                self.assertRegex(result.stdout, rf"\b{status}\b")
            self.assertLess(max(map(len, result.stdout.splitlines())), 101)

    def test_an_answer_that_nobody_can_read_is_no_success(self):
        for words in (["--help"], ["--version"], ["check", EXAMPLE, "--board", "simulator", "--boards", BOARDS]):
            with open("/dev/full", "w") as full:
                result = subprocess.run([swiftletd(), *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
            self.assertEqual((result.returncode, result.stderr), (74, "swiftletd: standard output cannot be written\n"))

    def test_check_prints_lines_buses_and_topics(self):
        result = run("check", EXAMPLE, "--board", "simulator", "--boards", BOARDS)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for text in ("GPIO5", "pin 29", "i2c-1", "0x44", "swiftlet/greenhouse/fan/set", "simulated"):
            self.assertIn(text, result.stdout)
        self.assertLess(len(result.stdout.splitlines()), 25, "more than one screen")

    def test_check_needs_neither_the_board_s_hardware_nor_a_broker(self):
        result = run("check", EXAMPLE, "--boards", BOARDS)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Raspberry Pi 4", result.stdout)

    # Wrong usage

    def test_wrong_usage_is_64_and_shows_the_right_one(self):
        for arguments, what in [
            (["--confg", "x"], "unknown argument '--confg'"),
            (["--config"], "--config needs a value"),
            (["--board", ""], "--board needs a value"),
            (["start"], "unknown argument 'start'"),
            (["check"], "check needs a device file"),
            (["check", "a.yaml", "b.yaml"], "unknown argument 'b.yaml'"),
            (["run", "run"], "unknown argument 'run'"),
            (["--verbose"], "--verbose belongs to --version and check"),
            (["--log"], "--log needs a value"),
            (["--log", "loud"], "--log needs debug, info, warning or error, not 'loud'"),
        ]:
            with self.subTest(arguments):
                words = self.refused(64, *arguments)
                self.assertIn(what, words)
                self.assertIn("usage: swiftletd", words)

    def test_an_empty_argument_and_one_that_is_not_utf_8_are_wrong_usage(self):
        self.refused(64, "")
        self.refused(64, b"\xff\xfe")

    # Wrong configuration

    def check_both(self, path, *patterns, variables=None, arguments=()):
        """`run` answers 78 and `check` 1, with the same words."""
        boards = ("--boards", BOARDS, *arguments)
        told = self.refused(78, "run", "--config", path, *boards, variables=variables)
        self.assertEqual(self.refused(1, "check", path, *boards, variables=variables), told)
        for pattern in patterns:
            self.assertRegex(told, pattern)
        return told

    def test_all_errors_are_printed_each_with_its_place(self):
        path = self.write(WRONG)
        told = self.check_both(
            path,
            rf"(?m)^{re.escape(path)}:7:5: unknown key 'actve' in relay 'fan'; did you mean 'active'\?$",
            rf"(?m)^{re.escape(path)}:8:\d+: .*'fan'.*",
            rf"(?m)^{re.escape(path)}:11:\d+: .*GPIO9.*",
            rf"(?m)^{re.escape(path)}:15:\d+: .*0x78.*")
        self.assertEqual(len(told.splitlines()), 4, told)

    def test_a_file_that_is_not_there_names_the_option(self):
        self.check_both(os.path.join(self.directory, "none.yaml"), "does not exist", "--config")

    def test_the_usual_file_is_named_when_it_is_not_there(self):
        if os.path.exists("/boot/firmware/swiftlet/device.yaml"):
            self.skipTest("this is a device")
        self.assertIn("/boot/firmware/swiftlet/device.yaml", self.refused(78))

    def test_a_directory_in_the_place_of_the_file(self):
        self.check_both(self.directory, "cannot be read: Is a directory")

    def test_a_file_that_may_not_be_read(self):
        path = self.write(configuration(1883))
        os.chmod(path, 0)
        if os.getuid() == 0:
            # Root may read anything; nobody may not, and must reach the program to be told so.
            program = os.path.join(self.directory, "swiftletd")
            shutil.copy(swiftletd(), program)
            os.chmod(self.directory, 0o755)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program]
            environ = environment(LD_LIBRARY_PATH=os.environ.get("LD_LIBRARY_PATH", ""))
        else:
            command, environ = [swiftletd()], environment()
        result = subprocess.run(
            [*command, "check", path], capture_output=True, text=True, timeout=PATIENCE, env=environ)
        if "error while loading shared libraries" in result.stderr:
            self.skipTest("the Swift libraries are where nobody may read them")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("cannot be read: Permission denied", result.stderr)

    def test_files_that_are_no_configuration(self):
        for name, content in {
            "empty": b"", "spaces": b" \n\n", "null": b"\0", "binary": bytes(range(256)) * 20,
            "tab": b"device:\tx\n\tboard: y\n", "text": b"hello\n", "list": b"- a\n- b\n",
            "bomb": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "deep": b"[" * 10_000,
            "long": b"device: " + b"x" * 100_000 + b"\n", "half": b"device: \"gree",
            "latin": "device: gew\u00e4chshaus\n".encode("latin-1"), "two": b"---\na: 1\n---\nb: 2\n",
        }.items():
            with self.subTest(name):
                path = os.path.join(self.directory, name)
                with open(path, "wb") as file:
                    file.write(content)
                told = self.check_both(path, re.escape(path))
                self.assertLess(len(told), 20_000)

    def test_a_file_that_is_too_long(self):
        self.check_both(self.write("#" * 80 + "\n" * (1 << 20)), "too long")

    def test_an_unknown_board_names_those_there_are(self):
        path = self.write(configuration(1883).replace("board: simulator", "board: raspberry-pi-9"))
        self.check_both(path, ":2:8: unknown board 'raspberry-pi-9'.*simulator")
        self.check_both(
            self.write(configuration(1883)), "--board: unknown board 'arduino'", arguments=("--board", "arduino"))

    def test_a_directory_of_boards_that_is_not_there(self):
        path = self.write(configuration(1883))
        told = self.refused(78, "run", "--config", path, "--boards", os.path.join(self.directory, "none"))
        self.assertIn("unknown board 'simulator'", told)

    def test_a_variable_or_secret_that_is_not_there(self):
        told = self.check_both(self.write(configuration(
            "{ url: 'mqtt://${NO_SUCH_BROKER}', username: !secret user }")), "NO_SUCH_BROKER is not set")
        self.assertIn("there is no secrets.yaml", told)

    def test_a_broker_url_that_is_none_is_an_error_wherever_it_stands(self):
        path = self.write(configuration("http://127.0.0.1"))
        self.check_both(path, re.escape(path) + ":3:7: unknown scheme 'http'")
        path = self.write(configuration("mqtt://127.0.0.1"))
        for url in ("http://127.0.0.1", "127.0.0.1", "mqtt://", "mqtt://h:99999", "mqtt://a b"):
            with self.subTest(url):
                self.check_both(path, "(?m)^environment variable SWIFTLET_MQTT: ", variables={"SWIFTLET_MQTT": url})

    def test_a_password_in_a_wrong_url_is_not_printed(self):
        told = self.check_both(
            self.write(configuration("mqtt://127.0.0.1")), "SWIFTLET_MQTT",
            variables={"SWIFTLET_MQTT": "mqtt://me:hunter2@host:99999"})
        self.assertNotIn("hunter2", told)

    # No such hardware

    def test_a_board_whose_chip_is_not_in_this_machine_is_69_with_every_line_and_the_remedy(self):
        modules = "  - relay: fan\n    line: GPIO17\n  - button: door\n    line: GPIO27\n"
        path = self.write(configuration(1883, modules))
        result = run("run", "--config", path, "--boards", BOARDS, "--board", "raspberry-pi-4")
        if result.returncode == 0:
            self.skipTest("this is a Raspberry Pi")
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertRegex(result.stderr, "relay 'fan': there is no GPIO chip labelled 'pinctrl-bcm2711' for line GPIO17")
        self.assertRegex(result.stderr, "button 'door': there is no GPIO chip labelled .*gpiodetect")


if __name__ == "__main__":
    unittest.main()
