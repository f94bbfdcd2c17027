/// A file as its caller read it: configuration does no input or output itself.
public struct SourceFile: Sendable {
  /// What errors call it.
  public var name: String
  public var bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

/// A place in a configuration file; line and column count from 1.
public struct Mark: Sendable {
  /// Shared by all marks of a file.
  private final class Name: Sendable {
    let text: String

    init(_ text: String) { self.text = text }
  }

  private let name: Name
  /// 0 where there is no place inside, as in an environment variable.
  public var line: Int
  public var column: Int

  public init(file: String, line: Int = 0, column: Int = 0) {
    name = Name(file)
    self.line = line
    self.column = column
  }

  public var file: String { name.text }

  /// `device.yaml:7:5`
  public var text: String {
    @inline(never) get { line == 0 ? file : ("\(file):\(line):\(column)" as Message).text }
  }

  public func isSame(as other: Mark) -> Bool {
    line == other.line && column == other.column && file.equals(other.file)
  }

  /// `device.yaml:7`
  public var lineText: String {
    @inline(never) get { ("\(file):\(line)" as Message).text }
  }
}

/// One thing that is wrong in a configuration, or worth a warning.
public struct ConfigurationError: Error, Sendable {
  public var mark: Mark
  public var message: String
  /// What to do about it.
  public var suggestion: String?

  public init(_ mark: Mark, _ message: String, suggestion: String? = nil) {
    self.mark = mark
    self.message = message
    self.suggestion = suggestion
  }

  /// `device.yaml:7:5: unknown key 'actve' in relay 'fan'; did you mean 'active'?`
  public var text: String {
    let cause: Message = "\(mark.text): \(message)"
    guard let suggestion else { return cause.text }
    return ("\(cause); \(suggestion)" as Message).text
  }
}

/// Everything that is wrong in a configuration, in the order of the files.
public struct ConfigurationErrors: Error, Sendable {
  public var list: [ConfigurationError]

  public init(list: [ConfigurationError]) { self.list = list }

  /// One error a line.
  public var text: String {
    var lines: Message = ""
    for error in list { lines += "\(error.text)\n" }
    return lines.text
  }
}

/// Collects what is wrong while a configuration is read.
public final class Problems {
  /// Nobody reads more, and a hostile file must not cost memory.
  public static let limit = 100

  public private(set) var list: [ConfigurationError] = []
  /// What helps to find out what somebody means.
  public var spellings: Spellings?

  public var isEmpty: Bool { list.isEmpty }
  public var isFull: Bool { list.count == Problems.limit }

  public init() {}

  @inline(never)
  public func report(_ mark: Mark, _ message: Message, _ suggestion: Message? = nil) {
    guard !isFull else { return }
    list.append(ConfigurationError(mark, message.text, suggestion: suggestion?.text))
  }

  /// In the order of each file; the files in the order in which they were first complained about.
  public var inOrder: [ConfigurationError] {
    var sorted: [ConfigurationError] = []
    for error in list {
      var index = sorted.count
      while index > 0, comesBefore(error.mark, sorted[index - 1].mark) { index -= 1 }
      sorted.insert(error, at: index)
    }
    return sorted
  }

  private func comesBefore(_ mark: Mark, _ other: Mark) -> Bool {
    guard mark.file.equals(other.file) else { return false }
    return (mark.line, mark.column) < (other.line, other.column)
  }
}
