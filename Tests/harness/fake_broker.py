"""A broker that can be as wrong as a test wants: it serves one client at a time and sends any bytes."""

import select
import socket
import struct
import threading
import time

from .waiting import PATIENCE

CONNECT, PUBLISH, PUBACK, PUBREC, PUBCOMP, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 5, 7, 8, 12, 14


def length(number):
    """The variable byte integer of MQTT."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def packet(first, body):
    return bytes([first]) + length(len(body)) + body


def publish(topic, payload, qos=0, retain=False, packet_id=1):
    topic = topic if isinstance(topic, bytes) else topic.encode()
    body = struct.pack(">H", len(topic)) + topic
    if qos:
        body += struct.pack(">H", packet_id)
    return packet(0x30 | qos << 1 | retain, body + payload)


class Packet:
    def __init__(self, first, body):
        self.type, self.flags, self.body = first >> 4, first & 15, body

    @property
    def topic(self):
        return self.body[2:2 + struct.unpack(">H", self.body[:2])[0]].decode()

    @property
    def payload(self):
        """Of a PUBLISH."""
        start = 2 + len(self.topic) + (2 if self.flags & 6 else 0)
        return self.body[start:]

    @property
    def filters(self):
        """Of a SUBSCRIBE of 3.1.1."""
        found, position = [], 2
        while position < len(self.body):
            end = position + 2 + struct.unpack(">H", self.body[position:position + 2])[0]
            found.append(self.body[position + 2:end].decode())
            position = end + 1
        return found


class Closed(Exception):
    """The client has closed the connection."""


class Wire:
    """One end of a connection, with packets instead of bytes."""

    def __init__(self, connection=None):
        self.client = connection
        self.buffer = b""

    def send(self, data):
        self.client.settimeout(PATIENCE)
        self.client.sendall(data)

    def read(self, timeout=PATIENCE):
        """The next packet; what has to be answered is answered."""
        deadline = time.monotonic() + timeout
        while True:
            found = self._take()
            if found:
                try:
                    self._answer(found)
                except ConnectionError:
                    # It has closed; the next read says so.
                    pass
                return found
            self.client.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.client.recv(65536)
            except socket.timeout:
                raise TimeoutError(f"no packet within {timeout} s") from None
            except ConnectionError:
                raise Closed from None
            if not data:
                raise Closed
            self.buffer += data

    def expect(self, kind, topic=None, timeout=PATIENCE):
        """The next packet of that type (and topic); others before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.read(max(0.001, deadline - time.monotonic()))
            if found.type == kind and (topic is None or found.topic == topic):
                return found

    def expect_close(self, timeout=PATIENCE):
        """Reads until the client closes."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.read(max(0.001, deadline - time.monotonic()))
            except Closed:
                return

    def _take(self):
        remaining, shift = 0, 0
        for index in range(1, min(5, len(self.buffer))):
            remaining |= (self.buffer[index] & 127) << shift
            shift += 7
            if self.buffer[index] < 128:
                end = index + 1 + remaining
                if len(self.buffer) < end:
                    return None
                found = Packet(self.buffer[0], self.buffer[index + 1:end])
                self.buffer = self.buffer[end:]
                return found
        return None

    def _answer(self, found):
        if found.type == SUBSCRIBE:
            self.send(packet(0x90, found.body[:2] + b"\1" * len(found.filters)))
        elif found.type == PINGREQ:
            self.send(packet(0xD0, b""))
        elif found.type == PUBLISH and found.flags & 6:
            start = 2 + len(found.topic)
            self.send(packet(0x40, found.body[start:start + 2]))

    def discard_until(self, marker):
        """Reads and forgets in the background until the bytes `marker` have come: the event is then set."""
        found = threading.Event()
        source = self.client.dup()

        def work():
            tail = b""
            with source:
                while marker not in tail:
                    if not select.select([source], [], [], PATIENCE)[0]:
                        return
                    data = source.recv(65536)
                    if not data:
                        return
                    tail = tail[-len(marker):] + data
            found.set()

        threading.Thread(target=work, daemon=True).start()
        return found

    def drop(self):
        if self.client:
            self.client.close()
            self.client = None

    def close(self):
        self.drop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FakeBroker(Wire):
    """`with FakeBroker() as broker: broker.accept()`; the test is the broker's thread, save for the acceptance
    of connections, which the kernel does."""

    def __init__(self, window=None, host="127.0.0.1", port=0):
        """`window`: bytes the kernel takes in for us before the client is held up."""
        super().__init__()
        self.listener = socket.socket()
        if window:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]
        self.accepted_at = []

    def accept_socket(self, timeout=PATIENCE):
        """The next TCP connection, and nothing more."""
        self.drop()
        self.listener.settimeout(timeout)
        self.client, _ = self.listener.accept()
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted_at.append(time.monotonic())
        self.buffer = b""

    def accept(self, timeout=PATIENCE):
        """The next client, greeted and subscribed; answers its CONNECT. It speaks 3.1.1 only, as a client of
        5.0 finds out."""
        self.accept_socket(timeout)
        connect = self.expect(CONNECT)
        if connect.body[6] == 5:
            self.send(packet(0x20, b"\0\1"))
            self.accept_socket(timeout)
            connect = self.expect(CONNECT)
        self.send(packet(0x20, b"\0\0"))
        self.expect(SUBSCRIBE)
        return connect

    def close(self):
        super().close()
        self.listener.close()
