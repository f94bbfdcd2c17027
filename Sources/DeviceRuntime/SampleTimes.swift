import DeviceFile
import HAL
import MQTTClient

/// Has kept readings tell when they were taken, in time of day, at the moment at which they leave.
///
/// A board whose clock has no battery boots in the past, and learns the time later. So what waits says how long the
/// board had been running, and which of its runs that was; the time of day comes from the clock at the end. A reading
/// of an earlier run has the time that the clock told then. Where nobody knew, none is told.
///
/// Cost: none for messages that carry no stamp; else one copy of the message. Never allocates.
final class SampleTimes: MQTTRewriter {
  private let clock: any MonotonicClock
  private let wallClock: any WallClock
  private var properties = FixedText()
  private var payload = FixedText()
  private var stamp = FixedText()

  /// U+001A, SUBSTITUTE: what stands here is replaced.
  private static let mark: UInt8 = 0x1A
  /// The mark; the run of the board, its age and the time of day in milliseconds, the latter 0 where unknown, in
  /// hexadecimal digits. No shorter than the longest text that can come in its place.
  private static let stampLength = 1 + 8 + 11 + 11
  private static let name: StaticString = "sampled"

  init(clock: any MonotonicClock, wallClock: any WallClock) {
    self.clock = clock
    self.wallClock = wallClock
  }

  /// The time of day; nil while nobody knows it.
  var now: Int64? { wallClock.unixMilliseconds }

  /// Makes the stamp that is appended from now on.
  func takeStamp() {
    stamp.removeAll()
    stamp.append(byte: Self.mark)
    stamp.append(hexadecimal: UInt64(clock.boot), digits: 8)
    stamp.append(hexadecimal: UInt64(bitPattern: clock.now.milliseconds), digits: 11)
    stamp.append(hexadecimal: UInt64(bitPattern: now ?? 0), digits: 11)
  }

  /// In JSON it stands for a whole member, with the comma before it.
  func appendStamp(to text: inout FixedText) { text.append(stamp) }

  /// `,"sampled":1763700000000`
  func appendMember(_ time: Int64, to text: inout FixedText) {
    text.append(",\"")
    text.append(Self.name)
    text.append("\":")
    text.append(decimal: time)
  }

  /// Appends the user property of 5.0 that carries the stamp.
  func stampProperties(_ list: inout PropertyList) {
    FixedText(Self.name).withSpan { name in
      stamp.withSpan { stamp in
        do throws(EncodingError) {
          try list.append(user: name, stamp)
        } catch {
          // Neither is that long.
        }
      }
    }
  }

  func rewrite(
    _ kept: Span<UInt8>, _ message: Span<UInt8>, _ send: (Span<UInt8>, Span<UInt8>) -> Bool
  ) -> Bool {
    let stampStart = kept.count - Self.stampLength
    let isStamped = stampStart >= 0 && kept[stampStart] == Self.mark
    // A program without 5.0 keeps no properties.
    guard isStamped || !MQTTVersion.hasV5 else { return send(kept, message) }
    properties.removeAll()
    // A payload's stamp is that of its properties, and tells the same.
    let told = isStamped ? time(kept, stampStart) : nil
    if isStamped { rewriteProperties(kept, stampStart, told) }
    guard let place = place(of: Self.mark, in: message) else {
      return properties.withSpan { send($0, message) }
    }
    rewritePayload(message, place, isStamped ? told : time(message, place))
    return properties.withSpan { properties in payload.withSpan { send(properties, $0) } }
  }

  private func place(of mark: UInt8, in message: Span<UInt8>) -> Int? {
    var place = 0
    while message.count - place >= Self.stampLength {
      if message[place] == mark { return place }
      place += 1
    }
    return nil
  }

  /// The stamp's property is the last one, and goes where the time is not known.
  private func rewriteProperties(_ kept: Span<UInt8>, _ stampStart: Int, _ time: Int64?) {
    let property = stampStart - (1 + 2 + Self.name.utf8CodeUnitCount + 2)
    guard let time else {
      properties.append(kept.extracting(0..<max(0, property)))
      return
    }
    properties.append(kept.extracting(0..<stampStart - 2))
    var digits = FixedText()
    digits.append(decimal: time)
    properties.append(byte: 0)
    properties.append(byte: UInt8(truncatingIfNeeded: digits.count))
    properties.append(digits)
  }

  private func rewritePayload(_ message: Span<UInt8>, _ place: Int, _ time: Int64?) {
    payload.removeAll()
    payload.append(message.extracting(0..<place))
    if let time { appendMember(time, to: &payload) }
    payload.append(message.extracting((place + Self.stampLength)...))
  }

  /// When that was.
  private func time(_ text: Span<UInt8>, _ place: Int) -> Int64? {
    let boot = Self.number(text, place + 1, 8)
    let age = clock.now.milliseconds - Int64(bitPattern: Self.number(text, place + 9, 11))
    if boot == UInt64(clock.boot), age >= 0, let now { return now - age }
    let told = Int64(bitPattern: Self.number(text, place + 20, 11))
    return told == 0 ? nil : told
  }

  private static func number(_ text: Span<UInt8>, _ start: Int, _ digits: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in start..<start + digits {
      let digit = text[index]
      number = number << 4 | UInt64(digit < UInt8(ascii: "a") ? digit &- UInt8(ascii: "0") : digit &- 87)
    }
    return number
  }
}
