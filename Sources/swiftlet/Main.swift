import ArgumentParser

@main
struct Swiftlet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet", abstract: "Swiftlet from a desk: talk MQTT to devices and brokers.",
    subcommands: [Pub.self, Sub.self])
}
