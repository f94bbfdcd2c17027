import DeviceFile

// Claims without a board file: where they are is said in the kernel's own terms.

extension LineClaim {
  /// The line is the one that the chip with this label (`gpiodetect` shows it) has under this name (`gpioinfo`).
  public func find(chip: String, line: String) {
    let found = LineDescription(mark: mark, name: line)
    found.chip = chip
    self.line = found
  }
}

extension TargetClaim {
  /// The bus is the one with this device, such as `/dev/i2c-1`.
  public func find(device: String) {
    let found = BusDescription(mark: busMark, name: device)
    found.device = device
    bus = found
  }
}
