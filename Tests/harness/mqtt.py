"""A real broker on a free loopback port, and an observer that is not our own client."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as paho

from .reservation import free_port
from .waiting import PATIENCE, wait_until


class Broker:
    """mosquitto with settings of the test's own; kill() and start() again on the same port."""

    def __init__(self, port=None, settings="allow_anonymous true\n"):
        self.port = port or free_port()
        self.directory = tempfile.mkdtemp(prefix="swiftlet-broker-")
        self.log_path = os.path.join(self.directory, "log")
        self.settings_path = os.path.join(self.directory, "mosquitto.conf")
        with open(self.settings_path, "w") as file:
            file.write(f"listener {self.port} 127.0.0.1\nuser root\n{settings}")
        self.process = None
        self.start()

    def start(self):
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program, "-c", self.settings_path], stdout=log, stderr=subprocess.STDOUT)

        def is_up():
            if self.process.poll() is not None:
                raise RuntimeError(f"mosquitto ended:\n{self.log()}")
            return self.answers()
        wait_until(is_up, what="mosquitto answers")

    def log(self, since=0):
        """What it has written down, from that byte on."""
        with open(self.log_path, errors="replace") as file:
            file.seek(since)
            return file.read()

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# Topics of messages that only their sender looks at.
FENCES = "observers-fence/"


class Message:
    def __init__(self, topic, payload, retained, at):
        self.topic, self.payload, self.retained, self.at = topic, payload, retained, at

    def __repr__(self):
        return f"{self.topic} {self.payload!r}{' (retained)' if self.retained else ''}"


class Observer:
    """Subscribes to everything, keeps every message in order, and publishes."""

    def __init__(self, port, topic="#", session=None):
        """`session`: the name of a session that the broker keeps while the observer is away."""
        self.messages = []
        self.changed = threading.Condition()
        self.topic = topic
        self.fence_topic = f"{FENCES}{os.getpid()}-{id(self):x}"
        self.fences_seen = 0
        self.subscribed = threading.Event()
        # Version 2 of the library wants to be told which callbacks it shall make.
        version = getattr(paho, "CallbackAPIVersion", None)
        self.client = paho.Client(
            *([version.VERSION1] if version else []), client_id=session or f"observer-{os.getpid()}-{id(self):x}",
            clean_session=session is None)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(self.topic, qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_disconnect = lambda *_: self.subscribed.clear()
        self.client.on_message = self._received
        self.connecting(self.client)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if not self.subscribed.wait(PATIENCE):
            raise TimeoutError(f"observer: no SUBACK within {PATIENCE} s")

    def connecting(self, client):
        """For those who have more to say to the broker."""

    def _received(self, _client, _data, message):
        with self.changed:
            if message.topic == self.fence_topic:
                self.fences_seen += 1
            elif not message.topic.startswith(FENCES):
                self.messages.append(Message(
                    message.topic, message.payload, bool(message.retain), time.monotonic()))
            self.changed.notify_all()

    def mark(self):
        """A position in the log: pass it as `since` to wait only for what comes later."""
        with self.changed:
            return len(self.messages)

    def fence(self):
        """Until all that the broker has been sent before is here. Two messages to it and back, so that it has looked at
        everybody else in between."""
        for _ in range(2):
            with self.changed:
                goal = self.fences_seen + 1
            self.client.subscribe(self.fence_topic, qos=1)
            self.client.publish(self.fence_topic, b"", qos=1)
            with self.changed:
                if not self.changed.wait_for(lambda: self.fences_seen >= goal, PATIENCE):
                    raise TimeoutError("observer: the broker does not send back what it was sent")

    def wait(self, topic, payload=None, since=0, timeout=PATIENCE):
        """The first message on `topic` (payload: bytes, or a predicate) from position `since`."""
        def matches(message):
            if message.topic != topic:
                return False
            return payload is None or (
                payload(message.payload) if callable(payload) else message.payload == payload)

        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for message in self.messages[since:]:
                    if matches(message):
                        return message
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    seen = "\n  ".join(map(repr, self.messages[since:][-20:]))
                    raise TimeoutError(f"no {topic} {payload!r} within {timeout} s; seen:\n  {seen}")
                self.changed.wait(remaining)

    def publish(self, topic, payload, qos=1, retain=False):
        return self.client.publish(topic, payload, qos, retain)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
