import DeviceFile

/// What each output's line is at while the board starts: by its pull at power-up, by the firmware's configuration, while
/// the kernel starts, and once the program has it.
public struct BootWindow {
  private let board: BoardDescription
  private let claims: Claims

  public init(_ claims: Claims, on board: BoardDescription) {
    self.board = board
    self.claims = claims
  }

  /// A row for each output. Below, each with its word in front: the board's name, lines for the firmware's configuration,
  /// and outputs that would be on although no such line can help.
  public var text: String {
    var rows = [["output", "power-up pull", "firmware", "kernel", "swiftletd"]]
    var after = "board   \(board.name)\n"
    for output in claims.outputs {
      guard let line = output.line else {
        if output.pin != nil { rows.append(unknown(output)) }
        continue
      }
      let setting = setting(for: output, line)
      rows.append(row(output, line, setting))
      if let setting {
        after += "config  " + setting + "\n"
      } else if output.isSwitchedOn(by: line) {
        after += unsafe(output, line)
      }
    }
    return (rows.count > 1 ? table(rows) + "\n" : "") + after
  }

  /// The line of the firmware's configuration that an output needs: none where its pull is right, or the board has none.
  private func setting(for output: OutputClaim, _ line: LineDescription) -> String? {
    guard !output.startsActive, line.powerUpPull != (output.activeLow ? .up : .down) else { return nil }
    guard let hint = board.hint(high: output.activeLow, for: line) else { return nil }
    let word = hint.bytes.split(separator: 0x20).first { $0.contains(0x3D) }
    return word.map { String(decoding: $0, as: UTF8.self) }
  }

  private func unsafe(_ output: OutputClaim, _ line: LineDescription) -> String {
    let remedy = PowerUpLinter(board: board, claims: claims, warnings: Problems()).remedy(output, line)
    return "unsafe  \(output.claimant.title): \(line.name) is pulled "
      + (output.activeLow ? "down" : "up") + (remedy.map { "; " + $0.text } ?? "") + "\n"
  }

  private func row(_ output: OutputClaim, _ line: LineDescription, _ setting: String?) -> [String] {
    let pull: String
    let pulled: String
    switch line.powerUpPull {
    case .up: (pull, pulled) = ("up, ", state(output, isHigh: true))
    case .down: (pull, pulled) = ("down, ", state(output, isHigh: false))
    default: (pull, pulled) = ("", "open")
    }
    // Nothing but the firmware touches a line before the program does: what it set holds until then.
    let before = setting == nil ? pulled : state(output, isHigh: output.activeLow)
    return [
      "\(output.claimant.kind) \(output.claimant.name), \(line.name)", pull + pulled,
      setting.map { "\($0), \(before)" } ?? before, before,
      state(output, isHigh: output.startsActive != output.activeLow),
    ]
  }

  /// Behind an expander nobody knows before the first transfer.
  private func unknown(_ output: OutputClaim) -> [String] {
    let state = output.startsActive ? "on" : "off"
    return [
      "\(output.claimant.kind) \(output.claimant.name), \(output.name)", "the chip's", "the chip's",
      "the chip's", state,
    ]
  }

  private func state(_ output: OutputClaim, isHigh: Bool) -> String {
    isHigh != output.activeLow ? "on" : "off"
  }

  private func table(_ rows: [[String]]) -> String {
    var text = ""
    for (index, row) in rows.enumerated() {
      var line = index == 0 ? "window  ".bytes : "        ".bytes
      for (column, cell) in row.enumerated() {
        line += cell.bytes
        guard column + 1 < row.count else { continue }
        let width = rows.reduce(0) { max($0, $1[column].utf8.count) } + 2
        line += [UInt8](repeating: 0x20, count: width - cell.utf8.count)
      }
      text += String(decoding: line, as: UTF8.self) + "\n"
    }
    return text
  }
}

extension BoardDescription {
  /// What to add to the firmware's configuration to have a line high or low from then on. The board's hints are for its
  /// own chip, and not for one that a device file adds.
  func hint(high: Bool, for line: LineDescription) -> String? {
    guard let hint = high ? startHighHint : startLowHint, lines.first?.chip.equals(line.chip) ?? false else {
      return nil
    }
    return hint.replacingStar(with: line.number)
  }
}
