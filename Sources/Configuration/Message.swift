/// A text that is put together from parts. Written like any interpolated string; unlike one, each part
/// costs one call in the program, which a hundred messages repay.
struct Message: ExpressibleByStringInterpolation, StringInterpolationProtocol {
  private(set) var text: String

  @inline(never)
  init(literalCapacity: Int, interpolationCount: Int) { text = "" }

  @inline(never)
  init(stringLiteral: String) { text = stringLiteral }

  init(stringInterpolation: Message) { self = stringInterpolation }

  @inline(never)
  mutating func appendLiteral(_ literal: String) { text += literal }

  @inline(never)
  mutating func appendInterpolation(_ part: String) { text += part }

  mutating func appendInterpolation(_ part: Message) { appendLiteral(part.text) }

  @inline(never)
  mutating func appendInterpolation(_ number: Int) { text += number.description }
}

extension Message {
  static func += (left: inout Message, right: Message) {
    left.appendLiteral(right.text)
  }
}
