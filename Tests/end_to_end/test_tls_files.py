"""Keys, certificates and authorities that cannot be used: said with the reason and the cure, by `check` as by the device,
and never waited for by a relay."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

from harness.certificates import Certificates
from harness.device import Device, configuration, environment, run, swiftletd
from harness.mqtt import Broker, Observer, free_port
from harness.waiting import PATIENCE, pulse

from .test_swiftlet_pub_sub import program as swiftlet

RELAY = "  - relay: fan\n    line: GPIO9\n"

class WithFiles(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="swiftlet-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        os.chmod(cls.directory, 0o755)
        cls.files = files = Certificates(cls.directory)
        files.issue_expired("old", "ca", "subjectAltName=DNS:device")
        files.openssl("pkey", "-in", "client.key", "-aes128", "-passout", "pass:open sesame", "-out", "encrypted.key")
        files.openssl("ec", "-in", "client.key", "-aes128", "-passout", "pass:open sesame", "-out", "traditional.key")
        files.openssl("x509", "-in", "client.crt", "-outform", "der", "-out", "client.der")
        files.openssl("pkey", "-in", "client.key", "-outform", "der", "-out", "key.der")
        files.openssl("genrsa", "-out", "other_sort.key", "2048")
        files.openssl("pkcs12", "-export", "-in", "client.crt", "-inkey", "client.key", "-passout", "pass:", "-out", "client.p12")
        for name in ("empty", "words", "damaged.crt", "unreadable"):
            files.write(name, "")
        files.write("words", "hello")
        files.write("damaged.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
        for name in ("directory", "unhashed"):
            os.mkdir(files.path(name))
        os.chmod(files.path("unreadable"), 0)

    def text(self, port=1, url=None, more="", **files):
        """A device file with these files of TLS; names stand for files of the directory."""
        listed = ", ".join(f"{key}: {value if value.startswith('/') else self.files.path(value)}"
                           for key, value in files.items())
        url = url or f"'mqtts://localhost:{port}'"
        return configuration(
            f"{{ url: {url}, keep_alive: 5s, reconnect: {{ min: 100ms, max: 200ms }}, tls: {{ {listed}{more} }} }}",
            RELAY)

    def check(self, text, wrapper=(), program=None):
        path = os.path.join(self.directory, "device.yaml")
        with open(path, "w") as file:
            file.write(text)
        return subprocess.run([*wrapper, program or swiftletd(), "check", path, "--boards", "boards"],
                              capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              env=environment(LD_LIBRARY_PATH=os.environ.get("LD_LIBRARY_PATH", "")))

    def start(self, text, **options):
        device = Device(text, **options)
        self.addCleanup(device.close)
        return device

    def expected(self):
        """Files that cannot be used, and what is said of them."""
        path = self.files.path
        pair = {"cert": "client.crt", "key": "client.key"}
        return [
            ({"ca": "directory"}, "the CA file {} cannot be used: Is a directory; one of authorities has '/'", "directory"),
            ({"ca": "empty"}, "the CA file {} cannot be used: it is empty", "empty"),
            ({"ca": "words"}, "the CA file {} cannot be used: there is no certificate in it", "words"),
            ({"ca": "damaged.crt"}, "the CA file {} cannot be used: it is damaged: ", "damaged.crt"),
            ({"ca": "client.der"}, "the CA file {} cannot be used: it is DER; PEM is wanted: openssl x509 -inform der "
             f"-in {path('client.der')} -out NAME.pem", "client.der"),
            ({"ca": path("unhashed") + "/"}, "the CA directory {}/ cannot be used: no file in it is named by its hash: "
             f"openssl rehash {path('unhashed')}/", "unhashed"),
            ({"cert": "key.der", "key": "client.key"}, "the certificate {} cannot be used: it is DER; PEM", "key.der"),
            ({"cert": "client.p12"}, "the certificate {} cannot be used: it is PKCS #12; PEM is wanted: openssl pkcs12",
             "client.p12"),
            ({"cert": "client.crt"}, "the key {} cannot be used: there is no private key in it", "client.crt"),
            (dict(pair, key="key.der"), "the key {} cannot be used: it is DER; PEM is wanted: openssl pkey", "key.der"),
            (dict(pair, key="server.key"), "the key {} cannot be used: it does not belong to the certificate "
             + path("client.crt"), "server.key"),
            (dict(pair, key="other_sort.key"), "the key {} cannot be used: it does not belong to the certificate "
             + path("client.crt"), "other_sort.key"),
            (dict(pair, key="encrypted.key"), "the key {} cannot be used: it is encrypted: give its password, key_password",
             "encrypted.key"),
            (dict(pair, key="traditional.key"), "the key {} cannot be used: it is encrypted: give its password, "
             "key_password", "traditional.key"),
        ]


class Files(WithFiles):

    def test_check_and_the_device_say_the_same_of_a_file_that_cannot_be_used(self):
        for files, words, name in self.expected():
            with self.subTest(name=name, files=files):
                text = self.text(**files)
                words = words.format(self.files.path(name))
                answer = self.check(text)
                self.assertEqual((answer.returncode, answer.stdout), (1, ""), answer.stderr)
                self.assertRegex(answer.stderr, r"device\.yaml:3:\d+: ")
                self.assertIn(words, answer.stderr)
                self.assertIn(words, self.start(text).wait_log("cannot be used"))

    def test_a_password_for_a_key_that_is_not_encrypted_is_a_warning(self):
        key = self.files.path("client.key")
        words = (f"the key {key} is not encrypted, and key_password has no effect: leave it out, or encrypt the key: openssl "
                 f"pkey -aes256 -in {key} -out NAME.pem")
        text = self.text(cert="client.crt", key="client.key", more=", key_password: 'open sesame'")
        answer = self.check(text)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        column = text.splitlines()[2].index("'open sesame'") + 1
        self.assertRegex(answer.stderr, rf"^warning: .*device\.yaml:3:{column}: ")
        self.assertIn(words, answer.stderr)
        device = self.start(text)
        self.assertIn(f"warning: broker localhost:1: {words}", device.wait_log("is not encrypted"))
        # The settings are looked at once, and the connection is tried all the same.
        device.wait_log("Connection refused")
        self.assertEqual(device.log.count("is not encrypted"), 1)
        # Where the password has its use, nothing is said.
        answer = self.check(self.text(cert="client.crt", key="encrypted.key", more=", key_password: 'open sesame'"))
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))
        result = subprocess.run(
            [swiftlet(), "pub", "-p", str(free_port()), "--cert", self.files.path("client.crt"), "--key", key, "--key-password",
             "x", "-t", "t", "-m", "x"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn("swiftlet: warning: " + words.replace("key_password", "--key-password"), result.stderr)

    def test_all_files_that_cannot_be_used_are_named_each_with_its_place(self):
        answer = self.check(self.text(ca="empty", cert="words", key="key.der"))
        lines = answer.stderr.splitlines()
        self.assertEqual(len(lines), 3, lines)
        places = [int(line.split(":")[2]) for line in lines]
        self.assertEqual(places, sorted(set(places)))

    def test_what_may_be_there_on_the_device_alone_is_a_warning(self):
        for files, what in (({"ca": "/no/such.crt"}, "the CA file /no/such.crt"),
                            ({"ca": "/no/such/"}, "the CA directory /no/such/"),
                            ({"cert": "/no/such.crt"}, "the certificate /no/such.crt"),
                            ({"cert": "client.crt", "key": "/no/such.key"}, "the key /no/such.key")):
            with self.subTest(what):
                text = self.text(**files)
                answer = self.check(text)
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertRegex(answer.stderr, r"^warning: .*device\.yaml:3:\d+: ")
                words = f"{what} cannot be used: No such file or directory"
                self.assertIn(words, answer.stderr)
                self.assertIn("topics", answer.stdout)
                self.assertIn(words, self.start(text).wait_log("cannot be used"))

    def test_a_file_that_may_not_be_read_is_said_with_whose_rights(self):
        wrapper, program = (), None
        if os.geteuid() == 0:
            wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            program = shutil.copy(swiftletd(), self.directory)
        text = self.text(cert="client.crt", key="unreadable")
        os.chmod(self.files.path("client.crt"), 0o644)
        answer = self.check(text, wrapper, program)
        if "error while loading shared libraries" in answer.stderr:
            self.skipTest("the Swift libraries are where nobody may read them")
        self.assertEqual(answer.returncode, 1)
        user = 65534 if wrapper else os.geteuid()
        self.assertIn(f"unreadable cannot be used: Permission denied for the user with the number {user}", answer.stderr)

    def test_check_accepts_files_that_can_be_used_and_does_not_wait_for_a_pipe(self):
        pipe = self.files.path("pipe")
        os.mkfifo(pipe)
        for files in ({"ca": "ca.crt", "cert": "client.crt", "key": "client.key"}, {"ca": pipe}):
            answer = self.check(self.text(**files))
            self.assertEqual((answer.returncode, answer.stderr), (0, ""))

    def test_secrets_that_may_not_be_read_are_not_said_to_be_missing(self):
        directory = tempfile.mkdtemp(dir=self.directory)
        os.mkdir(os.path.join(directory, "secrets.yaml"))
        path = os.path.join(directory, "device.yaml")
        with open(path, "w") as file:
            file.write(configuration("{ url: 'mqtt://b', username: u, password: !secret word }", RELAY))
        answer = run("check", path)
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stderr, "secret 'word' is wanted, and .*secrets.yaml cannot be read: Is a directory")


class Servers(WithFiles):
    """With a broker that wants to see a certificate."""
    seconds = 25

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        files, cls.port, cls.plain = cls.files, free_port(), free_port()
        cls.broker = Broker(settings=(
            f"allow_anonymous true\nlistener {cls.plain} 127.0.0.1\nlistener {cls.port} 127.0.0.1\n"
            f"certfile {files.path('server.crt')}\nkeyfile {files.path('server.key')}\n"
            f"cafile {files.path('ca.crt')}\nrequire_certificate true\n"))
        cls.addClassCleanup(cls.broker.close)

    def test_a_certificate_that_has_expired_is_named_by_check_and_when_the_broker_refuses_it(self):
        text = self.text(self.port, ca="ca.crt", cert="old.crt", key="old.key")
        words = f"the certificate {self.files.path('old.crt')} has expired on 2020-02-01"
        answer = self.check(text)
        self.assertEqual(answer.returncode, 1)
        self.assertIn(words, answer.stderr)
        device = self.start(text)
        self.assertIn(words + ", or this device's clock is wrong", device.wait_log("has expired"))

    def test_an_encrypted_key_is_opened_by_its_password(self):
        for name in ("encrypted.key", "traditional.key"):
            text = self.text(self.port, ca="ca.crt", cert="client.crt", key=name, more=", key_password: 'open sesame'")
            self.assertEqual(self.check(text).returncode, 0)
            self.start(text).wait_log("online")
        text = self.text(self.port, ca="ca.crt", cert="client.crt", key="encrypted.key", more=", key_password: !secret key")
        device = self.start(text, files={"secrets.yaml": "key: open sesame\n"})
        device.wait_log("online")

    def test_another_password_is_said_to_be_another_and_is_not_shown(self):
        text = self.text(self.port, ca="ca.crt", cert="client.crt", key="encrypted.key", more=", key_password: opensesame")
        answer = self.check(text)
        words = "encrypted.key cannot be used: its password is another one than key_password"
        self.assertEqual(answer.returncode, 1)
        self.assertIn(words, answer.stderr)
        device = self.start(text)
        self.assertIn(words, device.wait_log("cannot be used"))
        self.assertNotIn("opensesame", device.log + answer.stderr)

    def test_nobody_at_the_terminal_is_asked_for_a_password(self):
        """With a terminal: there OpenSSL would ask by itself, and wait."""
        primary, secondary = os.openpty()
        self.addCleanup(os.close, primary)
        self.addCleanup(os.close, secondary)
        relay = "  - relay: fan\n    line: GPIO9\n    safety: { start: on, max_on: 1s }\n"
        text = self.text(self.port, ca="ca.crt", cert="client.crt", key="encrypted.key").replace(RELAY, relay)
        device = self.start(text, wrapper=[
            "/usr/bin/python3", "-c", "import fcntl, os, sys, termios\nos.setsid()\n"
            "terminal = os.open(sys.argv[1], os.O_RDWR)\nfcntl.ioctl(terminal, termios.TIOCSCTTY, 0)\n"
            "os.dup2(terminal, 0)\nos.execvp(sys.argv[2], sys.argv[2:])", os.ttyname(secondary)])
        device.wait_log("it is encrypted: give its password")
        device.wait_log("fan: switched off")
        self.assertEqual(device.stop()[1], 0)
        os.set_blocking(primary, False)
        with self.assertRaises(BlockingIOError):
            os.read(primary, 1)

    # What hangs

    def hanging_authorities(self):
        """A directory in which the library waits for the authority that it looks up, as on a server that is gone."""
        directory = tempfile.mkdtemp(dir=self.directory)
        name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", self.files.path("ca.crt")],
                              check=True, capture_output=True, text=True).stdout.strip()
        os.mkfifo(os.path.join(directory, name + ".0"))
        return directory + "/"

    def hanging_file(self, name):
        path = os.path.join(tempfile.mkdtemp(dir=self.directory), name)
        os.mkfifo(path)
        return path

    def hangs(self):
        """Device files with what the disk does not give, and what has to be in the environment for that."""
        good = {"ca": "ca.crt", "cert": "client.crt", "key": "client.key"}
        return [(dict(good, key=self.hanging_file("key.pem")), {}),
                (dict(good, cert=self.hanging_file("cert.pem")), {}),
                (dict(good, ca=self.hanging_file("ca.pem")), {}),
                (dict(good, ca=self.hanging_authorities()), {}),
                # Providers and engines are loaded as these settings say.
                (good, {"OPENSSL_CONF": self.hanging_file("openssl.cnf")})]

    def test_a_disk_that_hangs_holds_up_neither_safety_nor_a_stop(self):
        relay = "  - relay: fan\n    line: GPIO9\n    safety: { start: on, max_on: 1s }\n"
        runs = [self.start(self.text(self.port, **files).replace(RELAY, relay), variables=variables)
                for files, variables in self.hangs()]
        for device in runs:
            device.wait_log("fan: switched off: ")
            # After the time that a connection may take.
            device.wait_log("the files of TLS cannot be read: their disk does not answer")
            self.assertNotIn("online", device.log)
            seconds, status = device.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, 1)

    def test_a_disk_that_hangs_holds_up_no_relay_and_the_next_broker_is_asked(self):
        """Each time the connection to the first broker hangs, commands come by the second one, and are obeyed within
        20 ms more than those of a device beside it to which nothing of the kind happens."""
        url = f"['mqtts://localhost:{self.port}', 'mqtt://127.0.0.1:{self.plain}']"
        runs = [self.start(configuration(f"mqtt://127.0.0.1:{self.plain}", RELAY).replace("device: bench", "device: control"))]
        for index, (files, variables) in enumerate(self.hangs()):
            text = self.text(url=url, **files).replace("device: bench", f"device: bench{index}")
            text = text.replace("keep_alive: 5s", "keep_alive: 5s, failback: 1s")
            runs.append(self.start(text, variables=variables))
        for device in runs:
            device.wait_log("online")
        for index in range(len(runs) - 1):
            with Observer(self.plain, f"swiftlet/bench{index}/#") as observer, \
                    Observer(self.plain, "swiftlet/control/#") as beside:
                times = {"control": [], f"bench{index}": []}
                for turn in range(21):
                    for name, of in times.items():
                        watcher = beside if name == "control" else observer
                        of.append(self.switch(watcher, f"swiftlet/{name}/fan", "ON" if turn % 2 == 0 else "OFF"))
            # The first one also waits until the device has subscribed.
            control, own = (sorted(of)[10] for of in times.values())
            self.assertLess(own, 0.02 + 2 * control + pulse.allowance(), times)

    def switch(self, observer, fan, command):
        since = len(observer.messages)
        begin = time.monotonic()
        while not any(message.topic == f"{fan}/result" for message in observer.messages[since:]):
            observer.publish(f"{fan}/set", command)
            observer.fence()
        return time.monotonic() - begin


if __name__ == "__main__":
    unittest.main()
