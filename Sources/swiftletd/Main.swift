import DeviceProgram
import DeviceRuntime
import Modules
import MQTTConnection

/// The ready program for boards: everything there is.
@main
enum Main {
  static func main() {
    Program.run(
      Catalog(
        name: "swiftletd", modules: ModuleKind.all, hardware: .linux, transports: MQTTTransport.all,
        outbox: .sqlite, authentication: .scramSHA256, memory: .stateDirectory, spellings: .usual,
        report: .machine, dialects: .all(.topicNames, .homeAssistant)))
  }
}
