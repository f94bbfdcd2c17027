// Durations: 250ms, 10s, 5min, 1h. Always with a unit, so that nobody mistakes seconds for milliseconds.
extension Field {
  private static let longestDays = 366

  /// A time of at least `shortest`.
  public func duration(atLeast shortest: Duration = .zero) -> Duration? {
    let (seconds, attoseconds) = shortest.components
    let floor = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    return milliseconds(atLeast: floor).map { .milliseconds($0) }
  }

  public func milliseconds() -> Int64? {
    guard case .scalar(let text) = node.content, !text.utf8.isEmpty, !node.isSecret else {
      reject(wanted: "a duration like 250ms, 10s, 5min or 1h")
      return nil
    }
    switch parseDuration(text) {
    case .milliseconds(let milliseconds):
      if milliseconds <= Int64(Field.longestDays) * 86_400_000 { return milliseconds }
      report("\(title) is longer than \(Field.longestDays) days")
    case .noUnit:
      reject(wanted: "a duration with its unit", "for example \(text)s or \(text)ms")
    case .wrong(let suggestion):
      reject(wanted: "a duration like 250ms, 10s, 5min or 1h", suggestion)
    }
    return nil
  }

  public func milliseconds(atLeast shortest: Int64) -> Int64? {
    guard let milliseconds = milliseconds() else { return nil }
    if milliseconds >= shortest { return milliseconds }
    reject(wanted: "\(durationText(shortest)) or longer")
    return nil
  }
}

private enum ParsedDuration {
  case milliseconds(Int64)
  case noUnit
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
  if index == bytes.count { return .noUnit }
  if bytes[index] == 0x20 { index += 1 }
  let unit = text.dropFirstBytes(index)
  for (name, factor) in units where unit.equals(name) { return .milliseconds(number * factor) }
  if unit.equals("m") { return .wrong(suggestion: "write \(Int(number))min for minutes") }
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
