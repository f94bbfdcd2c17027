"""What the end-to-end tests share."""

import concurrent.futures
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from harness.device import Device, configuration
from harness.mqtt import Broker, Observer
from harness.waiting import PATIENCE, pulse, wait_until

PREFIX = "swiftlet/bench"
AVAILABILITY = f"{PREFIX}/availability"


class WithBroker(unittest.TestCase):
    """Tests against one broker; each test has a device and an observer of its own."""

    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)

    def observe(self, broker=None):
        observer = Observer((broker or self.broker).port)
        self.addCleanup(observer.close)
        return observer

    def start(self, text=None, **options):
        device = Device(text or configuration(self.broker.port), **options)
        self.addCleanup(device.close)
        return device

    def retained(self, topic):
        """What a client that connects now finds on the topic; None: nothing."""
        late = Observer(self.broker.port, topic)
        self.addCleanup(late.close)
        late.fence()
        return next((message.payload for message in late.messages if message.topic == topic), None)


class SideBySide(unittest.TestCase):
    """Tests that mostly wait: all of a class run at the same time, each in a thread of its own, on a broker and
    devices of its own. Each is reported by itself."""

    def __init_subclass__(cls):
        for name, test in list(vars(cls).items()):
            if name.startswith("test_"):
                setattr(cls, name, cls._result_of(name, test))

    @staticmethod
    def _result_of(name, test):
        def wait(self):
            self.running[name].result()

        wait.body = test
        # What a skipped test says of itself.
        wait.__dict__.update({key: value for key, value in vars(test).items() if key.startswith("__unittest_skip")})
        return wait

    @classmethod
    def setUpClass(cls):
        names = [name for name in unittest.TestLoader().getTestCaseNames(cls)
                 if not getattr(getattr(cls, name), "__unittest_skip__", False)]
        pool = concurrent.futures.ThreadPoolExecutor(max(1, len(names)))
        cls.addClassCleanup(pool.shutdown)
        cls.running = {name: pool.submit(cls._run, cls(name), getattr(cls, name).body) for name in names}

    @staticmethod
    def _run(case, body):
        try:
            body(case)
        finally:
            case.doCleanups()

    def with_cleanup(self, thing):
        self.addCleanup(thing.close)
        return thing

    def start(self, text, **options):
        return self.with_cleanup(Device(text, **options))


class Samples:
    """The times at which readings were taken, as they arrive: the user property `sampled` of MQTT 5.0, which our
    Python client does not know."""

    def __init__(self, port, topic):
        self.times = []
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-p", str(port), "-V", "5", "-q", "1", "-t", topic, "-F", "%P", "-k", "600"],
            stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            found = re.search(r"sampled:(\d+)", line)
            if found:
                self.times.append(int(found[1]))

    def gaps(self, longest):
        """Pairs of times between which readings are missing, milliseconds; repetitions do not matter. A reading may be as
        late by itself as this machine was at its worst."""
        return gaps(self.times, longest)

    def wait_for_news(self):
        """Until a reading has come that was taken after now, and with it all that were kept before it."""
        now = time.time() * 1000
        wait_until(lambda: self.times and max(self.times) > now, what="readings of now")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stdout.close()


def directory_in_memory():
    """For an outbox: how long the disk of this machine takes, with others waiting for it too, is not what is tested."""
    return tempfile.mkdtemp(prefix="swiftlet-outbox-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


def count_records(path, condition):
    """Records in an outbox's file, whoever has it open. A new copy is looked at each time, since SQLite keeps an index
    beside what it has looked at; one that was made while it was written to may have nothing in it."""
    with tempfile.TemporaryDirectory(prefix="swiftlet-copy-") as directory:
        copy = os.path.join(directory, "copy.db")
        for ending in ("", "-wal"):
            if os.path.exists(path + ending):
                shutil.copy(path + ending, copy + ending)
        database = sqlite3.connect(copy)
        try:
            return database.execute(f"SELECT count(*) FROM record WHERE {condition}").fetchone()[0]
        except sqlite3.DatabaseError:
            return 0
        finally:
            database.close()


def gaps(times, longest):
    times = sorted(set(times))
    longest += 1000 * pulse.allowance()
    return [pair for pair in zip(times, times[1:]) if pair[1] - pair[0] > longest]


def answer(message):
    """A result's payload, which is JSON."""
    return json.loads(message.payload)
