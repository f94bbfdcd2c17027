"""The runtime as a process: its configuration, its log as it appears, its memory, and how it ends."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from .waiting import PATIENCE, comes_to_rest, processor_time, pulse, rests, share_of_processor, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

MODULES = """\
  - relay: fan
    line: GPIO5
    safety: { start: off, stop: off }
  - sensor: air
    driver: SHT3x
    bus: i2c-1
    every: 500ms
  - button: door
    line: GPIO27
"""


def swiftletd():
    """The program under test: SWIFTLETD, or the ordinary build."""
    path = os.environ.get("SWIFTLETD") or os.path.join(ROOT, ".build", "debug", "swiftletd")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: build it with 'swift build --product swiftletd', or set SWIFTLETD")
    return path


def simulator():
    """The same with a board of models, which lies beside it."""
    path = swiftletd() + "-simulator"
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: build it with 'swift build --product swiftletd-simulator'")
    return path


def configuration(mqtt, modules=MODULES):
    """A device file; `mqtt` is a port on loopback or the value of the key as it stands in the file."""
    if isinstance(mqtt, int):
        mqtt = f"{{ url: 'mqtt://127.0.0.1:{mqtt}', keep_alive: 5s }}"
    return f"device: bench\nboard: simulator\nmqtt: {mqtt}\nmodules:\n{modules}"


def environment(**variables):
    """The tests' environment without what would change the runtime's behaviour, and with `variables`."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("SWIFTLET") and name != "JOURNAL_STREAM"}
    clean.update(variables)
    return clean


def may_unshare():
    """Whether this machine lets the test make namespaces."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "--net", "mount", "--bind", "/etc/hosts", "/etc/hosts"],
        capture_output=True).returncode == 0


def run(*arguments, variables=None, timeout=PATIENCE, **options):
    """Runs the program to its end: the result has returncode, stdout and stderr."""
    return subprocess.run(
        [swiftletd(), *arguments], capture_output=True, text=True, timeout=timeout, cwd=ROOT,
        env=environment(**(variables or {})), **options)


class Device:
    """A running swiftletd on the simulated board; leaving the `with` ends it whatever happens."""

    def __init__(self, text, files=None, variables=None, wrapper=(), boards=os.path.join(ROOT, "boards"),
                 is_read=True, program=None, arguments=()):
        """`files`: more files beside the device file; `wrapper`: a command the program is started with;
        `is_read`: whether anybody reads its log before `read_log`; `program`: another than the simulator; `arguments`: more of its command
        line."""
        self.directory = tempfile.mkdtemp(prefix="swiftlet-device-")
        self.config = os.path.join(self.directory, "device.yaml")
        for name, content in {"device.yaml": text, **(files or {})}.items():
            with open(os.path.join(self.directory, name), "w") as file:
                file.write(content)
        os.chmod(self.directory, 0o755)
        pulse.begin()
        self.lines, self.times, self.has_ended = [], [], False
        self.changed = threading.Condition()
        self.command = [*wrapper, program or simulator(), "run", "--config", self.config, "--boards", boards, *arguments]
        # What it remembers of itself is forgotten with its directory.
        self.environment = environment(**{"STATE_DIRECTORY": self.directory, **(variables or {})})
        self._begin()
        if is_read:
            self.read_log()

    def _begin(self):
        self.has_ended = False
        self.process = subprocess.Popen(
            self.command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=self.directory, env=self.environment)
        self.reader = threading.Thread(target=self._read, args=[self.process], daemon=True)

    def restart(self, text):
        """Starts it again, after it was stopped, with another device file in the place of the one before."""
        self.process.stderr.close()
        with open(self.config, "w") as file:
            file.write(text)
        self._begin()
        self.read_log()

    def read_log(self):
        self.reader.start()

    def _read(self, process):
        for line in process.stderr:
            with self.changed:
                self.lines.append(line.decode(errors="backslashreplace").rstrip("\n"))
                self.times.append(time.monotonic())
                self.changed.notify_all()
        with self.changed:
            self.has_ended = True
            self.changed.notify_all()

    @property
    def log(self):
        with self.changed:
            return "\n".join(self.lines)

    def mark(self):
        with self.changed:
            return len(self.lines)

    def wait_log(self, pattern, timeout=PATIENCE, since=0):
        """The first line of the log from `since` on in which the pattern is found."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for line in self.lines[since:]:
                    if re.search(pattern, line):
                        return line
                if self.has_ended:
                    raise TimeoutError(f"it has ended without a line like '{pattern}'; the log:\n{self.log_now()}")
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self.changed.wait(remaining):
                    raise TimeoutError(f"no line like '{pattern}' in {timeout} s; the log:\n{self.log_now()}")

    def log_time(self, pattern):
        """When the first line came in which the pattern is found, by the monotonic clock."""
        line = self.wait_log(pattern)
        with self.changed:
            return self.times[self.lines.index(line)]

    def log_now(self):
        return "\n".join(self.lines)

    @property
    def is_running(self):
        return self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """Seconds until the process ended, without those that this machine was late by itself; and its exit status."""
        begin = time.monotonic()
        status = self.process.wait(timeout)
        seconds = time.monotonic() - begin - pulse.allowance(begin)
        self.reader.join(PATIENCE)
        return seconds, status

    def stop(self, number=signal.SIGTERM, timeout=PATIENCE):
        self.send(number)
        return self.wait(timeout)

    def wait_rests(self, count):
        """Until it has been woken so many times more: by its timers, when nobody sends it anything."""
        goal = rests(self.process.pid) + count
        wait_until(lambda: rests(self.process.pid) >= goal or not self.is_running, what=f"{count} times awake")

    def comes_to_rest(self):
        return comes_to_rest(self.process.pid)

    def share_of_processor(self, seconds=1):
        return share_of_processor(self.process.pid, seconds)

    def memory(self, field="VmRSS"):
        """A field of /proc/PID/status in kilobytes: VmRSS now, VmHWM at most so far."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.M)[1])

    def processor_time(self):
        """Seconds of processor time used so far."""
        return processor_time(self.process.pid)

    def close(self):
        if self.is_running:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        if self.reader.ident:
            self.reader.join(PATIENCE)
        self.process.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
