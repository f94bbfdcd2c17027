import DeviceRuntime
import HAL
import Simulation
import Units

/// What one entry of the device file is connected to, for whoever wants to touch it: `sim/door` presses the button,
/// `sim/air` warms the air around the sensor and pulls its chip out, `sim/fan` lets the relay's line fail.
///
/// An input's own topic takes `ON`, `OFF`, `TOGGLE` and `PRESS`; that of a channel a number in the channel's unit, or
/// `auto` (or nothing) for what it is by itself; `fault` one of its words.
final class SimulatedThing: Module, TimerOwner {
  /// What an entity stands for.
  private enum Part {
    case input
    /// The chips' setting of that place.
    case channel(Int)
    case fault
  }

  let name: String
  let entities: [Entity]
  private let parts: [Part]
  private let inputs: [SimulatedInputLine]
  private let outputs: [SimulatedOutputLine]
  private let chips: [SimulatedChip]
  private var settings: [SimulatedChip.Setting] = []
  /// The fault's place among the words.
  private var fault = 0
  private var device: Device?
  private var release: DeviceTimer?

  private static let pressLength = Duration.milliseconds(200)
  /// Far beyond what any chip measures, and far within what every model can calculate with.
  private static let largest: Int64 = 1_000_000_000

  /// `measured`: what the device's module of that name measures.
  init(
    name: String, inputs: [SimulatedInputLine], outputs: [SimulatedOutputLine], chips: [SimulatedChip],
    measured: [Entity]
  ) {
    self.name = "sim/" + name
    self.inputs = inputs
    self.outputs = outputs
    self.chips = chips
    var entities: [Entity] = []
    var parts: [Part] = []
    if !inputs.isEmpty {
      entities.append(
        Entity(
          .binary, access: [.state, .command, .config], words: "ON|OFF",
          commands: WordList.input.text))
      parts.append(.input)
    }
    for entity in chips.isEmpty ? [] : measured {
      guard let quantity = entity.quantity else { continue }
      // A channel is called after its quantity unless it has a key.
      let key = Quantity(entity.key, "") == quantity ? "" : entity.key
      parts.append(.channel(settings.count))
      settings.append(SimulatedChip.Setting(quantity: quantity, key: key, thousandths: nil))
      entities.append(
        Entity(.number, entity.key, access: [.state, .command, .config], quantity: quantity, commands: "auto"))
    }
    if !chips.isEmpty || !outputs.isEmpty {
      let words = chips.isEmpty ? WordList.lineFaults.text : WordList.chipFaults.text
      entities.append(
        Entity(.choice, "fault", access: [.state, .command, .config], words: words, commands: words))
      parts.append(.fault)
    }
    self.entities = entities
    self.parts = parts
  }
  func start(on device: Device) {
    self.device = device
    if !inputs.isEmpty { release = device.makeTimer(for: self) }
  }

  func write(_ entity: Int, to text: inout FixedText) -> Bool {
    switch parts[entity] {
    case .input: text.append(isOn ? "ON" : "OFF")
    case .channel(let place): settings[place].write(to: &text)
    case .fault: faultWords.append(fault, to: &text)
    }
    return true
  }

  func obey(_ command: Command) -> CommandAnswer {
    let answer =
      switch parts[command.entity] {
      case .input: drive(command)
      case .channel(let place): set(place, command.payload)
      case .fault: inject(command.payload)
      }
    if case .accepted = answer { device?.changed(self, command.entity) }
    return answer
  }

  /// Names what there is instead.
  var unknownCommand: FixedText {
    var text: FixedText = "nothing of that name: use "
    for index in entities.indices {
      if index > 0 { text.append(index == entities.count - 1 ? " or " : ", ") }
      text.append(name)
      text.append("/")
      if !entities[index].isMain {
        text.append(entities[index].key)
        text.append("/")
      }
      text.append("set")
    }
    return text
  }

  /// Everything as it is by itself.
  func reset() {
    if !inputs.isEmpty { drive(false) }
    for place in settings.indices { settings[place].thousandths = nil }
    fault = 0
    apply()
    for index in entities.indices { device?.changed(self, index) }
  }
}

// Inputs
extension SimulatedThing {
  private var isOn: Bool { inputs.first?.level ?? false }

  private func drive(_ command: Command) -> CommandAnswer {
    guard let word = WordList.input.index(of: command.payload) else {
      return .rejected("unknown payload: use ON, OFF, TOGGLE or PRESS")
    }
    if word > 1, command.mayBeRepeated {
      return .rejected("may have been obeyed already: use ON or OFF")
    }
    drive(word == 2 ? !isOn : word != 1)
    if word == 3, let device { release?.schedule(at: device.clock.now + SimulatedThing.pressLength) }
    return .accepted
  }

  private func drive(_ active: Bool) {
    guard let device else { return }
    release?.cancel()
    for input in inputs { input.drive(active: active, at: device.clock.now) }
  }

  func timerFired(_ timer: DeviceTimer, now: Instant) {
    drive(false)
    device?.changed(self)
  }
}

// What is around chips, and what is wrong with chips and lines
extension SimulatedThing {
  private func set(_ place: Int, _ payload: FixedText) -> CommandAnswer {
    if payload.isEmpty || payload.matches("auto") {
      settings[place].thousandths = nil
    } else {
      let number = payload.withSpan { DecimalText.value(of: $0) }
      guard let number else { return .rejected(settings[place].wanted) }
      let largest = SimulatedThing.largest * 1_000
      guard number >= -largest, number <= largest else {
        return .rejected("there is no such world: use a number from -1000000000 to 1000000000")
      }
      settings[place].thousandths = number
    }
    apply()
    return .accepted
  }

  private var faultWords: WordList { chips.isEmpty ? .lineFaults : .chipFaults }

  private func inject(_ payload: FixedText) -> CommandAnswer {
    guard let word = payload.isEmpty ? 0 : faultWords.index(of: payload) else {
      var reason: FixedText = "unknown fault: use "
      faultWords.list(in: &reason)
      return .rejected(reason)
    }
    fault = word
    apply()
    return .accepted
  }

  private func apply() {
    for chip in chips { chip.want(settings, fault: Fault.ofWord(fault)) }
    // Words of chips are none of lines.
    guard chips.isEmpty else { return }
    for output in outputs { output.fault = LineError.ofWord(fault) }
  }
}

extension SimulatedChip.Setting {
  /// `31.5`, or `auto`
  func write(to text: inout FixedText) {
    guard let thousandths else { return text.append("auto") }
    var decimals: UInt8 = 3
    var rest = thousandths
    while decimals > 0, rest % 10 == 0 {
      rest /= 10
      decimals -= 1
    }
    var digits = InlineArray<21, UInt8>(repeating: 0)
    var span = digits.mutableSpan
    let count = Reading(0, thousandths).write(as: Channel(quantity, decimals: decimals), into: &span)
    text.append(digits.span.extracting(0..<count))
  }

  /// What may be set.
  var wanted: FixedText {
    var text: FixedText = "not a number: use one"
    if quantity.unit.utf8CodeUnitCount > 0 {
      text.append(" in ")
      text.append(quantity.unit)
    }
    text.append(" such as 31.5, or auto for what it is by itself")
    return text
  }
}

// Word by word in the order of their lists
extension WordList {
  static var input: WordList { WordList(text: "ON|OFF|TOGGLE|PRESS") }

  static var chipFaults: WordList {
    WordList(text: "none|no_acknowledge|busy|timeout|short|noise|wrong_identity|never_ready")
  }

  static var lineFaults: WordList { WordList(text: "none|busy|gone") }
}

extension Fault {
  fileprivate static func ofWord(_ index: Int) -> Fault? {
    switch index {
    case 1: .absent
    case 2: .busy
    case 3: .hang
    case 4: .shortAnswer
    case 5: .flippedBit(5)
    case 6: .wrongIdentity(0)
    case 7: .neverReady
    default: nil
    }
  }
}

extension LineError {
  fileprivate static func ofWord(_ index: Int) -> LineError? {
    switch index {
    case 1: .busy
    case 2: .chipGone
    default: nil
    }
  }
}
