import DeviceFile

/// Warns of outputs that the board's own pulls switch on while no software runs yet.
struct PowerUpLinter {
  let board: BoardDescription
  let claims: Claims
  let warnings: Problems

  func check(_ output: OutputClaim) {
    if let line = output.line, output.isSwitchedOn(by: line) { warn(output, line) }
  }

  private func warn(_ output: OutputClaim, _ line: LineDescription) {
    let pulled = output.activeLow ? "down" : "up"
    let active = output.activeLow ? "low" : "high"
    let cause: Message =
      "\(line.name) is pulled \(pulled) at power-up and \(output.claimant.title) is active"
    warnings.report(
      output.mark, "\(cause) \(active): it will be on until swiftletd starts", remedy(output, line))
  }

  func remedy(_ output: OutputClaim, _ line: LineDescription) -> Message? {
    var remedies: [String] = []
    let others = ranges(of: board.lines.filter { isSafe($0, for: output) })
    if !others.isEmpty { remedies.append("use " + listed(others, last: "or")) }
    if let hint = board.hint(high: output.activeLow, for: line) { remedies.append(hint) }
    return remedies.isEmpty ? nil : "\(listed(remedies, last: "or"))"
  }

  /// Another line that nothing else needs and whose pull keeps the output off.
  private func isSafe(_ line: LineDescription, for output: OutputClaim) -> Bool {
    guard line.reserved == nil, !claims.contain(line), line.powerUpPull == (output.activeLow ? .up : .down)
    else { return false }
    for bus in board.buses where bus.lines.contains(where: { line.isCalled($0) }) { return false }
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

extension OutputClaim {
  /// It is to be off, and the line's own pull has it on until something drives it.
  func isSwitchedOn(by line: LineDescription) -> Bool {
    !startsActive && line.powerUpPull == (activeLow ? .down : .up)
  }
}

extension String {
  func replacingStar(with text: String) -> String {
    var result: [UInt8] = []
    for byte in bytes {
      if byte == 0x2A { result.append(contentsOf: text.bytes) } else { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
