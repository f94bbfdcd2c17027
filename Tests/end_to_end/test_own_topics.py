"""Topics that are called otherwise, and what Home Assistant is told, on a real broker."""

import json
import os
import signal
import subprocess

from harness.device import ROOT, configuration, simulator
from harness.waiting import PATIENCE

from .support import WithBroker

FAN = "  - relay: fan\n    line: GPIO9\n    state_topic: ~/Fan/is\n    command_topic: /cmnd/fan\n"
PREFIX = "/house/Cellar 1"
DOCUMENT = "homeassistant/device/_house_Cellar_1/config"


class OwnTopics(WithBroker):

    def start_cellar(self, observer):
        keys = f"topic_prefix: '{PREFIX}/'\navailability_topic: ~/LWT\nhome_assistant: yes\nmodules:"
        device = self.start(configuration(self.broker.port, FAN).replace("modules:", keys, 1))
        observer.wait(f"{PREFIX}/Fan/is", b"OFF")
        return device

    def test_commands_states_and_the_will_have_topics_of_their_own(self):
        observer = self.observe()
        device = self.start_cellar(observer)
        since = observer.mark()
        observer.publish("/cmnd/fan", "ON")
        observer.wait(f"{PREFIX}/Fan/is", b"ON", since=since)
        observer.wait(f"{PREFIX}/fan/result", lambda payload: b"accepted" in payload, since=since)
        # One that is too long to be read is answered, too.
        observer.publish("/cmnd/fan", "x" * 6000)
        observer.wait(f"{PREFIX}/fan/result", lambda payload: b"too long" in payload, since=since)
        document = json.loads(self.retained(DOCUMENT))
        self.assertEqual(document["avty"], [{"t": f"{PREFIX}/LWT"}])
        self.assertEqual(document["cmps"]["fan"]["cmd_t"], "/cmnd/fan")
        self.assertEqual(self.retained(f"{PREFIX}/LWT"), b"online")
        device.send(signal.SIGKILL)
        observer.wait(f"{PREFIX}/LWT", b"offline", since=since)
        self.assertFalse([message for message in observer.messages if message.topic.startswith("swiftlet/")])

    def test_forget_clears_them_and_what_home_assistant_was_told(self):
        observer = self.observe()
        device = self.start_cellar(observer)
        device.stop()
        done = subprocess.run(
            [simulator(), "forget", "--config", device.config, "--boards", os.path.join(ROOT, "boards")],
            capture_output=True, text=True, timeout=PATIENCE, env=device.environment, cwd=device.directory)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        topics = [f"{PREFIX}/LWT", f"{PREFIX}/fan/error", f"{PREFIX}/Fan/is", DOCUMENT, f"{PREFIX}/fan/availability"]
        self.assertEqual(done.stdout.splitlines(), [f"cleared {topic}" for topic in topics])
        for topic in topics:
            self.assertIsNone(self.retained(topic), topic)
