/// Checks a device against its board: lines and buses exist, and nobody uses one twice.
///
/// Without a board, which has been reported then, names are only compared with each other.
struct BoardCheck {
  let device: DeviceDescription
  let board: BoardDescription?
  let problems: Problems
  let warnings: Problems

  func run() {
    checkLines()
    checkBuses()
    if let board { PowerUpLinter(device: device, board: board, warnings: warnings).run() }
  }

  // MARK: - Lines

  /// A line that a module uses, by the board's own name for it.
  private struct Use {
    let name: String
    let module: ModuleDescription
    let mark: Mark
  }

  private func checkLines() {
    let buses = usedBuses()
    var uses: [Use] = []
    for module in device.modules {
      guard let reference = module.line, !reference.name.utf8.isEmpty else { continue }
      let line = board?.line(reference)
      if let line {
        checkFree(line, reference, buses)
      } else if let board {
        reportUnknown(reference, board)
        continue
      }
      let use = Use(name: line?.name ?? reference.name, module: module, mark: reference.mark)
      if let other = uses.first(where: { $0.name.equals(use.name) }) {
        problems.report(
          use.mark,
          "line \(use.name) is already used by \(other.module.title) at \(other.mark.lineText)")
      }
      uses.append(use)
    }
  }

  private func usedBuses() -> [BusDescription] {
    guard let board else { return [] }
    return board.buses.filter { bus in
      for case .sensor(let sensor) in device.modules where sensor.bus.name.equals(bus.name) { return true }
      return false
    }
  }

  private func reportUnknown(_ reference: LineReference, _ board: BoardDescription) {
    for supply in board.supplyPins where reference.name.equals("pin " + supply.pin.description) {
      problems.report(reference.mark, "\(reference.name) of \(board.name) is \(supply.supply), not a line")
      return
    }
    let names = board.lines.map { $0.name }
    // Digits are never a slip worth guessing at, and a bare number is meant as the number of a line.
    let digits = reference.name.trailingDigits
    let near = names.filter { $0.trailingDigits.equals(digits) }
    let meant = reference.name.equals(digits) ? near.first ?? digits : reference.name
    let suggestion = didYouMean(meant, near) ?? "lines are \(summary(of: names))"
    problems.report(reference.mark, "\(board.name) has no line \(reference.name.quoted)", suggestion)
  }

  /// `GPIO0…GPIO27`
  private func summary(of names: [String]) -> String {
    guard let first = names.first, let last = names.last, names.count > 12 else { return listed(names) }
    return first + "…" + last
  }

  /// A line may belong to a bus that a sensor uses, or to the board itself.
  private func checkFree(_ line: LineDescription, _ reference: LineReference, _ buses: [BusDescription]) {
    for bus in buses where bus.lines.contains(where: { $0.equals(line.name) }) {
      problems.report(
        reference.mark, "line \(line.name) belongs to bus \(bus.name), which has a sensor on it")
    }
    if let reserved = line.reserved {
      warnings.report(reference.mark, "line \(line.name) is reserved: \(reserved)")
    }
  }

  // MARK: - Buses

  private func checkBuses() {
    var uses: [SensorDescription] = []
    for case .sensor(let sensor) in device.modules where !sensor.bus.name.utf8.isEmpty {
      if let board, board.bus(sensor.bus) == nil {
        reportUnknown(sensor.bus, board)
        continue
      }
      // No address has been reported.
      guard sensor.address != 0 else { continue }
      for other in uses where other.address == sensor.address && other.bus.name.equals(sensor.bus.name) {
        let address = hexadecimal(sensor.address)
        problems.report(
          sensor.addressMark,
          "\(address) on \(sensor.bus.name) is already used by sensor \(other.name.quoted) at \(other.addressMark.lineText)"
        )
        break
      }
      uses.append(sensor)
    }
  }

  private func reportUnknown(_ reference: BusReference, _ board: BoardDescription) {
    let names = board.buses.map { $0.name }
    let suggestion = didYouMean(reference.name, names) ?? "buses are \(listed(names))"
    problems.report(
      reference.mark, "\(board.name) has no bus \(reference.name.quoted)", names.isEmpty ? nil : suggestion)
  }
}
