"""mqtts, ws, wss, local sockets, and lists of brokers, against a real mosquitto."""

import base64
import contextlib
import hashlib
import os
import re
import shutil
import socket
import ssl
import tempfile
import threading
import unittest

from harness.certificates import Certificates
from harness.device import Device, configuration, run
from harness.fake_broker import CONNECT, FakeBroker, packet
from harness.mqtt import Broker, Observer, free_port, wait_until
from harness.waiting import PATIENCE

from .support import AVAILABILITY, PREFIX, answer

RELAY = "  - relay: fan\n    line: GPIO5\n"


class WithTransports(unittest.TestCase):
    """One broker with a listener for each transport; each test has a device of its own."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="swiftlet-certificates-")
        cls.addClassCleanup(shutil.rmtree, directory)
        os.chmod(directory, 0o755)
        cls.files = files = Certificates(directory)
        cls.ports = {name: free_port() for name in
                     ("tls", "client", "elsewhere", "expired", "address-as-name", "127.0.0.1", "ws", "wss")}
        cls.socket = os.path.join(directory, "mqtt.sock")

        def tls(name, certificate="server", more=""):
            return (f"listener {cls.ports[name]} 127.0.0.1\n{more}"
                    f"certfile {files.path(certificate + '.crt')}\nkeyfile {files.path(certificate + '.key')}\n")
        cls.broker = Broker(settings="allow_anonymous true\n" + "".join([
            tls("tls"), tls("elsewhere", "elsewhere"), tls("expired", "expired"),
            tls("address-as-name", "address-as-name"), tls("127.0.0.1", "127.0.0.1"),
            tls("client", more=f"cafile {files.path('ca.crt')}\nrequire_certificate true\n"),
            tls("wss", more="protocol websockets\n"),
            f"listener {cls.ports['ws']} 127.0.0.1\nprotocol websockets\n",
            f"listener 0 {cls.socket}\n"]))
        cls.addClassCleanup(cls.broker.close)

    def connect(self, url, more="", **options):
        device = Device(configuration(f"{{ url: '{url}', keep_alive: 5s{more} }}", RELAY), **options)
        self.addCleanup(device.close)
        return device

    def wait_for_obedience(self, observer):
        """Until the device has subscribed, which it has not yet when it says that it is online."""
        def is_answered():
            observer.publish(f"{PREFIX}/fan/set", "probe")
            observer.fence()
            return any(message.topic == f"{PREFIX}/fan/result" for message in observer.messages)
        wait_until(is_answered, what="an answer")

    def url(self, scheme, name, host="localhost"):
        return f"{scheme}://{host}:{self.ports[name]}"

    def ca(self, more=""):
        return f", tls: {{ ca: {self.files.path('ca.crt')}{more} }}"

    def obeys(self, device):
        """Online, and a burst of commands is answered whole."""
        device.wait_log("online")
        with Observer(self.broker.port) as observer:
            self.wait_for_obedience(observer)
            for index in range(50):
                observer.publish(f"{PREFIX}/fan/set", ("ON", "OFF")[index % 2])
            observer.publish(f"{PREFIX}/fan/set", "last" + "x" * 300)
            observer.wait(f"{PREFIX}/fan/result", lambda payload: b"last" in payload)
            results = [answer(m)["command"] for m in observer.messages if m.topic == f"{PREFIX}/fan/result"]
        results = [command for command in results if command != "probe"]
        self.assertEqual(results[:50], ["ON", "OFF"] * 25)


class TLS(WithTransports):

    def test_commands_are_obeyed_over_tls(self):
        device = self.connect(self.url("mqtts", "tls"), self.ca())
        self.obeys(device)
        self.assertNotIn("insecure", device.log)

    def test_an_address_is_as_good_as_a_name_when_the_certificate_has_it(self):
        self.obeys(self.connect(self.url("mqtts", "tls", "127.0.0.1"), self.ca()))

    def test_an_unknown_authority_is_refused_and_the_cure_is_named(self):
        for more in ("", f", tls: {{ ca: {self.files.path('strange.crt')} }}"):
            device = self.connect(self.url("mqtts", "tls"), more)
            self.assertIn("'ca'", device.wait_log("certificate is not accepted"))
            self.assertNotIn("online", device.log)

    def test_a_certificate_of_another_host_is_refused(self):
        device = self.connect(self.url("mqtts", "elsewhere"), self.ca())
        self.assertIn("another name", device.wait_log("certificate is not accepted"))

    def test_a_certificate_with_the_address_as_a_name_is_refused_and_the_cure_is_named(self):
        for certificate in ("address-as-name", "127.0.0.1", "elsewhere"):
            self.connect(self.url("mqtts", certificate, "127.0.0.1"), self.ca()).wait_log(
                "certificate is not accepted: IP address mismatch; an address needs subjectAltName IP:127.0.0.1")

    def test_the_interface_of_an_address_is_no_part_of_what_the_certificate_must_have(self):
        try:
            server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            self.skipTest("no IPv6 here")
        self.addCleanup(server.close)
        context = self.files.server_context("six")
        device = self.connect(f"mqtts://[::1%1]:{server.getsockname()[1]}", self.ca())
        server.settimeout(PATIENCE)
        with context.wrap_socket(server.accept()[0], server_side=True) as connection:
            self.assertEqual(connection.recv(1)[0] >> 4, CONNECT)
        self.assertNotIn("not accepted", device.log)

    def test_an_expired_certificate_is_refused(self):
        device = self.connect(self.url("mqtts", "expired"), self.ca())
        self.assertIn("expired", device.wait_log("certificate is not accepted"))

    def test_insecure_takes_any_certificate_and_is_reported_loudly(self):
        device = self.connect(self.url("mqtts", "elsewhere"), ", tls: { insecure: on }")
        device.wait_log("^warning: tls: insecure is on")
        self.obeys(device)

    def test_a_pin_decides_alone_or_beside_an_authority(self):
        right, wrong = self.files.pin("server"), self.files.pin("client")
        self.obeys(self.connect(self.url("mqtts", "tls"), f", tls: {{ pin: '{right}' }}"))
        self.obeys(self.connect(self.url("mqtts", "tls"), self.ca(f", pin: '{right}'")))
        for more in (f", tls: {{ pin: '{wrong}' }}", self.ca(f", pin: '{wrong}'")):
            self.connect(self.url("mqtts", "tls"), more).wait_log("another key than the pinned one")
        both = f", tls: {{ ca: {self.files.path('strange.crt')}, pin: '{right}' }}"
        self.connect(self.url("mqtts", "tls"), both).wait_log("certificate is not accepted")

    def test_a_client_certificate_is_shown_where_it_is_wanted(self):
        certificate = f", cert: {self.files.path('client.crt')}, key: {self.files.path('client.key')}"
        self.obeys(self.connect(self.url("mqtts", "client"), self.ca(certificate)))
        device = self.connect(self.url("mqtts", "client"), self.ca())
        device.wait_log("TLS: .*certificate required|closed by the broker|reset by peer")
        self.assertNotIn("online", device.log)

    def test_files_that_cannot_be_used_are_named(self):
        device = self.connect(self.url("mqtts", "tls"), ", tls: { ca: /nowhere/ca.pem }")
        device.wait_log("the CA file /nowhere/ca.pem cannot be used")
        wrong = f", cert: {self.files.path('client.crt')}, key: {self.files.path('server.key')}"
        device = self.connect(self.url("mqtts", "tls"), self.ca(wrong))
        device.wait_log("the key .*server.key cannot be used")

    def test_a_server_without_tls_is_told_from_one_with_it(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def work():
            connection = server.accept()[0]
            connection.sendall(b"hello, this is no TLS\r\n")
            connection.close()
        threading.Thread(target=work, daemon=True).start()
        device = self.connect(f"mqtts://localhost:{server.getsockname()[1]}", self.ca())
        device.wait_log("TLS: wrong version number|TLS: .*packet")

    def test_the_session_of_a_lost_connection_shortens_the_next_handshake(self):
        context = self.files.server_context("server")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context.maximum_version = version
            server = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(server.close)
            device = self.connect(f"mqtts://localhost:{server.getsockname()[1]}", self.ca())
            resumed = []
            for _ in range(3):
                with context.wrap_socket(server.accept()[0], server_side=True) as connection:
                    resumed.append(connection.session_reused)
                    self.assertEqual(connection.version(), version.name.replace("v1_", "v1."))
                    connection.recv(4096)
                    connection.sendall(b"\x20\x03\0\0\0")
                    connection.recv(4096)
                    # Lost without a word.
                    connection.unwrap = None
                    connection.shutdown(socket.SHUT_RDWR)
            self.assertEqual(resumed, [False, True, True])
            device.close()

    def encrypt(self, broker):
        context = self.files.server_context("server")
        broker.client = context.wrap_socket(broker.client, server_side=True)

    def test_where_a_server_with_tls_sends_a_device_it_speaks_tls_whatever_others_do(self):
        with FakeBroker() as first, FakeBroker() as plain, FakeBroker() as elsewhere:
            device = Device(configuration(
                f"{{ url: ['mqtts://localhost:{first.port}', 'mqtt://localhost:{plain.port}'], keep_alive: 5s,"
                f" reconnect: {{ min: 100ms, max: 200ms }}{self.ca()} }}", RELAY))
            self.addCleanup(device.close)
            first.accept_socket()
            self.encrypt(first)
            first.expect(CONNECT)
            reference = f"localhost:{elsewhere.port}".encode()
            first.send(packet(0x20, bytes([0, 0x9C, len(reference) + 3, 0x1C, 0, len(reference)]) + reference))
            elsewhere.accept_socket()
            self.assertEqual(elsewhere.client.recv(1, socket.MSG_PEEK), b"\x16", "a password in the clear")
            elsewhere.drop()
            # Whom the next one refuses, it has not sent there.
            plain.accept_socket()
            plain.expect(CONNECT)
            plain.send(packet(0x20, b"\0\x88\0"))
            plain.drop()
            first.accept_socket()

    def test_the_device_comes_back_and_keeps_obeying_after_the_broker_was_away(self):
        device = self.connect(self.url("mqtts", "tls"), self.ca())
        device.wait_log("online")
        since = device.mark()
        self.broker.kill()
        device.wait_log("offline", since=since)
        self.broker.start()
        device.wait_log("online", since=since)
        self.obeys(device)


class WebSocket(WithTransports):

    # [MQTT5-4.2-1]
    def test_commands_are_obeyed_over_websockets(self):
        self.obeys(self.connect(self.url("ws", "ws")))
        self.obeys(self.connect(self.url("ws", "ws", "127.0.0.1") + "/mqtt"))

    def test_commands_are_obeyed_over_websockets_and_tls(self):
        self.obeys(self.connect(self.url("wss", "wss"), self.ca()))

    def test_a_payload_longer_than_any_buffer_is_skipped(self):
        device = self.connect(self.url("ws", "ws"))
        device.wait_log("online")
        with Observer(self.broker.port) as observer:
            self.wait_for_obedience(observer)
            # mosquitto gives a WebSocket some 4 kB ten times a second.
            observer.publish(f"{PREFIX}/fan/set", b"x" * 50_000)
            observer.wait(f"{PREFIX}/fan/result", lambda payload: b"50000 bytes" in payload)
        self.obeys(device)

    def upgraded(self, more="", behind=b"", tls=False,
                 head="upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"):
        """A device, and a server's end of its WebSocket."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        url = f"{'wss' if tls else 'ws'}://localhost:{server.getsockname()[1]}"
        device = self.connect(url, self.ca() if tls else "")
        server.settimeout(PATIENCE)
        connection = server.accept()[0]
        connection.settimeout(PATIENCE)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.files.path("server.crt"), self.files.path("server.key"))
            connection = context.wrap_socket(connection, server_side=True)
        self.addCleanup(connection.close)
        request = connection.recv(4096).decode()
        self.assertIn("Sec-WebSocket-Protocol: mqtt\r\n", request)
        key = re.search("Sec-WebSocket-Key: (.*)\r\n", request)[1]
        accept = base64.b64encode(hashlib.sha1(
            (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        connection.sendall((
            f"HTTP/1.1 101 Switching Protocols\r\n{more}{head}sec-websocket-accept: "
            f"{accept}\r\nSec-WebSocket-Protocol: MQTT\r\n\r\n").encode() + behind)
        return device, connection

    # [MQTT5-6.0.0-1] [MQTT5-6.0.0-2] [MQTT5-6.0.0-3]
    def test_frames_need_not_be_packets_pings_are_answered_and_text_ends_the_connection(self):
        # The first frame comes in one piece with the head.
        device, connection = self.upgraded(behind=b"\x02\x01\x20")
        frames = Frames(connection)
        self.assertEqual(frames.read()[0], 2)
        # The rest of CONNACK: two fragments, with a ping between them, and an empty frame.
        connection.sendall(b"\x00\x02\x03\x00" + b"\x89\x02hi" + b"\x80\x00" + b"\x82\x02\x00\x00")
        device.wait_log("online")
        self.assertIn((10, b"hi"), [frames.read() for _ in range(2)])
        connection.sendall(b"\x81\x02hi")
        device.wait_log("sends text where MQTT is binary")

    def test_frames_that_are_none_end_the_connection_and_cost_nothing(self):
        for frame in (b"\x83\x7f\x3f" + b"\0" * 7 + b"x" * 100, b"\x89\x7e\x01\x00" + b"x" * 256, b"\x09\x01x",
                      b"\x82\x81abcdx", b"\xc2\x01x"):
            device, connection = self.upgraded()
            connection.sendall(frame)
            device.wait_log("frames that are no WebSocket's")
            self.assertTrue(device.is_running)
            connection.close()
            device.close()

    def test_a_long_answer_in_one_piece_is_read_to_its_end(self):
        device, connection = self.upgraded("X-Padding: " + "x" * 2500 + "\r\n", tls=True)
        connection.sendall(b"\x82\x05\x20\x03\x00\x00\x00")
        device.wait_log("online")

    def test_an_answer_that_upgrades_to_nothing_is_refused(self):
        device, _ = self.upgraded(head="Upgrade: h2c\r\nConnection: Upgrade\r\n")
        device.wait_log("does not understand WebSockets")
        device, _ = self.upgraded(head="Upgrade: websocket\r\n")
        device.wait_log("does not understand WebSockets")

    # [MQTT5-6.0.0-4]
    def test_a_server_that_speaks_no_websocket_is_named_as_such(self):
        def serve(reply):
            server = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(server.close)
            self.requests = []

            def work():
                with contextlib.suppress(OSError):
                    while True:
                        connection = server.accept()[0]
                        request = b""
                        while not request.endswith(b"\r\n\r\n") and (data := connection.recv(4096)):
                            request += data
                        self.requests.append(request)
                        connection.sendall(reply)
                        connection.close()
            threading.Thread(target=work, daemon=True).start()
            return f"ws://127.0.0.1:{server.getsockname()[1]}/some/where?x=1"
        for reply, words in (
                (b"HTTP/1.1 404 Not Found\r\n\r\n", "refuses the WebSocket: HTTP/1.1 404 Not Found"),
                (b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: x\r\n\r\n", "does not understand WebSockets"),
                (b"HTTP/1.1 101 Yes\r\n" + b"a" * 5000, "has no end"),
                (b"", "closed by the broker during the WebSocket's handshake")):
            device = self.connect(serve(reply), ", headers: ['X-Key: 42']")
            device.wait_log(words)
            head = self.requests[0].decode().split("\r\n")
            self.assertEqual(head[0], "GET /some/where?x=1 HTTP/1.1")
            self.assertIn("Sec-WebSocket-Protocol: mqtt", head)
            self.assertIn("X-Key: 42", head)
            device.close()


class Frames:
    """The masked frames of a client: opcode and payload, short ones."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(PATIENCE)

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def read(self):
        first, second = self.take(2)
        if not second & 0x80:
            raise AssertionError("a client masks its frames")
        count = second & 0x7F
        if count == 126:
            count = int.from_bytes(self.take(2), "big")
        mask = self.take(4)
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.take(count)))


class Elsewhere(WithTransports):

    def test_commands_are_obeyed_over_a_local_socket(self):
        wait_until(lambda: os.path.exists(self.socket), what="the broker's socket is there")
        self.obeys(self.connect(f"unix://{self.socket}"))

    def test_check_shows_how_each_broker_is_spoken_to(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(configuration(
                "{ url: [mqtts://a, 'wss://b:8443/mqtt', mqtt://c], tls: { insecure: on } }", RELAY))
            file.flush()
            shown = run("check", file.name).stdout
        self.assertIn("mqtts://a:8883, else wss://b:8443/mqtt, else c:1883, ANY certificate is taken", shown)


class Failover(unittest.TestCase):

    def test_the_next_broker_takes_over_and_the_first_one_takes_back(self):
        with Broker() as first, Broker() as second:
            device = Device(configuration(
                f"{{ url: ['mqtt://127.0.0.1:{first.port}', 'mqtt://127.0.0.1:{second.port}'],"
                " keep_alive: 5s, failback: 1s }", RELAY))
            self.addCleanup(device.close)
            with Observer(first.port) as observer:
                observer.wait(AVAILABILITY, b"online")
            first.kill()
            with Observer(second.port) as observer:
                observer.wait(AVAILABILITY, b"online")
                observer.publish(f"{PREFIX}/fan/set", "ON")
                observer.wait(f"{PREFIX}/fan/state", b"ON")
                first.start()
                device.wait_log("the first broker is back")
            with Observer(first.port) as observer:
                observer.wait(AVAILABILITY, b"online")
                observer.wait(f"{PREFIX}/fan/state", b"ON")


if __name__ == "__main__":
    unittest.main()
