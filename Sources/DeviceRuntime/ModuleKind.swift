import Boards
import DeviceFile

/// What a device file calls a kind of module, and how one is read. A composition root lists the kinds it has; what it
/// does not name is not in the program.
public struct ModuleKind {
  /// The key that begins an entry: `relay`.
  public let name: String
  /// The chips it can have, where it is for chips: what `driver` may say.
  public let chips: [String]
  /// Reading never fails: what is wrong is reported, and replaced by something harmless. Nobody uses the modules of a
  /// file with errors.
  public let read: (ModuleFile) -> any Module

  public init(_ name: String, chips: [String] = [], _ read: @escaping (ModuleFile) -> any Module) {
    self.name = name
    self.chips = chips
    self.read = read
  }
}

/// What a device's modules want besides their hardware, collected while its file is read.
public final class DeviceNeeds {
  public let claims = Claims()
  /// Who keeps readings on disk, and where that is said.
  public internal(set) var keptOnDisk: [(mark: Mark, title: String)] = []
  /// Where readings are kept that do not tell their time themselves.
  public internal(set) var keptWithoutTime: [Mark] = []
  /// Where readings are to be forgotten after a while.
  public internal(set) var expiring: [Mark] = []

  public init() {}
}

/// One entry of `modules` while it is read: its keys, and what it wants of the board.
public final class ModuleFile {
  /// `fan`; empty when what stands there is no name, which has been reported.
  public let name: String
  public let fields: Fields
  public let claimant: Claimant
  let needs: DeviceNeeds
  private let kinds: [ModuleKind]

  /// `kinds`: all that the program has.
  public init(kind: String, name: String, fields: Fields, needs: DeviceNeeds, kinds: [ModuleKind] = []) {
    self.name = name
    self.kinds = kinds
    self.fields = fields
    self.needs = needs
    claimant = Claimant(mark: fields.mark, kind: kind, name: name)
  }

  // MARK: - Lines

  /// The way to an output, and the only one: keys `line`, `active` and `safety`, the line claimed, behind a gate.
  public func gate() -> SafetyGate {
    let (mark, line, activeLow) = line(fields)
    let policy = SafetyPolicy(fields)
    let claim = OutputClaim(
      claimant, name: line, mark: mark, activeLow: activeLow, startsActive: policy.start)
    claim.note = policy.note
    needs.claims.add(claim)
    return SafetyGate(line: claim, policy: policy)
  }

  /// An input: keys `line`, `active`, `pull` and `debounce`.
  public func input() -> InputClaim {
    let (mark, line, activeLow) = line(fields)
    // A contact connects the line to its active level; the pull keeps it at the other one.
    var pull = activeLow ? LinePull.up : .down
    if let choice = fields.optional("pull")?.choice(["up", "down", "none"]) {
      pull = choice == 0 ? .up : choice == 1 ? .down : .unpulled
    }
    let claim = InputClaim(
      claimant, name: line, mark: mark, activeLow: activeLow, pull: pull, debounce: debounce())
    let pulled = pull == .up ? ", pulled up" : pull == .down ? ", pulled down" : ""
    claim.note = "\(pulled), debounced for \(durationText(claim.debounce))"
    needs.claims.add(claim)
    return claim
  }

  private func line(_ fields: Fields) -> (Mark, String, activeLow: Bool) {
    var field: Field?
    if fields.entry("line") == nil, fields.entry("pin") != nil {
      fields.optional("pin").map(rejectPin)
    } else {
      field = fields.required("line", example: "GPIO17")
    }
    let name = field?.text(wanted: "a line like GPIO17") ?? ""
    return (field?.mark ?? fields.mark, name, fields.optional("active")?.choice(["high", "low"]) == 1)
  }

  /// Some programs number the header's pins, and others the chip's lines.
  private func rejectPin(_ pin: Field) {
    guard let text = pin.text(wanted: "a line") else { return }
    let number = text.trailingDigits
    pin.report(
      "\(pin.title) can be a pin of the header or a line of the chip",
      "write line: pin \(number) or line: GPIO\(number)")
  }

  private static let longestDebounce = Duration.seconds(3_600)

  private func debounce() -> Duration {
    fields.optional("debounce")?.duration(atMost: ModuleFile.longestDebounce) ?? .milliseconds(30)
  }

  /// A line that lets something through while it is active: keys `line` and `active` of a mapping. Off at the start,
  /// and in nobody's hand but that of whoever claims it.
  public func enable(_ fields: Fields) -> OutputClaim {
    let (mark, line, activeLow) = line(fields)
    fields.finish()
    let claim = OutputClaim(claimant, name: line, mark: mark, activeLow: activeLow, startsActive: false)
    claim.note = ", lets its outputs through"
    needs.claims.add(claim)
    return claim
  }

  public func add(_ expander: ExpanderClaim) { needs.claims.add(expander) }

  // MARK: - Targets

  /// Which of the chips `driver` names; nil, and reported, when it is none of them. `parts`: what else each of them is
  /// the driver of, with spaces between.
  @inline(never)
  public func driver(among names: [String], parts: [String] = []) -> Int? {
    guard let field = fields.required("driver", example: names.first ?? "SHT3x"),
      let name = field.text(wanted: "the name of a driver")
    else { return nil }
    for (index, known) in names.enumerated() where known.equals(name) { return index }
    // Another part's number is no slip of the finger: what drives that part, or that nothing does yet.
    let known = fields.problems.meant(name, among: names, others: parts)
    var suggestion: Message = known.map { "did you mean \($0.quoted)?" } ?? "drivers are \(listed(names))"
    if known == nil, let other = otherKind(of: name, fields.problems) {
      suggestion = "\(other.quoted) drives that: begin the module with '- \(other): '"
    } else if known == nil, name.bytes.contains(where: isDigit) {
      suggestion = "\(claimant.kind.quoted) has no driver for that chip yet; \(suggestion)"
    }
    field.report("unknown driver \(field.node.description) in \(field.owner)", suggestion)
    return nil
  }

  /// The other kind that has such a chip.
  private func otherKind(of chip: String, _ problems: Problems) -> String? {
    for kind in kinds where !kind.chips.isEmpty && !kind.name.equals(claimant.kind) {
      if problems.meant(chip, among: kind.chips, others: kind.chips) != nil { return kind.name }
    }
    return nil
  }

  /// A chip on an I2C bus: keys `bus` and `address`. `usual` is the address of a chip whose pins nobody has wired
  /// otherwise; nil: what chip it is has not been understood, which has been reported.
  public func target(chip: String, usual: UInt8?, allows: (UInt8) -> Bool) -> TargetClaim {
    let bus = fields.required("bus", example: "i2c-1")
    let busName = bus?.text(wanted: "a bus like i2c-1") ?? ""
    let field = fields.optional("address")
    let address = field.map { self.address($0, chip, usual, allows) } ?? usual
    let claim = TargetClaim(
      claimant, chip: chip, bus: busName, at: bus?.mark ?? fields.mark, address: address,
      addressMark: field?.mark ?? fields.mark)
    needs.claims.add(claim)
    return claim
  }

  /// 7-bit addresses that are not reserved. Source: I2C-bus specification UM10204, 3.1.12.
  private static let addresses: ClosedRange<Int> = 0x08...0x77

  private func address(_ field: Field, _ chip: String, _ usual: UInt8?, _ allows: (UInt8) -> Bool) -> UInt8? {
    if case .scalar(let text) = field.node.content, let number = parseInteger(text),
      ModuleFile.addresses.contains(number), usual == nil || allows(UInt8(number))
    {
      return UInt8(number)
    }
    let wanted: Message = "an I2C address from 0x08 to 0x77, like \(hexadecimal(usual ?? 0x44))"
    var possible: [String] = []
    if let usual {
      possible.append(hexadecimal(usual))
      for other in ModuleFile.addresses where other != Int(usual) && allows(UInt8(other)) {
        possible.append(hexadecimal(UInt8(other)))
      }
    }
    let meant = field.problems.spellings?.address(field, possible)
    guard let number = field.integer(wanted: wanted, in: ModuleFile.addresses, meant) else { return nil }
    field.report(
      "\(chip) cannot have the address \(hexadecimal(UInt8(number)))",
      meant ?? "it has \(listed(possible, last: "or"))")
    return UInt8(number)
  }
}
