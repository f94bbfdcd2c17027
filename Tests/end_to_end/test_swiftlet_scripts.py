"""What scripts do with mosquitto's tools, done with both: the same comes out, and the same arrives."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness.fake_broker import CONNECT, SUBSCRIBE, UNSUBSCRIBE, FakeBroker, packet
from harness.mqtt import Broker, free_port
from harness.waiting import PATIENCE

from .test_swiftlet_pub_sub import program, run

# `sub`, `pub` and `rr` are the tools of one side. What is there before, and what has arrived, is always done with
# mosquitto's: `given` has a message retained, `keep` begins a session in which the broker keeps what comes below $T,
# `kept N` shows N messages of it.
PREAMBLE = """
given() { mosquitto_pub -p $PORT -V 5 -q 1 -r "$@"; }
keep() { mosquitto_sub -p $PORT -V 5 -x 600 -c -i keep/$T -q 2 -t "$T/#" -E; }
kept() { mosquitto_sub -p $PORT -V 5 -x 600 -c -i keep/$T -q 2 -t "$T/#" -C $1 -F '%t|%x|%q|%r|%C|%R|%D|%F|%P'; }
later() { mosquitto_pub -p $PORT -q 1 "$@"; }
result() { echo "status $?"; }
"""
TOOLS = {
    "one": 'sub() { mosquitto_sub -p $PORT "$@"; }\npub() { mosquitto_pub -p $PORT "$@"; }\n'
           'rr() { mosquitto_rr -p $PORT "$@"; }\nsub_bare() { mosquitto_sub "$@"; }\npub_bare() { mosquitto_pub "$@"; }\n',
    "two": 'sub() { swiftlet sub -p $PORT "$@"; }\npub() { swiftlet pub -p $PORT "$@"; }\n'
           'rr() { swiftlet rr -p $PORT "$@"; }\nsub_bare() { swiftlet sub "$@"; }\npub_bare() { swiftlet pub "$@"; }\n',
}
ALL = ("-D publish content-type text/plain -D publish user-property k v -D publish user-property k2 v2 "
       "-D publish response-topic r/t -D publish correlation-data cd -D publish payload-format-indicator 1")
# `responder ARGUMENTS` answers the request that comes to $T/q, with the request's own correlation data if it has any.
RESPONDER = """
requests() { mosquitto_sub -p $PORT -V 5 -x 600 -c -i responder/$T -q 2 -t $T/q "$@"; }
requests -E
requests -C 1 -F '%R %D' | { read topic data
  mosquitto_pub -p $PORT -V 5 -q 1 -t $topic -m "to $topic" ${data:+-D publish correlation-data $data}; } &
"""
SCRIPTS = {
    # What is printed
    "one message": "given -t $T/a -m hello; sub -t $T/a -C 1",
    "with its topic": "given -t $T/a -m hello; sub -t $T/a -C 1 -v",
    "several filters": "given -t $T/a -m 1; given -t $T/b -m 2; sub -t $T/a -t $T/b -C 2 -v | sort",
    "no end of line": "given -t $T/a -m hello; sub -t $T/a -C 1 -N",
    "bytes": "printf '\\001\\377x' | mosquitto_pub -p $PORT -r -t $T/a -s; sub -t $T/a -C 1 | od -c",
    "topic and payload": "given -t $T/a -m hello; sub -t $T/a -C 1 -F '%t: %p'",
    "numbers": "given -t $T/a -m hello; sub -q 1 -t $T/a -C 1 -F '%q %r %l %m %x %X %%'",
    "widths": "given -t $T/a -m hello; sub -t $T/a -C 1 -F '%20t|%-20t|%07l|%-7l|%7l|%.3p'",
    "precisions": "given -t $T/a -m hello -D publish content-type text/plain -D publish response-topic r/t; "
                  "sub -V 5 -t $T/a -C 1 -F '%.2R|%6.2R|%-6.3R|%.t|%.99t|%.3C|%.4I|%.1q|%.1l' | sed 's/20[0-9][0-9]/year/'",
    "properties": f"given -t $T/a -m hello {ALL}; sub -V 5 -t $T/a -C 1 -F '%C|%R|%D|%F|%P|%S|%A|'",
    "no properties": "given -t $T/a -m hello; sub -V 5 -t $T/a -C 1 -F '%C|%R|%D|%E|%F|%P|%S|%A|'",
    "an identifier": "given -t $T/a -m x; sub -V 5 -D subscribe subscription-identifier 42 -t $T/a -C 1 -F '%S %j'",
    "escapes": r"given -t $T/a -m x; sub -t $T/a -C 1 -F 'a\nb\tc\\\e\a\v\0' | od -c",
    "the time of day": "given -t $T/a -m x; sub -t $T/a -C 1 -F '@Y-@m-@d @@ @H:@M:@S.@N' | tr 0-9 0",
    "stamps": "given -t $T/a -m x; sub -t $T/a -C 1 -F '%I %U' | tr 0-9 0",
    "JSON": f"given -t $T/a -m hello {ALL}; sub -V 5 -q 1 -t $T/a -C 1 -F %j",
    "JSON of 3.1.1": "given -t $T/a -m hello; sub -V mqttv311 -t $T/a -C 1 -F %j",
    "JSON in JSON": """given -t $T/a -m '{"x": [1, 2.5, "é"]}'; sub -t $T/a -C 1 -F %J""",
    "JSON for people": "given -t $T/a -m hello; sub -t $T/a -C 1 -F %j --pretty",
    "nothing": "keep; sub -i s/$T -c -q 1 -t $T/a -E; later -t $T/a -n; sub -i s/$T -c -q 1 -t $T/a -C 1; result",
    "nothing, with its topic": "sub -i s/$T -c -q 1 -t $T/a -E; later -t $T/a -n; sub -i s/$T -c -q 1 -t $T/a -C 1 -v",
    "nothing, in a format": "sub -i s/$T -c -q 1 -t $T/a -E; later -t $T/a -n; sub -i s/$T -c -q 1 -t $T/a -C 1 -F '<%p>'",
    # Which messages
    "no time": "sub -t $T/a -W 1 2>&-; result",
    "only fresh ones": "given -t $T/a -m x; sub -t $T/a -R -W 1 2>&-; result",
    "only retained ones": "given -t $T/a -m 1; given -t $T/b -m 2; sub -t $T/# --retained-only -C 2 | sort",
    "until a fresh one": "sub -i s/$T -c -q 1 -t $T/a -E; later -t $T/a -m x; "
                         "sub -i s/$T -c -q 1 -t $T/a --retained-only; result",
    "but for a filter": "given -t $T/a -m 1; given -t $T/b -m 2; sub -t $T/# -T $T/a -C 1",
    "a kept session": "sub -i s/$T -c -q 1 -t $T/a -E; result; later -t $T/a -m 1; later -t $T/a -m 2; "
                      "sub -i s/$T -c -q 1 -t $T/a -C 2; result",
    "a session of so long": "sub -V 5 -x 60 -i s/$T -c -q 1 -t $T/a -E; later -t $T/a -m 1; "
                            "sub -V 5 -x -1 -i s/$T -c -q 1 -t $T/a -C 1",
    "a filter forgotten": "sub -i s/$T -c -q 1 -t $T/a -E; sub -i s/$T -c -q 1 -U $T/a -t $T/b -E; later -t $T/a -m 1; "
                          "sub -i s/$T -c -q 1 -t $T/b -W 1 2>&-; result",
    "a filter forgotten with a property":
        "sub -V 5 -x 60 -i s/$T -c -q 1 -t $T/a -E; "
        "sub -V 5 -x 60 -i s/$T -c -q 1 -U $T/a -D unsubscribe user-property why 'no use' -t $T/b -E; result; "
        "later -t $T/a -m 1; later -t $T/b -m 2; sub -V 5 -x 60 -i s/$T -c -q 1 -t $T/b -C 1; result",
    # How to connect
    "a URL": "given -t $T/a -m x; sub_bare -L mqtt://localhost:$PORT/$T/a -C 1",
    "a user": "given -t $T/a -m x; sub -u me -P secret -t $T/a -C 1",
    "a local socket": "given -t $T/a -m x; sub_bare --unix $SOCKET -t $T/a -C 1",
    "a prefix": "given -t $T/a -m x; sub -I desk- -k 20 --nodelay -t $T/a -C 1",
    "versions": "given -t $T/a -m x; for v in 5 mqttv5 311 mqttv311; do sub -V $v -t $T/a -C 1; done",
    "nobody there": "pub_bare -p $FREE --quiet -t $T/a -m x 2>&1; result",
    "no such URL": "pub_bare -L http://localhost/$T/a -m x >&- 2>&-; [ $? -ne 0 ]; result",
    # What arrives
    "a text": "keep; pub -t $T/a -m 'a b'; result; kept 1",
    "a negative number": "keep; pub -t $T/a -m -5; kept 1",
    "no bytes": "keep; pub -t $T/a -n; pub -t $T/a -m ''; kept 2",
    "every QoS": "keep; for q in 0 1 2; do pub -q $q -t $T/a -m $q; done; kept 3",
    "retained": "pub -r -t $T/a -m x; mosquitto_sub -p $PORT -t $T/a -C 1 -F '%r %p'",
    "a file": "keep; printf 'a\\nb\\n' >$DIRECTORY/$$; pub -t $T/a -f $DIRECTORY/$$; kept 1",
    "standard input": "keep; printf 'ON\\r\\n\\n' | pub -t $T/a -s; kept 1",
    "lines": "keep; printf 'a\\n\\nb' | pub -t $T/a -l -q 1; kept 3",
    "lines, some ahead": "keep; seq 20 | pub -t $T/a -l -q 1 -M 5; kept 20",
    "repeated": "keep; pub -t $T/a -m x -q 1 --repeat 3 --repeat-delay 0.1; kept 3",
    "with properties": f"keep; pub -V 5 -t $T/a -m x {ALL}; kept 1",
    "properties of others": "keep; pub -V 5 -D connect user-property a b -D connect receive-maximum 10 -t $T/a -m x; kept 1",
    "a will": "keep; pub --will-topic $T/will --will-payload gone --will-qos 1 --will-retain -t $T/a -m x; kept 1",
    "a wildcard": "pub -t $T/# -m x >&- 2>&-; [ $? -ne 0 ]; result",
    "nothing to say": "pub -t $T/a >&- 2>&-; [ $? -ne 0 ]; result",
    # Requests
    "a request": RESPONDER + "rr -q 1 -t $T/q -e $T/r -m ask -v; result; wait",
    "a request with data": RESPONDER + "rr -q 1 -t $T/q -e $T/r -m ask -D publish correlation-data 77 -F '%p %D'; wait",
    "a request in vain": "rr -t $T/q -e $T/r -m ask -W 1 2>&-; result",
}


class Five(FakeBroker):
    """Speaks 5.0, and answers what is to be forgotten with a code of the test's."""
    forgets = b"\0"

    def _answer(self, found):
        if found.type == SUBSCRIBE:
            self.send(packet(0x90, found.body[:2] + b"\0\1"))
        elif found.type == UNSUBSCRIBE:
            self.send(packet(0xB0, found.body[:2] + b"\0" + self.forgets))


class Properties(unittest.TestCase):
    """What nobody but the server sees."""

    def sub(self, broker, *arguments):
        process = subprocess.Popen([program(), "sub", "-p", str(broker.port), "-V", "5", "-c", "-i", "x", "-t", "b", "-E",
                                    *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        broker.accept_socket()
        broker.expect(CONNECT)
        broker.send(packet(0x20, b"\0\0\0"))
        return process

    def test_a_subscription_has_the_identifier_that_is_asked_for(self):
        with Five() as broker:
            process = self.sub(broker, "-D", "subscribe", "subscription-identifier", "42")
            self.assertEqual(broker.expect(SUBSCRIBE).body[2:], b"\2\x0b\x2a\0\1b\0")
            broker.expect_close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_filters_are_forgotten_in_one_packet_with_the_properties_that_are_asked_for(self):
        property = b"\x26\0\1k\0\1v"
        with Five() as broker:
            broker.forgets = b"\0\0"
            process = self.sub(broker, "-U", "c", "-U", "a/#", "-D", "unsubscribe", "user-property", "k", "v")
            self.assertEqual(broker.expect(UNSUBSCRIBE).body[2:],
                             bytes([len(property)]) + property + b"\0\3a/#" + b"\0\1c")
            broker.expect_close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_what_the_server_does_not_forget_is_an_error(self):
        with Five() as broker:
            broker.forgets = b"\x87"
            process = self.sub(broker, "-U", "a")
            broker.expect_close()
            out, complaint = process.communicate(timeout=PATIENCE)
            self.assertEqual((process.returncode, out), (1, b""))
            self.assertIn(b"the server did not forget the subscription 'a': not authorized", complaint)

    def test_properties_of_nothing_are_wrong_usage(self):
        for arguments in (["sub"], ["pub", "-m", "x"]):
            result = run(*arguments, "-t", "a", "-D", "unsubscribe", "user-property", "k", "v")
            self.assertEqual(result.returncode, 64)
            self.assertIn(b"-D unsubscribe has no effect without --unsubscribe", result.stderr)


class Scripts(unittest.TestCase):
    seconds = 40

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="swiftlet-scripts-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        os.chmod(cls.directory, 0o777)
        cls.socket = os.path.join(cls.directory, "socket")
        cls.broker = Broker(settings=(
            f"allow_anonymous true\nqueue_qos0_messages true\nlistener 0 {cls.socket}\n"))
        cls.addClassCleanup(cls.broker.close)
        cls.environment = {
            **os.environ, "PORT": str(cls.broker.port), "FREE": str(free_port()), "SOCKET": cls.socket,
            "DIRECTORY": cls.directory, "HOME": cls.directory, "LC_ALL": "C.UTF-8",
            "PATH": os.path.dirname(os.path.abspath(program())) + ":" + os.environ["PATH"]}

    @classmethod
    def execute(cls, side, name, script):
        topic = f"{side}/{re.sub('[^a-z]', '-', name.lower())}"
        result = subprocess.run(
            ["bash", "-c", PREAMBLE + TOOLS[side] + script], env={**cls.environment, "T": topic},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        return cls.comparable(result.stdout.decode("utf-8", "backslashreplace").replace(f"{side}/", "side/")), result.stderr

    @staticmethod
    def comparable(text):
        """JSON is the same in any order, and whatever the time is."""
        start = text.find("{")
        if start < 0:
            return text
        message = json.loads(text[start:])
        message.pop("tst")
        return text[:start], message

    def test_the_table(self):
        self.assertGreaterEqual(len(SCRIPTS), 42)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = {(side, name): pool.submit(self.execute, side, name, script)
                    for name, script in SCRIPTS.items() for side in TOOLS}
        for name, script in SCRIPTS.items():
            with self.subTest(name):
                theirs, _ = runs["one", name].result()
                ours, complaint = runs["two", name].result()
                self.assertTrue(theirs, script)
                self.assertEqual(ours, theirs, (script, complaint))

    def test_options_come_from_a_file(self):
        path = os.path.join(self.directory, "options")
        with open(path, "w") as file:
            file.write(f"# our server\n-h localhost\n-p {self.broker.port}\n\n-V 5\n-q 1\n-D publish user-property k v\n")
        result = run("pub", "-o", path, "-r", "-t", "file/a", "-m", "x")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        result = run("sub", "-o", path, "-t", "file/a", "-C", "1", "-F", "%p %P %q")
        self.assertEqual(result.stdout, b"x k:v 1\n")
        for text, complaint in [("port 1\n", "options:1: a line is an option and its value"),
                                ("-o x\n", "options:1: a file of options names no other one")]:
            with open(path, "w") as file:
                file.write(text)
            result = run("sub", "-o", path, "-t", "a")
            self.assertEqual(result.returncode, 64)
            self.assertIn(complaint, result.stderr.decode())

    def test_whether_retained_messages_come(self):
        server = ["-p", str(self.broker.port)]
        run("pub", *server, "-r", "-t", "handling/a", "-m", "x", "-q", "1")
        kept = ["-V", "5", "-i", "handling", "-c", "-q", "1", "-t", "handling/a"]
        for handling, again, expected in [("never", [], (27, b"")), ("always", [], (0, b"x\n")), ("new", kept, (0, b"x\n")),
                                          ("new", kept, (27, b""))]:
            result = run("sub", *server, *(again or ["-t", "handling/a"]), "--retain-handling", handling, "-C", "1",
                         "-W", "2" if expected[0] else "60")
            self.assertEqual((result.returncode, result.stdout), expected, (handling, again))

    def test_retained_messages_are_cleared(self):
        """Not in the table: mosquitto's own tool does not end after -C messages then."""
        server = ["-p", str(self.broker.port)]
        run("pub", *server, "-r", "-t", "clearing/a", "-m", "x", "-q", "1")
        result = run("sub", *server, "-t", "clearing/#", "--remove-retained", "-C", "2", "-v")
        self.assertEqual((result.returncode, result.stdout), (0, b"clearing/a x\nclearing/a (null)\n"))
        result = run("sub", *server, "-t", "clearing/#", "-W", "1")
        self.assertEqual((result.returncode, result.stdout), (27, b""))

    def test_some_of_many_by_chance(self):
        server = ["-p", str(self.broker.port)]
        subprocess.run(["bash", "-c", f"for n in $(seq 50); do mosquitto_pub -p {self.broker.port} -r -t chance/$n -m x; done"],
                       check=True, timeout=PATIENCE)
        # Otherwise once in 10^15 times.
        for percent, count, status in [("100", "50", 0), ("50", "1", 0), ("50", "50", 27)]:
            result = run("sub", *server, "-t", "chance/#", "--random-filter", percent, "-C", count,
                         "-W", "2" if status else "60")
            self.assertEqual(result.returncode, status, (percent, count, result.stdout))

    def test_json_shows_no_identifier_of_ours(self):
        server = ["-p", str(self.broker.port)]
        run("pub", *server, "-r", "-t", "identifier/a", "-m", "x", "-q", "1")
        result = run("sub", *server, "-V", "5", "-t", "identifier/a", "-C", "1", "--json")
        self.assertNotIn("properties", json.loads(result.stdout))

    def test_help_names_what_is_left_out(self):
        text = " ".join(run("--help").stdout.decode().split())
        named = set(re.findall(r"--?[A-Za-z0-9][\w-]*", text))
        for command, tool in (("pub", "mosquitto_pub"), ("sub", "mosquitto_sub"), ("rr", "mosquitto_rr")):
            ours = set(re.findall(r"--?[A-Za-z0-9][\w-]*", run(command, "--help").stdout.decode()))
            theirs = subprocess.run([tool, "--help"], capture_output=True, text=True).stdout
            options = set(re.findall(r"^ (--?[A-Za-z0-9][\w-]*) :", theirs, re.M))
            self.assertGreater(len(options), 30)
            self.assertEqual(options - ours - named, set(), tool)


if __name__ == "__main__":
    unittest.main()
