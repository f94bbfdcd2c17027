"""An initramfs written directly: no root, no mount, no cpio program."""

import os
import stat

from .elf import Elf


class Archive:
    """A `newc` cpio archive in memory."""

    def __init__(self):
        self.parts, self.inode, self.folders = [], 1, set()

    def _entry(self, path, mode, data=b"", device=(0, 0)):
        name = path.lstrip("/").encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self.parts += [header, b"\0" * (-len(header) % 4), data, b"\0" * (-len(data) % 4)]
        self.inode += 1

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self.folders:
            self.folder(os.path.dirname(path))
            self.folders.add(path)
            self._entry(path, stat.S_IFDIR | 0o755)

    def file(self, path, data, mode=0o644):
        self.folder(os.path.dirname(path))
        self._entry(path, stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data)

    def copy(self, path, source, mode=0o755):
        with open(source, "rb") as file:
            self.file(path, file.read(), mode)

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor):
        self.folder(os.path.dirname(path))
        self._entry(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def data(self):
        """The whole archive; nothing can be added after it."""
        self._entry("TRAILER!!!", 0)
        return b"".join(self.parts)

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.data())


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


class Modules:
    """The modules of one unpacked kernel package."""

    def __init__(self, kernel_root):
        base = os.path.join(kernel_root, "lib/modules")
        if not os.path.isdir(base):
            base = os.path.join(kernel_root, "usr/lib/modules")
        versions = os.listdir(base)
        if len(versions) != 1:
            raise FileNotFoundError(f"{base}: one kernel version expected, found {versions}")
        self.version = versions[0]
        top = self.top = os.path.join(base, self.version)
        self.files = {
            module_name(name): os.path.join(folder, name)
            for folder, _, names in os.walk(top) for name in names if ".ko" in name}
        with open(os.path.join(top, "modules.builtin")) as file:
            self.builtin = {module_name(line.strip()) for line in file}

    def in_order(self, names):
        """The named modules and everything they depend on, dependencies first: [(name, bytes)]."""
        order = {}

        def visit(name, wanted_by):
            name = name.replace("-", "_")
            if name in order or name in self.builtin:
                return
            if name not in self.files:
                raise FileNotFoundError(f"kernel {self.version} has no module {name} ({wanted_by})")
            elf = Elf(self.files[name])
            for dependency in ",".join(elf.modinfo("depends")).split(","):
                if dependency:
                    visit(dependency, f"needed by {name}")
            order[name] = elf.data

        for name in names:
            visit(name, "asked for by the machine")
        return list(order.items())
