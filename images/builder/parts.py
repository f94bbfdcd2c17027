"""What an image is made of: unpacked Debian packages, the program, and the files of images/firmware."""

import glob
import os
import re
from dataclasses import dataclass, field

from .archive import Modules
from .tools import BuildError

FIRMWARE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "firmware")


@dataclass
class Parts:
    kernel_root: str
    firmware_root: str
    system_root: str
    program: str
    boards: str
    used: set = field(default_factory=set)  # files that are in the image

    def use(self, path):
        """A file's path, which the manifest will know of."""
        self.used.add(path)
        return path

    def one(self, root, *patterns):
        for pattern in patterns:
            found = glob.glob(os.path.join(root, pattern))
            if len(found) == 1:
                return self.use(found[0])
        raise BuildError(f"{root} holds no single {' or '.join(patterns)}")

    @property
    def kernel(self):
        """Debian's 6.12 has it in boot, 7.x among the modules."""
        return self.one(self.kernel_root, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz", "lib/modules/*/vmlinuz")

    def device_trees(self, pattern):
        folders = ("usr/lib/linux-image-*/broadcom", "usr/lib/modules/*/dtb/broadcom", "lib/modules/*/dtb/broadcom")
        for folder in folders:
            found = sorted(glob.glob(os.path.join(self.kernel_root, folder, pattern)))
            if found:
                self.used.update(found)
                return found
        raise BuildError(f"{self.kernel_root} holds no device tree {pattern}")

    @property
    def modules(self):
        return Modules(self.kernel_root)

    @property
    def epoch(self):
        """The time of everything in the image: that of its kernel."""
        return int(os.stat(self.kernel).st_mtime)


def listed_modules():
    """The lists of images/firmware/modules: (those of the initramfs, all)."""
    boot, every = [], []
    with open(os.path.join(FIRMWARE, "modules"), encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                every.append(words[-1])
                if words[0] == "boot":
                    boot.append(words[-1])
    return boot, every


def listed_applets():
    """{place: names} of images/firmware/applets."""
    places = {}
    with open(os.path.join(FIRMWARE, "applets"), encoding="utf-8") as file:
        for line in file:
            match = re.match(r"(\w+): (.*)", line)
            if match:
                places.setdefault(match[1], []).extend(match[2].split())
    return places
