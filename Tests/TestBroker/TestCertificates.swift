import Foundation

/// An authority, a server for "localhost" and 127.0.0.1, and a client, made with the openssl tool.
public final class TestCertificates: Sendable {
  private let directory: URL

  public init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "swiftlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for authority in ["ca", "strange"] {
      try openssl(
        ["req", "-x509", "-days", "2", "-subj", "/CN=\(authority)", "-keyout", "\(authority).key"] + key
          + ["-out", "\(authority).crt"])
    }
    for name in ["server", "client"] {
      try openssl(
        ["req", "-subj", "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).csr"] + key)
      try "subjectAltName=DNS:localhost,IP:127.0.0.1\n".write(
        toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
      try openssl([
        "x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "\(name).ext", "-out", "\(name).crt",
      ])
    }
  }

  deinit {
    do { try FileManager.default.removeItem(at: directory) } catch {}
  }

  public func path(_ name: String) -> String { directory.appending(path: name).path }

  /// Lines of mosquitto's settings for a listener of its own.
  public func listener(_ port: UInt16) -> String {
    "listener \(port) 127.0.0.1\ncafile \(path("ca.crt"))\ncertfile \(path("server.crt"))\n"
      + "keyfile \(path("server.key"))\n"
  }

  /// SHA-256 of the server's public key.
  public func pin() throws -> [UInt8] {
    let publicKey = "openssl x509 -in server.crt -pubkey -noout | openssl pkey -pubin -outform der"
    return Array(try run("/bin/sh", ["-c", publicKey + " | openssl dgst -sha256 -binary"]))
  }

  private func openssl(_ arguments: [String]) throws {
    _ = try run("/usr/bin/openssl", arguments)
  }

  private func run(_ program: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw TestBroker.Failure(what: "\(program) \(arguments.joined(separator: " "))")
    }
    return data
  }
}
