"""Heap allocations of a running program, counted by a preloaded library while it works."""

import bisect
import mmap
import os
import re
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Counters:
    """`with Counters(directory) as counters: Device(..., variables=counters.variables)`"""

    def __init__(self, directory):
        library = os.path.join(directory, "count_allocations.so")
        subprocess.run(
            ["cc", "-O2", "-Wall", "-shared", "-fPIC", os.path.join(HERE, "count_allocations.c"), "-o", library],
            check=True)
        path = os.path.join(directory, "counters")
        with open(path, "wb+") as file:
            file.write(bytes(mmap.PAGESIZE))
            file.flush()
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.variables = {"LD_PRELOAD": library, "ALLOCATION_COUNTERS": path}

    @property
    def allocations(self):
        return struct.unpack_from("<Q", self.memory, 0)[0]

    @property
    def own(self):
        """Those that the program asked for itself; the others are its libraries'."""
        return struct.unpack_from("<Q", self.memory, 32)[0]

    def trace(self, on):
        struct.pack_into("<Q", self.memory, 24, int(on))


def sites(log, program):
    """The distinct places of traced allocations, innermost caller first, by the names in `program`."""
    names = []
    listing = subprocess.run(["nm", "-n", program], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        match = re.match(r"([0-9a-f]+) [tTwW] (.*)", line)
        if match:
            names.append((int(match[1], 16), match[2]))
    starts = [start for start, _ in names]

    def name(address):
        index = bisect.bisect(starts, address) - 1
        inside = 0 <= index and address < starts[-1] + 0x10000
        return names[index][1] if inside else "?"

    found = {}
    for line in log:
        match = re.match(r"allocation (\d+):(.*)", line)
        if match:
            site = (int(match[1]), tuple(name(int(word, 16)) for word in match[2].split()))
            found[site] = found.get(site, 0) + 1
    most = sorted(found.items(), key=lambda item: -item[1])[:10]
    text = "\n".join(f"  {count} × {size} bytes: {' < '.join(callers[:8])}" for (size, callers), count in most)
    return subprocess.run(["swift", "demangle", "--compact"], input=text, capture_output=True, text=True).stdout
