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

  private static func read(_ path: String) throws -> [String] {
    let bytes: [UInt8]
    do { bytes = try contents(of: path) } catch {
      throw ValidationError("cannot read \(path): \(error.words)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ValidationError("cannot read \(path): it is no UTF-8")
    }
    var arguments: [String] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmingCharacters(in: .whitespaces)
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
