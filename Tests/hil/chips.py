"""The chips on the header's I2C bus of the emulated Pi."""

import os

from .bmp280 import datasheet_example


def targets(directory):
    """The chips on the header's I2C bus."""
    registers = os.path.join(directory, "bmp280")
    with open(registers, "wb") as file:
        # Twice, because QEMU's images come in blocks of 512 bytes and its register pointer then has a
        # ninth bit that the driver does not write.
        file.write(datasheet_example() * 2)
    return [
        "-device", "tmp105,id=air,bus=i2c-bus.1,address=0x48",
        "-device", "tmp105,id=porch,bus=i2c-bus.1,address=0x4a",  # an LM75 has the same registers
        # A memory in the place of a BMP280. It takes no writes: it does not measure, so what a driver
        # asks for must leave no trace but what the real chip's registers show afterwards.
        "-drive", f"id=registers,if=none,format=raw,file={registers.replace(',', ',,')}",
        "-device", "at24c-eeprom,bus=i2c-bus.1,address=0x76,drive=registers,"
        "rom-size=512,address-size=1,writable=off"]
