// Durations: 250ms, 10s, 5min, 1h. Always with a unit, so that nobody mistakes seconds for milliseconds.
extension Field {
  private static let longestDays = 366
  /// A year and a bit: what is longer is a slip.
  public static let longest = Int64(longestDays) * 86_400_000

  private static var wantedDuration: Message { "a duration like 250ms, 10s, 5min or 1h" }

  /// A time of at least `shortest`.
  public func duration(atLeast shortest: Duration = .zero) -> Duration? {
    let (seconds, attoseconds) = shortest.components
    let floor = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    return milliseconds(atLeast: floor).map { .milliseconds($0) }
  }

  /// A time of at most `longest`.
  public func duration(atMost longest: Duration) -> Duration? {
    let (seconds, attoseconds) = longest.components
    let ceiling = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    guard let milliseconds = milliseconds(proposing: 0...ceiling) else { return nil }
    if milliseconds <= ceiling { return .milliseconds(milliseconds) }
    reject(wanted: "\(durationText(ceiling)) or shorter")
    return nil
  }

  /// Any time. Others than those of `range` are not proposed: whoever asks refuses them.
  public func milliseconds(proposing range: ClosedRange<Int64> = 0...Field.longest) -> Int64? {
    guard case .scalar(let text) = node.content, !text.utf8.isEmpty, !node.isSecret else {
      reject(wanted: Field.wantedDuration)
      return nil
    }
    switch parseDuration(text) {
    case .milliseconds(let milliseconds):
      if milliseconds <= Field.longest { return milliseconds }
      report("\(title) is longer than \(Field.longestDays) days")
    case .noUnit(let number):
      var proposals: [String] = []
      if range.contains(number * 1000) { proposals.append(text + "s") }
      if range.contains(number) { proposals.append(text + "ms") }
      reject(
        wanted: "a duration with its unit",
        proposals.isEmpty ? nil : "for example \(listed(proposals, last: "or"))")
    case .ambiguous(let number):
      let fits = range.contains(number * 60_000)
      reject(wanted: Field.wantedDuration, fits ? "write \(Int(number))min for minutes" : nil)
    case .wrong(let suggestion):
      reject(wanted: Field.wantedDuration, suggestion)
    }
    return nil
  }

  public func milliseconds(atLeast shortest: Int64) -> Int64? {
    guard let milliseconds = milliseconds(proposing: shortest...Field.longest) else { return nil }
    if milliseconds >= shortest { return milliseconds }
    reject(wanted: "\(durationText(shortest)) or longer")
    return nil
  }
}

private enum ParsedDuration {
  case milliseconds(Int64)
  case noUnit(Int64)
  /// `5m`: minutes, but it reads like metres, months or milliseconds.
  case ambiguous(Int64)
  case wrong(suggestion: Message?)
}

private func parseDuration(_ text: String) -> ParsedDuration {
  let bytes = text.bytes
  var index = 0
  var number: Int64 = 0
  while index < bytes.count, isDigit(bytes[index]) {
    // Ten digits of days are still within Int64.
    guard index < 10 else { return .wrong(suggestion: nil) }
    number = number * 10 + Int64(bytes[index] - 0x30)
    index += 1
  }
  guard index > 0 else { return .wrong(suggestion: nil) }
  if index == bytes.count { return .noUnit(number) }
  if bytes[index] == 0x20 { index += 1 }
  let unit = text.dropFirstBytes(index)
  for (name, factor) in units where unit.equals(name) { return .milliseconds(number * factor) }
  if unit.equals("m") { return .ambiguous(number) }
  if bytes[index] == 0x2E { return .wrong(suggestion: "write a whole number of a smaller unit") }
  return .wrong(suggestion: nil)
}

private let units: [(name: String, milliseconds: Int64)] = [
  ("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000),
]

/// A duration as people write it, in the largest unit that gives a whole number: 120 s is `2` of `min`.
public struct DurationText: Sendable {
  public let count: Int64
  public let unit: StaticString

  public init(milliseconds: Int64) {
    let units: [5 of (size: Int64, name: StaticString)] = [
      (86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms"),
    ]
    for index in units.indices where milliseconds != 0 && milliseconds % units[index].size == 0 {
      (count, unit) = (milliseconds / units[index].size, units[index].name)
      return
    }
    (count, unit) = (0, "s")
  }
}

/// The shortest way to write a duration.
public func durationText(_ milliseconds: Int64) -> String {
  let text = DurationText(milliseconds: milliseconds)
  return text.count.description + text.unit.description
}

public func durationText(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  return durationText(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
}
