"""Just enough ELF to see what a program or a kernel module needs."""

import lzma
import os
import struct


class Elf:
    """Sections and dynamic entries of a little-endian ELF file of either word size."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if path.endswith(".xz"):
            self.data = lzma.decompress(self.data)
        if self.data[:4] != b"\x7fELF":
            raise ValueError(f"{path}: not an ELF file")
        self.path = path
        self.wide = self.data[4] == 2

    def sections(self):
        """name → bytes"""
        if self.wide:
            table, = struct.unpack_from("<Q", self.data, 0x28)
            size, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
            offset_at, format = 0x18, "<QQ"
        else:
            table, = struct.unpack_from("<I", self.data, 0x20)
            size, count, names = struct.unpack_from("<HHH", self.data, 0x2E)
            offset_at, format = 0x10, "<II"
        headers = [table + size * index for index in range(count)]
        spans = [struct.unpack_from(format, self.data, header + offset_at) for header in headers]
        kinds = [struct.unpack_from("<II", self.data, header) for header in headers]
        strings = spans[names][0]
        nobits = 8
        return {
            self._string(strings + name): self.data[offset:offset + length] if kind != nobits else b""
            for (name, kind), (offset, length) in zip(kinds, spans)}

    def _string(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def interpreter(self):
        """The program loader it asks for, or None when it is static."""
        return self.sections().get(".interp", b"").rstrip(b"\0").decode() or None

    def needed(self):
        """The shared libraries it asks for (DT_NEEDED)."""
        sections = self.sections()
        strings, dynamic = sections.get(".dynstr", b""), sections.get(".dynamic", b"")
        names = []
        for tag, value in struct.iter_unpack("<QQ" if self.wide else "<II", dynamic):
            if tag == 0:
                break
            if tag == 1:
                names.append(strings[value:strings.index(b"\0", value)].decode())
        return names

    def modinfo(self, key):
        """The values of one key of a kernel module's .modinfo."""
        prefix = key.encode() + b"="
        entries = self.sections().get(".modinfo", b"").split(b"\0")
        return [entry[len(prefix):].decode() for entry in entries if entry.startswith(prefix)]


def libraries(program, sysroot):
    """What `program` needs to run, found in an unpacked sysroot: [(path in the guest, file)]."""
    folders = [
        os.path.join(sysroot, base, name)
        for base in ("usr/lib", "lib") if os.path.isdir(os.path.join(sysroot, base))
        for name in ("", *sorted(os.listdir(os.path.join(sysroot, base)))) if "gcc" not in name]

    def find(name):
        for folder in folders:
            file = os.path.join(folder, name)
            if os.path.isfile(file):
                return os.path.realpath(file)
        raise FileNotFoundError(f"{program} needs {name}, which no package in {sysroot} brings")

    elf = Elf(program)
    found, queue = {}, list(elf.needed())
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = find(name)
            queue += Elf(found[name]).needed()
    loader = elf.interpreter()
    files = {f"/lib/{name}": file for name, file in found.items()}
    if loader:
        files[loader] = find(os.path.basename(loader))
    return sorted(files.items())
