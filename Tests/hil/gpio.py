"""The Pi's GPIO registers (BCM2835 peripherals manual, chapter 6), looked at from outside the guest."""

import threading
import time

BASE = 0x3F200000
GPFSEL0, GPSET0, GPCLR0, GPLEV0 = BASE, BASE + 0x1C, BASE + 0x28, BASE + 0x34
OUTPUT = 0b001
# What lines 30 to 53 have alone, which are on no header: a driver that comes later (of the Wi-Fi chip) may write there.
ELSEWHERE = [BASE + offset for offset in (0x0C, 0x10, 0x14, 0x20, 0x2C, 0x94, 0x9C)]
REGION = "bcm2835_gpio"  # QEMU's name for these registers


class Lines:
    """Levels and directions as the SoC has them now."""

    def __init__(self, registers):
        self.registers = registers

    def level(self, line):
        return self.registers.read(GPLEV0) >> line & 1

    def is_output(self, line):
        select = self.registers.read(GPFSEL0 + 4 * (line // 10))
        return select >> 3 * (line % 10) & 7 == OUTPUT

    def pull(self, line, level):
        """The level of a line nobody drives yet, as a pull resistor or the relay's board makes it.

        QEMU keeps one bit for a line's output latch and its input level, so writing the latch of an
        input sets what the guest sees on it. Unpulled it is low.
        """
        self.registers.write(GPSET0 if level else GPCLR0, 1 << line)

    def drive(self, line, level):
        """An output before Linux runs, as the Pi's firmware makes it of gpio=N=op,dh in config.txt."""
        self.pull(line, level)
        register, shift = GPFSEL0 + 4 * (line // 10), 3 * (line % 10)
        select = self.registers.read(register) & ~(7 << shift)
        self.registers.write(register, select | OUTPUT << shift)


class Sampler:
    """Reads the levels thousands of times a second, until stop().

    Not as fast as the socket allows: QEMU's processor waits while it answers, and the guest would
    come to its network too late.
    """

    PAUSE = 0.0001  # seconds

    def __init__(self, registers):
        self.registers, self.running = registers, True
        self.samples, self.seen, self.longest_gap = 0, [], 0.0
        self.started = self.ended = time.monotonic()
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()

    def _sample(self):
        last = time.monotonic()
        while self.running:
            levels = self.registers.read(GPLEV0)
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - last)
            last = self.ended = now
            self.samples += 1
            if not self.seen or self.seen[-1] != levels:
                self.seen.append(levels)
            time.sleep(self.PAUSE)

    def stop(self):
        self.running = False
        self.thread.join()
        return self

    def levels(self, line):
        """The different levels the line had, in order: [1] when it never changed."""
        levels = [seen >> line & 1 for seen in self.seen]
        return [level for index, level in enumerate(levels) if index == 0 or levels[index - 1] != level]

    def __str__(self):
        seconds = self.ended - self.started
        return (f"{self.samples} samples in {seconds:.1f} s, {self.samples / seconds:.0f} a second, "
                f"longest gap {self.longest_gap * 1000:.1f} ms")


def driven_levels(writes, line, before=None):
    """The levels a line was driven to, in order, from the complete list of register writes.

    `before` is its level if it was an output before the first write. On the chip a line that becomes
    an output takes the level of its latch at that moment; None in the list stands for a latch that
    was not written before: what the line then does is chance.
    """
    latch, driving = before, before is not None
    levels = [before] if driving else []
    for write in writes:
        if write.address == GPFSEL0 + 4 * (line // 10):
            driving = write.value >> 3 * (line % 10) & 7 == OUTPUT
        elif write.address in (GPSET0, GPCLR0) and write.value >> line & 1:
            latch = int(write.address == GPSET0)
        if driving and (not levels or levels[-1] != latch):
            levels.append(latch)
    return levels


def latch_writes(writes, line):
    """Every level written to a line's latch, whether it changed anything or not."""
    return [int(write.address == GPSET0) for write in writes
            if write.address in (GPSET0, GPCLR0) and write.value >> line & 1]
