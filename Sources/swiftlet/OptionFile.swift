import ArgumentParser
import Foundation

/// `-o FILE` among arguments: options from a file, in its place.
enum OptionFile {
  static func expand(_ arguments: [String]) throws -> [String] {
    var expanded: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument == "-o" || argument == "--options" else {
        expanded.append(argument)
        continue
      }
      guard let path = rest.popFirst() else { throw ValidationError("\(argument): the file is missing") }
      expanded += try read(path)
    }
    return expanded
  }

  /// What may stand before the first option: with a byte order mark begins what some editors write.
  private static let unseen = CharacterSet.whitespaces.union(["\u{FEFF}"])

  private static func read(_ path: String) throws -> [String] {
    guard let text = String(validating: try contents(of: path), as: UTF8.self) else {
      throw ValidationError("\(path) is not UTF-8; save it as UTF-8 text")
    }
    var arguments: [String] = []
    // To Swift the two bytes with which Windows ends a line are one character.
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (number, line) in lines.enumerated() {
      let line = line.trimmingCharacters(in: unseen)
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard line.hasPrefix("-") else {
        throw ValidationError(
          "\(path):\(number + 1): a line is an option and its value, such as '-h broker.local'")
      }
      let end = line.firstIndex(of: " ") ?? line.endIndex
      let name = String(line[..<end])
      let value = line[end...].trimmingCharacters(in: .whitespaces)
      guard name != "-o", name != "--options" else {
        throw ValidationError("\(path):\(number + 1): a file of options names no other one")
      }
      arguments.append(name)
      if name == "-D" || name == "--property" {
        arguments += value.split(separator: " ").map(String.init)
      } else if !value.isEmpty {
        arguments.append(value)
      }
    }
    return arguments
  }
}
