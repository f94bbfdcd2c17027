/// Warns of relays that the board's own pulls switch on while no software runs yet.
struct PowerUpLinter {
  let device: DeviceDescription
  let board: BoardDescription
  let warnings: Problems

  func run() {
    for case .relay(let relay) in device.modules {
      guard !relay.safety.start, let line = board.line(relay.line), let pull = line.powerUpPull else {
        continue
      }
      let isOn = relay.activeLow ? pull == .down : pull == .up
      if isOn { warn(relay, line) }
    }
  }

  private func warn(_ relay: RelayDescription, _ line: LineDescription) {
    let pulled = relay.activeLow ? "down" : "up"
    let active = relay.activeLow ? "low" : "high"
    let cause: Message =
      "\(line.name) is pulled \(pulled) at power-up and relay \(relay.name.quoted) is active"
    warnings.report(
      relay.line.mark, "\(cause) \(active): it will be on until swiftletd starts", remedy(relay, line))
  }

  private func remedy(_ relay: RelayDescription, _ line: LineDescription) -> Message? {
    var remedies: [String] = []
    let others = ranges(of: board.lines.filter { isSafe($0, for: relay) })
    if !others.isEmpty { remedies.append("use " + listed(others, last: "or")) }
    if let hint = relay.activeLow ? board.startHighHint : board.startLowHint {
      remedies.append(hint.replacingStar(with: line.name.trailingDigits))
    }
    return remedies.isEmpty ? nil : "\(listed(remedies, last: "or"))"
  }

  /// Another line that nothing else needs and whose pull keeps the relay off.
  private func isSafe(_ line: LineDescription, for relay: RelayDescription) -> Bool {
    guard line.reserved == nil, line.powerUpPull == (relay.activeLow ? .up : .down) else { return false }
    for bus in board.buses where bus.lines.contains(where: { $0.equals(line.name) }) { return false }
    return true
  }

  /// `GPIO4…GPIO8`
  private func ranges(of lines: [LineDescription]) -> [String] {
    var texts: [String] = []
    var index = 0
    while index < lines.count {
      var end = index
      while end + 1 < lines.count, follows(lines[end + 1], lines[end]) { end += 1 }
      texts.append(end == index ? lines[index].name : lines[index].name + "…" + lines[end].name)
      index = end + 1
    }
    return texts
  }

  private func follows(_ line: LineDescription, _ other: LineDescription) -> Bool {
    guard let number = parseInteger(line.name.trailingDigits),
      let previous = parseInteger(other.name.trailingDigits)
    else { return false }
    return number == previous + 1
  }
}

extension String {
  fileprivate func replacingStar(with text: String) -> String {
    var result: [UInt8] = []
    for byte in bytes {
      if byte == 0x2A { result.append(contentsOf: text.bytes) } else { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
