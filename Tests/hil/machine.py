"""An emulated Raspberry Pi 3B, seen from outside: its registers, its writes, its sensors, its console."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import typing

from harness.waiting import PATIENCE

from builder.elf import Elf

HARD_LIMIT = 900  # seconds a machine may live, whatever happens to this program
BROKER_IN_GUEST = "10.0.2.100:1883"

# Without the crypto self tests and other things nobody looks at here, userland is reached a second earlier.
KERNEL_OPTIONS = (
    "console=ttyS1,115200 quiet loglevel=2 panic=-1 nokaslr mitigations=off random.trust_cpu=on "
    "apparmor=0 audit=0 nowatchdog rcupdate.rcu_expedited=1 cryptomgr.notests")


class Lines:
    """A line protocol over a Unix socket."""

    def __init__(self, path, alive, timeout=PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if not alive() or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.socket.settimeout(timeout)
        self.buffer = b""

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def receive(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the emulator closed the connection")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def close(self):
        self.socket.close()


class Registers:
    """Reads and writes the machine's physical memory through QEMU's test socket."""

    def __init__(self, path, alive):
        self.lines, self.lock = Lines(path, alive), threading.Lock()

    def _command(self, text):
        with self.lock:
            self.lines.send(text)
            status, *values = self.lines.receive().split()
        if status != "OK":
            raise RuntimeError(f"qtest: {text}: {status} {' '.join(values)}")
        return values

    def read(self, address):
        return int(self._command(f"readl {address:#x}")[0], 16)

    def write(self, address, value):
        self._command(f"writel {address:#x} {value:#x}")


class Monitor:
    """QEMU's machine protocol."""

    def __init__(self, path, alive):
        self.lines = Lines(path, alive)
        self.lines.receive()
        self.command("qmp_capabilities")

    def command(self, name, /, **arguments):
        self.lines.send(json.dumps({"execute": name, "arguments": arguments}))
        while True:
            answer = json.loads(self.lines.receive())
            if "error" in answer:
                raise RuntimeError(f"QMP {name} {arguments}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


class Console:
    """What the guest says, line by line, and a shell in it."""

    def __init__(self, process):
        self.process, self.lines, self.changed = process, [], threading.Condition()
        self.ended, self.commands = False, 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip())
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, pattern, since=0, timeout=PATIENCE):
        """The index and the match of the first line from `since` that matches."""
        expression, deadline = re.compile(pattern), time.monotonic() + timeout
        with self.changed:
            while True:
                for index in range(since, len(self.lines)):
                    match = expression.search(self.lines[index])
                    if match:
                        return index, match
                remaining = deadline - time.monotonic()
                if self.ended or remaining <= 0:
                    reason = self._end() if self.ended else f"not within {timeout} s"
                    raise TimeoutError(f"console: no line like /{pattern}/: {reason}")
                self.changed.wait(remaining)

    def _end(self):
        status = self.process.wait(5)
        return f"the machine ended with status {status}" + (
            f", its {HARD_LIMIT} s were up" if status in (137, -signal.SIGKILL) else "")

    def shell(self, command, timeout=PATIENCE):
        """Runs a command in the guest; what it printed, one string a line."""
        self.commands += 1
        with self.changed:
            since = len(self.lines)
        self.process.stdin.write(f"{self.commands} {command}\n".encode())
        self.process.stdin.flush()
        end, match = self.wait(f"^<{self.commands} ended> ([0-9]+)$", since, timeout)
        if match[1] != "0":
            raise RuntimeError(f"guest: {command}: exit status {match[1]}")
        mark = f"<{self.commands}> "
        return [line.removeprefix(mark) for line in self.lines[since:end] if line.startswith(mark)]


class Write(typing.NamedTuple):
    address: int
    value: int

    def __repr__(self):
        return f"{self.value:#x} to {self.address:#x}"


class WriteLog:
    """Every register write of the guest, in order: QEMU traces them into a file, nothing is sampled."""

    PATTERN = re.compile(r"memory_region_ops_write .*addr (0x[0-9a-f]+) value (0x[0-9a-f]+) size \d+ name '([^']*)'")

    def __init__(self, monitor, path):
        self.monitor, self.path, self.offset = monitor, path, 0

    def start(self):
        open(self.path, "ab").close()
        self.offset = os.path.getsize(self.path)
        self._enable(True)

    def stop(self):
        self._enable(False)

    def _enable(self, enable):
        self.monitor.command("trace-event-set-state", name="memory_region_ops_write", enable=enable)

    def writes(self, region):
        """The writes since start() to the registers of one device."""
        with open(self.path, errors="replace") as file:
            file.seek(self.offset)
            matches = filter(None, map(self.PATTERN.search, file))
            return [Write(int(m[1], 16), int(m[2], 16)) for m in matches if m[3] == region]


class Machine:
    """QEMU with a kernel, an initramfs and a bus with targets; powered off with close().

    `parts` says where QEMU, the kernel and the device tree are; `options` is the kernel's command line.
    """

    def __init__(self, parts, initramfs, broker_port, targets, options=KERNEL_OPTIONS):
        self.directory = tempfile.mkdtemp(prefix="swiftlet-hil-")
        relay = shlex.join([
            sys.executable, "-I", "-S", os.path.join(os.path.dirname(__file__), "relay.py"), str(broker_port)])
        command = [
            "timeout", "--signal=KILL", str(HARD_LIMIT), *program(parts.qemu),
            "-M", "raspi3b", "-accel", "tcg,thread=single", "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", parts.kernel, "-dtb", parts.device_tree, "-initrd", initramfs,
            "-append", options,
            "-serial", "null", "-serial", "stdio",
            "-qmp", f"unix:{self._path('qmp')},server=on,wait=off",
            "-qtest", f"unix:{self._path('qtest')},server=on,wait=off", "-qtest-log", "none",
            "-D", self._path("trace"),
            # Nothing but the broker can be reached, and each connection to it has a process of its own.
            "-netdev", "user,id=net,restrict=on,guestfwd=tcp:"
            f"{BROKER_IN_GUEST}-cmd:" + relay.replace(",", ",,"),
            "-device", "usb-net,netdev=net",
            *targets]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.console = Console(self.process)
        try:
            self.registers = Registers(self._path("qtest"), self.alive)
            self.monitor = Monitor(self._path("qmp"), self.alive)
        except OSError:
            self.close()
            raise RuntimeError("QEMU does not start:\n  " + "\n  ".join(self.console.lines)) from None
        self.write_log = WriteLog(self.monitor, self._path("trace"))

    def _path(self, name):
        return os.path.join(self.directory, name)

    def alive(self):
        return self.process.poll() is None

    def set_property(self, device, name, value):
        self.monitor.command("qom-set", path=f"/machine/peripheral/{device}", property=name, value=value)

    def cut(self):
        """The power goes: nothing is written any more, nothing said."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            os.kill(int(children.read()), signal.SIGKILL)  # QEMU; `timeout` ends with it
        self.process.wait()

    def close(self):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)  # `timeout` hands it on to QEMU
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def program(qemu):
    """The command for a QEMU that is installed, or one unpacked in a directory with its libraries.

    The loader is called by name so that the directory's libraries are QEMU's only, not those of the
    processes it starts.
    """
    if not os.path.isdir(qemu):
        return [qemu]
    binary = os.path.join(qemu, "usr/bin/qemu-system-aarch64")
    library = os.path.join(qemu, "usr/lib")
    folders = [library] + [
        os.path.join(library, name) for name in os.listdir(library) if name.endswith("-linux-gnu")]
    loader = Elf(binary).interpreter()
    return [loader, "--library-path", ":".join(folders), binary, "-L", os.path.join(qemu, "usr/share/qemu")]
