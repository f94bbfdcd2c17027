import DeviceProgram
import DeviceRuntime
import Modules
import MQTTConnection
import SimulatedBoard

/// The same program with a board of models: every board's device file runs on it, and nothing real is touched.
@main
enum Main {
  static func main() {
    Program.run(
      Catalog(
        name: "swiftletd-simulator", modules: ModuleKind.all, hardware: .simulated,
        transports: MQTTTransport.all,
        outbox: .sqlite, authentication: .scramSHA256, memory: .stateDirectory, spellings: .usual,
        report: .machine, dialects: .all(.topicNames, .homeAssistant)))
  }
}
