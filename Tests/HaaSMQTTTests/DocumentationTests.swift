import Foundation
import Testing

struct DocumentationTests {
  @Test("Each test that docs/haas-mqtt.md names is there") func names() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let root = tests.deletingLastPathComponent().deletingLastPathComponent()
    var source = ""
    for name in ["ContractTests.swift", "OptionTests.swift"] {
      source += try String(contentsOf: tests.appending(path: name), encoding: .utf8)
    }
    let page = try String(contentsOf: root.appending(path: "docs/haas-mqtt.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("|") && !$0.hasPrefix("|---") }
    let names = rows.compactMap { $0.split(separator: "|", omittingEmptySubsequences: false).dropLast().last }
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0 != "shown by the test" }
    #expect(names.count > 20)
    for name in names { #expect(source.contains("\"\(name)\""), "\(name)") }
  }
}
