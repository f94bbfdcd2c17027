"""What runs in the machine: an initramfs with busybox, kernel modules, swiftletd and its libraries."""

import glob
import os
from dataclasses import dataclass

from builder.elf import libraries
from builder.archive import Archive, Modules

# pinctrl-bcm2835 is part of Debian's kernel. Without bcm2835_wdt a power-off never ends QEMU.
MODULES = ["i2c_bcm2835", "i2c_dev", "dwc2", "phy_generic", "cdc_ether", "bcm2835_wdt"]

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 1 >/proc/sys/debug/exception-trace
exec </dev/ttyS1 >/dev/ttyS1 2>&1
stty -echo -onlcr
for module in /modules/*; do insmod $module || echo "cannot load $module"; done
tries=0
while [ ! -e /sys/class/net/eth0 ] && [ $tries -lt 500 ]; do usleep 20000; tries=$((tries+1)); done
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
arping -q -c 1 -w 5 -I eth0 10.0.2.100 || echo "no answer from the network"
echo "guest is ready: $(cut -d ' ' -f 1 /proc/uptime) s"
# Answers are marked line by line, because the runtime's log goes to the same console.
while read -r number command; do
  eval "$command" >/tmp/answer 2>&1
  status=$?
  sed "s/^/<$number> /" /tmp/answer
  echo "<$number ended> $status"
done
poweroff -f
"""


@dataclass
class Parts:
    """Where the downloaded parts of a machine are."""
    qemu: str  # a program, or a directory with one and its libraries
    kernel_root: str  # an unpacked kernel package
    busybox: str

    def _one(self, *patterns):
        for pattern in patterns:
            found = glob.glob(os.path.join(self.kernel_root, pattern))
            if len(found) == 1:
                return found[0]
        raise FileNotFoundError(f"{self.kernel_root}: no single {' or '.join(patterns)}")

    @property
    def kernel(self):
        return self._one("boot/vmlinuz-*")

    @property
    def device_tree(self):
        return self._one("usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb")


def write_initramfs(path, parts, swiftletd, sysroot, boards, configuration):
    """One architecture's runtime with everything it needs to run."""
    archive = Archive()
    archive.character_device("/dev/console", 5, 1)
    for folder in ("proc", "sys", "tmp", "root"):
        archive.folder(folder)
    archive.file("/init", INIT, 0o755)
    archive.copy("/bin/busybox", parts.busybox)
    for index, (name, data) in enumerate(Modules(parts.kernel_root).in_order(MODULES)):
        archive.file(f"/modules/{index:02}-{name}.ko", data)
    archive.copy("/bin/swiftletd", swiftletd)
    for guest_path, file in libraries(swiftletd, sysroot):
        archive.copy(guest_path, file)
    for board in sorted(glob.glob(os.path.join(boards, "**", "*.yaml"), recursive=True)):
        archive.copy(f"/boards/{os.path.relpath(board, boards)}", board, 0o644)
    archive.file("/etc/device.yaml", configuration)
    archive.write(path)
