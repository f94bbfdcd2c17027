"""A server for one client on TCP, TLS, WebSocket or WebSocket on TLS, which answers what must be answered."""

import base64
import hashlib
import socket
import struct
import threading

from harness.fake_broker import packet, publish

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# Messages of one write to a subscriber.
BLOCK = 20


class StreamServer:
    """`with StreamServer("wss", context, 1000) as server: ...server.port`; `context` is TLS's, `messages` go to a
    subscriber: at QoS 1 twenty at a time."""

    def __init__(self, scheme, context, messages):
        self.is_websocket = scheme.startswith("ws")
        self.context = context if scheme in ("tls", "wss") else None
        self.messages = messages
        self.qos = self.unanswered = 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection:
            try:
                if self.is_websocket:
                    self.shake_hands(connection)
                self.serve(connection)
            except OSError:
                return

    def shake_hands(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
        key = next(line.split(b": ", 1)[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        assert lines[b"upgrade"] == b"websocket"
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    def serve(self, connection):
        raw, plain = b"", b""
        while True:
            data = connection.recv(1 << 18)
            if not data:
                return
            raw += data
            if self.is_websocket:
                more, raw = unframe(raw)
                plain += more
            else:
                plain, raw = plain + raw, b""
            answer, plain = self.answers(plain)
            answer += self.more()
            if answer:
                connection.sendall(frame(answer) if self.is_websocket else answer)

    def answers(self, data):
        """What is answered to the packets that are complete, and the rest."""
        found, at = b"", 0
        while len(data) - at >= 2:
            length, header = data[at + 1], 2
            if length > 127:
                if len(data) - at < 3:
                    break
                length, header = length & 127 | data[at + 2] << 7, 3
            if len(data) - at < header + length:
                break
            found += self.answer(data[at], data[at + header:at + header + length])
            at += header + length
        return found, data[at:]

    def answer(self, first, body):
        kind = first >> 4
        if kind == 1:
            self.is_v5 = body[6] == 5
            return packet(0x20, b"\0\0" + self.no_properties)
        if kind == 3 and first & 6:
            start = 2 + struct.unpack(">H", body[:2])[0]
            return packet(0x40 if first & 2 else 0x50, body[start:start + 2])
        if kind in (4, 7):
            self.unanswered -= 1
        if kind in (5, 6):
            return packet(0x62 if kind == 5 else 0x70, body[:2])
        if kind == 8:
            self.qos = body[-1] & 3
            self.is_subscribed = True
            return packet(0x90, body[:2] + self.no_properties + body[-1:])
        return b""

    @property
    def no_properties(self):
        return b"\0" if self.is_v5 else b""

    is_subscribed = is_v5 = False

    def more(self):
        """What goes to the subscriber now."""
        if not self.is_subscribed or self.unanswered or not self.messages:
            return b""
        count = min(BLOCK if self.qos else self.messages, self.messages)
        self.messages -= count
        if self.qos:
            self.unanswered = count
        return b"".join(publish("bench/rcv/t0", self.no_properties + b"x" * 64, self.qos, packet_id=1 + number % BLOCK)
                        for number in range(count))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(10)


def unframe(data):
    """Payload of the complete frames of a client, and the rest."""
    found, at = b"", 0
    while len(data) - at >= 6:
        count, header = data[at + 1] & 127, 2
        if count == 126:
            count, header = struct.unpack(">H", data[at + 2:at + 4])[0], 4
        if len(data) - at < header + 4 + count:
            break
        mask = data[at + header:at + header + 4]
        payload = data[at + header + 4:at + header + 4 + count]
        key = (mask * (count // 4 + 1))[:count]
        found += (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(count, "big")
        at += header + 4 + count
    return found, data[at:]


def frame(payload):
    """Frames of at most 16 KiB."""
    if len(payload) > 16384:
        return frame(payload[:16384]) + frame(payload[16384:])
    if len(payload) < 126:
        return bytes([0x82, len(payload)]) + payload
    return b"\x82\x7e" + struct.pack(">H", len(payload)) + payload
