"""The card's first partition: what the Pi's firmware reads, and what its owner may edit on any computer."""

import gzip
import os

from .archive import Archive
from .elf import libraries
from .parts import FIRMWARE, listed_applets, listed_modules

# Pi 3 and Zero 2 W start with bootcode.bin and start.elf, Pi 4 with start4.elf.
FIRMWARE_FILES = ("bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat")
DEVICE_TREES = (
    "bcm2837-rpi-3-a-plus", "bcm2837-rpi-3-b", "bcm2837-rpi-3-b-plus", "bcm2837-rpi-cm3-io3", "bcm2837-rpi-zero-2-w",
    "bcm2711-rpi-4-b", "bcm2711-rpi-400", "bcm2711-rpi-cm4-io")

CONFIG = """# Written with the image; the firmware reads it before anything else.
# Lines of your own go to the end.
arm_64bit=1
upstream_kernel=1
kernel=kernel.gz
initramfs initramfs.gz followkernel
disable_splash=1
boot_delay=0
gpu_mem=32
"""
UART = """
# Kernel messages on GPIO14 (header pin 8), 115200 baud.
enable_uart=1
"""
SAFE_LINES = """
# Outputs that would be on until swiftletd starts, because of the Pi's own pulls: their level from here on.
"""
NETWORK = """# How this device is reached. Remove the # of what you want to set.
# host_name: {name}
# ethernet: dhcp           # or static (with address, gateway and dns), or off
# address: 192.168.1.20/24
# gateway: 192.168.1.1
# dns: 192.168.1.1
# time_server: pool.ntp.org
"""


def config_text(safe_lines, has_console):
    text = CONFIG + (UART if has_console else "")
    return text + (SAFE_LINES + "".join(f"{line}\n" for line in safe_lines) if safe_lines else "")


def command_line(disk_id, has_console):
    consoles = "console=tty0" + (" console=ttyS1,115200" if has_console else "")
    return f"{consoles} swiftlet.disk={disk_id} quiet loglevel=3 panic=10 audit=0 apparmor=0\n"


def initramfs(parts):
    """gzip of what finds and verifies the system."""
    archive = Archive()
    archive.character_device("/dev/console", 5, 1)
    for folder in ("proc", "sys", "system"):
        archive.folder(folder)
    with open(os.path.join(FIRMWARE, "initramfs-init"), encoding="utf-8") as file:
        archive.file("/init", file.read(), 0o755)
    archive.copy("/bin/busybox", os.path.join(parts.system_root, "bin/busybox"))
    for name in listed_applets()["boot"]:
        archive.link(f"/bin/{name}", "busybox")
    program = os.path.join(parts.system_root, "usr/sbin/dmsetup")
    archive.copy("/bin/dmsetup", parts.use(program))
    for path, source in libraries(program, parts.system_root):
        archive.copy(path, parts.use(source))
    for index, (name, data) in enumerate(parts.modules.in_order(listed_modules()[0])):
        archive.file(f"/modules/{index:02}-{name}.ko", data)
    return compressed(archive.data())


def compressed(data):
    """The same bytes for the same data: no name, no time."""
    return gzip.compress(data, 6, mtime=0)


def fill(folder, parts, device_file, device, disk_id, safe_lines, has_console):
    """Lays the partition's files out in a folder."""
    def write(name, data):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)

    def copy(name, source):
        with open(parts.use(source), "rb") as file:
            write(name, file.read())

    for name in FIRMWARE_FILES:
        copy(name, os.path.join(parts.firmware_root, "usr/lib/raspi-firmware", name))
    for name in DEVICE_TREES:
        copy(f"{name}.dtb", parts.device_trees(f"{name}.dtb")[0])
    with open(parts.kernel, "rb") as file:
        write("kernel.gz", compressed(file.read()))
    write("initramfs.gz", initramfs(parts))
    write("config.txt", config_text(safe_lines, has_console))
    write("cmdline.txt", command_line(disk_id, has_console))
    copy("swiftlet/device.yaml", device_file)
    secrets = os.path.join(os.path.dirname(os.path.abspath(device_file)), "secrets.yaml")
    if os.path.exists(secrets):
        copy("swiftlet/secrets.yaml", secrets)
    write("swiftlet/network.yaml", NETWORK.format(name=device))


def make_file_system(folder, path, size, disk_id, tools, epoch):
    """FAT32 of a folder's files, in the order of their names."""
    with open(path, "wb") as file:
        file.truncate(size)
    tools.run("mkfs.fat", "-F", "32", "-s", "1", "-i", disk_id, "-n", "SWIFTLET", "--invariant", path)
    for base, folders, names in os.walk(folder):
        folders.sort()
        inside = os.path.relpath(base, folder)
        target = "::/" if inside == "." else f"::/{inside}/"
        if inside != ".":
            tools.run("mmd", "-i", path, target.rstrip("/"))
        for name in sorted(names):
            source = os.path.join(base, name)
            os.utime(source, (epoch, epoch))
            tools.run("mcopy", "-m", "-i", path, source, target + name)
