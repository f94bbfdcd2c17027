"""The guest's hardware as a test sees it: simulated lines, I2C targets and the kernel's record of levels."""

import ctypes
import errno
import fcntl
import os
import re
import struct
import threading
import time

from harness.waiting import PATIENCE, wait_until

CONFIGFS = "/sys/kernel/config/gpio-sim"
TRACING = "/sys/kernel/tracing"
TARGETS = "/sys/kernel/debug/swiftlet-i2c-sim"

# linux/gpio.h: GPIO_V2_GET_LINEINFO_IOCTL, GPIO_V2_GET_LINE_IOCTL
GET_LINE_INFO = 0xC100B405
GET_LINE = 0xC250B407
LINE_IS_USED = 1
LINE_IS_OUTPUT = 8


def read(path):
    with open(path) as file:
        return file.read().strip()


def write(path, value):
    with open(path, "wb") as file:
        file.write(value if isinstance(value, bytes) else str(value).encode())


class Chip:
    """A gpio-sim chip with named lines; chip["RELAY1"] is a Line."""

    def __init__(self, label, names):
        self.label = label
        self.directory = f"{CONFIGFS}/{label}"
        bank = f"{self.directory}/bank"
        os.makedirs(bank)
        write(f"{bank}/label", label)
        write(f"{bank}/num_lines", len(names))
        for offset, name in enumerate(names):
            os.mkdir(f"{bank}/line{offset}")
            write(f"{bank}/line{offset}/name", name)
        write(f"{self.directory}/live", 1)
        self.device = read(f"{self.directory}/dev_name")
        self.node = read(f"{bank}/chip_name")
        base = re.search(rf"^{self.node}: GPIOs (\d+)-", read("/sys/kernel/debug/gpio"), re.M)
        self.lines = {
            name: Line(self, offset, int(base.group(1)) + offset)
            for offset, name in enumerate(names)}

    def __getitem__(self, name):
        return self.lines[name]

    def unplug(self):
        write("/sys/bus/platform/drivers/gpio-sim/unbind", self.device)


class Line:
    def __init__(self, chip, offset, number):
        self.chip, self.offset, self.number = chip, offset, number
        self.directory = (
            f"/sys/devices/platform/{chip.device}/{chip.node}/sim_gpio{offset}")

    @property
    def level(self):
        return int(read(f"{self.directory}/value"))

    def drive(self, level):
        """What is wired to the line pulls it up (1) or down (0)."""
        write(f"{self.directory}/pull", ("pull-down", "pull-up")[level])

    def bounce(self, times, level):
        """Pulls the line to and fro, ending at `level`; answers the seconds that took."""
        with open(f"{self.directory}/pull", "wb", buffering=0) as file:
            began = time.monotonic()
            for turn in range(times, -1, -1):
                file.write((b"pull-down", b"pull-up")[level ^ turn & 1])
            return time.monotonic() - began

    @property
    def info(self):
        """Flags and consumer: who holds the line, "" for nobody."""
        request = bytearray(struct.pack("32s32sII184x", b"", b"", self.offset, 0))
        with open(f"/dev/{self.chip.node}", "rb") as chip:
            fcntl.ioctl(chip, GET_LINE_INFO, request)
        _, consumer, _, _, flags = struct.unpack_from("32s32sIIQ", request)
        return flags, consumer.rstrip(b"\0").decode()

    @property
    def consumer(self):
        return self.info[1]

    def wait_taken(self, timeout=PATIENCE):
        return wait_until(lambda: self.consumer, timeout, "somebody takes the line")

    def wait_free(self, timeout=PATIENCE):
        wait_until(lambda: not self.info[0] & LINE_IS_USED, timeout, "the line is free")

    def hold(self, consumer):
        """Takes the line as another program would, as an input; close what it answers to let go."""
        request = bytearray(592)
        struct.pack_into("I", request, 0, self.offset)
        struct.pack_into("32s", request, 256, consumer.encode())
        struct.pack_into("Q", request, 288, 4)
        struct.pack_into("I", request, 560, 1)
        with open(f"/dev/{self.chip.node}", "rb") as chip:
            fcntl.ioctl(chip, GET_LINE, request)
        return os.fdopen(struct.unpack_from("i", request, 588)[0], "rb", buffering=0)


class Level:
    def __init__(self, number, value, at):
        self.number, self.value, self.at = number, value, at

    def __repr__(self):
        return f"{self.at:.6f} line {self.number} set to {self.value}"


class Levels:
    """Every level the kernel was told to put on an output, in order, with its monotonic time.

    This is the kernel's trace of gpiolib, not a sampler: a level that lasted a microsecond is in it.
    """

    pattern = re.compile(rb" (\d+\.\d+): gpio_value: (\d+) set (\d)")

    def __init__(self):
        self.log = []
        self.fences = 0
        self.fences_seen = 0
        self.changed = threading.Condition()
        write(f"{TRACING}/trace_clock", "mono")
        write(f"{TRACING}/events/gpio/gpio_value/enable", 1)
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        with open(f"{TRACING}/trace_pipe", "rb", buffering=0) as pipe:
            rest = b""
            while True:
                *lines, rest = (rest + pipe.read(65536)).split(b"\n")
                found = [self.pattern.search(line) for line in lines]
                with self.changed:
                    self.fences_seen += sum(b": fence" in line for line in lines)
                    self.log += [
                        Level(int(match[2]), int(match[3]), float(match[1])) for match in found if match]
                    self.changed.notify_all()

    def catch_up(self):
        """Reads up to a mark of our own in the trace: what was before it is in the log then."""
        with self.changed:
            self.fences += 1
            write(f"{TRACING}/trace_marker", "fence")
            if not self.changed.wait_for(lambda: self.fences_seen >= self.fences, PATIENCE):
                raise TimeoutError("the kernel's trace does not come")

    def mark(self):
        self.catch_up()
        return len(self.log)

    def of(self, line, since=0):
        self.catch_up()
        return [level for level in self.log[since:] if level.number == line.number]

    def changes(self, line, since=0):
        """The values that the line went through. With libgpiod 1 all lines of a request are set at once, each to the
        value it has but for one."""
        self.catch_up()
        value, changes = None, []
        for index, level in enumerate(self.log):
            if level.number == line.number and level.value != value:
                value = level.value
                if index >= since:
                    changes.append(value)
        return changes

    def wait(self, line, value, since=0, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for level in self.log[since:]:
                    if level.number == line.number and level.value == value:
                        return level
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError(
                        f"line {line.number} not set to {value} within {timeout} s; "
                        f"levels since: {[l for l in self.log[since:] if l.number == line.number]}")
                self.changed.wait(remaining)


class Target:
    """A target of the simulated I2C bus (toolchains/uml/swiftlet-i2c-sim.c says what the files do)."""

    def __init__(self, address):
        self.directory = f"{TARGETS}/0x{address:02x}"

    def set(self, **settings):
        for name, value in settings.items():
            write(f"{self.directory}/{name}", value)

    def get(self, name):
        return read(f"{self.directory}/{name}")

    @property
    def transfers(self):
        return int(self.get("transfers"))

    @property
    def hanging(self):
        """Whether a transfer holds the bus at this moment."""
        return self.get("hanging") == "Y"

    def wait_hanging(self, timeout=PATIENCE):
        wait_until(lambda: self.hanging, timeout, "a transfer holds the bus")

    def wait_transfers(self, more, timeout=PATIENCE):
        """Waits for so many more transfers, good or refused."""
        goal = self.transfers + more
        wait_until(lambda: self.transfers >= goal, timeout, f"{more} more transfers")

    def registers(self, contents):
        """`contents`: bytes by register address."""
        with open(f"{self.directory}/registers", "wb", buffering=0) as file:
            for address, data in contents.items():
                file.seek(address)
                file.write(data)

    def commands(self, answers):
        """`answers`: up to 13 bytes by 16-bit command; replaces all there were."""
        records = b"".join(
            struct.pack(">HB13s", command, len(answer), answer) for command, answer in answers.items())
        with open(f"{self.directory}/commands", "wb", buffering=0) as file:
            file.write(records.ljust(256, b"\0"))

    def reset(self):
        self.set(present="N", flip=0, error=0, limit=0, hang_ms=0, stride=1)
        self.registers({0: bytes(256)})
        self.commands({})


def crc8(data):
    """Sensirion's checksum: polynomial 0x31, start 0xFF (written from the datasheet, by long division)."""
    remainder = 0xFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x131) if remainder & 0x80 else remainder << 1
    return remainder


class SHT3x(Target):
    """An SHT31 at its address; its command for one measurement without clock stretching is 0x2400."""

    def __init__(self, address=0x44):
        super().__init__(address)

    def measure(self, celsius, percent):
        words = (round((celsius + 45) / 175 * 65535), round(percent / 100 * 65535))
        answer = b"".join(
            word.to_bytes(2, "big") + bytes([crc8(word.to_bytes(2, "big"))]) for word in words)
        self.commands({0x2400: answer})

    def __enter__(self):
        self.reset()
        self.set(present="Y")
        return self

    def __exit__(self, *_):
        self.reset()


libc = ctypes.CDLL(None, use_errno=True)


BIND = 4096


def mount(source, target, kind, data="", flags=0):
    os.makedirs(target, exist_ok=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount {kind} on {target}: {errno.errorcode[error]}")
