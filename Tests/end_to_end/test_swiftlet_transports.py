"""`swiftlet pub` and `swiftlet sub` over every transport, and as whom: mosquitto, and brokers that look closely."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from harness.certificates import Certificates
from harness.fake_broker import CONNECT, PUBLISH
from harness.mqtt import Broker, Observer, free_port, wait_until
from harness.waiting import PATIENCE

from .test_authentication import ScramBroker
from .test_swiftlet_pub_sub import program, run


NEEDS_INTERFACE = "a link-local address needs its interface: [fe80::1%eth0]"


class Transports(unittest.TestCase):
    """One broker with a listener for each transport."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="swiftlet-certificates-")
        cls.addClassCleanup(shutil.rmtree, directory)
        os.chmod(directory, 0o755)
        cls.files = files = Certificates(directory)
        cls.ports = {name: free_port() for name in ("tls", "client", "ws", "wss")}
        cls.socket = os.path.join(directory, "mqtt.sock")

        def tls(name, more=""):
            return (f"listener {cls.ports[name]} 127.0.0.1\n{more}"
                    f"certfile {files.path('server.crt')}\nkeyfile {files.path('server.key')}\n")
        cls.broker = Broker(settings="allow_anonymous true\n" + "".join([
            tls("tls"), tls("client", f"cafile {files.path('ca.crt')}\nrequire_certificate true\n"),
            tls("wss", "protocol websockets\n"),
            f"listener {cls.ports['ws']} 127.0.0.1\nprotocol websockets\n", f"listener 0 {cls.socket}\n"]))
        cls.addClassCleanup(cls.broker.close)
        cls.ca = ["--cafile", files.path("ca.crt")]
        cls.certificate = ["--cert", files.path("client.crt"), "--key", files.path("client.key")]

    def url(self, scheme, name):
        return ["-L", f"{scheme}://localhost:{self.ports[name]}"]

    def talks(self, *server):
        """What pub publishes through the options, sub prints through the same."""
        topic = f"t/{self.id()}/{time.monotonic()}"
        result = run("pub", *server, "-t", topic, "-m", "there", "-q", "1", "-r")
        self.assertEqual((result.returncode, result.stderr), (0, b""), server)
        result = run("sub", *server, "-t", topic, "-C", "1", "-W", "60")
        self.assertEqual((result.returncode, result.stdout), (0, b"there\n"), server)

    def refused(self, text, *server):
        result = run("pub", *server, "-t", "t", "-m", "x", "-q", "1")
        self.assertEqual(result.returncode, 1, server)
        self.assertIn(text, result.stderr.decode())

    def test_an_authority_that_comes_out_of_a_pipe_is_read_once(self):
        with open(self.files.path("ca.crt"), "rb") as file:
            ca = file.read()
        reading, writing = os.pipe()
        os.write(writing, ca)
        os.close(writing)
        result = run("pub", *self.url("mqtts", "tls"), "-t", "a", "-m", "x", "--cafile", f"/dev/fd/{reading}",
                     pass_fds=[reading])
        os.close(reading)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_tls_with_an_authority_as_file_and_as_directory(self):
        self.talks(*self.url("mqtts", "tls"), *self.ca)
        self.talks("-h", "localhost", "-p", str(self.ports["tls"]), *self.ca)
        directory = tempfile.mkdtemp(dir=self.files.directory)
        shutil.copy(self.files.path("ca.crt"), directory)
        subprocess.run(["openssl", "rehash", directory], check=True)
        self.talks(*self.url("mqtts", "tls"), "--capath", directory)

    def test_an_unknown_authority_is_refused_and_the_option_is_named(self):
        self.refused("give the authority that signed it with --cafile or --capath", *self.url("mqtts", "tls"))
        self.refused("certificate is not accepted", *self.url("mqtts", "tls"),
                     "--cafile", self.files.path("strange.crt"))

    def test_insecure_takes_any_certificate_and_is_reported_loudly(self):
        result = run("pub", *self.url("mqtts", "tls"), "--insecure", "-t", "t", "-m", "x")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"warning: --insecure", result.stderr)

    def test_a_pin_decides_alone_or_beside_an_authority(self):
        pin = self.files.pin("server")
        colons = ":".join(pin[i:i + 2] for i in range(0, 64, 2)).upper()
        self.talks(*self.url("mqtts", "tls"), "--pin", pin)
        self.talks(*self.url("mqtts", "tls"), *self.ca, "--pin", colons)
        self.refused("pin", *self.url("mqtts", "tls"), *self.ca, "--pin", self.files.pin("elsewhere"))

    def test_a_client_certificate_is_shown_where_it_is_wanted(self):
        self.talks(*self.url("mqtts", "client"), *self.ca, *self.certificate)
        self.refused("", *self.url("mqtts", "client"), *self.ca)

    def test_an_encrypted_key_is_opened_by_its_password_and_nobody_is_asked(self):
        """Without a terminal OpenSSL would take the password from what is to be published."""
        self.files.openssl("ec", "-in", "client.key", "-aes128", "-passout", "pass:sesame", "-out", "encrypted.key")
        server = [*self.url("mqtts", "client"), *self.ca, "--cert", self.files.path("client.crt"),
                  "--key", self.files.path("encrypted.key")]
        self.talks(*server, "--key-password", "sesame")
        for password, words in (([], "it is encrypted: give its password, --key-password"),
                                (["--key-password", "simsim"], "its password is another one than --key-password")):
            result = run("pub", *server, *password, "-t", "t", "-l", "-q", "1", input=b"sesame\nline2\n",
                         start_new_session=True)
            self.assertEqual((result.returncode, result.stdout), (1, b""), result.stderr)
            self.assertIn(f"encrypted.key cannot be used: {words}", result.stderr.decode())
            self.assertNotIn("is the server running", result.stderr.decode())

    def test_websockets_with_and_without_tls(self):
        self.talks(*self.url("ws", "ws"))
        self.talks(*self.url("wss", "wss"), *self.ca)
        self.talks("-h", "localhost", "-p", str(self.ports["wss"]), "--ws", "--path", "/mqtt", *self.ca)

    def test_a_local_socket(self):
        self.talks("--unix", self.socket)
        self.talks("-L", f"unix://{self.socket}")
        self.refused("nobody.sock: No such file or directory", "--unix", "/tmp/nobody.sock")

    def test_a_proxy(self):
        port = free_port()
        proxy = subprocess.Popen(["microsocks", "-i", "127.0.0.1", "-p", str(port)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait_until(answers, what="microsocks listens")
        self.talks(*self.url("mqtts", "tls"), *self.ca, "--proxy", f"socks5://127.0.0.1:{port}")
        self.refused("the proxy: Connection refused", *self.url("ws", "ws"), "--proxy",
                     f"socks5://127.0.0.1:{free_port()}")

    def test_usage(self):
        for arguments, text in [
                (["-L", "mqtt://h", *self.ca], "write mqtts:// or wss://"),
                (["-L", "mqtt://h", "--header", "A: b"], "are for WebSockets"),
                (["-L", "ws://h", "--header", "nothing"], "'Name: value'"),
                (["-L", "mqtts://h", "--pin", "12"], "64 hexadecimal digits"),
                (["-L", "mqtts://h", *self.ca, "--insecure"], "contradict each other"),
                (["-L", "unix:///s", "--proxy", "socks5://h"], "no effect with a local socket"),
                (["-L", "mqtt://h", "--proxy", "h"], "the proxy's URL has no scheme; write socks5://HOST"),
                (["-h", "fe80::1"], NEEDS_INTERFACE),
                (["-L", "mqtt://[fe80::1]"], NEEDS_INTERFACE),
                (["-L", "mqtts://[febf::1]:8883"], NEEDS_INTERFACE),
                (["-L", "mqtt://h", "--proxy", "socks5://[fe80::1]"], NEEDS_INTERFACE),
                (["-L", "http://h"], "unknown scheme 'http' in the broker URL; write mqtt://, mqtts://, ws://, wss:// or unix://"),
                # As in a device file.
                (["-L", "mqtt://u:a#b@h"], "the broker URL goes on after the host; leave the path out, or in a password"),
                (["-L", "mqtt://u:a/b@h"], "the broker URL goes on after the host; leave the path out, or in a password"),
                (["-L", "mqtt://h/some/path"], "--url ends with a topic, and --topic is another"),
                (["-L", "mqtt://h:0"], "the port in the broker URL must be a number from 1 to 65535"),
                (["-h", "mqtt://h"], "--host is a name or an address alone; a URL is given with --url (-L)"),
                (["-h", "host:1883"], "write --host host --port 1883"),
                (["-h", "me@host"], "--host 'me@host' is no name and no address"),
                (["-h", "a/b"], "--host 'a/b' is no name and no address"),
                (["-h", "h", "-p", "0"], "--port is from 1 to 65535"),
                (["-L", "mqtt://h", "-h", "h"], "leave out --host"),
                (["-L", "mqtt://h", "--auth", "scram-sha-256", "-V", "3.1.1"], "needs -V 5")]:
            result = run("pub", *arguments, "-t", "t", "-m", "x")
            self.assertEqual(result.returncode, 64, (arguments, result.stderr))
            self.assertIn(text, result.stderr.decode())


class Closely(unittest.TestCase):
    """Servers that look at what a client says before MQTT."""

    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(PATIENCE)
        self.addCleanup(listener.close)
        return listener, listener.getsockname()[1]

    def start(self, *arguments):
        process = subprocess.Popen([program(), "pub", "-t", "t", "-m", "x", *arguments], stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)

    def test_path_and_headers_are_in_the_request(self):
        listener, port = self.listen()
        self.start("-L", f"ws://127.0.0.1:{port}/a/b?c=d", "--header", "Authorization: Bearer x y",
                   "--header", "X-Site: 4")
        connection, _ = listener.accept()
        self.addCleanup(connection.close)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        self.assertTrue(head.startswith(b"GET /a/b?c=d HTTP/1.1\r\n"), head)
        self.assertIn(b"\r\nAuthorization: Bearer x y\r\nX-Site: 4\r\n", head)

    def test_the_protocol_is_named_in_the_handshake(self):
        with tempfile.TemporaryDirectory() as directory:
            files = Certificates(directory)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.path("server.crt"), files.path("server.key"))
            context.set_alpn_protocols(["mqtt", "x-amzn-mqtt-ca"])
            for options, expected in (([], "mqtt"), (["--alpn", "x-amzn-mqtt-ca"], "x-amzn-mqtt-ca")):
                listener, port = self.listen()
                self.start("-L", f"mqtts://localhost:{port}", "--cafile", files.path("ca.crt"), *options)
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) as secure:
                    self.assertEqual(secure.selected_alpn_protocol(), expected)


class Scram(unittest.TestCase):
    def publish(self, password):
        """A running `swiftlet pub` and what its broker has heard of it."""
        broker = ScramBroker(b"pen,cil")
        self.addCleanup(broker.close)
        process = subprocess.Popen(
            [program(), "pub", "-L", f"mqtt://127.0.0.1:{broker.port}", "-u", "us=er", "--auth", "scram-sha-256",
             "-t", "t", "-m", "x", "-q", "1"],
            env={**os.environ, "SWIFTLET_PASSWORD": password}, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        broker.accept_socket()
        connect = broker.expect(CONNECT)
        self.assertNotIn(b"pen,cil", connect.body)
        self.assertEqual(connect.body[7] & 0xC0, 0, "neither user name nor password in CONNECT")
        return process, broker, broker.verify(*broker.challenge(connect))

    def test_both_sides_know_the_password_and_it_is_not_sent(self):
        process, broker, (right, verdict) = self.publish("pen,cil")
        self.assertTrue(right)
        broker.welcome(verdict)
        self.assertEqual(broker.expect(PUBLISH).topic, "t")
        self.assertEqual((process.communicate(timeout=PATIENCE)[1], process.returncode), (b"", 0))

    def test_a_wrong_password_proves_nothing_and_the_refusal_is_told(self):
        process, broker, (right, _) = self.publish("pencil")
        self.assertFalse(right)
        broker.send(bytes([0x20, 3, 0, 0x86, 0]))
        self.assertIn(b"check user name and password", process.communicate(timeout=PATIENCE)[1])
        self.assertEqual(process.returncode, 1)

    def test_a_server_that_does_not_know_the_password_is_not_believed(self):
        process, broker, _ = self.publish("pen,cil")
        broker.welcome(b"v=AAAA")
        self.assertIn(b"the server could not prove who it is", process.communicate(timeout=PATIENCE)[1])
        self.assertEqual(process.returncode, 1)

    def test_passwords_with_several_spellings_are_refused(self):
        result = run("pub", "-u", "me", "-P", "gehe\u00efm", "--auth", "scram-sha-256", "-t", "t", "-m", "x")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"ASCII characters only", result.stderr)


class Failover(unittest.TestCase):
    def test_pub_takes_the_first_server_that_is_there(self):
        with Broker() as broker, Observer(broker.port) as observer:
            result = run("pub", "-L", f"mqtt://127.0.0.1:{free_port()}", "-L", f"mqtt://127.0.0.1:{broker.port}/t",
                         "-m", "x", "-q", "1")
            self.assertEqual(result.returncode, 0, result.stderr)
            observer.wait("t", b"x")

    def test_all_servers_are_tried_before_it_is_an_error(self):
        first, second = free_port(), free_port()
        result = run("pub", "-L", f"mqtt://127.0.0.1:{first}", "-L", f"mqtt://127.0.0.1:{second}", "-t", "t", "-m", "x")
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"127.0.0.1:{second}: Connection refused".encode(), result.stderr)

    def test_sub_goes_back_to_the_first_server(self):
        first, second = Broker(), Broker()
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        first.kill()
        process = subprocess.Popen(
            [program(), "sub", "-L", f"mqtt://127.0.0.1:{first.port}", "-L", f"mqtt://127.0.0.1:{second.port}",
             "--failback", "1", "-t", "t", "-q", "1"], stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(process.kill)

        def arrives(broker, text):
            with Observer(broker.port) as observer:
                done = threading.Event()

                def publish():
                    while not done.wait(0.2):
                        observer.publish("t", text)
                thread = threading.Thread(target=publish)
                thread.start()
                try:
                    return process.stdout.readline()
                finally:
                    done.set()
                    thread.join()
        self.assertEqual(arrives(second, "second"), b"second\n")
        first.start()
        while (line := arrives(first, "first")) == b"second\n":
            pass
        self.assertEqual(line, b"first\n")
        process.kill()
        process.communicate(timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
