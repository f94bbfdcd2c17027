"""The ways to a broker: a host's addresses, and proxies, which are Debian's microsocks and tinyproxy."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from harness.certificates import Certificates
from harness.device import Device, configuration, may_unshare, run
from harness.fake_broker import CONNECT, FakeBroker
from harness.mqtt import Broker, Observer, free_port, wait_until
from harness.waiting import pulse

from .support import AVAILABILITY, PREFIX

RELAY = "  - relay: fan\n    line: GPIO5\n"

# The file `hosts` beside the device file as /etc/hosts, in the program's own view of the file system.
OWN_HOSTS = 'mount --bind hosts /etc/hosts && exec "$@"'


class Silent:
    """A listener whose queue is full says nothing to who comes, as a wrong IPv6 route does."""

    def __init__(self, host):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sockets = [socket.socket(family)]
        self.sockets[0].bind((host, 0))
        self.sockets[0].listen(0)
        self.port = self.sockets[0].getsockname()[1]
        for _ in range(3):
            guest = socket.socket(family)
            guest.setblocking(False)
            guest.connect_ex((host, self.port))
            self.sockets.append(guest)

    def close(self):
        for one in self.sockets:
            one.close()


@unittest.skipUnless(may_unshare(), "needs unprivileged namespaces")
class Addresses(unittest.TestCase):

    def seek(self, port, *addresses):
        device = Device(
            configuration(f"mqtt://broker.example:{port}", RELAY),
            files={"hosts": "".join(f"{address} broker.example\n" for address in addresses)},
            wrapper=["unshare", "--map-root-user", "--mount", "sh", "-c", OWN_HOSTS, "sh"])
        self.addCleanup(device.close)
        return device

    def usual(self, host):
        """Seconds until a broker is connected whose address is the only one."""
        with FakeBroker(host=host) as broker:
            begin = time.monotonic()
            device = self.seek(broker.port, host)
            broker.accept()
            device.close()
            return time.monotonic() - begin

    def check_found_beside(self, silent_host, host, *addresses):
        """The broker at `host` is found that has a silent address beside it, which is tried first: for a while, and not
        until the attempt is given up."""
        usual = self.usual(host)
        silent, broker = self.pair(silent_host, host)
        self.addCleanup(silent.close)
        with broker:
            begin = time.monotonic()
            device = self.seek(silent.port, *addresses)
            broker.accept()
            seconds = time.monotonic() - begin
            self.assertGreater(seconds, 0.2, "the silent address was not tried")
            self.assertLess(seconds - usual - pulse.allowance(begin), 1.2)
            device.wait_log("online")
            self.assertNotIn("trying again", device.log)

    def pair(self, silent_host, host):
        """Both on one port, which somebody else may have at the second address."""
        for _ in range(20):
            silent = Silent(silent_host)
            try:
                return silent, FakeBroker(host=host, port=silent.port)
            except OSError:
                silent.close()
        self.fail("no port is free at both addresses")

    def test_an_ipv6_route_that_swallows_everything_costs_a_quarter_of_a_second(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 here")
        self.check_found_beside("::1", "127.0.0.1", "::1", "127.0.0.1")

    def test_of_several_addresses_of_one_family_the_one_that_answers_is_found(self):
        self.check_found_beside("127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2")

    def test_an_address_that_refuses_costs_nothing(self):
        usual = self.usual("127.0.0.2")
        with FakeBroker(host="127.0.0.2") as broker:
            # As long as a silent one, they would cost a quarter of a second each.
            refusing = [f"127.0.0.{number}" for number in range(3, 10)]
            begin = time.monotonic()
            device = self.seek(broker.port, *refusing, "127.0.0.2")
            broker.accept()
            self.assertLess(time.monotonic() - begin - usual - pulse.allowance(begin), len(refusing) * 0.25)
            self.assertNotIn("refused", device.log)

    def test_many_addresses_of_one_family_do_not_hide_the_other_one(self):
        with FakeBroker() as broker:
            self.seek(broker.port, *["::1"] * 9, "127.0.0.1")
            broker.accept()

    def test_a_refusal_tells_more_than_an_address_without_a_way_to_it(self):
        # There is no TCP to a multicast address.
        self.seek(free_port(), "127.0.0.1", "ff02::1").wait_log("Connection refused")

    def test_a_link_local_address_without_its_interface_is_said_and_others_are_tried(self):
        for host in ("fe80::1", "febf::1"):
            device = self.seek(free_port(), host)
            device.wait_log("broker broker.example:[0-9]+: a link-local address needs its interface: "
                            r"\[fe80::1%eth0\]")
        with FakeBroker() as broker:
            device = self.seek(broker.port, "fe80::1", "127.0.0.1")
            broker.accept()
            self.assertNotIn("link-local", device.log)

    def test_when_every_address_refuses_that_is_said_once_for_all(self):
        device = self.seek(free_port(), "127.0.0.1", "127.0.0.2")
        device.wait_log("broker broker.example:[0-9]+: Connection refused")
        self.assertEqual(device.log.count("Connection refused"), 1)


class Proxies(unittest.TestCase):
    """One broker with MQTT, TLS and WebSocket; the proxies stand between it and the device."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="swiftlet-proxies-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        os.chmod(cls.directory, 0o755)
        cls.files = Certificates(cls.directory)
        cls.tls, cls.ws = free_port(), free_port()
        cls.broker = Broker(settings=(
            "allow_anonymous true\n"
            f"listener {cls.tls} 127.0.0.1\ncertfile {cls.files.path('server.crt')}\n"
            f"keyfile {cls.files.path('server.key')}\n"
            f"listener {cls.ws} 127.0.0.1\nprotocol websockets\n"))
        cls.addClassCleanup(cls.broker.close)

    def serve(self, *command, port):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def end():
            process.kill()
            process.wait()
        self.addCleanup(end)
        wait_until(lambda: self.answers(port), what=f"{command[0]} listens")
        return process

    def answers(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def socks(self, *options):
        port = free_port()
        return port, self.serve("microsocks", "-i", "127.0.0.1", "-p", str(port), *options, port=port)

    def http(self, more=""):
        port = free_port()
        path = os.path.join(self.directory, f"tinyproxy-{port}.conf")
        with open(path, "w") as file:
            file.write(f"Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 20\n{more}")
        return port, self.serve("tinyproxy", "-d", "-c", path, port=port)

    def connect(self, url, proxy, more=""):
        device = Device(configuration(
            f"{{ url: '{url}', proxy: '{proxy}', keep_alive: 5s{more} }}", RELAY))
        self.addCleanup(device.close)
        return device

    def obeys(self, device):
        device.wait_log("online")
        with Observer(self.broker.port) as observer:
            observer.wait(AVAILABILITY, b"online")
            for payload in ("ON", "OFF"):
                def is_obeyed():
                    observer.publish(f"{PREFIX}/fan/set", payload)
                    observer.fence()
                    return any(m.topic == f"{PREFIX}/fan/state" and m.payload == payload.encode()
                               for m in observer.messages)
                wait_until(is_obeyed, what=f"{payload} is obeyed")

    def test_commands_are_obeyed_through_a_socks_proxy_and_not_without_it(self):
        port, proxy = self.socks()
        device = self.connect(f"mqtt://127.0.0.1:{self.broker.port}", f"socks5://127.0.0.1:{port}")
        self.obeys(device)
        proxy.kill()
        device.wait_log("offline")
        device.wait_log("the proxy: Connection refused")

    def test_names_are_looked_up_by_the_proxy(self):
        port, _ = self.socks()
        device = self.connect("mqtt://no-such-host.invalid", f"socks5://127.0.0.1:{port}")
        device.wait_log("the proxy does not reach the broker|the proxy fails")

    def test_tls_and_websockets_go_through_socks_with_a_password(self):
        port, _ = self.socks("-u", "me", "-P", "s3cret word")
        proxy = f"socks5://me:s3cret%20word@127.0.0.1:{port}"
        ca = f", tls: {{ ca: {self.files.path('ca.crt')} }}"
        tls = self.connect(f"mqtts://localhost:{self.tls}", proxy, ca)
        self.obeys(tls)
        tls.close()
        self.obeys(self.connect(f"ws://127.0.0.1:{self.ws}", proxy))

    def test_a_wrong_password_and_a_missing_one_are_told(self):
        port, _ = self.socks("-u", "me", "-P", "right")
        url = f"mqtt://127.0.0.1:{self.broker.port}"
        wrong = self.connect(url, f"socks5://me:wrong@127.0.0.1:{port}")
        line = wrong.wait_log("the proxy refuses user or password")
        self.assertNotIn("wrong", line.replace("the proxy refuses", ""))
        self.connect(url, f"socks5://127.0.0.1:{port}").wait_log("the proxy wants a user and a password")

    def test_everything_goes_through_an_http_proxy(self):
        port, proxy = self.http(more="BasicAuth me secret\n")
        address = f"http://me:secret@127.0.0.1:{port}"
        ca = f", tls: {{ ca: {self.files.path('ca.crt')} }}"
        for url, more in ((f"mqtt://127.0.0.1:{self.broker.port}", ""), (f"mqtts://localhost:{self.tls}", ca),
                          (f"ws://127.0.0.1:{self.ws}", "")):
            device = self.connect(url, address, more)
            self.obeys(device)
            device.close()
        refused = self.connect(f"mqtt://127.0.0.1:{self.broker.port}", f"http://127.0.0.1:{port}")
        refused.wait_log("the proxy refuses: HTTP/1.. 407")

    def test_a_broker_that_the_proxy_does_not_reach_is_told_from_a_proxy_that_is_not_there(self):
        port, _ = self.socks()
        device = self.connect(f"mqtt://127.0.0.1:{free_port()}", f"socks5://127.0.0.1:{port}")
        device.wait_log("the proxy: the broker refuses connections")
        nowhere = self.connect(f"mqtt://127.0.0.1:{self.broker.port}", f"http://127.0.0.1:{free_port()}")
        nowhere.wait_log("the proxy: Connection refused")

    def test_a_proxy_that_answers_byte_by_byte_is_understood(self):
        with FakeBroker() as broker:
            server = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(server.close)

            def relay():
                with server.accept()[0] as client:
                    while b"\r\n\r\n" not in client.recv(4096, socket.MSG_PEEK):
                        time.sleep(0.01)
                    client.recv(4096)
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for byte in b"HTTP/1.1 200 Fine\r\nVia: test\r\n\r\n":
                        client.sendall(bytes([byte]))
                        time.sleep(0.005)
                    with socket.create_connection(("127.0.0.1", broker.port)) as target:
                        target.sendall(client.recv(4096))
                        # Until the device leaves.
                        client.recv(4096)
            threading.Thread(target=relay, daemon=True).start()
            self.connect("mqtt://broker.example:1883", f"http://127.0.0.1:{server.getsockname()[1]}")
            broker.accept_socket()
            broker.expect(CONNECT)

    def test_a_proxy_that_breaks_off_before_a_websocket_is_asked_for_is_told_once(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def work():
            with server.accept()[0] as client:
                client.recv(4096)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(b"HTTP/1.1 200 Fine\r\n\r\n")
        threading.Thread(target=work, daemon=True).start()
        device = self.connect("ws://broker.example", f"http://127.0.0.1:{server.getsockname()[1]}")
        device.wait_log("no connection to the broker")
        self.assertIn("during the WebSocket's handshake", device.log)
        self.assertEqual(device.log.count("warning: broker broker.example"), 1, device.log)

    def test_what_is_no_proxy_is_left_and_the_device_lives_on(self):
        for answer, words in ((b"\x05\x07", "takes no password|wants a user"), (b"HTTP", "does not speak SOCKS 5"),
                              (b"", "the proxy has closed the connection")):
            server = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(server.close)

            def work(server=server, answer=answer):
                try:
                    while True:
                        with server.accept()[0] as client:
                            client.recv(100)
                            client.sendall(answer)
                except OSError:
                    pass
            threading.Thread(target=work, daemon=True).start()
            device = self.connect("mqtt://broker.example", f"socks5://127.0.0.1:{server.getsockname()[1]}")
            device.wait_log(words)
            self.assertTrue(device.is_running)
            device.close()

    def test_check_shows_the_proxy_without_its_password(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(configuration("{ url: mqtt://broker, proxy: 'socks5://me:secret@gate' }", RELAY))
            file.flush()
            shown = run("check", file.name).stdout
        self.assertIn("broker:1883, through socks5://gate:1080", shown)
        self.assertNotIn("secret", shown)


if __name__ == "__main__":
    unittest.main()
