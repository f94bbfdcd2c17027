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

  private func checkLines() {
    for (index, module) in device.modules.enumerated() {
      guard let reference = module.line, !reference.name.utf8.isEmpty else { continue }
      let line = board?.line(reference)
      if let board, line == nil {
        reportUnknown(reference, board)
        continue
      }
      let name = line?.name ?? reference.name
      for other in device.modules[..<index] {
        guard let taken = other.line else { continue }
        let takenName = board?.line(taken)?.name ?? taken.name
        guard takenName.equals(name) else { continue }
        let place = taken.mark.lineText
        problems.report(reference.mark, "line \(name) is already used by \(other.title) at \(place)")
        break
      }
      if let line { checkFree(line, reference) }
    }
  }

  private func reportUnknown(_ reference: LineReference, _ board: BoardDescription) {
    for supply in board.supplyPins where reference.name.equals("pin " + supply.pin.description) {
      problems.report(reference.mark, "\(reference.name) of \(board.name) is \(supply.supply), not a line")
      return
    }
    let names = board.lines.map { $0.name }
    let suggestion = didYouMean(reference.name, names) ?? "lines are \(summary(of: names))"
    problems.report(reference.mark, "\(board.name) has no line \(reference.name.quoted)", suggestion)
  }

  /// `GPIO0…GPIO27`
  private func summary(of names: [String]) -> String {
    guard let first = names.first, let last = names.last, names.count > 3 else { return listed(names) }
    return first + "…" + last
  }

  /// A line may belong to a bus that a sensor uses, or to the board itself.
  private func checkFree(_ line: LineDescription, _ reference: LineReference) {
    for module in device.modules {
      guard case .sensor(let sensor) = module, let bus = board?.bus(sensor.bus) else { continue }
      for name in bus.lines where name.equals(line.name) {
        problems.report(
          reference.mark, "line \(line.name) belongs to bus \(bus.name), which \(module.title) uses")
        return
      }
    }
    if let reserved = line.reserved {
      warnings.report(reference.mark, "line \(line.name) is reserved: \(reserved)")
    }
  }

  // MARK: - Buses

  private func checkBuses() {
    for (index, module) in device.modules.enumerated() {
      guard case .sensor(let sensor) = module, !sensor.bus.name.utf8.isEmpty else { continue }
      if let board, board.bus(sensor.bus) == nil {
        let names = board.buses.map { $0.name }
        let suggestion = didYouMean(sensor.bus.name, names) ?? "buses are \(listed(names))"
        problems.report(
          sensor.bus.mark, "\(board.name) has no bus \(sensor.bus.name.quoted)",
          names.isEmpty ? nil : suggestion)
        continue
      }
      for case .sensor(let other) in device.modules[..<index] {
        guard other.address == sensor.address, sensor.address != 0, other.bus.name.equals(sensor.bus.name)
        else { continue }
        let address = hexadecimal(sensor.address)
        let place = other.mark.lineText
        problems.report(
          sensor.addressMark,
          "address \(address) on \(sensor.bus.name) is already used by sensor \(other.name.quoted) at \(place)"
        )
        break
      }
    }
  }
}
