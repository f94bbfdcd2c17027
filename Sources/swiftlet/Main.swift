import ArgumentParser
import ProductVersion

@main
struct Swiftlet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet", abstract: "Swiftlet from a desk: talk MQTT to devices and brokers.",
    discussion: """
      Options are those of mosquitto_pub, mosquitto_sub and mosquitto_rr where
      they mean the same. Of theirs these are not here: -A, --ciphers, --keyform,
      --psk, --psk-identity, --tls-engine, --tls-engine-kpass-sha1, --tls-version;
      -V mqttv31; -D of disconnect, topic-alias (aliases are given
      by themselves) and authentication-method (--auth); files of options that are
      read unasked (-o names one).
      """,
    version: "swiftlet \(Version.text)",
    subcommands: [Pub.self, Sub.self, Rr.self])

  static func main() async {
    StandardInput.keepPlaces()
    let arguments: [String]
    do {
      arguments = try OptionFile.expand(Array(CommandLine.arguments.dropFirst()))
    } catch {
      exit(withError: error)
    }
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      end(with: error)
    }
  }

  /// Help and version are what was asked for: they have to arrive.
  private static func end(with error: any Error) -> Never {
    guard exitCode(for: error).isSuccess else { exit(withError: error) }
    guard put(Array((fullMessage(for: error) + "\n").utf8)) else {
      exit(withError: failure("cannot write to standard output: \(SystemFailure().words)"))
    }
    exit()
  }
}
