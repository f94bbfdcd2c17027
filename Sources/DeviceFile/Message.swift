/// A text that is put together from parts. Written like any interpolated string; unlike one, each part
/// costs one call with few arguments in the program, which a hundred messages repay.
public struct Message: ExpressibleByStringInterpolation, @unchecked Sendable {
  /// What the parts are appended to: one word, so that passing a message on costs one register.
  public final class Parts: StringInterpolationProtocol {
    fileprivate var text = ""

    @inline(never)
    fileprivate init() {}

    public convenience init(literalCapacity: Int, interpolationCount: Int) { self.init() }

    @inline(never)
    public func appendLiteral(_ literal: StaticString) {
      literal.withUTF8Buffer { text += String(decoding: $0, as: UTF8.self) }
    }

    @inline(never)
    public func appendInterpolation(_ part: String) { text += part }

    @inline(never)
    public func appendInterpolation(_ part: Message) { text += part.parts.text }

    @inline(never)
    public func appendInterpolation(_ part: Quoted) {
      text += "'"
      text += part.text
      text += "'"
    }

    @inline(never)
    public func appendInterpolation(_ number: Int) { text += number.description }
  }

  /// Nothing is appended to them once they are a message.
  private var parts: Parts

  public var text: String {
    @inline(never) get { parts.text }
  }

  @inline(never)
  public init(stringLiteral: StaticString) {
    parts = Parts()
    parts.appendLiteral(stringLiteral)
  }

  public init(stringInterpolation: Parts) { parts = stringInterpolation }

  /// A message may be shared, so it grows as another one.
  @inline(never)
  public static func += (left: inout Message, right: Message) {
    let parts = Parts()
    parts.text = left.parts.text
    parts.text += right.parts.text
    left.parts = parts
  }
}

/// A text between quotation marks, as a part of a message.
public struct Quoted {
  fileprivate let text: String

  /// The same as a text of its own.
  public var string: String {
    @inline(never) get { ("\(self)" as Message).text }
  }

  fileprivate init(_ text: String) { self.text = text }
}

extension String {
  public var quoted: Quoted { Quoted(self) }
}
