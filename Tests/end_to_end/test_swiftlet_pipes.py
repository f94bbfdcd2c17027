"""`swiftlet pub` and `swiftlet sub` with pipes, files and words that are not as one expects."""

import json
import os
import signal
import subprocess
import unittest

from harness.waiting import PATIENCE, comes_to_rest, wait_until

from .test_swiftlet_pub_sub import WithBroker, program, run, waiting_in


class Input(WithBroker):
    def test_a_pipe_that_others_made_non_blocking_is_waited_for(self):
        observer = self.observe()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        process = subprocess.Popen([program(), "pub", *self.server, "-t", "a", "-l"], stdin=reading)
        os.close(reading)
        os.write(writing, b"1\n")
        observer.wait("a", b"1")
        wait_until(lambda: comes_to_rest(process.pid), what="it waits for more")
        os.write(writing, b"2\n")
        os.close(writing)
        self.assertEqual(process.wait(PATIENCE), 0)
        observer.wait("a", b"2")

    def test_empty_input_clears_nothing(self):
        self.assertEqual(self.pub("-t", "kept", "-m", "x", "-r").returncode, 0)
        result = self.pub("-t", "kept", "-r", "-s", stdin=subprocess.DEVNULL)
        self.assertEqual((result.returncode, result.stderr),
                         (1, b"swiftlet: error: standard input is empty; -n publishes an empty message\n"))
        kept = run("sub", *self.server, "-t", "kept", "-C", "1")
        self.assertEqual((kept.returncode, kept.stdout), (0, b"x\n"))

    def test_what_was_asked_of_the_tool_itself_has_to_arrive(self):
        for words in (["--version"], ["--help"], ["pub", "--help"]):
            with self.subTest(words):
                with open("/dev/full", "wb") as full:
                    result = subprocess.run([program(), *words], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
                self.assertEqual((result.returncode, result.stderr),
                                 (1, b"swiftlet: error: cannot write to standard output: No space left on device\n"))
                result = run(*words)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertTrue(result.stdout)

    def test_input_that_cannot_be_read_is_an_error(self):
        directory = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, directory)
        for way in ("-l", "-s"):
            with self.subTest(way):
                result = self.pub("-t", "a", way, stdin=directory)
                self.assertEqual((result.returncode, result.stderr),
                                 (1, b"swiftlet: error: cannot read standard input: Is a directory\n"))
        result = self.pub("-t", "a", "-f", "/")
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"cannot read /: Is a directory", result.stderr)

    def test_standard_files_that_are_closed_are_an_error_and_nothing_else_takes_their_place(self):
        for way in ("-l", "-s"):
            with self.subTest(way):
                result = self.pub("-t", "a", way, preexec_fn=lambda: os.close(0))
                self.assertEqual((result.returncode, result.stderr),
                                 (1, b"swiftlet: error: cannot read standard input: Bad file descriptor\n"))
        self.assertEqual(self.pub("-t", "a", "-m", "x", "-r").returncode, 0)
        result = subprocess.run([program(), "sub", *self.server, "-t", "a", "-C", "1"], stderr=subprocess.PIPE,
                                timeout=PATIENCE, preexec_fn=lambda: os.close(1))
        self.assertEqual((result.returncode, result.stderr),
                         (1, b"swiftlet: error: cannot write: Bad file descriptor\n"))

    def test_a_line_of_megabytes_and_the_one_behind_it(self):
        observer = self.observe()
        line = b"x" * 3_000_000
        self.assertEqual(self.pub("-t", "a", "-l", "-q", "1", input=line + b"\nafter").returncode, 0)
        observer.wait("a", b"after")
        self.assertEqual([m.payload for m in observer.messages], [line, b"after"])

    def test_values_may_begin_with_a_dash(self):
        observer = self.observe()
        for text in ("-5", "- item", "--help"):
            result = self.pub("-t", "a", "-u", "me", "-P", "-secret", "-m", text)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            observer.wait("a", text.encode())
        self.pub("-t", "a", "-m", "1", "-r")
        result = run("sub", *self.server, "-t", "a", "-C", "1", "-F", "- %p")
        self.assertEqual(result.stdout, b"- 1\n")

    def test_numbers_that_make_no_sense_are_wrong_usage(self):
        for arguments in (["--repeat", "2", "--repeat-delay", "inf"], ["--repeat", "2", "--repeat-delay", "1e30"],
                          ["--repeat-delay", "1"]):
            result = self.pub("-t", "a", "-m", "x", *arguments)
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertIn(b"--repeat-delay", result.stderr)
        for number in ("inf", "nan", "1e30", "0"):
            result = run("sub", *self.server, "-t", "a", "-W", number)
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertIn(b"--timeout is more than 0", result.stderr)

    def test_lines_are_not_repeated(self):
        result = self.pub("-t", "a", "-l", "--repeat", "2", input=b"1\n")
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"--repeat has no effect with --stdin-line", result.stderr)


class Output(WithBroker):
    settings = "allow_anonymous true\nlog_type subscribe\n"

    def keep(self, *texts):
        """A session `keeper` for which messages of QoS 1 wait."""
        options = ["-t", "k", "-q", "1", "-i", "keeper", "-c"]
        self.end(self.sub(*options, "-W", "1"))
        for text in texts:
            self.pub("-t", "k", "-q", "1", "-m", text)
        return options

    def test_what_a_full_disk_does_not_take_stays_with_the_server(self):
        options = self.keep("1", "2")
        with open("/dev/full", "wb") as full:
            result = subprocess.run([program(), "sub", *self.server, *options, "-C", "1"], stdout=full,
                                    stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"cannot write: No space left on device", result.stderr)
        result = run("sub", *self.server, *options, "-C", "2", "-W", "60")
        self.assertEqual(result.stdout, b"1\n2\n")

    def test_what_a_reader_that_leaves_does_not_take_stays_with_the_server(self):
        options = self.keep("1", "2", "3")
        process = subprocess.Popen([program(), "sub", *self.server, *options], stdout=subprocess.PIPE)
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 0)
        result = run("sub", *self.server, *options, "-C", "3", "-W", "60")
        self.assertEqual(result.stdout, b"1\n2\n3\n")

    def test_a_pipe_that_others_made_non_blocking_is_waited_for(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self.pub("-t", "a", "-r", "-m", "x" * 100_000)
        process = subprocess.Popen([program(), "sub", *self.server, "-t", "a", "-C", "1"], stdout=writing)
        os.close(writing)
        wait_until(lambda: waiting_in(reading) >= 65_536 and comes_to_rest(process.pid), what="the pipe is full")
        with os.fdopen(reading, "rb") as file:
            self.assertEqual(len(file.read()), 100_001)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_interrupted_before_the_timeout_it_ends_with_0_and_says_goodbye(self):
        observer = self.observe("will")
        process = self.sub("-W", "30", "--will-topic", "will", "--will-payload", "lost")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process), (0, b"", b""))
        observer.fence()
        self.assertEqual(observer.messages, [])

    def test_json_that_is_no_object(self):
        for text in ("42", "-1.5", "true", "null", '"text"', "[1e999]", "nothing", ""):
            process = self.sub("-t", "j", "-C", "1", "--json")
            self.pub("-t", "j", "-m", text)
            payload = json.loads(self.end(process)[1])["payload"]
            try:
                wanted = text if "e999" in text else json.loads(text)
            except ValueError:
                wanted = text
            self.assertEqual(payload, wanted)


if __name__ == "__main__":
    unittest.main()
