"""A broker that is not mosquitto: Debian's RabbitMQ with its MQTT plug-in. That of Debian 12 and Ubuntu 24.04 is older
than MQTT 5.0, that of Debian 13 speaks it.

What it does not have, so that there is nothing to test: QoS 2 (with 3.1.1 a message of QoS 2 is answered with PUBACK
and delivered with QoS 1; with 5.0 it says that it has none), and retained messages for subscriptions with wildcards, so
that a retained command is lost there rather than refused.
"""

import json
import re
import shutil
import signal
import subprocess
import time
import unittest

from harness.device import Device, configuration
from harness.mqtt import Observer, wait_until
from harness.rabbitmq import RabbitMQ, version
from harness.waiting import PATIENCE

from .support import AVAILABILITY, PREFIX, answer, directory_in_memory, gaps
from .test_swiftlet_pub_sub import program, run

FAN = f"{PREFIX}/fan"
READINGS = f"{PREFIX}/air/temperature"
# With the time that it takes to start, twice.
seconds = 40


# Before 3.13 it closes on a CONNECT of 5.0 without a word.
SPEAKS_5 = (version() or (0,)) >= (3, 13)


def setUpModule():
    global broker
    broker = RabbitMQ()
    unittest.addModuleCleanup(broker.close)


class WithRabbitMQ(unittest.TestCase):

    def observe(self, topic="#", **options):
        observer = Observer(broker.port, topic, **options)
        self.addCleanup(observer.close)
        return observer

    def start(self, text=None):
        device = Device(text or configuration(broker.port))
        self.addCleanup(device.close)
        return device

    def retained(self, topic):
        return self.observe(topic).wait(topic)


class DeviceAtRabbitMQ(WithRabbitMQ):

    def test_the_device_speaks_the_newest_version_it_can_at_once_and_works(self):
        observer = self.observe()
        # It would take longer than anybody waits here, if there were a pause.
        device = self.start(configuration(
            f"{{ url: 'mqtt://127.0.0.1:{broker.port}', reconnect: {{ min: 10min, max: 10min }} }}"))
        device.wait_log(r"^online: connected to the broker" + ("$" if SPEAKS_5 else r" \(MQTT 3\.1\.1\)"))
        self.assertRegex(observer.wait(READINGS).payload, rb"^-?\d+(\.\d+)?$")
        observer.wait(AVAILABILITY, b"online")
        observer.wait(f"{FAN}/error")
        for qos in (0, 1, 2):
            since = observer.mark()
            observer.publish(f"{FAN}/set", "TOGGLE", qos)
            observer.publish(f"{FAN}/set", f"end {qos}", 1)
            observer.wait(f"{FAN}/result", lambda payload: b"end" in payload, since=since)
            wait_until(lambda: self.count(observer, f"{FAN}/state", since) == 1, what="the relay's state")
            obeyed = [answer(m)["result"] for m in observer.messages[since:]
                      if m.topic == f"{FAN}/result" and answer(m)["command"] == "TOGGLE"]
            self.assertEqual(obeyed, ["accepted"], f"QoS {qos}")

    @staticmethod
    def count(observer, topic, since=0):
        return sum(message.topic == topic for message in observer.messages[since:])

    def test_states_are_retained_and_the_will_speaks_for_a_device_that_was_killed(self):
        observer = self.observe()
        device = self.start()
        observer.wait(f"{FAN}/error")
        observer.publish(f"{FAN}/set", "ON")
        observer.wait(f"{FAN}/state", b"ON")
        self.assertEqual(self.retained(AVAILABILITY).payload, b"online")
        state = self.retained(f"{FAN}/state")
        self.assertEqual((state.payload, state.retained), (b"ON", True))
        since = observer.mark()
        device.send(signal.SIGKILL)
        observer.wait(AVAILABILITY, b"offline", since=since)
        self.assertEqual(self.retained(AVAILABILITY).payload, b"offline")

    def test_a_clean_stop_says_offline_once(self):
        observer = self.observe()
        device = self.start()
        observer.wait(f"{FAN}/error")
        since = observer.mark()
        seconds, status = device.stop()
        self.assertEqual(status, 0, device.log)
        self.assertLess(seconds, 1)
        observer.publish("end", "")
        observer.wait("end")
        self.assertEqual(self.count(observer, AVAILABILITY, since), 1)
        self.assertEqual(self.retained(AVAILABILITY).payload, b"offline")

    def login(self, user, password):
        url = f"mqtt://127.0.0.1:{broker.port}"
        return self.start(configuration(f"{{ url: '{url}', username: {user}, password: {password} }}"))

    @staticmethod
    def failed_logins():
        # The second is what 4.0 says.
        return len(re.findall("MQTT login failed|MQTT connection failed: access refused", broker.log()))

    def test_a_login_is_accepted_or_refused_with_words_and_patience(self):
        self.login("guest", "guest").wait_log("^online")
        device = self.login("guest", "wrong")
        device.wait_log("the broker refused the connection: (wrong user name or password|not authorized): look at")
        failures = self.failed_logins()
        wait_until(lambda: self.failed_logins() > failures, what="another attempt")
        device.stop()
        self.assertEqual(device.log.count("refused the connection"), 1, device.log)
        self.assertNotIn("online", device.log)

    def test_readings_of_an_outage_are_delivered_by_the_broker_that_comes_back(self):
        directory = directory_in_memory()
        self.addCleanup(shutil.rmtree, directory)
        observer = self.observe(READINGS, session="keeper")
        device = self.start(configuration(
            f"{{ url: 'mqtt://127.0.0.1:{broker.port}', outbox: {{ path: '{directory}/outbox.db' }} }}",
            "  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    every: 200ms\n    keep: disk\n    format: json\n"))
        observer.wait(READINGS)
        broker.kill()
        device.wait_log("^warning: offline")
        killed = time.time() * 1000
        # Each reading wakes it.
        device.wait_rests(60)
        returns = time.time() * 1000
        broker.start()
        back = time.time() * 1000

        def sampled():
            return sorted({json.loads(message.payload)["sampled"] for message in observer.messages})
        # Readings of now follow those of the outage, which are all there.
        wait_until(lambda: sampled()[-1] > back, what="readings of now")
        self.assertTrue([time for time in sampled() if killed < time < returns], "none of the outage")
        self.assertEqual(gaps(sampled(), 900), [])


class CommandsAtRabbitMQ(WithRabbitMQ):
    """`swiftlet pub` and `swiftlet sub`."""

    server = ["-h", "127.0.0.1", "-p"]
    # Without a version they find out by themselves which one the broker speaks.
    old = ["-V", "3.1.1"] if SPEAKS_5 else []

    def test_messages_of_every_qos_arrive_and_2_becomes_1(self):
        observer = self.observe("tools/#")
        observer.publish("ready", "yes", retain=True).wait_for_publish()
        for qos in "012":
            subscriber = subprocess.Popen(
                [program(), "sub", *self.server, str(broker.port), "-t", "tools/#", "-t", "ready", "-q", qos, "-C", "4",
                 *self.old, "-F", "%t %q %p"], stdout=subprocess.PIPE)
            self.addCleanup(subscriber.communicate)
            self.addCleanup(subscriber.kill)
            # The last of the filters has brought what is retained: it has subscribed.
            self.assertEqual(subscriber.stdout.readline().split()[0], b"ready")
            since = observer.mark()
            for sent in "012":
                result = run("pub", *self.server, str(broker.port), "-t", f"tools/{sent}", "-m", "text", "-q", sent, *self.old)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(observer.wait(f"tools/{sent}", since=since).payload, b"text")
            expected = [f"tools/{sent} {min(int(sent), int(qos), 1)} text" for sent in "012"]
            self.assertEqual(subscriber.communicate(timeout=PATIENCE)[0].decode().splitlines(), expected)

    def test_a_burst_of_qos_2_is_acknowledged_whole(self):
        observer = self.observe("burst")
        lines = b"".join(b"%d\n" % number for number in range(500))
        result = run("pub", *self.server, str(broker.port), "-t", "burst", "-l", "-q", "2", *self.old, input=lines)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        observer.wait("burst", b"499")
        self.assertEqual([int(message.payload) for message in observer.messages], list(range(500)))

    def test_a_version_that_it_does_not_know_and_a_wrong_password_are_said_with_what_to_do(self):
        result = run("pub", *self.server, str(broker.port), "-t", "a", "-m", "b", "-V", "5")
        self.assertEqual(result.returncode, 0 if SPEAKS_5 else 1, result.stderr)
        if not SPEAKS_5:
            self.assertIn(b"if it does not speak MQTT 5.0: try 3.1.1", result.stderr)
        result = run("pub", *self.server, str(broker.port), "-t", "a", "-m", "b", "-u", "guest", "-P", "no")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr.decode(), "user name or password|authorized")

    @unittest.skipUnless(SPEAKS_5, "this RabbitMQ speaks MQTT 3.1.1 only")
    def test_with_5_0_properties_arrive_and_a_qos_that_it_does_not_have_is_said(self):
        subscriber = subprocess.Popen(
            [program(), "sub", *self.server, str(broker.port), "-V", "5", "-t", "new/#", "-q", "2", "-C", "2", "--json"],
            stdout=subprocess.PIPE)
        self.addCleanup(subscriber.communicate)
        self.addCleanup(subscriber.kill)
        wait_until(lambda: self.publish("new/1", "-q", "1", "-D", "publish", "user-property", "unit", "C").stderr == b""
                   and subscriber.poll() is not None, 10, "both messages")
        for line in subscriber.stdout.read().splitlines():
            message = json.loads(line)
            self.assertEqual((message["topic"], message["payload"], message["qos"]), ("new/1", "text", 1))
            self.assertEqual(message["properties"]["user-properties"], {"unit": "C"})
        refused = self.publish("new/2", "-q", "2")
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"QoS not supported; use a lower QoS", refused.stderr)

    def publish(self, topic, *arguments):
        return run("pub", *self.server, str(broker.port), "-V", "5", "-t", topic, "-m", "text", *arguments)


if __name__ == "__main__":
    unittest.main()
