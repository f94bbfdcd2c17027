"""SCRAM-SHA-256 with a broker that does its part of RFC 5802 in Python."""

import base64
import hashlib
import hmac
import struct
import unittest

from harness.device import Device, configuration, run
from harness.fake_broker import CONNECT, PUBLISH, SUBSCRIBE, Closed, FakeBroker, packet

AUTH = 15
METHOD = b"\x15\0\x0dSCRAM-SHA-256"
RELAY_ONLY = "  - relay: fan\n    line: GPIO9\n"


def binary(data):
    return b"\x16" + struct.pack(">H", len(data)) + data


def properties(*parts):
    joined = b"".join(parts)
    assert len(joined) < 128
    return bytes([len(joined)]) + joined


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


class ScramBroker(FakeBroker):
    """Knows one user of MQTT 5.0."""

    def __init__(self, password, iterations=4096):
        super().__init__()
        self.salt, self.iterations = b"0123456789abcdef", iterations
        self.salted = hashlib.pbkdf2_hmac("sha256", password, self.salt, iterations)

    def _answer(self, found):
        if found.type == SUBSCRIBE:
            self.send(packet(0x90, found.body[:2] + b"\0\1"))
        else:
            super()._answer(found)

    def data_of(self, body):
        """The authentication data of a CONNECT or AUTH."""
        start = body.index(METHOD) + len(METHOD)
        assert body[start] == 0x16, body
        count = struct.unpack(">H", body[start + 1:start + 3])[0]
        return body[start + 3:start + 3 + count]

    def challenge(self, connect):
        """Sends it for the first message, and answers what both sides have said."""
        first = self.data_of(connect.body)
        assert first.startswith(b"n,,n="), first
        bare = first[3:]
        nonce = bare.split(b"r=")[1] + b"server"
        challenge = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(self.salt), self.iterations)
        self.send(packet(0xF0, b"\x18" + properties(METHOD, binary(challenge))))
        return bare, challenge, nonce

    def verify(self, bare, challenge, nonce):
        """The client's proof; answers whether it is right, and our own."""
        final = self.data_of(self.expect(AUTH).body)
        without, proof = final.rsplit(b",p=", 1)
        assert without == b"c=biws,r=" + nonce, final
        message = b",".join((bare, challenge, without))
        client = mac(self.salted, b"Client Key")
        signature = mac(hashlib.sha256(client).digest(), message)
        right = base64.b64decode(proof) == bytes(a ^ b for a, b in zip(client, signature))
        return right, b"v=" + base64.b64encode(mac(mac(self.salted, b"Server Key"), message))

    def welcome(self, verdict):
        self.send(packet(0x20, b"\0\0" + properties(METHOD, binary(verdict))))


class Authentication(unittest.TestCase):
    def setUp(self):
        self.broker = ScramBroker(b"pen,cil")
        self.addCleanup(self.broker.close)

    def mqtt(self, extra="", password="pen,cil"):
        return (f"{{ url: 'mqtt://127.0.0.1:{self.broker.port}', username: 'us=er', password: '{password}', "
                f"auth: scram-sha-256{extra} }}")

    def start(self, **options):
        device = Device(configuration(self.mqtt(**options), RELAY_ONLY))
        self.addCleanup(device.close)
        return device

    def connect(self):
        self.broker.accept_socket()
        return self.broker.expect(CONNECT)

    def test_both_sides_know_the_password_and_it_is_not_sent(self):
        device = self.start()
        for _ in range(2):
            connect = self.connect()
            self.assertEqual(connect.body[6], 5)
            self.assertNotIn(b"pen,cil", connect.body)
            self.assertEqual(connect.body[7] & 0xC0, 0, "neither user name nor password in CONNECT")
            self.assertIn(b"n,,n=us=3Der,r=", connect.body)
            right, verdict = self.broker.verify(*self.broker.challenge(connect))
            self.assertTrue(right)
            self.broker.welcome(verdict)
            self.broker.expect(PUBLISH, "swiftlet/bench/fan/state")
            device.wait_log("online: connected")
            self.broker.drop()

    def test_as_many_iterations_as_are_taken_are_done_in_slices(self):
        self.broker.close()
        self.broker = ScramBroker(b"pen,cil", iterations=100_000)
        self.addCleanup(self.broker.close)
        device = self.start()
        right, verdict = self.broker.verify(*self.broker.challenge(self.connect()))
        self.assertTrue(right)
        self.broker.welcome(verdict)
        device.wait_log("online: connected")

    def test_a_wrong_password_proves_nothing(self):
        self.start(password="pencil")
        right, _ = self.broker.verify(*self.broker.challenge(self.connect()))
        self.assertFalse(right)

    def test_a_broker_that_does_not_know_the_password_gets_nothing(self):
        device = self.start()
        self.broker.verify(*self.broker.challenge(self.connect()))
        self.broker.welcome(b"v=" + base64.b64encode(bytes(32)))
        with self.assertRaises(Closed):
            self.broker.expect(PUBLISH)
        self.assertNotIn("online", device.log)

    def test_a_broker_that_asks_for_nothing_gets_nothing(self):
        device = self.start()
        self.connect()
        self.broker.send(packet(0x20, b"\0\0\0"))
        with self.assertRaises(Closed):
            self.broker.expect(PUBLISH)
        self.assertNotIn("online", device.log)

    def test_a_broker_of_3_1_1_is_not_fallen_back_to(self):
        self.start()
        self.connect()
        self.broker.send(packet(0x20, b"\0\1"))
        self.assertEqual(self.connect().body[6], 5)

    def test_too_few_iterations_are_refused(self):
        self.broker.iterations = 1000
        self.start()
        self.broker.challenge(self.connect())
        with self.assertRaises(Closed):
            self.broker.expect(AUTH)

    def check(self, mqtt):
        device = self.start()
        with open(device.config, "w") as file:
            file.write(configuration(mqtt, RELAY_ONLY))
        return run("check", device.config).stderr

    def test_what_it_needs_is_named(self):
        self.assertIn("'auth: scram-sha-256' needs 'version: 5'", self.check(self.mqtt(", version: 3.1.1")))
        bare = self.mqtt().replace("username: 'us=er', password: 'pen,cil', ", "")
        self.assertIn("'auth: scram-sha-256' needs 'username' and 'password'", self.check(bare))
