import CYAML

/// Turns the bytes of one file into a tree of marked nodes.
///
/// A file is small and flat, so everything has a bound, and the parts of YAML that only make a
/// configuration hard to follow (anchors, aliases, tags, several documents) are refused by name.
public struct YAMLReader {
  public static let longestFile = 256 * 1024
  public static let longestScalar = 4096
  public static let mostNodes = 4096
  public static let mostKeys = 256
  public static let deepest = 16

  private let file: SourceFile
  private let problems: Problems
  private let reader: OpaquePointer
  private let start: Mark
  private var event = cyaml_event()
  private var nodes = 0
  /// Set by what ends the reading: the rest of the file makes no sense.
  private var stopped = false

  /// The file's one document; nil when it cannot be read, which has been reported then.
  public static func read(_ file: SourceFile, _ problems: Problems) -> Node? {
    var file = file
    // libyaml would count a byte order mark as a column.
    if file.bytes.begins(with: [0xEF, 0xBB, 0xBF], at: 0) { file.bytes.removeFirst(3) }
    guard file.bytes.count <= longestFile else {
      problems.report(start(of: file), "the file is larger than \(longestFile / 1024) KiB")
      return nil
    }
    if let offset = firstInvalidByte(of: file.bytes) {
      problems.report(place(of: offset, in: file), "the file is not UTF-8", "save it as UTF-8 text")
      return nil
    }
    return file.bytes.withUnsafeBufferPointer { bytes in
      guard let reader = cyaml_open(bytes.baseAddress, bytes.count) else {
        problems.report(start(of: file), "not enough memory")
        return nil
      }
      var yaml = YAMLReader(file: file, problems: problems, reader: reader)
      let root = yaml.document()
      cyaml_close(reader)
      return root
    }
  }

  private init(file: SourceFile, problems: Problems, reader: OpaquePointer) {
    self.file = file
    self.problems = problems
    self.reader = reader
    start = YAMLReader.start(of: file)
  }

  private static func start(of file: SourceFile) -> Mark { Mark(file: file.name, line: 1, column: 1) }

  /// Where the current event begins.
  private var mark: Mark {
    var mark = start
    mark.line = Int(event.line)
    mark.column = Int(event.column)
    return mark
  }

  private mutating func document() -> Node? {
    next()
    if event.kind == Int32(CYAML_END) {
      problems.report(YAMLReader.start(of: file), "the file is empty")
      return nil
    }
    next()
    let root = node(depth: 0)
    if !stopped { next() }
    if !stopped, event.kind == Int32(CYAML_DOCUMENT) {
      stop("a second document begins here", "keep one document in a file")
    }
    return stopped ? nil : root
  }

  /// Fetches the next event.
  private mutating func next() {
    cyaml_next(reader, &event)
    if event.kind == Int32(CYAML_ERROR) { reportSyntaxError() }
  }

  private mutating func stop(_ message: Message, _ suggestion: Message? = nil) {
    guard !stopped else { return }
    stopped = true
    problems.report(mark, message, suggestion)
  }

  /// The value that begins with the current event.
  private mutating func node(depth: Int) -> Node {
    let mark = mark
    nodes += 1
    if depth > YAMLReader.deepest { stop("nested deeper than \(YAMLReader.deepest) levels") }
    if nodes > YAMLReader.mostNodes { stop("more than \(YAMLReader.mostNodes) values in one file") }
    if stopped { return Node(.invalid, mark) }
    let isSecret = event.tag != nil
    let isLegal = checkProperties(mark)
    let content = content(depth)
    return Node(isLegal ? content : .invalid, mark, isSecret: isSecret)
  }

  private mutating func content(_ depth: Int) -> Node.Content {
    switch Int(event.kind) {
    case CYAML_SCALAR:
      return scalar()
    case CYAML_SEQUENCE:
      return sequence(depth)
    case CYAML_MAPPING:
      return mapping(depth)
    default:
      problems.report(mark, "aliases ('*name') are not supported", "write the value out")
      return .invalid
    }
  }

  /// Looks at anchor and tag of the current event; the one legal tag makes a secret.
  private func checkProperties(_ mark: Mark) -> Bool {
    if event.anchored {
      problems.report(mark, "anchors ('&name') are not supported", "write the value out where it is needed")
    }
    guard let tag = event.tag else { return true }
    let name = String(cString: tag)
    if !name.equals("!secret") {
      problems.report(mark, "unknown tag \(name.quoted)", "the only one is '!secret NAME'")
    } else if event.kind != Int32(CYAML_SCALAR) {
      problems.report(mark, "'!secret' without a name", "for example !secret mqtt_password")
    } else {
      return true
    }
    return false
  }

  private func scalar() -> Node.Content {
    guard event.length <= YAMLReader.longestScalar else {
      problems.report(mark, "a text longer than \(YAMLReader.longestScalar) bytes")
      return .invalid
    }
    let bytes = UnsafeRawBufferPointer(start: event.text, count: event.length)
    guard !bytes.contains(0) else {
      problems.report(mark, "a text with a NUL character")
      return .invalid
    }
    return .scalar(String(decoding: bytes, as: UTF8.self))
  }

  private mutating func sequence(_ depth: Int) -> Node.Content {
    var elements: [Node] = []
    next()
    while !stopped, event.kind != Int32(CYAML_SEQUENCE_END) {
      elements.append(node(depth: depth + 1))
      next()
    }
    return .sequence(elements)
  }

  private mutating func mapping(_ depth: Int) -> Node.Content {
    var entries: [Node.Entry] = []
    next()
    while !stopped, event.kind != Int32(CYAML_MAPPING_END) {
      if entries.count == YAMLReader.mostKeys { stop("more than \(YAMLReader.mostKeys) keys in one mapping") }
      let key = node(depth: depth + 1)
      if stopped { break }
      next()
      let value = node(depth: depth + 1)
      if stopped { break }
      add(key, value, to: &entries)
      next()
    }
    return .mapping(entries)
  }

  private func add(_ key: Node, _ value: Node, to entries: inout [Node.Entry]) {
    guard case .scalar(let name) = key.content, !key.isSecret else {
      if case .invalid = key.content { return }
      problems.report(key.mark, "a key must be a word, not \(key.description)")
      return
    }
    // No-break spaces and spaces without width come with what is copied from web pages.
    for byte in name.bytes where byte == 0xC2 || byte == 0xE2 || byte == 0xEF {
      problems.report(key.mark, "key \(name.quoted) has an invisible character")
      return
    }
    if let first = entries.first(where: { $0.key.equals(name) }) {
      problems.report(key.mark, "key \(name.quoted) is given twice, first in line \(first.mark.line)")
      return
    }
    entries.append(Node.Entry(key: name, mark: key.mark, value: value))
  }
}

// MARK: - What is wrong with the text itself

extension YAMLReader {
  private mutating func reportSyntaxError() {
    guard !stopped else { return }
    stopped = true
    let place = event.line == 0 ? YAMLReader.place(of: event.offset, in: file) : mark
    if byte(at: place) == 0x09 {
      problems.report(place, "a tab", "YAML is indented with spaces")
      return
    }
    let bytes = UnsafeRawBufferPointer(start: event.text, count: event.length)
    problems.report(
      place, "not YAML: \(String(decoding: bytes, as: UTF8.self))",
      "look at the indentation, quotes and colons before it")
  }

  private func byte(at place: Mark) -> UInt8? {
    var mark = start
    for byte in file.bytes {
      if mark.line == place.line, mark.column == place.column { return byte }
      mark.pass(byte)
    }
    return nil
  }

  /// The line and column of a byte.
  private static func place(of offset: Int, in file: SourceFile) -> Mark {
    var mark = start(of: file)
    for byte in file.bytes.prefix(offset) { mark.pass(byte) }
    return mark
  }
}

extension Mark {
  /// Goes on by one byte; the first of each character counts as a column.
  fileprivate mutating func pass(_ byte: UInt8) {
    if byte == 0x0A {
      line += 1
      column = 1
    } else if byte & 0xC0 != 0x80 {
      column += 1
    }
  }
}

/// The offset of the first byte that is not part of well-formed UTF-8.
public func firstInvalidByte(of bytes: [UInt8]) -> Int? {
  var index = 0
  while index < bytes.count {
    let length = lengthOfCharacter(bytes, at: index)
    if length == 0 { return index }
    index += length
  }
  return nil
}

/// How many bytes the character at `index` has; 0 when it is malformed (Unicode, table 3-7).
private func lengthOfCharacter(_ bytes: [UInt8], at index: Int) -> Int {
  let lead = bytes[index]
  if lead < 0x80 { return 1 }
  let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  guard lead >= 0xC2, lead <= 0xF4, index + length <= bytes.count else { return 0 }
  for offset in 1..<length where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
  let second = bytes[index + 1]
  switch lead {
  case 0xE0: return second >= 0xA0 ? 3 : 0
  case 0xED: return second < 0xA0 ? 3 : 0
  case 0xF0: return second >= 0x90 ? 4 : 0
  case 0xF4: return second < 0x90 ? 4 : 0
  default: return length
  }
}
