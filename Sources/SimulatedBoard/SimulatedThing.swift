import DeviceFile
import DeviceRuntime
import HAL
import Simulation
import Units

/// What one entry of the device file is connected to, for whoever wants to touch it: `sim/door` presses the button,
/// `sim/air` warms the air around the sensor and pulls its chip out, `sim/fan` lets the relay's line fail.
///
/// An input's own topic takes `ON`, `OFF`, `TOGGLE` and `PRESS`; that of a channel a number in the channel's unit, or
/// `auto` (or nothing) for what it is by itself; `fault` one of its words.
final class SimulatedThing: TimerOwner {
  let name: String
  private let inputs: [SimulatedInputLine]
  private let outputs: [SimulatedOutputLine]
  private let chips: [SimulatedChip]
  /// What the chips measure, and how its topics are called.
  private var settings: [SimulatedChip.Setting] = []
  private let channels: [StaticString]
  /// The fault's place among the words.
  private var fault = 0
  private let device: Device
  private var release: DeviceTimer?

  private static let pressLength = Duration.milliseconds(200)
  /// Beyond what any chip measures, and far within what every model can calculate with.
  private static let largest: Int64 = 1_000_000

  /// `entities`: those of the device's module of that name.
  init(name: String, board: SimulatedBoard, entities: [Entity], device: Device) {
    self.name = name
    self.device = device
    inputs = board.inputs.filter { $0.name.equals(name) }.map { $0.line }
    outputs = board.outputs.filter { $0.name.equals(name) }.map { $0.line }
    chips = board.chips.filter { $0.name.equals(name) }
    var channels: [StaticString] = []
    for entity in chips.isEmpty ? [] : entities where entity.access.contains(.reading) {
      guard let quantity = entity.quantity else { continue }
      // A channel is called after its quantity unless it has a key.
      let key = Quantity(entity.key, "") == quantity ? "" : entity.key
      settings.append(SimulatedChip.Setting(quantity: quantity, key: key, thousandths: nil))
      channels.append(entity.key)
    }
    self.channels = channels
    if !inputs.isEmpty { release = device.makeTimer(for: self) }
  }

  /// `part`: the channel, `fault`, or nothing for the input itself.
  func obey(_ command: Command, at part: FixedText) -> CommandAnswer {
    if part.isEmpty, !inputs.isEmpty { return drive(command) }
    if part.matches("fault"), hasFaults { return inject(command.payload) }
    for place in channels.indices where part.matches(channels[place]) { return set(place, command.payload) }
    return .rejected(unknownPart)
  }

  /// Everything as it is by itself.
  func reset() -> CommandAnswer {
    if !inputs.isEmpty { drive(false) }
    for place in settings.indices { settings[place].thousandths = nil }
    fault = 0
    return apply()
  }

  private var hasFaults: Bool { !chips.isEmpty || !outputs.isEmpty }

  /// Names what there is instead.
  private var unknownPart: FixedText {
    var text: FixedText = "nothing of that name is simulated: use "
    var topics: [StaticString] = inputs.isEmpty ? channels : [""]
    if hasFaults { topics.append("fault") }
    for index in topics.indices {
      if index > 0 { text.append(index == topics.count - 1 ? " or " : ", ") }
      text.append("sim/")
      text.append(name)
      if topics[index].utf8CodeUnitCount > 0 { text.append("/") }
      text.append(topics[index])
      text.append("/set")
    }
    return text
  }
}

// Inputs
extension SimulatedThing {
  private func drive(_ command: Command) -> CommandAnswer {
    guard let word = WordList.input.index(of: command.payload) else {
      var reason: FixedText = "unknown payload: use "
      WordList.input.list(in: &reason)
      return .rejected(reason)
    }
    if word > 1, command.mayBeRepeated {
      return .rejected("may have been obeyed already: use ON or OFF")
    }
    let isOn = inputs.first?.level ?? false
    drive(word == 2 ? !isOn : word != 1)
    if word == 3 { release?.schedule(at: device.clock.now + SimulatedThing.pressLength) }
    return .accepted
  }

  private func drive(_ active: Bool) {
    release?.cancel()
    for input in inputs { input.drive(active: active, at: device.clock.now) }
  }

  func timerFired(_ timer: DeviceTimer, now: Instant) { drive(false) }
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
        return .rejected("no world is like that: use a number from -1000000 to 1000000")
      }
      settings[place].thousandths = number
    }
    return apply()
  }

  private var faultWords: WordList { chips.isEmpty ? .lineFaults : .chipFaults }

  private func inject(_ payload: FixedText) -> CommandAnswer {
    // Nothing is no fault, as nothing is a channel's own value.
    guard let word = payload.isEmpty ? 0 : faultWords.index(of: payload) else {
      var reason: FixedText = "unknown fault: use "
      faultWords.list(in: &reason)
      return .rejected(reason)
    }
    fault = word
    return apply()
  }

  private func apply() -> CommandAnswer {
    var isTaken = true
    for chip in chips where !chip.want(settings, fault: Fault.ofWord(fault)) { isTaken = false }
    // Words of chips are none of lines.
    if chips.isEmpty { for output in outputs { output.fault = LineError.ofWord(fault) } }
    return isTaken ? .accepted : .rejected("the bus takes no more work")
  }
}

extension SimulatedChip.Setting {
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
    WordList(text: "none|no_acknowledge|busy|timeout|short_answer|noise|wrong_identity|never_ready")
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
    case 6: .wrongIdentity(0x60)
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
