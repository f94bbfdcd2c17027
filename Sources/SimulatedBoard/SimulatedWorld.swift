import Boards
import DeviceFile
import DeviceRuntime

/// What all the things of a simulated board have in common: `sim` itself. It puts everything back as it is by itself
/// (`sim/set`, `reset`), and tells whoever asks for a thing that is not there which there are.
final class SimulatedWorld: Module {
  let name = "sim"
  let entities = [Entity(.choice, access: [.command, .config], commands: "reset")]
  private let things: [SimulatedThing]

  init(_ things: [SimulatedThing]) {
    self.things = things
  }

  func obey(_ command: Command) -> CommandAnswer {
    guard command.payload.matches("reset") else { return .rejected("unknown payload: use reset") }
    for thing in things { thing.reset() }
    return .accepted
  }

  var unknownCommand: FixedText {
    var text: FixedText = "nothing of that name"
    for (index, thing) in things.enumerated() {
      text.append(index == 0 ? ": there is " : index == things.count - 1 ? " and " : ", ")
      text.append(thing.name)
    }
    return text
  }
}

extension SimulatedBoard {
  /// The board as its device has it besides its own modules: a thing for each entry of the device file that something
  /// was opened for, below `sim`. Once all is open.
  public func world(around modules: [any Module]) -> [any Module] {
    var things: [SimulatedThing] = []
    for name in names {
      let module = modules.first { $0.name.equals(name) }
      let measured = (module?.entities ?? []).filter { $0.access.contains(.reading) }
      things.append(
        SimulatedThing(
          name: name, inputs: inputs.filter { $0.name.equals(name) }.map { $0.line },
          outputs: outputs.filter { $0.name.equals(name) }.map { $0.line },
          chips: chips.filter { $0.name.equals(name) }, measured: measured))
    }
    // The more particular first: `sim` answers for what is nobody's.
    var world: [any Module] = things
    world.append(SimulatedWorld(things))
    return world
  }

  /// Of everybody who has something of the board, each once.
  private var names: [String] {
    var names: [String] = []
    for name in outputs.map({ $0.name }) + inputs.map({ $0.name }) + chips.map({ $0.name })
    where !names.contains(where: { $0.equals(name) }) {
      names.append(name)
    }
    return names
  }
}
