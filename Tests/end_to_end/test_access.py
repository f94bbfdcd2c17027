"""What a broker allows and what it does not: passwords, access lists, and what people are told of it."""

import json
import os
import subprocess
import time
import unittest

from harness.device import Device, configuration
from harness.mqtt import Broker, Observer, wait_until

from .support import AVAILABILITY, PREFIX
from .test_swiftlet_pub_sub import run

# A user who sees everything, and a device with what docs/brokers.md says that it needs.
ACCESS = f"""\
user watcher
topic readwrite #
user device
topic write {PREFIX}/#
topic read {PREFIX}/+/set
user mute
topic write {PREFIX}/availability
topic read {PREFIX}/+/set
"""
VERSIONS = ("5", "3.1.1")


class WatchingObserver(Observer):
    """One that logs in."""

    def connecting(self, client):
        client.username_pw_set("watcher", "watcher")


class WithAccessLists(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.kill()
        passwords, access = (os.path.join(cls.broker.directory, name) for name in ("passwords", "access"))
        for user in ("watcher", "device", "mute"):
            create = [] if os.path.exists(passwords) else ["-c"]
            subprocess.run(["mosquitto_passwd", "-b", *create, passwords, user, user], check=True, capture_output=True)
        with open(access, "w") as file:
            file.write(ACCESS)
        with open(cls.broker.settings_path, "w") as file:
            file.write(f"listener {cls.broker.port} 127.0.0.1\nuser root\npassword_file {passwords}\n"
                       f"acl_file {access}\n")
        cls.broker.start()
        cls.server = ["-h", "127.0.0.1", "-p", str(cls.broker.port)]

    def observe(self):
        observer = WatchingObserver(self.broker.port)
        self.addCleanup(observer.close)
        return observer

    def start(self, user, version, password=None):
        device = Device(configuration(
            f"{{ url: 'mqtt://127.0.0.1:{self.broker.port}', version: {version}, username: {user}, "
            f"password: {password or user} }}"))
        self.addCleanup(device.close)
        return device

    def attempts(self, since):
        return self.broker.log(since).count("New connection")

    def reject(self, observer, device, times=1):
        """Until the device has heard commands that are none, one after the other."""
        for _ in range(times):
            marked = device.mark()
            observer.publish(f"{PREFIX}/fan/set", "nonsense")
            device.wait_log("unknown payload", since=marked)

    def test_two_lines_of_an_access_list_are_all_that_a_device_needs(self):
        for version in VERSIONS:
            observer = self.observe()
            device = self.start("device", version)
            observer.wait(AVAILABILITY, b"online")
            observer.wait(f"{PREFIX}/air/temperature")
            observer.wait(f"{PREFIX}/fan/error")
            observer.publish(f"{PREFIX}/fan/set", "ON")
            observer.wait(f"{PREFIX}/fan/result", lambda payload: b"accepted" in payload)
            device.stop()
            observer.wait(AVAILABILITY, b"offline")
            self.assertNotIn("error", device.log)

    def test_a_state_that_may_not_be_published_is_said_once_where_the_broker_says_so(self):
        observer = self.observe()
        device = self.start("mute", 5)
        line = device.wait_log("refused a message")
        self.assertEqual(line, f"error: the broker refused a message below {PREFIX}/: not authorized: look at the "
                               "broker's user and access lists")
        # Each change of state is refused again; one line tells it all.
        observer.wait(AVAILABILITY, b"online")
        for _ in range(5):
            observer.publish(f"{PREFIX}/fan/set", "TOGGLE")
        # The first is heard after the states were sent, the others after the broker's answers to those have come.
        self.reject(observer, device, times=3)
        device.stop()
        self.assertEqual(device.log.count("refused a message"), 1, device.log)
        self.assertFalse([m for m in observer.messages if m.topic == f"{PREFIX}/fan/state" and not m.retained])

    def test_with_3_1_1_the_broker_throws_away_what_it_does_not_allow_and_says_nothing(self):
        observer = self.observe()
        device = self.start("mute", "3.1.1")
        observer.wait(AVAILABILITY, b"online")
        self.reject(observer, device, times=3)
        self.assertNotIn("refused", device.log)
        result = run("pub", *self.server, "-u", "mute", "-P", "mute", "-t", "forbidden", "-m", "x", "-q", "1", "-V", "3.1.1")
        self.assertEqual(result.returncode, 0)
        forbidden = ("forbidden", f"{PREFIX}/fan/state", f"{PREFIX}/air/temperature")
        self.assertFalse([m for m in observer.messages if m.topic in forbidden and not m.retained])

    def test_pub_says_that_a_message_was_refused(self):
        for qos in "12":
            result = run("pub", *self.server, "-u", "mute", "-P", "mute", "-t", "forbidden", "-m", "x", "-q", qos)
            self.assertEqual(result.returncode, 1)
            self.assertIn("the server refused the message: not authorized; check user name, password, and what the "
                          "server's access list allows", result.stderr.decode())

    def test_a_wrong_password_is_said_once_and_tried_again_after_a_long_pause(self):
        since, begin = os.path.getsize(self.broker.log_path), time.monotonic()
        devices = [self.start("device", version, "wrong") for version in VERSIONS]
        for device in devices:
            device.wait_log("error: the broker refused the connection: (wrong user name|not authorized).*: look at")
        for device in devices:
            self.assertLess(device.share_of_processor(), 0.1, "it spins")
        wait_until(lambda: self.attempts(since) > 2, what="a second attempt")
        self.assertGreater(time.monotonic() - begin, 4, "an attempt each, and then pauses of at least 4 s")
        for device in devices:
            self.assertEqual(device.log.count("refused the connection"), 1, device.log)

    def test_the_tools_say_that_a_password_is_wrong(self):
        for version in VERSIONS:
            for command in (["pub", "-m", "x"], ["sub", "-C", "1"]):
                result = run(*command[:1], *self.server, "-t", "a", *command[1:], "-u", "device", "-P", "wrong", "-V", version)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr.decode(), "refused the connection: .*; check user name")


class RefusedSubscription(unittest.TestCase):
    """mosquitto's access lists let everybody subscribe and deliver nothing; its plug-in for dynamic security refuses."""

    PLUGIN = "/usr/lib/{}-linux-gnu/mosquitto_dynamic_security.so".format(os.uname().machine)

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(cls.PLUGIN):
            raise unittest.SkipTest(f"{cls.PLUGIN} is not there")
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.kill()
        rules = os.path.join(cls.broker.directory, "rules.json")
        with open(rules, "w") as file:
            json.dump({
                "defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True, "subscribe": False,
                                     "unsubscribe": True},
                "clients": [], "roles": [], "groups": [{"groupname": "all", "roles": []}],
                "anonymousGroup": "all"}, file)
        with open(cls.broker.settings_path, "w") as file:
            file.write(f"listener {cls.broker.port} 127.0.0.1\nuser root\nallow_anonymous true\nlog_type all\n"
                       f"plugin {cls.PLUGIN}\nplugin_opt_config_file {rules}\n")
        cls.broker.start()

    def test_a_refused_subscription_is_said_with_its_filter(self):
        for version, words in (("5", "not authorized: look at the broker's user and access lists"),
                               ("3.1.1", "look at its access lists")):
            device = Device(configuration(f"{{ url: 'mqtt://127.0.0.1:{self.broker.port}', version: {version} }}"))
            self.addCleanup(device.close)
            line = device.wait_log("refused the subscription")
            self.assertEqual(line, f"error: the broker refused the subscription to {PREFIX}/+/set: {words}")
            # It goes on to publish what it measures.
            since = len(self.broker.log())
            wait_until(lambda: self.broker.log(since).count("Received PUBLISH from") > 3, what="readings")
            self.assertTrue(device.is_running)
            self.assertNotIn("offline", device.log)
            self.assertEqual(device.log.count("refused the subscription"), 1)
            device.close()
            result = run("sub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-t", "a/+", "-C", "1", "-V", version)
            self.assertEqual(result.returncode, 1)
            self.assertIn("the server refused the subscription 'a/+'", result.stderr.decode())


if __name__ == "__main__":
    unittest.main()
