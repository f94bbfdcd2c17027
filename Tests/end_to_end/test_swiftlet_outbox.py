"""`swiftlet pub --outbox`: what it was given arrives, whatever dies in between."""

import os
import shutil
import signal
import subprocess
import unittest

from harness.breaking import BreakingLine
from harness.mqtt import Broker, Observer, free_port, wait_until
from harness.waiting import PATIENCE

from .support import count_records, directory_in_memory
from .test_swiftlet_pub_sub import program, run


class Outbox(unittest.TestCase):
    def setUp(self):
        self.directory = directory_in_memory()
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = os.path.join(self.directory, "values.db")
        self.port = free_port()
        self.options = ["-h", "127.0.0.1", "-p", str(self.port), "-t", "values", "--outbox", self.path]

    def pub(self, *arguments, qos=1, **options):
        return run("pub", *self.options, "-q", str(qos), *arguments, **options)

    def feed(self, *arguments):
        process = subprocess.Popen([program(), "pub", *self.options, "-q", "1", "-l", *arguments],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def observe(self):
        broker = Broker(self.port)
        self.addCleanup(broker.close)
        observer = Observer(self.port, "values")
        self.addCleanup(observer.close)
        return observer

    def kept(self):
        """Messages in the file. Numbers without a sign are stored with one."""
        return count_records(self.path, f"key >= {(16 << 56) - (1 << 63)}")

    def test_without_a_server_messages_are_kept_for_the_next_run(self):
        for number in (1, 2):
            result = self.pub("-m", str(number))
            self.assertEqual(result.returncode, 0)
            self.assertIn(f"kept in {self.path} for the next run: {number}", result.stderr.decode())
            self.assertIn("Connection refused", result.stderr.decode())
        observer = self.observe()
        result = self.pub("-m", "3")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        wait_until(lambda: len(observer.messages) >= 3, what="three messages")
        self.assertEqual([m.payload for m in observer.messages], [b"1", b"2", b"3"])
        result = self.pub("-m", "4")
        wait_until(lambda: len(observer.messages) >= 4, what="the fourth message")
        self.assertEqual([m.payload for m in observer.messages], [b"1", b"2", b"3", b"4"])

    def test_lines_survive_kills(self):
        count = 0
        for _ in range(3):
            process = self.feed()
            for _ in range(20):
                count += 1
                process.stdin.write(b"%d\n" % count)
            process.stdin.flush()
            wait_until(lambda: self.kept() >= count, what="lines in the file")
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
        observer = self.observe()
        result = self.pub("-m", "end")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        wait_until(lambda: observer.messages and observer.messages[-1].payload == b"end", what="the end")
        self.assertEqual([m.payload for m in observer.messages], [b"%d" % n for n in range(1, count + 1)] + [b"end"])

    def test_lines_go_on_through_the_broker_s_death(self):
        broker = Broker(self.port)
        self.addCleanup(broker.close)
        first = Observer(self.port, "values")
        self.addCleanup(first.close)
        process = self.feed()
        process.stdin.write(b"1\n")
        process.stdin.flush()
        first.wait("values", b"1")
        broker.kill()
        process.stdin.write(b"2\n3\n")
        process.stdin.flush()
        wait_until(lambda: self.kept() >= 2, what="lines in the file")
        # Who listens has to be there first.
        process.send_signal(signal.SIGSTOP)
        broker.start()
        observer = Observer(self.port, "values")
        self.addCleanup(observer.close)
        process.send_signal(signal.SIGCONT)
        observer.wait("values", b"3")
        process.stdin.write(b"4\n")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out, err), (0, b"", b""))
        wait_until(lambda: observer.messages[-1].payload == b"4", what="the last line")

    def test_one_run_empties_the_file_over_a_line_that_breaks(self):
        self.assertEqual(self.pub("-l", input=b"".join(b"%d\n" % number for number in range(40))).returncode, 0)
        observer = self.observe()
        with BreakingLine(self.port, from_client=250, times=4) as line:
            self.options[3] = str(line.port)
            result = self.pub("-m", "end")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertEqual((line.connections, self.kept()), (5, 0))
        wait_until(lambda: observer.messages and observer.messages[-1].payload == b"end", what="the end")
        # At least once, and in order.
        self.assertEqual(list(dict.fromkeys(m.payload for m in observer.messages)),
                         [b"%d" % number for number in range(40)] + [b"end"])

    def test_what_a_lost_server_does_not_take_in_time_is_kept(self):
        self.assertEqual(self.pub("-m", "1").returncode, 0)
        broker = Broker(self.port)
        self.addCleanup(broker.close)
        with BreakingLine(self.port, from_client=60, times=1000) as line:
            self.options[3] = str(line.port)
            result = self.pub("-m", "2", "--retry-for", "1")
            self.assertEqual(result.returncode, 0)
            self.assertIn(f"kept in {self.path} for the next run: 2", result.stderr.decode())
            self.assertGreater(line.connections, 1)

    def test_a_refused_message_is_told_and_goes(self):
        acl = os.path.join(self.directory, "acl")
        os.chmod(self.directory, 0o755)
        with open(acl, "w") as file:
            file.write("topic read #\n")
        self.assertEqual(self.pub("-m", "1").returncode, 0)
        broker = Broker(self.port, settings=f"allow_anonymous true\nacl_file {acl}\n")
        self.addCleanup(broker.close)
        result = self.pub("-m", "2")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"the server refused the message", result.stderr)
        self.assertEqual(self.kept(), 0)

    def test_wrong_usage_is_told(self):
        result = self.pub("-m", "x", qos=0)
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"--outbox needs --qos 1 or 2", result.stderr)
        result = self.pub("-m", "x", qos=2)
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"--disable-clean-session", result.stderr)
        self.assertFalse(os.path.exists(self.path))

    def test_a_file_that_cannot_be_used_is_told(self):
        self.path = os.path.join(self.directory, "no", "values.db")
        self.options[-1] = self.path
        result = self.pub("-m", "x")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"is there such a directory", result.stderr)

    def test_a_file_that_another_process_has_is_told(self):
        process = self.feed()
        process.stdin.write(b"1\n")
        process.stdin.flush()
        wait_until(lambda: self.kept() >= 1, what="a line in the file")
        result = self.pub("-m", "x")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"another program has it open", result.stderr)

    def test_a_damaged_file_is_set_aside(self):
        with open(self.path, "wb") as file:
            file.write(b"SQLite format 3\0" + b"x" * 5000)
        self.observe()
        result = self.pub("-m", "1")
        self.assertEqual(result.returncode, 0)
        self.assertIn(f"{self.path}.damaged", result.stderr.decode())

    def test_a_full_disk_is_told_and_nothing_is_said_to_be_kept(self):
        mount = os.path.join(self.directory, "small")
        os.mkdir(mount)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], capture_output=True).returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", mount], check=True)
        self.path = self.options[-1] = os.path.join(mount, "values.db")
        process = self.feed()
        for number in range(2000):
            try:
                process.stdin.write(b"%0100d\n" % number)
                process.stdin.flush()
            except BrokenPipeError:
                break
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn(b"the disk is full", err)


if __name__ == "__main__":
    unittest.main()
