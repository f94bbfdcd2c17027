import ArgumentParser
import ProductVersion

@main
struct Swiftlet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet", abstract: "Swiftlet from a desk: talk MQTT to devices and brokers.",
    version: "swiftlet \(Version.text)",
    subcommands: [Pub.self, Sub.self])
}
