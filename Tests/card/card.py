"""A card image, and what the Pi's firmware makes of it: it reads the first partition and starts what it finds there."""

import os
import re
import shutil
from dataclasses import dataclass

from builder import disk
from builder.tools import Tools
from hil import gpio

DEVICE_TREE = "bcm2837-rpi-3-b.dtb"


@dataclass
class Firmware:
    """What a Raspberry Pi 3B's firmware would start, read off the card: QEMU has no firmware of its own."""
    qemu: str
    kernel: str
    device_tree: str
    initramfs: str
    command_line: str
    config: str

    def set_lines(self, lines):
        """The `gpio=` lines of config.txt; every other line of the header has its pull."""
        for line in range(28):
            lines.pull(line, int(line <= 8))
        for line, level in re.findall(r"^gpio=(\d+)=op,d([hl])$", self.config, re.M):
            lines.drive(int(line), int(level == "h"))


class Card:
    """A card as big as one that can be bought for an emulator: the image, and nothing behind it."""

    SIZE = 128 << 20  # QEMU wants a power of two

    def __init__(self, image, directory, cache):
        self.path = os.path.join(directory, "card.img")
        self.directory = directory
        self.tools = Tools(os.path.join(cache, "image/tools"), 0)
        shutil.copyfile(image, self.path)
        os.truncate(self.path, self.SIZE)

    def read(self, name):
        """A file of the first partition, in a file of its own."""
        target = os.path.join(self.directory, os.path.basename(name))
        self.tools.run("mcopy", "-n", "-o", "-i", f"{self.path}@@{disk.BOOT[0]}", f"::/{name}", target)
        return target

    def text(self, name):
        with open(self.read(name), encoding="utf-8") as file:
            return file.read()

    def firmware(self, qemu):
        config = self.text("config.txt")
        kernel = re.search(r"^kernel=(\S+)$", config, re.M)[1]
        initramfs = re.search(r"^initramfs (\S+) followkernel$", config, re.M)[1]
        return Firmware(
            qemu, self.read(kernel), self.read(DEVICE_TREE), self.read(initramfs), self.text("cmdline.txt").strip(), config)

    def drive(self):
        return ["-drive", f"file={self.path.replace(',', ',,')},if=sd,format=raw"]

    def put(self, offset, data):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def sector(self, number):
        with open(self.path, "rb") as file:
            file.seek(number * disk.SECTOR)
            return file.read(disk.SECTOR)

    def copy_system(self):
        """What is in slot A is in slot B, too, as after an update."""
        with open(self.path, "rb") as file:
            file.seek(disk.SLOT_A[0])
            self.put(disk.SLOT_B[0], file.read(disk.SLOT_A[1]))

    def damage_system(self):
        """One byte of slot A is another one, in what every start reads (BusyBox)."""
        offset = disk.SLOT_A[0] + disk.MIB // 2
        with open(self.path, "rb") as file:
            file.seek(offset)
            self.put(offset, bytes([file.read(1)[0] ^ 1]))

    def record(self):
        """The words of the newer slot record: sequence, good slot, slot on trial, tries."""
        records = [self.sector(sector).rstrip(b"\0").decode().split() for sector in disk.RECORDS]
        return max((words[2:6] for words in records), key=lambda words: int(words[0]))

    def check_data(self):
        """The data partition repairs itself without a question, as at a start, and is whole then."""
        part = os.path.join(self.directory, "data.ext4")
        with open(self.path, "rb") as file, open(part, "wb") as copy:
            file.seek(disk.DATA[0])
            shutil.copyfileobj(file, copy)
        self.tools.run("e2fsck", "-p", part, good=(0, 1))
        self.tools.run("e2fsck", "-f", "-n", part)
