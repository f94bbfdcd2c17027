import Boards
import DeviceFile
import DeviceRuntime
import HAL
import Simulation

/// The world around a simulated board, which can be touched below `sim`: a thing for each entry of the device file that
/// something was opened for, and `sim/set` with `reset`, which leaves everything to itself again.
public final class SimulatedWorld: DevicePart, CommandListener {
  public var level: StaticString { "sim" }
  private let board: SimulatedBoard
  private var things: [SimulatedThing] = []

  /// Of a board that is open.
  public init(_ board: SimulatedBoard) {
    self.board = board
  }

  public func start(on device: Device) {
    let modules = device.modules
    for name in board.names {
      let module = modules.first { $0.name.equals(name) }
      things.append(
        SimulatedThing(name: name, board: board, entities: module?.entities ?? [], device: device))
    }
    device.listen(self)
  }

  public func obey(_ command: Command, at path: FixedText) -> CommandAnswer {
    if path.isEmpty { return obey(command) }
    let (name, part) = SimulatedWorld.split(path)
    for thing in things where name == FixedText(thing.name) { return thing.obey(command, at: part) }
    return .rejected(unknownThing)
  }

  private func obey(_ command: Command) -> CommandAnswer {
    guard command.payload.matches("reset") else { return .rejected("unknown payload: use reset") }
    var answer = CommandAnswer.accepted
    for thing in things {
      let reset = thing.reset()
      if case .rejected = reset { answer = reset }
    }
    return answer
  }

  /// Names what there is instead.
  private var unknownThing: FixedText {
    var text: FixedText = "nothing of that name is simulated"
    for (index, thing) in things.enumerated() {
      text.append(index == 0 ? ": there is " : index == things.count - 1 ? " and " : ", ")
      text.append(thing.name)
    }
    return text
  }

  /// `air/fault` is `air` and `fault`, `door` has no second half.
  private static func split(_ path: FixedText) -> (FixedText, FixedText) {
    var (name, part) = (FixedText(), FixedText())
    var isPart = false
    for index in 0..<path.count {
      if isPart {
        part.append(byte: path[index])
      } else if path[index] == UInt8(ascii: "/") {
        isPart = true
      } else {
        name.append(byte: path[index])
      }
    }
    return (name, part)
  }
}

extension SimulatedBoard {
  /// Of everybody who has something of the board, each once.
  fileprivate var names: [String] {
    var names: [String] = []
    for name in outputs.map({ $0.name }) + inputs.map({ $0.name }) + chips.map({ $0.name })
    where !names.contains(where: { $0.equals(name) }) {
      names.append(name)
    }
    return names
  }
}
