"""A wire between the program and its broker that a test can put a command on, past the broker.

A command's way through the observer and the broker costs more processor time here than the program's
own part of it; what is measured must not be theirs.
"""

import socket
import threading
import time


class Wire:
    def __init__(self, broker):
        self.log_path = broker.log_path
        self.broker_port = broker.port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.client = None
        threading.Thread(target=self._connect, daemon=True).start()

    def _connect(self):
        self.client, _ = self.listener.accept()
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        broker = socket.create_connection(("127.0.0.1", self.broker_port))
        for source, sink in ((self.client, broker), (broker, self.client)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass_on(source, sink):
        try:
            while data := source.recv(4096):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            end.close()

    def command(self, topic, payload):
        """Sends a PUBLISH of QoS 0 without properties (MQTT 5.0, 3.3); answers the moment before. The broker must have
        nothing to say meanwhile."""
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + b"\0" + payload.encode()
        assert len(body) < 128
        packet = bytes([0x30, len(body)]) + body
        at = time.monotonic()
        self.client.sendall(packet)
        return at

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
