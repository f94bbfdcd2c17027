"""Puts an image together; scripts/image calls it with what it has fetched and built."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time

from . import boot, disk, manifest, system
from .parts import Parts
from .tools import BuildError, Tools


class Steps:
    """Progress, one line a step."""

    def __init__(self):
        self.begun = time.monotonic()

    def say(self, text, size=None):
        amount = "" if size is None else f", {size:,} bytes"
        print(f"image: {text}{amount} ({time.monotonic() - self.begun:.1f} s)", flush=True)


def build(parts, tools, options, work, steps):
    disk_id = hashlib.sha256(f"swiftlet {options.device} {options.board}".encode()).hexdigest()[:8]

    tree = system.Tree(os.path.join(work, "system"), parts)
    system.fill(tree, parts, options.device, tools, options.version)
    squashed = os.path.join(work, "system.squashfs")
    system.squash(tree, squashed, tools)
    trailer = system.seal(squashed, tools, options.version)
    if disk.size_of(squashed) > disk.SLOT_A[1] - disk.SECTOR:
        raise BuildError(f"the system's {disk.size_of(squashed)} bytes are more than a slot has")
    steps.say("system, read-only", disk.size_of(squashed))

    folder, fat = os.path.join(work, "boot"), os.path.join(work, "boot.fat")
    boot.fill(folder, parts, options.device_file, options.device, disk_id, options.safe_line, not options.no_console)
    boot.make_file_system(folder, fat, disk.BOOT[1], disk_id, tools, parts.epoch)
    steps.say("firmware, kernel, configuration", sum(
        disk.size_of(os.path.join(base, name)) for base, _, names in os.walk(folder) for name in names))

    data = os.path.join(work, "data.ext4")
    disk.make_data(data, disk_id, tools)

    image = disk.Disk(os.path.join(work, "card.img"))
    tools.run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", image.path,
              standard_input=disk.partition_table(disk_id))
    image.written.append((0, disk.SECTOR))
    for sector in disk.RECORDS:
        image.put(sector * disk.SECTOR, disk.slot_record(1, "a"))
    image.put_file(disk.BOOT[0], fat)
    image.put_file(disk.SLOT_A[0], squashed)
    for start, size in (disk.SLOT_A, disk.SLOT_B):
        image.put(start + size - disk.SECTOR, trailer if start == disk.SLOT_A[0] else b"\0" * disk.SECTOR)
    image.put_file(disk.DATA[0], data)
    steps.say("card", disk.SIZE)
    return image


def write_out(image, tools, packages, options, steps):
    """Everything appears under its name when it is whole."""
    base = os.path.join(options.out, f"{options.device}-{options.board}")
    os.makedirs(options.out, exist_ok=True)
    if options.raw:
        os.replace(shutil.copy(image.path, f"{base}.img.new"), f"{base}.img")
        return
    # With blocks of a fixed size the result does not depend on the number of processors.
    tools.run("xz", "--keep", "--threads=2", "--block-size=16MiB", image.path)
    data, packed = contents(image.path), contents(image.path + ".xz")
    steps.say("compressed", len(packed))
    outputs = {".img": data, ".img.xz": packed, ".bmap": image.block_map().encode()}
    outputs[".manifest.json"] = (json.dumps(listing(packages, options, outputs), indent=2) + "\n").encode()
    for suffix, content in outputs.items():
        with open(f"{base}{suffix}.new", "wb") as file:
            file.write(content)
    for suffix in outputs:
        os.replace(f"{base}{suffix}.new", f"{base}{suffix}")
        steps.say(f"{base}{suffix}", len(outputs[suffix]))


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def listing(packages, options, outputs):
    program = hashlib.sha256(contents(options.program)).hexdigest()
    return {
        "device": options.device, "board": options.board, "version": options.version,
        "files": {suffix: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                  for suffix, data in outputs.items()},
        "swiftletd": {"sha256": program, "licence": "Apache-2.0"},
        "packages": packages}


def main():
    parser = argparse.ArgumentParser(prog="scripts/image", description=__doc__)
    for name in ("device", "board", "device-file", "version", "program", "boards", "cache", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--safe-line", action="append", default=[], help="a line for config.txt")
    parser.add_argument("--raw", action="store_true", help="only the image itself")
    parser.add_argument("--no-console", action="store_true", help="the header's serial line is used otherwise")
    options = parser.parse_args()
    steps, work = Steps(), tempfile.mkdtemp(prefix="swiftlet-image-")
    try:
        roots = [os.path.join(options.cache, "image", name) for name in ("kernel", "firmware", "system")]
        parts = Parts(*roots, options.program, options.boards)
        tools = Tools(os.path.join(options.cache, "image/tools"), parts.epoch)
        image = build(parts, tools, options, work, steps)
        packages = manifest.packages(roots, os.path.join(options.cache, "debian/packages"), parts.used)
        write_out(image, tools, packages, options, steps)
    except (BuildError, OSError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 70 if isinstance(error, BuildError) else 74
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
