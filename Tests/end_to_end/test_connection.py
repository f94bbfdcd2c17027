"""Brokers that are not there, go away, say nothing, or say no: the device stays, tells, and comes back."""

import os
import select
import signal
import socket
import subprocess
import time
import unittest

from harness.device import Device, configuration, may_unshare
from harness.fake_broker import CONNECT, SUBSCRIBE, FakeBroker, packet
from harness.mqtt import Broker, free_port, wait_until
from harness.waiting import pulse

from .support import AVAILABILITY, PREFIX, WithBroker, answer


class Availability(WithBroker):

    def test_a_device_waits_for_a_broker_that_is_not_there_yet(self):
        self.broker.kill()
        device = self.start()
        device.wait_log(rf"broker 127\.0\.0\.1:{self.broker.port}: Connection refused")
        # It measures twice a second; the longest of the first pauses is shorter than this.
        device.wait_rests(10)
        self.assertTrue(device.is_running)
        self.broker.start()
        observer = self.observe()
        observer.wait(AVAILABILITY, b"online")
        observer.wait(f"{PREFIX}/fan/state", b"OFF")
        # The same refusal again and again is one line.
        self.assertEqual(device.log.count("Connection refused"), 1, device.log)

    def test_a_broker_that_was_killed_finds_everything_again_when_it_is_back(self):
        first = self.observe()
        device = self.start()
        first.wait(AVAILABILITY, b"online")
        first.publish(f"{PREFIX}/fan/set", "ON")
        first.wait(f"{PREFIX}/fan/state", b"ON")
        self.broker.kill()
        device.wait_log("offline:")
        begin = time.monotonic()
        self.broker.start()
        observer = self.observe()
        observer.wait(AVAILABILITY, b"online")
        observer.wait(f"{PREFIX}/fan/state", b"ON")
        observer.wait(f"{PREFIX}/door/state", b"OFF")
        observer.wait(f"{PREFIX}/air/temperature")
        self.assertLess(time.monotonic() - begin - pulse.allowance(begin), 10)
        since = observer.mark()
        observer.publish(f"{PREFIX}/fan/set", "TOGGLE")
        observer.wait(f"{PREFIX}/fan/state", b"OFF", since=since)
        observer.publish(f"{PREFIX}/fan/set", "end")
        observer.wait(f"{PREFIX}/fan/result", lambda payload: b"end" in payload, since=since)
        obeyed = [m for m in observer.messages[since:]
                  if m.topic == f"{PREFIX}/fan/result" and answer(m)["command"] == "TOGGLE"]
        self.assertEqual(len(obeyed), 1)

    def test_a_broker_that_accepts_and_says_nothing_is_left(self):
        with FakeBroker() as broker:
            device = self.start(configuration(broker.port))
            broker.accept_socket()
            seconds, status = device.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, 1)


class Version(WithBroker):

    def level(self, broker):
        broker.accept_socket()
        return broker.expect(CONNECT).body[6]

    def test_a_broker_that_does_not_speak_5_is_spoken_to_in_3_1_1_at_once(self):
        with FakeBroker() as broker:
            # It would take longer than anybody waits here, if there were a pause.
            self.start(configuration(f"{{ url: 'mqtt://127.0.0.1:{broker.port}', reconnect: {{ min: 10min, max: 10min }} }}"))
            self.assertEqual(self.level(broker), 5)
            broker.send(packet(0x20, b"\0\1"))
            self.assertEqual(self.level(broker), 4)

    def test_a_proxy_that_closes_for_a_broker_that_is_away_does_not_cost_5_0(self):
        device = self.start(configuration(
            f"{{ url: 'mqtt://127.0.0.1:{self.broker.port}', reconnect: {{ min: 100ms, max: 200ms }} }}"))
        device.wait_log("online: connected to the broker$")
        self.broker.kill()
        with FakeBroker(port=self.broker.port) as proxy:
            for _ in range(5):
                proxy.accept_socket()
                proxy.drop()
        marked = device.mark()
        self.broker.start()
        device.wait_log("online: connected to the broker$", since=marked)

    def test_the_version_can_be_set(self):
        with FakeBroker() as broker:
            self.start(configuration(f"{{ url: 'mqtt://127.0.0.1:{broker.port}', version: 3.1.1 }}"))
            self.assertEqual(self.level(broker), 4)


class NewBroker(FakeBroker):
    """Grants subscriptions as 5.0 has it."""

    def _answer(self, found):
        if found.type == SUBSCRIBE:
            self.send(packet(0x90, found.body[:2] + b"\0\1"))
        else:
            super()._answer(found)


class Redirection(WithBroker):

    def greet(self, broker, reason, reference=b""):
        """Takes the next client, of 5.0, and answers its CONNECT."""
        broker.accept_socket()
        broker.expect(CONNECT)
        listed = b"\x1c" + len(reference).to_bytes(2, "big") + reference if reference else b""
        broker.send(packet(0x20, bytes([0, reason, len(listed)]) + listed))

    def test_a_device_goes_where_a_broker_sends_it_and_returns_when_that_is_over(self):
        with FakeBroker() as first, FakeBroker() as second:
            self.start(configuration(f"{{ url: 'mqtt://127.0.0.1:{first.port}' }}"))
            self.greet(first, 0x9C, f"127.0.0.1:{second.port} elsewhere".encode())
            self.greet(second, 0)
            second.expect(SUBSCRIBE)
            second.drop()
            first.accept_socket()

    def test_a_server_that_has_moved_is_looked_for_where_it_is_now(self):
        with FakeBroker() as first, FakeBroker() as second:
            self.start(configuration(f"{{ url: 'mqtt://127.0.0.1:{first.port}' }}"))
            self.greet(first, 0x9D, f"127.0.0.1:{second.port}".encode())
            for _ in range(2):
                self.greet(second, 0)
                second.expect(SUBSCRIBE)
                second.drop()
            # Where it does not accept us any more, the one that is configured counts again.
            self.greet(second, 0x88)
            second.drop()
            first.accept_socket()

    def start_with(self, *brokers):
        urls = ", ".join(f"'mqtt://127.0.0.1:{broker.port}'" for broker in brokers)
        return self.start(configuration(
            f"{{ url: [{urls}], keep_alive: 5s, failback: 1s, reconnect: {{ min: 100ms, max: 200ms }} }}"))

    def test_where_the_first_broker_of_several_sends_a_device_it_stays_and_then_asks_the_first_again(self):
        with NewBroker() as first, NewBroker() as second, NewBroker() as elsewhere:
            device = self.start_with(first, second)
            self.greet(first, 0x9C, f"127.0.0.1:{elsewhere.port}".encode())
            self.greet(elsewhere, 0)
            # Longer than two times 'failback': whoever asked the first one would have found it there.
            with self.assertRaises(TimeoutError):
                elsewhere.expect_close(timeout=3)
            self.assertFalse(select.select([first.listener], [], [], 0)[0], "it has asked for the first one")
            self.assertNotIn("is back", device.log)
            elsewhere.drop()
            self.greet(first, 0)
            first.expect(SUBSCRIBE)

    def test_where_a_later_broker_sent_a_device_for_good_it_leaves_for_the_first_one(self):
        port = free_port()
        with NewBroker() as second, NewBroker() as elsewhere:
            device = Device(configuration(
                f"{{ url: ['mqtt://127.0.0.1:{port}', 'mqtt://127.0.0.1:{second.port}'], keep_alive: 5s,"
                " failback: 1s, reconnect: { min: 100ms, max: 200ms } }"))
            self.addCleanup(device.close)
            self.greet(second, 0x9D, f"127.0.0.1:{elsewhere.port}".encode())
            self.greet(elsewhere, 0)
            elsewhere.expect(SUBSCRIBE)
            with NewBroker(port=port) as first:
                first.accept_socket()
                elsewhere.expect_close()
                # The first one was the knock.
                self.greet(first, 0)
                first.expect(SUBSCRIBE)

    def test_a_server_that_is_named_and_not_there_does_not_keep_a_device_from_the_next_one(self):
        with NewBroker() as first, NewBroker() as second:
            self.start_with(first, second)
            self.greet(first, 0x9C, f"127.0.0.1:{free_port()}".encode())
            self.greet(second, 0)
            second.expect(SUBSCRIBE)
        with NewBroker() as first, NewBroker() as second:
            self.start_with(first, second)
            self.greet(first, 0x9C, b"[no address")
            self.greet(second, 0)
            second.expect(SUBSCRIBE)


# What a resolver that says nothing needs: a network of the program's own, in which whoever listens on the
# resolver's port never answers. The program takes the open socket along.
SILENT_RESOLVER = """
import fcntl, os, socket, struct, subprocess, sys
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(silent, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS: up
silent.bind(("127.0.0.1", 53))
silent.set_inheritable(True)
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Patience(WithBroker):
    """What takes seconds."""

    def test_a_broker_that_freezes_is_found_out_and_its_return_noticed(self):
        observer = self.observe()
        device = self.start()
        observer.wait(AVAILABILITY, b"online")
        begin = time.monotonic()
        self.broker.process.send_signal(signal.SIGSTOP)
        try:
            # keep_alive is 5 s, the shortest there is.
            device.wait_log("offline: no sign of life from the broker")
            seconds = time.monotonic() - begin
            self.assertGreater(seconds, 2)
            self.assertLess(seconds - pulse.allowance(begin), 5 * 1.5 + 0.5)
        finally:
            self.broker.process.send_signal(signal.SIGCONT)
        since = observer.mark()
        observer.wait(AVAILABILITY, b"online", since=since)

    def test_a_broker_that_closes_at_once_is_met_with_growing_pauses_and_few_words(self):
        with FakeBroker() as broker:
            begin = time.monotonic()
            device = self.start(configuration(broker.port))
            # In pairs: the broker may be one that does not know 5.0. Between them lies half a second, and more each time.
            for _ in range(2 * 5):
                broker.accept_socket()
                broker.drop()
            self.assertGreater(time.monotonic() - begin, 4 * 0.5, "there are no pauses")
            self.assertTrue(device.is_running)
            # One for each way the kernel puts it: closed, or reset.
            self.assertLessEqual(device.log.count(f"broker 127.0.0.1:{broker.port}"), 2, device.log)
            broker.accept()
            device.wait_log("online")

    def test_the_pauses_between_attempts_can_be_set(self):
        with FakeBroker() as broker, FakeBroker() as patient:
            begin = time.monotonic()
            for server, pauses in (broker, "min: 100ms, max: 200ms"), (patient, "min: 10min, max: 10min"):
                self.start(configuration(
                    f"{{ url: 'mqtt://127.0.0.1:{server.port}', version: 3.1.1, reconnect: {{ {pauses} }} }}"))
            patient.accept_socket()
            patient.drop()
            for _ in range(8):
                broker.accept_socket()
                broker.drop()
            self.assertGreater(time.monotonic() - begin, 7 * 0.1)
            self.assertFalse(select.select([patient.listener], [], [], 0)[0], "it has come again")


class Login(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.close)
        passwords = os.path.join(cls.broker.directory, "passwords")
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", passwords, "greenhouse", "s3cret word"], check=True,
            capture_output=True)
        cls.broker.kill()
        with open(cls.broker.settings_path, "w") as file:
            file.write(f"listener {cls.broker.port} 127.0.0.1\nuser root\npassword_file {passwords}\n")
        cls.broker.start()

    def start(self, username, password, **options):
        url = f"mqtt://127.0.0.1:{self.broker.port}"
        login = f"{{ url: '{url}', username: {username}, password: {password} }}"
        device = Device(configuration(login), **options)
        self.addCleanup(device.close)
        return device

    def test_a_refused_login_is_said_once_and_tried_again(self):
        device = self.start("greenhouse", "wrong")
        line = device.wait_log("refused")
        self.assertRegex(line, "error: the broker refused the connection: (wrong user name|not authorized)")
        attempts = self.broker.log().count("New connection")
        wait_until(lambda: self.broker.log().count("New connection") > attempts, what="another attempt")
        self.assertTrue(device.is_running)
        self.assertEqual(device.log.count("refused the connection"), 1, device.log)
        self.assertNotIn("wrong\n", device.log)
        seconds, status = device.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 1)

    def test_a_password_from_secrets_yaml_is_right(self):
        device = self.start(
            "greenhouse", "!secret broker_password", files={"secrets.yaml": "broker_password: s3cret word\n"})
        device.wait_log("online")

    def test_a_password_from_the_environment_is_right(self):
        device = self.start("'${MQTT_USER:-greenhouse}'", "'${MQTT_PASSWORD}'",
            variables={"MQTT_PASSWORD": "s3cret word"})
        device.wait_log("online")

    def test_a_login_in_the_url_is_right(self):
        device = Device(configuration(f"mqtt://greenhouse:s3cret%20word@127.0.0.1:{self.broker.port}"))
        self.addCleanup(device.close)
        device.wait_log("online")

    def test_the_password_is_never_printed(self):
        device = self.start("greenhouse", "hunter2hunter2")
        device.wait_log("refused")
        device.stop()
        self.assertNotIn("hunter2", device.log)


class Greeting(unittest.TestCase):
    """What the broker is told at the start."""

    def connect(self, mqtt, prefix="mqtt://127.0.0.1:"):
        with FakeBroker() as broker, Device(configuration(mqtt.replace("URL", f"{prefix}{broker.port}"))):
            return broker.accept().body

    def fields(self, body):
        """Flags, keep alive, and the strings that follow: client id, will topic, will, user, password."""
        self.assertEqual(body[:7], b"\0\4MQTT\4")
        strings, rest = [], body[10:]
        while rest:
            end = 2 + int.from_bytes(rest[:2], "big")
            strings.append(rest[2:end].decode())
            rest = rest[end:]
        return body[7], int.from_bytes(body[8:10], "big"), strings

    def test_a_url_alone_brings_the_usual_values(self):
        flags, keep_alive, strings = self.fields(self.connect("URL"))
        self.assertEqual(keep_alive, 60)
        self.assertEqual(strings, ["swiftlet-bench", AVAILABILITY, "offline"])
        # A clean session; a will of QoS 1, retained.
        self.assertEqual(flags, 0b0010_1110)

    def test_every_option_is_on_the_wire(self):
        flags, keep_alive, strings = self.fields(self.connect(
            "{ url: 'URL', username: me, password: 'p w', keep_alive: 2min, client_id: shed }"))
        self.assertEqual(keep_alive, 120)
        self.assertEqual(strings, ["shed", AVAILABILITY, "offline", "me", "p w"])
        self.assertEqual(flags, 0b1110_1110)

    def test_a_user_in_the_url_is_on_the_wire(self):
        _, _, strings = self.fields(self.connect("URL", prefix="mqtt://me:p%40ss@127.0.0.1:"))
        self.assertEqual(strings[3:], ["me", "p@ss"])


class Names(WithBroker):

    def test_a_name_that_does_not_resolve_is_said_and_the_device_lives_on(self):
        device = self.start(configuration("mqtt://no-such-host.invalid"))
        line = device.wait_log("no-such-host")
        self.assertRegex(line, r"^warning: broker no-such-host\.invalid:1883: .*(not known|resolution)")
        self.assertTrue(device.is_running)
        seconds, status = device.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 1)

    @unittest.skipUnless(may_unshare(), "needs unprivileged namespaces")
    def test_a_resolver_that_says_nothing_holds_up_neither_relays_nor_a_stop(self):
        resolver = os.path.join(self.broker.directory, "resolv.conf")
        with open(resolver, "w") as file:
            # It takes longer to give up than anybody waits here.
            file.write("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
        relay = "  - relay: fan\n    line: GPIO9\n    safety: { start: on, broker_lost: { after: 1s, then: off } }\n"
        device = self.start(
            configuration("mqtt://broker.example", relay),
            wrapper=["unshare", "--map-root-user", "--mount", "--net", "/usr/bin/python3", "-c",
                     SILENT_RESOLVER, resolver])
        begin = time.monotonic()
        device.wait_log("fan: switched off: the broker has been away for 1s")
        self.assertGreater(time.monotonic() - begin, 0.8)
        self.assertNotIn("broker.example", device.log, "the lookup has ended: it was not silent")
        seconds, status = device.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 1)

    @unittest.skipUnless(os.geteuid() == 0, "needs the rights of root")
    def test_a_lookup_for_which_there_is_no_thread_costs_no_files(self):
        device = self.start(
            configuration("{ url: mqtt://no-such-host.invalid, reconnect: { min: 100ms, max: 200ms } }",
                          "  - relay: fan\n    line: GPIO9\n"),
            wrapper=["prlimit", "--nproc=1", "setpriv", "--reuid=54321", "--clear-groups"])
        device.wait_log("broker no-such-host.invalid:1883: Resource temporarily unavailable")
        files = f"/proc/{device.process.pid}/fd"
        before = len(os.listdir(files))
        device.wait_rests(10)
        self.assertEqual(len(os.listdir(files)), before)

    def test_a_name_is_resolved(self):
        device = self.start(configuration(f"mqtt://localhost:{self.broker.port}"))
        device.wait_log("online")

    def test_swiftlet_mqtt_overrides_the_file(self):
        device = self.start(
            configuration(f"mqtt://127.0.0.1:{free_port()}"),
            variables={"SWIFTLET_MQTT": f"mqtt://127.0.0.1:{self.broker.port}"})
        device.wait_log("online")
