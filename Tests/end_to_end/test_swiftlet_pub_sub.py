"""`swiftlet pub` and `swiftlet sub` against mosquitto, and against its own clients in both directions."""

import array
import fcntl
import json
import os
import signal
import subprocess
import termios
import unittest

from harness.device import ROOT
from harness.fake_broker import CONNECT, PUBLISH, FakeBroker, packet
from harness.mqtt import Broker, Observer, free_port
from harness.waiting import PATIENCE, wait_until


def program():
    path = os.environ.get("SWIFTLET") or os.path.join(ROOT, ".build", "debug", "swiftlet")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: build it with 'swift build --product swiftlet', or set SWIFTLET")
    return path


def run(*arguments, timeout=PATIENCE, **options):
    return subprocess.run([program(), *arguments], capture_output=True, timeout=timeout, **options)


def waiting_in(pipe):
    """Bytes in a pipe that nobody has read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


class WithBroker(unittest.TestCase):
    settings = "allow_anonymous true\n"

    def setUp(self):
        self.broker = Broker(settings=self.settings)
        self.addCleanup(self.broker.close)
        self.server = ["-h", "127.0.0.1", "-p", str(self.broker.port)]

    def observe(self, topic="#"):
        observer = Observer(self.broker.port, topic)
        self.addCleanup(observer.close)
        return observer

    def pub(self, *arguments, **options):
        return run("pub", *self.server, *arguments, **options)

    def sub(self, *arguments):
        """A running subscriber that has subscribed."""
        before = self.broker.log().count("ready/#")
        process = subprocess.Popen([program(), "sub", *self.server, *arguments, "-t", "ready/#"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        # It has subscribed when the log of the broker says so of its last topic.
        wait_until(lambda: self.broker.log().count("ready/#") > before, what="its subscription")
        return process

    def end(self, process, timeout=PATIENCE):
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err


class Deaf(FakeBroker):
    """Acknowledges no message."""

    def _answer(self, found):
        if found.type != PUBLISH:
            super()._answer(found)


class Publishing(WithBroker):
    settings = "allow_anonymous true\nlog_type subscribe\n"

    def test_a_message_arrives_at_every_qos_and_version(self):
        observer = self.observe()
        for version in ("5", "3.1.1", "auto"):
            for qos in "012":
                result = self.pub("-t", f"a/{version}/{qos}", "-m", "text", "-q", qos, "-V", version)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(observer.wait(f"a/{version}/{qos}").payload, b"text")

    def test_a_file_comes_as_it_is(self):
        observer = self.observe()
        path = os.path.join(self.broker.directory, "bytes")
        payload = bytes(range(256)) * 10_000
        with open(path, "wb") as file:
            file.write(payload)
        self.assertEqual(self.pub("-t", "f", "-f", path, "-q", "1").returncode, 0)
        self.assertEqual(observer.wait("f").payload, payload)

    def test_each_line_of_standard_input_is_a_message(self):
        observer = self.observe()
        self.assertEqual(self.pub("-t", "l", "-l", "-q", "1", input=b"one\n\xff\n\nlast").returncode, 0)
        observer.wait("l", b"last")
        self.assertEqual([m.payload for m in observer.messages], [b"one", b"\xff", b"", b"last"])

    def test_standard_input_as_one_message_and_no_bytes_at_all(self):
        observer = self.observe()
        self.assertEqual(self.pub("-t", "s", "-s", input=b"a\nb\n").returncode, 0)
        self.assertEqual(observer.wait("s").payload, b"a\nb\n")
        self.assertEqual(self.pub("-t", "n", "-n").returncode, 0)
        self.assertEqual(observer.wait("n").payload, b"")

    def test_a_pipe_of_the_shells_is_a_file_too(self):
        observer = self.observe()
        for topic, name, payload in (("pipe", "<(printf hello)", b"hello"), ("stdin", "/dev/stdin", b"hello"),
                                     ("nothing", "/dev/null", b"")):
            command = f'printf hello | "$0" pub -p {self.broker.port} -t {topic} -f {name} -q 1'
            result = subprocess.run(["bash", "-c", command, program()], capture_output=True, timeout=PATIENCE)
            self.assertEqual((result.returncode, result.stderr), (0, b""), name)
            self.assertEqual(observer.wait(topic).payload, payload)

    def test_a_file_of_options_may_be_from_windows(self):
        observer = self.observe()
        path = os.path.join(self.broker.directory, "options")
        with open(path, "wb") as file:
            file.write(b"\xef\xbb\xbf-t windows\r\n# a remark\r\n-m hello\r\n")
        result = self.pub("-o", path)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(observer.wait("windows").payload, b"hello")

    def test_a_server_that_goes_before_it_has_the_message_is_not_waited_for_without_end(self):
        server = Deaf()
        self.addCleanup(server.close)
        process = subprocess.Popen(
            [program(), "pub", "-h", "127.0.0.1", "-p", str(server.port), "-V", "5", "-t", "a", "-m", "x", "-q", "1",
             "--retry-for", "0.5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        server.accept_socket()
        server.expect(CONNECT)
        server.send(packet(0x20, b"\0\0\0"))
        server.expect(PUBLISH)
        server.close()
        code, _, error = self.end(process)
        self.assertEqual((code, error.startswith(b"swiftlet: error: ")), (1, True), error)

    def test_retained_messages_and_a_topic_in_the_url(self):
        result = run("pub", "-L", f"mqtt://127.0.0.1:{self.broker.port}/kept/here", "-m", "1", "-r")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.observe().wait("kept/here").retained)

    def test_mosquitto_sub_shows_the_properties(self):
        listener = subprocess.Popen(
            ["mosquitto_sub", "-p", str(self.broker.port), "-t", "p", "-C", "1", "-V", "5",
             "-F", "%p %C %R %D %P"], stdout=subprocess.PIPE)
        self.addCleanup(listener.communicate)
        self.addCleanup(listener.kill)
        wait_until(lambda: " 0 p\n" in self.broker.log(), what="its subscription")
        self.pub("-t", "p", "-m", "x", "-D", "publish", "content-type", "text/plain",
                 "-D", "publish", "response-topic", "r", "-D", "publish", "correlation-data", "c",
                 "-D", "publish", "user-property", "k", "v")
        self.assertEqual(listener.communicate(timeout=PATIENCE)[0].strip(), b"x text/plain r c k:v")

    def test_a_server_that_is_not_there_is_an_error_that_says_so(self):
        port = free_port()
        result = run("pub", "-h", "127.0.0.1", "-p", str(port), "-t", "a", "-m", "b")
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"127.0.0.1:{port}: Connection refused; is the server running".encode(), result.stderr)

    def test_wrong_usage_ends_with_64_and_says_what_to_write(self):
        for arguments, text in [
                (["-t", "a"], "nothing to publish: give --message"),
                (["-t", "a", "-m", "x", "-n"], "is enough"),
                (["-t", "a", "-m", "x", "-m", "y"], "is enough"),
                (["-t", "a", "-f", "/dev/null", "-f", "/dev/null"], "is enough"),
                (["-t", "a", "-f", "/"], "cannot read /: Is a directory"),
                (["-t", "a", "-m", "x", "-o", "/"], "cannot read /: Is a directory"),
                (["-m", "x"], "no topic: give --topic"),
                (["-t", "a", "-m", "x", "-q", "3"], "write 0, 1 or 2"),
                (["-t", "a", "-m", "x", "-D", "publish", "colour", "red"], "content-type"),
                (["-t", "a", "-f", "/no/such/file"], "cannot read /no/such/file"),
                (["-t", "a", "-m", "x", "--cert", "x"], "--cert and --key go together"),
                (["-t", "a", "-m", "x", "-c"], "needs --id"),
                (["-t", "a/#", "-m", "x"], "--topic 'a/#' has '+' or '#' in it, which are for subscribers"),
                (["-t", "", "-m", "x"], "--topic is empty: name a topic"),
                (["-t", "a", "-m", "x", "--will-topic", "a/+"], "--will-topic 'a/+' has '+' or '#' in it"),
                (["-t", "a", "-m", "x", "--cert", "/", "--key", "/"], "cannot read /: Is a directory"),
                (["-t", "a", "-m", "x", "--cafile", "/no/such"], "cannot read /no/such: No such file or directory"),
                (["-t", "a", "-m", "x", "--cafile", "/dev/null"], "/dev/null is empty"),
                (["-t", "a", "-m", "x", "-M", "0"], "--max-inflight is at least 1")]:
            result = self.pub(*arguments)
            self.assertEqual(result.returncode, 64, (arguments, result.stderr))
            self.assertIn(text, result.stderr.decode())

    def test_help_names_every_option(self):
        for command in ("pub", "sub"):
            text = run(command, "--help").stdout.decode()
            for option in ("--host", "--port", "--topic", "--qos", "--will-topic", "--cafile", "--url"):
                self.assertIn(option, text)


class Subscribing(WithBroker):
    settings = "allow_anonymous true\nlog_type subscribe\n"

    def mosquitto_pub(self, *arguments):
        subprocess.run(["mosquitto_pub", "-p", str(self.broker.port), *arguments], check=True, timeout=PATIENCE)

    def test_count_messages_of_mosquitto_pub_and_end(self):
        for qos in "012":
            process = self.sub("-t", f"a/{qos}", "-C", "2", "-v", "-q", qos)
            self.mosquitto_pub("-t", f"a/{qos}", "-m", "one", "-q", qos)
            self.mosquitto_pub("-t", f"a/{qos}", "-m", "two", "-q", qos)
            self.assertEqual(self.end(process), (0, f"a/{qos} one\na/{qos} two\n".encode(), b""))

    def test_timeout_ends_with_27(self):
        process = self.sub("-W", "1")
        self.assertEqual(self.end(process), (27, b"", b""))

    def test_interrupt_ends_with_0(self):
        process = self.sub()
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process), (0, b"", b""))

    def test_bytes_come_through_a_pipe_as_they_are(self):
        process = self.sub("-t", "b", "-C", "1", "-N")
        payload = bytes(range(256))
        subprocess.run(
            ["mosquitto_pub", "-p", str(self.broker.port), "-t", "b", "-s"], input=payload, check=True)
        self.assertEqual(self.end(process)[1], payload)

    def test_json_has_everything(self):
        process = self.sub("-t", "j", "-C", "2", "--json", "-q", "1")
        self.mosquitto_pub("-t", "j", "-m", '{"x": 1}', "-q", "1", "-V", "5", "-D", "publish",
                           "user-property", "k", "v")
        subprocess.run(["mosquitto_pub", "-p", str(self.broker.port), "-t", "j", "-s"], input=b"\xff", check=True)
        first, second = map(json.loads, self.end(process)[1].splitlines())
        self.assertEqual((first["topic"], first["qos"], first["payload"]), ("j", 1, {"x": 1}))
        self.assertEqual(first["properties"]["user-properties"], {"k": "v"})
        self.assertEqual(second["payload_base64"], "/w==")
        self.assertRegex(first["tst"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_a_format_of_ones_own(self):
        process = self.sub("-t", "f", "-C", "1", "-F", "%t|%p|%x|%l|%q|%%\\t")
        self.mosquitto_pub("-t", "f", "-m", "AB")
        self.assertEqual(self.end(process)[1], b"f|AB|4142|2|0|%\t\n")

    def test_pretty_shows_bytes_safely(self):
        process = self.sub("-t", "p/#", "-C", "2", "--pretty")
        self.mosquitto_pub("-t", "p/x", "-m", "text")
        self.mosquitto_pub("-t", "p/y", "-m", "\x1b[2J")
        self.assertEqual(self.end(process)[1].decode(), "p/x  text\np/y  <4 bytes: 1b 5b 32 4a>\n")

    def test_retained_messages_can_be_left_out_or_be_all(self):
        self.mosquitto_pub("-t", "r", "-m", "old", "-r")
        process = self.sub("-t", "r", "-C", "1", "-R")
        self.mosquitto_pub("-t", "r", "-m", "new")
        self.assertEqual(self.end(process)[1], b"new\n")
        process = self.sub("-t", "r", "-C", "1", "--retained-only")
        self.assertEqual(self.end(process)[1], b"old\n")

    def test_filters_leave_topics_out(self):
        process = self.sub("-t", "x/#", "-T", "x/noise/+", "-C", "1")
        self.mosquitto_pub("-t", "x/noise/1", "-m", "no")
        self.mosquitto_pub("-t", "x/1", "-m", "yes")
        self.assertEqual(self.end(process)[1], b"yes\n")

    def test_several_filters_go_in_one_subscribe(self):
        """And in one UNSUBSCRIBE, as the broker's log shows; each brings its messages."""
        with Broker(settings="allow_anonymous true\nlog_type all\n") as broker:
            for version in ("5", "3.1.1"):
                self.broker, self.server = broker, ["-h", "127.0.0.1", "-p", str(broker.port), "-V", version]
                begin = len(broker.log())
                process = self.sub("-t", "a/1", "-t", "b/#", "-q", "1", "-C", "2", "-v")
                for topic in ("b/2", "a/1"):
                    self.assertEqual(self.pub("-t", topic, "-m", "x", "-q", "1").returncode, 0)
                self.assertEqual(self.end(process), (0, b"b/2 x\na/1 x\n", b""))
                log = broker.log(begin)
                self.assertEqual(log.count("Received SUBSCRIBE"), 1, log)
                self.assertRegex(log, r"Received SUBSCRIBE.*\n.*\ta/1 \(QoS 1\)\n(.*\n)*?.*\tb/# \(QoS 1\)\n"
                                      r"(.*\n)*?.*\tready/# \(QoS 1\)\n")

    def test_a_kept_session_has_what_came_meanwhile(self):
        process = self.sub("-t", "k", "-q", "1", "-i", "keeper", "-c", "-W", "1")
        self.end(process)
        self.mosquitto_pub("-t", "k", "-m", "meanwhile", "-q", "1")
        result = run("sub", *self.server, "-t", "k", "-q", "1", "-i", "keeper", "-c", "-C", "1", "-W", "60")
        self.assertEqual((result.returncode, result.stdout), (0, b"meanwhile\n"))

    def test_what_a_killed_sub_has_not_printed_comes_to_the_next_one(self):
        for qos in "12":
            options = ["-t", f"big/{qos}", "-q", qos, "-i", f"killed-{qos}", "-c"]
            process = self.sub(*options)
            # More than a pipe holds: it is in the middle of the first when it is killed.
            for number in range(5):
                self.mosquitto_pub("-t", f"big/{qos}", "-m", f"{number} " + "x" * 100_000, "-q", qos)
            wait_until(lambda: waiting_in(process.stdout) >= 65_536, what="the pipe is full")
            process.kill()
            process.wait()
            self.assertLess(len(process.communicate()[0]), 100_002)
            result = run("sub", *self.server, *options, "-C", "5", "-W", "60")
            self.assertEqual([line[:2] for line in result.stdout.splitlines()], [b"%d " % n for n in range(5)])

    def test_pub_and_sub_meet(self):
        process = self.sub("-t", "m", "-C", "1000", "-q", "2")
        lines = b"".join(b"%d\n" % number for number in range(1000))
        self.assertEqual(self.pub("-t", "m", "-l", "-q", "2", input=lines).returncode, 0)
        self.assertEqual(self.end(process)[1], lines)

    def test_a_reader_that_leaves_ends_it(self):
        process = self.sub("-t", "g")
        process.stdout.close()
        for _ in range(3):
            self.mosquitto_pub("-t", "g", "-m", "x")
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        process.stdout = None

    def test_a_broker_that_comes_back_is_found_again(self):
        process = self.sub("-t", "again", "-C", "1", "-q", "1")
        self.broker.kill()
        self.broker.start()

        def has_ended():
            self.mosquitto_pub("-t", "again", "-m", "x", "-q", "1")
            return process.poll() is not None
        wait_until(has_ended, what="it has received one")
        self.assertEqual(self.end(process)[1], b"x\n")

    def test_usage(self):
        for arguments, text in [
                ([], "no topic: give --topic FILTER"),
                (["-t", "a/#/b"], "'a/#/b' is no topic filter"),
                (["-t", "a", "-F", "%z"], "%z is unknown; known are %t (topic)"),
                (["-t", "a", "--json", "-F", "%p"], "is enough"),
                (["-t", "a", "--pretty", "-F", "%p"], "--pretty has no effect on a --format without %j and %J"),
                (["-t", "a", "-F", "\\q"], "\\q is unknown; known are \\n"),
                (["-t", "a", "--random-filter", "0"], "more than 0, and at most 100"),
                (["-t", "a", "-D", "subscribe", "subscription-identifier", "0"], "a number from 1 to 268435455"),
                (["-t", "a", "-i", "x", "-I", "y"], "one of --id and --id-prefix is enough")]:
            result = run("sub", *self.server, *arguments)
            self.assertEqual(result.returncode, 64, (arguments, result.stderr))
            self.assertIn(text, result.stderr.decode())


if __name__ == "__main__":
    unittest.main()
