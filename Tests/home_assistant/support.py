"""Programs that run in Home Assistant's own Python, and the devices they are shown."""

import json
import os
import shutil
import subprocess
import tempfile
import threading

from harness.device import simulator
from harness.waiting import PATIENCE, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))

class Inside:
    """One of the scripts of `inside`, which answers each line of JSON with one."""

    def __init__(self, script, *arguments):
        python, packages = os.environ["SWIFTLET_HOME_ASSISTANT"].split(":")
        self.root = tempfile.mkdtemp(prefix="swiftlet-home-assistant-")
        self.log = []
        self.process = subprocess.Popen(
            [os.path.join(HERE, "enter"), self.root, python, packages, f"/inside/{script}", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        self.log.extend(self.process.stderr)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            self.reader.join(PATIENCE)
            raise RuntimeError("Home Assistant has ended:\n" + "".join(self.log[-40:]))
        return line

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.line())

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()
        shutil.rmtree(self.root, ignore_errors=True)


class Validator(Inside):
    """Home Assistant's schemas."""

    def __init__(self):
        super().__init__("validator.py")
        self.line()

    def check(self, topic, payload):
        """What is wrong with a document: a list of texts."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return self.ask({"topic": topic, "payload": text})


class Home(Inside):
    """Home Assistant's core with its MQTT integration, connected to a broker."""

    def __init__(self, port):
        super().__init__("core.py", port)
        answer = json.loads(self.line())
        if answer["entry"] != "loaded":
            raise RuntimeError(f"Home Assistant's MQTT integration is not loaded: {answer}")

    def states(self):
        return self.ask({"do": "states"})

    def devices(self):
        return self.ask({"do": "devices"})

    def call(self, domain, service, **data):
        return self.ask({"do": "call", "domain": domain, "service": service, "data": data})

    def wait_state(self, entity, *wanted):
        """Until the entity has one of these states, or any that means something."""
        def found():
            state = self.states().get(entity, {}).get("state", "not there")
            return state in wanted if wanted else state not in ("unknown", "unavailable", "not there")
        wait_until(found, what=f"{entity} is {wanted or ('there',)}")
        return self.states()[entity]

    def wait_gone(self, *entities):
        wait_until(lambda: not set(entities) & set(self.states()), what=f"{entities} are gone")


def chips():
    """The names of all chips, by the kind of module that has them, and the kinds that have none."""
    told = subprocess.run([simulator(), "--version", "--verbose"], capture_output=True, text=True, timeout=PATIENCE)
    kinds = {}
    for line in told.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "module":
            kind, _, names = rest.strip().partition(": ")
            kinds[kind] = [name.strip() for name in names.replace(" and ", ", ").split(",") if name.strip()]
    return kinds
