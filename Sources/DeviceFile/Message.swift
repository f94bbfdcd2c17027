/// A text that is put together from parts. Written like any interpolated string; unlike one, each part
/// costs one call in the program, which a hundred messages repay.
public struct Message: ExpressibleByStringInterpolation, StringInterpolationProtocol, Sendable {
  public private(set) var text: String

  @inline(never)
  public init(literalCapacity: Int, interpolationCount: Int) { text = "" }

  @inline(never)
  public init(stringLiteral: String) { text = stringLiteral }

  public init(stringInterpolation: Message) { self = stringInterpolation }

  @inline(never)
  public mutating func appendLiteral(_ literal: String) { text += literal }

  @inline(never)
  public mutating func appendInterpolation(_ part: String) { text += part }

  public mutating func appendInterpolation(_ part: Message) { appendLiteral(part.text) }

  @inline(never)
  public mutating func appendInterpolation(_ number: Int) { text += number.description }
}

extension Message {
  public static func += (left: inout Message, right: Message) {
    left.appendLiteral(right.text)
  }
}
