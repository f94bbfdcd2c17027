"""Where board files are looked for: what cannot be read is not taken for what is not there."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness.device import ROOT, configuration, environment, swiftletd


class BoardFiles(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="swiftlet-boards-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.boards = os.path.join(self.directory, "boards")
        shutil.copytree(os.path.join(ROOT, "boards"), self.boards)
        self.addCleanup(os.chmod, self.boards, 0o755)
        self.device = os.path.join(self.directory, "device.yaml")

    def check(self, board="simulator", boards=None):
        return self.run_check(["--boards", boards or self.boards], None, board)

    def run_check(self, words, directory, board="toaster"):
        with open(self.device, "w") as file:
            file.write(configuration("mqtt://127.0.0.1"))
        # Root may read everything; without its capabilities it is a user like any other.
        wrapper = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
        return subprocess.run(
            [*wrapper, swiftletd(), "check", self.device, "--board", board, *words], cwd=directory,
            capture_output=True, text=True, timeout=10, env=environment())

    def assert_refused(self, result, *texts):
        self.assertEqual(result.returncode, 1, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def test_a_directory_that_may_not_be_entered_is_said(self):
        os.chmod(self.boards, 0)
        self.assert_refused(self.check(), "board 'simulator' cannot be looked up",
                            f"{self.boards}/simulator.yaml cannot be read: Permission denied")

    def test_a_directory_that_may_not_be_listed_is_said_and_only_where_it_matters(self):
        os.chmod(self.boards, 0o111)
        self.assertEqual(self.check().returncode, 0)
        self.assert_refused(self.check("simulatr"), "board 'simulatr' cannot be looked up",
                            f"{self.boards} cannot be listed: Permission denied")

    def test_a_file_that_may_not_be_read_is_no_unknown_board(self):
        os.chmod(os.path.join(self.boards, "simulator.yaml"), 0)
        self.assert_refused(self.check(), f"{self.boards}/simulator.yaml cannot be read: Permission denied")

    def test_a_directory_that_is_not_there_has_no_boards(self):
        none = os.path.join(self.directory, "none")
        self.assert_refused(self.check(boards=none), "unknown board 'simulator'", "there are no board files",
                            f"looked for in {none}: copy the files of Swiftlet's boards/", f"to {none}\n")

    def test_boards_are_listed_in_order_and_without_those_of_tests(self):
        names = sorted(name[:-5] for name in os.listdir(self.boards) if name.endswith(".yaml"))
        listed = ", ".join(names[:-1]) + " and " + names[-1]
        self.assertNotIn("test", listed)
        self.assert_refused(self.check("toaster"), f"boards are {listed}, looked for in {self.boards}")

    def test_every_place_that_is_searched_is_said(self):
        result = self.run_check([], self.directory)
        self.assert_refused(result, f"looked for in {self.directory}/boards, boards and /usr/share/swiftlet/boards")

    def test_a_header_that_was_not_copied_is_said(self):
        shutil.rmtree(os.path.join(self.boards, "headers"))
        self.assert_refused(self.check(), "there is no header 'rpi-40'", f"copy that folder to {self.boards}")

    def test_a_header_that_may_not_be_read_is_no_missing_one(self):
        os.chmod(os.path.join(self.boards, "headers/rpi-40.yaml"), 0)
        self.assert_refused(self.check(), "header 'rpi-40' cannot be looked up", "Permission denied")

    def test_usual_spellings_are_understood_by_the_option_too(self):
        for spelling in ["Raspberry Pi 4", "rpi4", "pi4b"]:
            self.assert_refused(self.check(spelling), f"unknown board '{spelling}'; did you mean 'raspberry-pi-4'?")


if __name__ == "__main__":
    unittest.main()
