"""The program under test: swiftletd with a device file, its log, and what it says on its topics."""

import json
import re
import signal
import subprocess
import tempfile
import textwrap
import time

from harness.waiting import PATIENCE, wait_until


class Runtime:
    """`with bench.runtime(modules) as runtime:` starts swiftletd; leaving it ends the process."""

    count = 0

    def __init__(self, words, broker, observer, modules, host):
        Runtime.count += 1
        self.device = f"bench{Runtime.count}"
        self.broker = broker
        self.observer = observer
        self.first = observer.mark()
        self.log_path = f"{tempfile.gettempdir()}/{self.device}.log"
        self.configuration = f"{tempfile.gettempdir()}/{self.device}.yaml"
        self.words = [*words, "--config", self.configuration]
        self.process = None
        self.started = None
        with open(self.configuration, "w") as file:
            file.write(f"device: {self.device}\nboard: kernel-test\n")
            file.write(f"mqtt: mqtt://{host}:{broker.port}\nmodules:\n")
            file.write(textwrap.indent(textwrap.dedent(modules).strip(), "  ") + "\n")

    def start(self):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.words, stdout=open(self.log_path, "ab"), stderr=subprocess.STDOUT)
        return self

    @property
    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def wait_log(self, text, timeout=PATIENCE):
        wait_until(lambda: text in self.log, timeout, f"swiftletd's log has {text!r}")

    def wait_exit(self, timeout=PATIENCE):
        return self.process.wait(timeout)

    def end(self):
        """Stops the program cleanly; answers its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_exit()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def describe(self):
        """For the report of a failure."""
        with open(self.configuration) as file:
            text = f"--- its configuration\n{file.read()}"
        if self.process:
            text += f"--- its log, exit status {self.process.poll()}\n{self.log}"
        return text

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass

    # What it says

    def topic(self, name):
        return f"swiftlet/{self.device}/{name}"

    def wait(self, name, payload=None, since=0, timeout=PATIENCE):
        """Waits for a message of the program; not on when the program ends meanwhile."""
        if isinstance(payload, str):
            payload = payload.encode()
        runs = self.process and self.process.poll() is None
        deadline = time.monotonic() + timeout
        while True:
            remaining = max(0, deadline - time.monotonic())
            try:
                return self.observer.wait(
                    self.topic(name), payload, max(since, self.first), min(0.25, remaining))
            except TimeoutError:
                if remaining == 0 or runs and self.process.poll() is not None:
                    raise

    def wait_online(self, since=0, timeout=PATIENCE):
        return self.wait("availability", "online", since, timeout)

    def wait_error(self, module, *words, since=0, timeout=PATIENCE):
        """A text on the module's error topic; it has to have all these words."""
        message = self.wait(f"{module}/error", lambda payload: payload != b"", since, timeout)
        text = message.payload.decode()
        assert all(word in text for word in words), f"{module}/error: {text!r} without {words}"
        return text

    def wait_well(self, module, since, timeout=PATIENCE):
        return self.wait(f"{module}/error", b"", since, timeout)

    def messages(self, name, since=0):
        return [
            message for message in self.observer.messages[since:] if message.topic == self.topic(name)]

    def disconnected(self):
        """Whether it took its leave of the broker, by the broker's log."""
        def leave():
            with open(self.broker.log_path) as file:
                return re.search(rf"Client \S*{self.device} (disconnected|closed)", file.read())
        return wait_until(leave, what="the client left the broker")[1] == "disconnected"

    # What it is told

    def command(self, module, payload, qos=1):
        """Publishes a command; answers the moment before."""
        at = time.monotonic()
        self.observer.publish(self.topic(f"{module}/set"), payload, qos)
        return at

    def wait_result(self, module, command, since=0):
        """What the module answered to the command."""
        message = self.wait(
            f"{module}/result", lambda payload: json.loads(payload).get("command") == command, since)
        return json.loads(message.payload)
