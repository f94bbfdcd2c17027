import Boards
import Configuration
import DeviceBench
import DeviceFile
import DeviceProgram
import DeviceRuntime
import HAL
import MQTTConnection
import SimulatedBoard
import Simulation

/// A device file as a program runs it, but on a virtual clock, with a board of models and a broker in memory: days of
/// its life pass in a moment, and the same way every time.
///
///     let device = try SimulatedDevice("device.yaml", kinds: [Relay.kind])
///     device.bench.start()
///     device.bench.send("ON", to: "fan")
///     #expect(device.board.output("fan")?.isActive == true)
public final class SimulatedDevice {
  public let bench: DeviceBench
  public let board: SimulatedBoard

  /// `boards`: where board files are; nil: `boards/` beside the device file, and those of Swiftlet. `board` stands in
  /// for the one that the device file names.
  public init(
    _ path: String, kinds: [ModuleKind], boards: String? = nil, board: String? = nil,
    models: [ChipModel] = ChipModel.all, log: any Log = RecordingLog(), randomSeed: UInt64 = 1
  ) throws {
    let configuration = try DeviceConfiguration.load(
      try Files.read(path).get(),
      features: ConfigurationFeatures(
        kinds: kinds, transports: MQTTTransport.all, hasOutbox: true, hasScram: true),
      board: board,
      surroundings: Files(
        deviceFile: path,
        boardDirectories: boards.map { [$0] } ?? [Files.directory(of: path) + "boards", Self.ownBoards]))
    let clock = VirtualClock()
    let queue = SimulatedWorkQueue()
    self.board = SimulatedBoard(models, clock: clock) { _ in queue }
    let composition = Composition(
      configuration: configuration, hardware: self.board.hardware, clock: clock, log: log)
    let problems = composition.open()
    guard problems.isEmpty, let device = composition.device(randomSeed: randomSeed) else {
      throw SimulationFailure(problems: problems.map(\.text.text))
    }
    bench = DeviceBench(clock: clock, queue: queue, device: device)
  }

  /// Swiftlet's, wherever the package that is tested lies.
  private static var ownBoards: String {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return (parts.dropLast(3) + ["boards"]).joined(separator: "/")
  }

  /// A device that is put together in Swift. `composed` wires it, and is made anew for each of these.
  public init(
    _ composed: ComposedDevice, models: [ChipModel] = ChipModel.all, log: any Log = RecordingLog(),
    randomSeed: UInt64 = 1
  ) throws {
    let clock = VirtualClock()
    let queue = SimulatedWorkQueue()
    board = SimulatedBoard(models, clock: clock) { _ in queue }
    switch composed.device(board.hardware, clock: clock, log: log, randomSeed: randomSeed) {
    case .success(let device): bench = DeviceBench(clock: clock, queue: queue, device: device)
    case .failure(.hardware(let problems)): throw SimulationFailure(problems: problems.map(\.text.text))
    case .failure(.options): throw SimulationFailure(problems: [])
    }
  }
}

/// The device does not come about: what its program would say.
public struct SimulationFailure: Error {
  public let problems: [String]
}
