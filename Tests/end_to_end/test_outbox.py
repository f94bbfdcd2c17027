"""Readings that are kept on disk, and what a kept outbox must not change."""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from harness.device import ROOT, Device, environment, may_unshare, run, swiftletd
from harness.mqtt import Broker, Observer, free_port, wait_until
from harness.waiting import PATIENCE

from .support import count_records, directory_in_memory

TOPIC = "swiftlet/bench/air/temperature"
FAN = "swiftlet/bench/fan"


def device_file(port, path, size="1MiB", keep="disk", every="100ms"):
    return f"""\
device: bench
board: simulator
mqtt:
  url: mqtt://127.0.0.1:{port}
  keep_alive: 5s
  outbox: {{ path: '{path}', size: {size} }}
modules:
  - relay: fan
    line: GPIO5
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    every: {every}
    keep: {keep}
"""


class Outbox(unittest.TestCase):
    def setUp(self):
        self.directory = directory_in_memory()
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = os.path.join(self.directory, "outbox.db")
        self.port = free_port()

    def start(self, wrapper=(), **options):
        device = Device(device_file(self.port, self.path, **options), wrapper=wrapper)
        self.addCleanup(device.close)
        return device

    def broker(self):
        broker = Broker(self.port)
        self.addCleanup(broker.close)
        return broker

    def observe(self, topic=TOPIC):
        observer = Observer(self.port, topic)
        self.addCleanup(observer.close)
        return observer

    def stored(self):
        return count_records(self.path, "key + 0 <> -9223372036854775808")

    def test_readings_of_an_outage_arrive_after_kills(self):
        for _ in range(3):
            device = self.start()
            goal = self.stored() + 6
            wait_until(lambda: self.stored() >= goal, what="readings in the file")
            device.send(signal.SIGKILL)
            device.wait()
        kept = self.stored()
        self.assertGreaterEqual(kept, 18)
        self.broker()
        observer = self.observe()
        self.start(every="1h")
        wait_until(lambda: sum(m.topic == TOPIC for m in observer.messages) >= kept // 2, what="kept readings")

    def test_what_the_broker_has_is_not_sent_again(self):
        self.broker()
        observer = self.observe()
        device = self.start()
        observer.wait(TOPIC)
        device.stop()
        self.assertEqual(self.stored(), 0)

    def test_a_clean_stop_keeps_what_the_broker_does_not_have(self):
        device = self.start()
        wait_until(lambda: os.path.exists(self.path + "-wal"), what="the outbox")
        # Each reading wakes it, and is written down with others some time later, or at the stop.
        device.wait_rests(60)
        device.stop()
        self.assertGreater(self.stored(), 3)

    def test_commands_of_an_absence_are_not_obeyed(self):
        self.broker()
        observer = self.observe(FAN + "/#")
        device = self.start()
        observer.wait(FAN + "/state", b"OFF")
        device.send(signal.SIGKILL)
        device.wait()
        observer.client.publish(FAN + "/set", b"ON", qos=1).wait_for_publish()
        observer.client.publish(FAN + "/set", b"ON", qos=2).wait_for_publish()
        since = observer.mark()
        self.start()
        observer.wait(FAN + "/error", since=since)

        def results():
            return [m.payload for m in observer.messages[since:] if m.topic == FAN + "/result"]

        def is_answered():
            observer.publish(FAN + "/set", "probe")
            observer.fence()
            return results()
        # Whatever the broker had kept for it would have come before this.
        wait_until(is_answered, what="an answer")
        self.assertTrue(all(b"probe" in payload for payload in results()), results())
        self.assertEqual({m.payload for m in observer.messages[since:] if m.topic == FAN + "/state"}, {b"OFF"})

    def test_a_damaged_outbox_is_set_aside(self):
        with open(self.path, "wb") as file:
            file.write(b"SQLite format 3\0" + os.urandom(5000))
        self.broker()
        observer = self.observe()
        device = self.start()
        device.wait_log("file is not a database; it was moved to .*outbox.db.damaged, and a new one begun")
        observer.wait(TOPIC)
        self.assertTrue(os.path.exists(self.path + ".damaged"))

    def test_a_file_that_is_no_outbox_is_left_as_it_is(self):
        with open(self.path, "w") as file:
            file.write("root:x:0:0:root:/root:/bin/bash\n")
        words = f"{self.path} is no outbox, and is left as it is: name another file"
        self.broker()
        observer = self.observe()
        device = self.start()
        device.wait_log(f"{words}; readings are kept in memory only")
        observer.wait(TOPIC)
        with open(self.path) as file:
            self.assertEqual(file.read(), "root:x:0:0:root:/root:/bin/bash\n")
        self.assertFalse(os.path.exists(self.path + ".damaged"))
        status, said = self.check(self.path)
        self.assertEqual(status, 1)
        self.assertIn(words, said)

    def test_a_disk_that_cannot_be_used_keeps_nobody_from_working(self):
        self.path = os.path.join(self.directory, "missing", "outbox.db")
        self.broker()
        observer = self.observe()
        device = self.start()
        device.wait_log(f"the directory {os.path.dirname(self.path)} is not there: sudo mkdir -p "
                        f"{os.path.dirname(self.path)}; readings are kept in memory only")
        observer.wait(TOPIC)

    def test_readings_in_memory_outlive_the_connection(self):
        device_text = device_file(self.port, self.path, keep="memory").replace("    every:", "    format: json\n    every:")
        device_text = device_text.replace(f"  outbox: {{ path: '{self.path}', size: 1MiB }}\n", "")
        device = Device(device_text)
        self.addCleanup(device.close)
        self.check_readings_of_before(device)

    def check_readings_of_before(self, device):
        """Readings that were taken without a broker come to one that is there later; answers the first of them."""
        begin = time.time() * 1000
        # Each reading wakes it.
        device.wait_rests(100)
        # What it sends before the observer is there would be seen by nobody.
        device.send(signal.SIGSTOP)
        before = time.time() * 1000
        self.broker()
        observer = self.observe()
        device.send(signal.SIGCONT)
        wait_until(lambda: len(observer.messages) >= 5, what="readings of before")
        readings = [json.loads(message.payload) for message in observer.messages[:5]]
        self.assertTrue(all(begin - 5000 < reading["sampled"] < before for reading in readings), readings)
        return readings

    def test_as_json_a_kept_reading_tells_when_it_was_taken_also_in_3_1_1(self):
        text = device_file(self.port, self.path).replace("    every:", "    format: json\n    every:")
        device = Device(text.replace("  keep_alive: 5s", "  version: 3.1.1\n  keep_alive: 5s"))
        self.addCleanup(device.close)
        readings = self.check_readings_of_before(device)
        self.assertTrue(all(isinstance(reading["value"], float) for reading in readings), readings)

    def check(self, path, wrapper=(), program=None):
        """What `check` says of an outbox there; what it warns of besides is left out."""
        config = os.path.join(self.directory, "device.yaml")
        with open(config, "w") as file:
            file.write(device_file(self.port, path))
        result = subprocess.run([*wrapper, program or swiftletd(), "check", config, "--boards", os.path.join(ROOT, "boards")],
                                capture_output=True, text=True, timeout=PATIENCE,
                                env=environment(LD_LIBRARY_PATH=os.environ.get("LD_LIBRARY_PATH", "")))
        said = [line for line in result.stderr.splitlines() if ": outbox " in line or "shared libraries" in line]
        return result.returncode, "\n".join(said)

    def test_a_directory_that_may_be_there_on_the_device_alone_is_a_warning(self):
        status, said = self.check(os.path.join(self.directory, "missing", "outbox.db"))
        self.assertEqual(status, 0)
        self.assertRegex(said, r"^warning: .*device.yaml:6:11: outbox .*: the directory .*/missing is not there: sudo mkdir -p")

    def test_what_is_in_the_place_of_directory_or_file_is_named(self):
        status, said = self.check(os.path.join(self.directory, "device.yaml", "outbox.db"))
        self.assertEqual(status, 1)
        self.assertIn("device.yaml cannot be used: Not a directory", said)
        os.mkdir(self.path)
        status, said = self.check(self.path)
        self.assertEqual(status, 1)
        self.assertIn(f"{self.path} cannot be used: Is a directory", said)

    @unittest.skipUnless(os.geteuid() == 0, "needs the rights of root")
    def test_a_directory_or_file_of_another_user_is_named_with_the_cure(self):
        os.chmod(self.directory, 0o755)
        program = shutil.copy(swiftletd(), self.directory)
        wrapper = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]

        def is_refused(name, words):
            status, said = self.check(self.path, wrapper, program)
            if "shared libraries" in said:
                self.skipTest("the Swift libraries are where nobody may read them")
            self.assertEqual(status, 1)
            self.assertIn(f"outbox {self.path}: {words}", said)
        is_refused(self.directory, f"{self.directory} belongs to the user with the number 0, and this is number 54321: "
                   f"sudo chown 54321 {self.directory}")
        os.chmod(self.directory, 0o777)
        with open(self.path, "w"):
            pass
        os.chmod(self.path, 0o644)
        is_refused(self.path, f"{self.path} belongs to the user with the number 0, and this is number 54321")
        os.chown(self.path, 54321, 54321)
        os.chmod(self.path, 0o400)
        is_refused(self.path, f"the user with the number 54321 may not write to {self.path}: sudo chmod u+rwX")

    @unittest.skipUnless(may_unshare(), "needs unprivileged namespaces")
    def test_a_disk_that_is_full_or_read_only_is_told_from_others_by_check_and_by_the_device(self):
        disk = os.path.join(self.directory, "disk")
        os.mkdir(disk)
        self.path = os.path.join(disk, "outbox.db")
        full = f"mount -t tmpfs -o size=128k none {disk} && head -c 131072 /dev/zero > {disk}/zeros"
        for mount, words in (
                (f"mount -t tmpfs -o ro none {disk}",
                 f"{disk} is on a disk that is mounted read-only: choose another place, or mount it for writing"),
                (full, f"the disk of {disk} is full: make room on it (df {disk})")):
            wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount}; exec "$@"', "sh"]
            status, said = self.check(self.path, wrapper)
            self.assertEqual(status, 1)
            self.assertIn(f"outbox {self.path}: {words}", said)
            device = self.start(wrapper=wrapper)
            self.assertIn(f"{words}; readings are kept in memory only", device.wait_log("outbox"))

    def test_check_names_the_outbox(self):
        config = os.path.join(self.directory, "device.yaml")
        with open(config, "w") as file:
            file.write(device_file(self.port, self.path, size="64KiB"))
        answer = run("check", config)
        self.assertIn(f"outbox  {self.path}, at most 64KiB, when it is full the oldest goes\n", answer.stdout)
        self.assertIn("every 100ms, kept on disk", answer.stdout)
