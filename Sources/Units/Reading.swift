/// How far a reading can be trusted.
public enum Quality: UInt8, Sendable {
  /// Measured, within what the chip's datasheet promises.
  case good
  /// Inferred, or outside the range in which the datasheet promises anything.
  case estimated
  /// The chip has not run long enough to mean what it says.
  case warmingUp
  /// There is no value.
  case missing

  /// Whether the number may be shown as a measurement.
  public var isPublished: Bool { self == .good || self == .estimated }
}

/// One value of one channel of a measurement. One that is missing has no number at all.
public struct Reading: Equatable, Sendable {
  /// The channel's place among those of its chip.
  public let channel: UInt8
  public let quality: Quality
  private let number: Int64

  /// The value in 10^-scale of the channel's unit; with `.missing` it is forgotten.
  public init(_ channel: UInt8, _ value: Int64, _ quality: Quality = .good) {
    self.channel = channel
    self.quality = quality
    number = quality == .missing ? 0 : value
  }

  public static func missing(_ channel: UInt8) -> Reading { Reading(channel, 0, .missing) }

  /// In 10^-scale of the channel's unit; nil when it is missing.
  public var value: Int64? { quality == .missing ? nil : number }

  /// The length of the longest text: a sign, nineteen digits and a point.
  public static var maximumTextLength: Int { 21 }

  /// Writes the value as ASCII in the channel's unit, such as `21.50` or `-0.05`, and returns how many bytes that
  /// took: none for a reading that is missing.
  ///
  /// It has exactly `channel.decimals` decimals, rounded half away from zero; what rounds to zero has no sign. The
  /// buffer has room for `maximumTextLength`.
  public func write(as channel: Channel, into text: inout MutableSpan<UInt8>) -> Int {
    guard let value else { return 0 }
    return writeDecimal(value, scale: channel.scale, decimals: channel.decimals, into: &text)
  }
}
