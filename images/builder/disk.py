"""The card as a whole: partitions, slot records, and the list of blocks that must be written."""

import hashlib
import os

MIB = 1 << 20
SECTOR = 512
# docs/image.md says what they are for. The slot records stand in the gap before the first partition.
BOOT = (4 * MIB, 40 * MIB)
SLOT_A = (44 * MIB, 16 * MIB)
SLOT_B = (60 * MIB, 16 * MIB)
DATA = (76 * MIB, 14 * MIB)
SIZE = 90 * MIB
RECORDS = (2048, 4096)
BLOCK = 4096


def slot_record(sequence, good, trial="-", tries=0):
    words = f"swiftlet-slots 1 {sequence} {good} {trial} {tries}"
    check = hashlib.sha256(f"{words}\n".encode()).hexdigest()
    return f"{words} {check}\n".encode().ljust(SECTOR, b"\0")


def partition_table(disk_id):
    kinds = (("c", BOOT), ("83", SLOT_A), ("83", SLOT_B), ("83", DATA))
    lines = [f"start={start // SECTOR}, size={size // SECTOR}, type={kind}" for kind, (start, size) in kinds]
    lines[0] += ", bootable"
    return "\n".join(["label: dos", f"label-id: 0x{disk_id}", "unit: sectors", *lines]) + "\n"


class Disk:
    """An image that is being written, and what of it was."""

    def __init__(self, path):
        self.path, self.written = path, []
        with open(path, "wb") as file:
            file.truncate(SIZE)

    def put(self, offset, data):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(data)
        self.written.append((offset, offset + len(data)))

    def put_file(self, offset, path):
        with open(path, "rb") as file:
            self.put(offset, file.read())

    def mapped(self):
        """Ranges of blocks that matter: [(first, last)]."""
        ranges = []
        for start, end in sorted((start // BLOCK, (end - 1) // BLOCK) for start, end in self.written):
            if ranges and start <= ranges[-1][1] + 1:
                ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
            else:
                ranges.append((start, end))
        return ranges

    def block_map(self):
        """The image's .bmap, format 2.0 of bmap-tools."""
        ranges = self.mapped()
        lines = []
        with open(self.path, "rb") as file:
            for first, last in ranges:
                file.seek(first * BLOCK)
                data = file.read((last - first + 1) * BLOCK)
                span = f"{first}-{last}" if last > first else f"{first}"
                lines.append(f'        <Range chksum="{hashlib.sha256(data).hexdigest()}"> {span} </Range>')
        count = sum(last - first + 1 for first, last in ranges)
        text = "\n".join([
            '<?xml version="1.0" ?>', '<bmap version="2.0">',
            f"    <ImageSize> {SIZE} </ImageSize>", f"    <BlockSize> {BLOCK} </BlockSize>",
            f"    <BlocksCount> {SIZE // BLOCK} </BlocksCount>", f"    <MappedBlocksCount> {count} </MappedBlocksCount>",
            "    <ChecksumType> sha256 </ChecksumType>",
            f"    <BmapFileChecksum> {'0' * 64} </BmapFileChecksum>",
            "    <BlockMap>", *lines, "    </BlockMap>", "</bmap>", ""])
        return text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest())


def make_data(path, disk_id, tools):
    """An empty ext4 that may grow to the size of any card."""
    with open(path, "wb") as file:
        file.truncate(DATA[1])
    uuid = hashlib.sha256(f"data {disk_id}".encode()).hexdigest()[:32]
    uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
    tools.run(
        "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", "swiftlet-data", "-U", uuid, "-m", "0",
        "-N", "1024", "-J", "size=4", "-E", f"hash_seed={uuid},root_owner=0:0,lazy_itable_init=0,nodiscard",
        path)


def size_of(path):
    return os.stat(path).st_size
