import DeviceFile

/// Finds on the board what a device claims: lines and buses exist, and nobody uses one twice. One place for all kinds
/// of modules.
///
/// Without a board, which has been reported then, names are only compared with each other.
public struct BoardCheck {
  let claims: Claims
  let board: BoardDescription?
  let problems: Problems
  let warnings: Problems

  public init(_ claims: Claims, on board: BoardDescription?, _ problems: Problems, warnings: Problems) {
    self.claims = claims
    self.board = board
    self.problems = problems
    self.warnings = warnings
  }

  public func run() {
    for target in claims.targets { target.bus = board.flatMap { bus(target.busName, of: $0) } }
    for claim in claims.lines { claim.line = board.flatMap { line(claim.name, of: $0) } }
    checkLines()
    checkBuses()
    guard let board else { return }
    let linter = PowerUpLinter(board: board, claims: claims, warnings: warnings)
    for output in claims.outputs { linter.check(output) }
  }

  // MARK: - Lines

  private func checkLines() {
    for (index, claim) in claims.lines.enumerated() where !claim.name.utf8.isEmpty {
      if findPin(of: claim) {
        reportSecondUse(of: claim, before: index)
        continue
      }
      if let line = claim.line {
        checkFree(line, claim)
      } else if let board {
        reportUnknown(claim, board)
        continue
      }
      reportSecondUse(of: claim, before: index)
    }
    checkPins()
  }

  private func line(_ name: String, of board: BoardDescription) -> LineDescription? {
    let lines = board.lines
    return board.line(name) ?? problems.meant(name, of: lines.count) { lines[$0].names }.map { lines[$0] }
  }

  private func bus(_ name: String, of board: BoardDescription) -> BusDescription? {
    let buses = board.buses
    return board.bus(name) ?? problems.meant(name, of: buses.count) { buses[$0].names }.map { buses[$0] }
  }

  private func reportSecondUse(of claim: LineClaim, before index: Int) {
    for other in claims.lines[..<index] where isSame(claim, other) {
      problems.report(
        claim.mark,
        "line \(claim.line?.name ?? claim.name) is already used by \(other.claimant.title) at \(other.mark.lineText)"
      )
      return
    }
  }

  private func isSame(_ claim: LineClaim, _ other: LineClaim) -> Bool {
    if let pin = claim.pin, let otherPin = other.pin {
      return pin.expander === otherPin.expander && pin.number == otherPin.number
    }
    guard let line = claim.line, let otherLine = other.line else {
      return board == nil && claim.name.equals(other.name)
    }
    return line.isSame(as: otherLine)
  }

  private func reportUnknown(_ claim: LineClaim, _ board: BoardDescription) {
    for supply in board.supplyPins {
      let pin = "pin " + supply.pin.description
      guard claim.name.equals(pin) || problems.meant(claim.name, of: 1, names: { _ in [pin] }) != nil else {
        continue
      }
      problems.report(claim.mark, "\(pin) of \(board.name) is \(supply.supply), not a line")
      return
    }
    // Digits are never a slip worth guessing at, and a bare number is meant as the number of a line.
    let digits = claim.name.trailingDigits
    var names: [String] = []
    var near: [String] = []
    for line in board.lines {
      names.append(line.name)
      // What is somebody else's is proposed to nobody.
      if line.name.trailingDigits.equals(digits), !claims.contain(line) { near.append(line.name) }
    }
    let isNumber = claim.name.equals(digits)
    let meant = isNumber ? near.first ?? digits : claim.name
    var suggestion = didYouMean(meant, near) ?? "lines are \(summary(of: names))"
    // A bare number is a line's for some programs, and a pin's for others.
    let pin = "pin " + digits
    if isNumber, let other = board.line(pin), !claims.contain(other) {
      suggestion =
        near.isEmpty
        ? "did you mean \(pin.quoted)?"
        : "did you mean \(meant.quoted), or \(pin.quoted), which is \(other.name)?"
    }
    problems.report(claim.mark, "\(board.name) has no line \(claim.name.quoted)", suggestion)
  }

  /// `GPIO0…GPIO27`
  private func summary(of names: [String]) -> String {
    guard let first = names.first, let last = names.last, names.count > 12 else { return listed(names) }
    return first + "…" + last
  }

  /// A line may belong to a bus that somebody uses, or to the board itself.
  private func checkFree(_ line: LineDescription, _ claim: LineClaim) {
    for bus in board?.buses ?? [] where bus.lines.contains(where: { line.isCalled($0) }) {
      guard let user = claims.targets.first(where: { $0.bus === bus }) else { continue }
      problems.report(
        claim.mark,
        "line \(line.name) belongs to bus \(bus.name), which has \(user.claimant.article) \(user.claimant.kind) on it"
      )
    }
    if let reserved = line.reserved {
      warnings.report(claim.mark, "line \(line.name) is reserved: \(reserved)")
    }
  }

  // MARK: - Buses

  private func checkBuses() {
    for (index, target) in claims.targets.enumerated() where !target.busName.utf8.isEmpty {
      if let board, target.bus == nil {
        reportUnknown(target, board)
        continue
      }
      // What is no address has been reported.
      guard let address = target.address else { continue }
      for other in claims.targets[..<index] where other.address == address && isSameBus(target, other) {
        problems.report(
          target.addressMark,
          "\(hexadecimal(address)) on \(target.bus?.name ?? target.busName) is already used by \(other.claimant.title) at \(other.addressMark.lineText)"
        )
        break
      }
    }
  }

  private func isSameBus(_ target: TargetClaim, _ other: TargetClaim) -> Bool {
    if let bus = target.bus, let otherBus = other.bus { return bus.device.equals(otherBus.device) }
    return board == nil && target.busName.equals(other.busName)
  }

  private func reportUnknown(_ target: TargetClaim, _ board: BoardDescription) {
    let names = board.buses.map { $0.name }
    var suggestion = didYouMean(target.busName, names)
    if suggestion == nil {
      var cure: Message = names.isEmpty ? "" : "buses are \(listed(names))"
      // Only what is a name of the kernel's for a controller can be added.
      let digits = target.busName.trailingDigits
      let name = "i2c-" + (digits.utf8.isEmpty ? "1" : digits)
      let spellings = [digits, name, "/dev/" + name]
      if board.bus(name) == nil,
        board.buses.isEmpty || spellings.contains(where: { $0.equals(target.busName) })
      {
        cure += "\(board.buses.isEmpty ? "" : ", ")add one with buses: [{ bus: \(name) }]"
      }
      suggestion = cure
    }
    problems.report(target.busMark, "\(board.name) has no bus \(target.busName.quoted)", suggestion)
  }
}
