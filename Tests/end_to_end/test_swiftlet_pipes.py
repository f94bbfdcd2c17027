"""`swiftlet pub` and `swiftlet sub` with pipes, files and words that are not as one expects."""

import os
import subprocess
import time
import unittest

from .test_swiftlet_pub_sub import WithBroker, program, run


class Input(WithBroker):
    def test_a_pipe_that_others_made_non_blocking_is_waited_for(self):
        observer = self.observe()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        process = subprocess.Popen([program(), "pub", *self.server, "-t", "a", "-l"], stdin=reading)
        os.close(reading)
        os.write(writing, b"1\n")
        observer.wait("a", b"1")
        time.sleep(0.3)
        os.write(writing, b"2\n")
        os.close(writing)
        self.assertEqual(process.wait(10), 0)
        observer.wait("a", b"2")

    def test_input_that_cannot_be_read_is_an_error(self):
        directory = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, directory)
        result = self.pub("-t", "a", "-l", stdin=directory)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"cannot read standard input: Is a directory", result.stderr)


if __name__ == "__main__":
    unittest.main()
