"""A server with TLS that is spoken to without it: named as such, and told no password."""

import os
import socket
import ssl
import tempfile
import threading
import unittest

from harness.certificates import Certificates
from harness.device import Device, configuration
from harness.fake_broker import CONNECT, FakeBroker
from harness.waiting import PATIENCE

from .test_swiftlet_pub_sub import run

RELAY = "  - relay: fan\n    line: GPIO9\n"
SECRETS = "username: somebody, password: opensesame"


class TLSServer:
    """Shakes hands with whoever comes, and keeps what they sent."""

    def __init__(self, case, answers=True, address=("127.0.0.1", 0)):
        directory = tempfile.TemporaryDirectory()
        case.addCleanup(directory.cleanup)
        self.context = Certificates(directory.name).server_context("server") if answers else None
        self.received = bytearray()
        self.socket = socket.create_server(address)
        case.addCleanup(self.socket.close)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        connection.settimeout(PATIENCE)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, server_side=True) if self.context else None
        with connection:
            while data := connection.recv(4096):
                self.received += data
                if not tls:
                    return
                incoming.write(data)
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError:
                    connection.sendall(outgoing.read())
                    return
                connection.sendall(outgoing.read())


class PlainToTLS(unittest.TestCase):

    def start(self, mqtt):
        device = Device(configuration(mqtt, RELAY))
        self.addCleanup(device.close)
        return device

    def test_the_server_is_named_and_told_no_password(self):
        server = TLSServer(self)
        device = self.start(f"{{ url: 'mqtt://127.0.0.1:{server.port}', {SECRETS}, reconnect: {{ min: 100ms, max: 200ms }} }}")
        device.wait_log(f"broker 127.0.0.1:{server.port}: the server speaks TLS: use mqtts://")
        device.wait_rests(30)
        self.assertEqual(server.received[:1], bytes([CONNECT << 4]))
        for secret in (b"opensesame", b"somebody"):
            self.assertNotIn(secret, server.received)

    def test_a_server_that_closes_whatever_comes_is_told_no_password_either(self):
        server = TLSServer(self, answers=False)
        device = self.start(f"mqtt://somebody:opensesame@127.0.0.1:{server.port}")
        device.wait_log(f"broker 127.0.0.1:{server.port}: closed by the broker")
        self.assertNotIn("TLS", device.log)
        self.assertNotIn(b"opensesame", server.received)

    def test_where_tls_usually_is_the_server_is_named_without_a_password_too(self):
        """On an address of its own, for the port is everybody's."""
        address = f"127.{os.getpid() >> 16 & 0x7F}.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF or 1}"
        TLSServer(self, address=(address, 8883))
        self.start(f"mqtt://{address}:8883").wait_log("the server speaks TLS: use mqtts://")

    def test_a_websocket_to_it_names_it_and_tells_no_password(self):
        """Nor what else may be secret: lines of the request, and what its path asks for."""
        for path, more in (("", ""), ("", ", headers: ['Authorization: Bearer opensesame']"), ("/mqtt?token=opensesame", "")):
            with self.subTest(path=path, more=more):
                server = TLSServer(self)
                device = self.start(f"{{ url: 'ws://127.0.0.1:{server.port}{path}', {SECRETS}{more} }}")
                device.wait_log(f"broker 127.0.0.1:{server.port}: the server speaks TLS: use wss://$")
                self.assertEqual(server.received[:3], b"GET")
                self.assertNotIn(b"opensesame", server.received)

    def test_a_web_server_without_tls_that_closes_is_not_said_to_have_it(self):
        server = TLSServer(self, answers=False)
        device = self.start(f"ws://127.0.0.1:{server.port}")
        device.wait_log("closed by the broker during the WebSocket's handshake")
        self.assertNotIn("TLS", device.log)

    def test_a_request_with_secrets_arrives_in_one_piece_where_there_is_no_tls(self):
        with FakeBroker() as broker:
            self.start(f"{{ url: 'ws://127.0.0.1:{broker.port}/mqtt?a=b', headers: ['Authorization: Bearer opensesame'] }}")
            broker.accept_socket()
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += broker.client.recv(4096)
            self.assertEqual(request[:17], b"GET /mqtt?a=b HTT")
            self.assertIn(b"\r\nAuthorization: Bearer opensesame\r\n", request)

    def test_the_command_line_says_the_same(self):
        server = TLSServer(self)
        result = run("pub", "-h", "127.0.0.1", "-p", str(server.port), "-u", "somebody", "-P", "opensesame", "-t", "t",
                     "-m", "x", "-q", "1")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"the server speaks TLS: use mqtts://", result.stderr)
        self.assertNotIn(b"opensesame", server.received)

    def test_a_broker_without_tls_gets_everything_and_after_its_first_answer_at_once(self):
        with FakeBroker() as broker:
            device = self.start(
                f"{{ url: 'mqtt://127.0.0.1:{broker.port}', {SECRETS}, reconnect: {{ min: 100ms, max: 200ms }} }}")
            for turn in range(2):
                broker.accept_socket()
                if turn:
                    # All of it, or nothing yet: never a beginning that waits for an answer.
                    data = broker.client.recv(4096)
                    self.assertIn(b"opensesame", data)
                else:
                    self.assertIn(b"opensesame", broker.expect(CONNECT).body)
                broker.send(b"\x20\x03\0\0\0")
                device.wait_log("online")
                broker.drop()


if __name__ == "__main__":
    unittest.main()
