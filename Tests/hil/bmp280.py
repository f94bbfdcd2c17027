"""The registers of a BMP280 that has just measured, from its datasheet (BST-BMP280-DS001, 3.12 and 4)."""

import struct

CALIBRATION, IDENTITY, CONTROL, DATA = 0x88, 0xD0, 0xF4, 0xF7
CHIP_ID = 0x58
# After a forced measurement the chip sleeps; its settings (temperature x2, pressure x16) stay.
ASLEEP = 0b0101_0100

# dig_T1 ... dig_T3, dig_P1 ... dig_P9 and the raw values of the worked example in section 3.12:
# 25.08 °C, 100653.27 Pa
EXAMPLE = (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
RAW_PRESSURE, RAW_TEMPERATURE = 415148, 519888


def datasheet_example():
    registers = bytearray(256)
    struct.pack_into("<HhhH8h", registers, CALIBRATION, *EXAMPLE)
    registers[IDENTITY] = CHIP_ID
    registers[CONTROL] = ASLEEP
    for offset, raw in ((0, RAW_PRESSURE), (3, RAW_TEMPERATURE)):
        registers[DATA + offset:DATA + offset + 3] = (raw << 4).to_bytes(3, "big")
    return bytes(registers)
