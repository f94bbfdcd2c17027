"""The system: a read-only root of BusyBox, swiftletd, their libraries and the kernel's modules, as squashfs."""

import hashlib
import os
import re
import shutil

from .elf import libraries
from .parts import FIRMWARE, listed_applets, listed_modules

BLOCK = 4096
FOLDERS = ("boot/firmware", "data", "dev", "etc/ssl/certs", "proc", "root", "run", "sys", "tmp", "var", "usr/lib/ssl")
LINKS = {
    "bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib",
    "etc/resolv.conf": "../run/resolv.conf", "var/run": "../run", "var/log": "../run/log", "var/tmp": "../tmp",
    "var/lib": "../data", "usr/lib/ssl/cert.pem": "../../../etc/ssl/certs/ca-certificates.crt",
}
PROGRAMS = ("usr/bin/setpriv", "usr/sbin/e2fsck", "usr/sbin/resize2fs", "usr/sbin/ntpd")
# Loaded by swiftletd when the device file asks for them.
ON_DEMAND = ("libssl.so.3", "libcrypto.so.3", "libsqlite3.so.0", "libwslay.so.1")


class Tree:
    """Files on their way into the system."""

    def __init__(self, directory, parts):
        self.directory, self.parts = directory, parts

    def path(self, name):
        path = os.path.join(self.directory, name.lstrip("/"))
        if os.path.lexists(path):
            raise FileExistsError(f"{name} is in the system already")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def copy(self, name, source, mode):
        path = self.path(name)
        shutil.copyfile(self.parts.use(source), path)
        os.chmod(path, mode)

    def write(self, name, data, mode=0o644):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        os.chmod(path, mode)

    def link(self, name, target):
        os.symlink(target, self.path(name))


def fill(tree, parts, device, tools, version):
    for folder in ("usr/bin", "usr/sbin", "usr/lib", *FOLDERS):
        os.makedirs(os.path.join(tree.directory, folder))
    for name, target in LINKS.items():
        tree.link(name, target)
    overlay = os.path.join(FIRMWARE, "system")
    for folder, _, names in os.walk(overlay):
        for name in names:
            source = os.path.join(folder, name)
            executable = os.access(source, os.X_OK)
            tree.copy(os.path.relpath(source, overlay), source, 0o755 if executable else 0o644)
    tree.write("etc/hostname", device + "\n")
    tree.write("etc/swiftlet/built", f"{parts.epoch}\n")
    tree.write("etc/swiftlet/version", f"{version}\n")
    add_programs(tree, parts)
    add_modules(tree, parts, tools)
    add_certificates(tree, parts)
    tree.write("etc/swiftlet/essential", "".join(f"/system/{name}\n" for name in essential(tree)))
    for folder, _, names in os.walk(parts.boards):
        for name in names:
            source = os.path.join(folder, name)
            tree.copy(os.path.join("usr/share/swiftlet/boards", os.path.relpath(source, parts.boards)), source, 0o644)


def essential(tree):
    """What every start needs."""
    programs = ["usr/bin/busybox", "usr/bin/swiftletd", "usr/bin/setpriv", "usr/sbin/e2fsck"]
    names = {os.path.relpath(file, tree.directory)
             for name in programs for _, file in libraries(os.path.join(tree.directory, name), tree.directory)}
    return sorted(names | set(programs))


def add_programs(tree, parts):
    tree.copy("usr/bin/busybox", os.path.join(parts.system_root, "bin/busybox"), 0o755)
    applets = listed_applets()
    for place, prefix in (("bin", ""), ("sbin", "../bin/")):
        for name in applets[place]:
            tree.link(f"usr/{place}/{name}", f"{prefix}busybox")
    tree.copy("usr/bin/swiftletd", parts.program, 0o755)
    wanted = dict(libraries(parts.program, parts.system_root))
    for name in PROGRAMS:
        tree.copy(name, os.path.join(parts.system_root, name), 0o755)
        wanted.update(libraries(os.path.join(parts.system_root, name), parts.system_root))
    for name in ON_DEMAND:
        file = parts.one(parts.system_root, f"usr/lib/*-linux-gnu/{name}")
        wanted.update(libraries(file, parts.system_root))
        wanted[f"/lib/{name}"] = os.path.realpath(file)
    for name, file in wanted.items():
        tree.copy(f"usr{name}", file, 0o755)


def add_modules(tree, parts, tools):
    modules = parts.modules
    base = f"usr/lib/modules/{modules.version}"
    for name, data in modules.in_order(listed_modules()[1]):
        tree.write(f"{base}/{name}.ko", data)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        tree.copy(f"{base}/{name}", os.path.join(modules.top, name), 0o644)
    tools.run("depmod", "-b", tree.directory, modules.version)
    # BusyBox reads the texts, not the indices.
    keep = {"modules.alias", "modules.dep", "modules.softdep", "modules.symbols", "modules.builtin"}
    folder = os.path.join(tree.directory, base)
    for name in os.listdir(folder):
        if name.startswith("modules.") and name not in keep:
            os.remove(os.path.join(folder, name))


def add_certificates(tree, parts):
    """The authorities that Debian knows, in one file."""
    folder = os.path.join(parts.system_root, "usr/share/ca-certificates/mozilla")
    texts = []
    for name in sorted(os.listdir(folder)):
        with open(parts.use(os.path.join(folder, name)), encoding="ascii") as file:
            texts.append(file.read().rstrip("\n") + "\n")
    tree.write("etc/ssl/certs/ca-certificates.crt", "".join(texts))


def squash(tree, path, tools):
    # All times are the tools' SOURCE_DATE_EPOCH.
    tools.run(
        "mksquashfs", tree.directory, path, "-noappend", "-all-root", "-no-xattrs", "-no-progress", "-quiet",
        "-comp", "zstd", "-Xcompression-level", "19", "-b", "64K")


def seal(path, tools, version):
    """Appends the hashes that the kernel checks each block with; what the last sector of a slot says of the system."""
    blocks, salt = os.stat(path).st_size // BLOCK, hashlib.sha256(version.encode()).hexdigest()
    text = tools.run(
        "veritysetup", "format", path, path, "--no-superblock", f"--hash-offset={blocks * BLOCK}",
        f"--data-blocks={blocks}", f"--data-block-size={BLOCK}", f"--hash-block-size={BLOCK}", "--hash=sha256",
        f"--salt={salt}")
    root_hash = re.search(r"Root hash:\s+([0-9a-f]{64})", text)[1]
    return f"swiftlet-system 1 {blocks} {root_hash} {salt} {version}\n".encode().ljust(512, b"\0")
