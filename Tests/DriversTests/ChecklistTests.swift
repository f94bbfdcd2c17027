import Foundation
import Testing

/// A chip is three files and a line: none of them is forgotten.
@Suite struct ChecklistTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The names of the files in the directory that end so, without that end.
  func names(in directory: String, ending end: String) throws -> Set<String> {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appendingPathComponent(directory).path)
    return Set(files.filter { $0.hasSuffix(end) }.map { String($0.dropLast(end.count)) })
  }

  /// The files of drivers: those that declare a sensor.
  func drivers() throws -> Set<String> {
    try names(in: "Sources/Drivers", ending: ".swift").filter { name in
      let file = Self.root.appendingPathComponent("Sources/Drivers/\(name).swift")
      let text = try String(contentsOf: file, encoding: .utf8)
      return text.firstRange(of: try Regex("struct \(name): (I2C|SPI|Kernel|Stream)Sensor")) != nil
    }
  }

  @Test("every driver has a model and a test of its own, and no model or test is without a driver")
  func files() throws {
    let drivers = try drivers()
    #expect(try names(in: "Sources/Simulation/Models", ending: "Model.swift") == drivers)
    // Expanders measure nothing; they have a contract and a test of their own.
    let expanders = try names(in: "Sources/Drivers/Expanders", ending: ".swift").subtracting(["PortExpander"])
    #expect(try names(in: "Sources/Simulation/Models/Expanders", ending: "Model.swift") == expanders)
    #expect(try names(in: "Tests/DriversTests/Chips", ending: "Tests.swift") == drivers)
  }

  @Test("every driver is in the list of chips, and promises something")
  func lists() throws {
    #expect(Chip.all.count + StreamChip.all.count == (try drivers().count))
  }
}
