/// What a stream tells its owner. All calls come on the loop.
public protocol NetworkStreamOwner: AnyObject {
  func streamOpened()
  /// Bytes may be read with `read`.
  func streamReadable()
  /// There is room again after a `write` that took fewer bytes than it was given.
  func streamWritable()
  /// Opening failed or the connection is lost; `reason` is for the log. The stream can be opened again.
  func streamClosed(_ reason: String)
  /// Something of the settings has no effect, which is for the log.
  func streamWarns(_ reason: String)
}

extension NetworkStreamOwner {
  public func streamWarns(_ reason: String) {}
}

/// Bytes to and from a server, without ever blocking. Streams stand on one another: WebSocket on TLS on TCP.
/// An owner holds its stream, closes it before letting it go, and outlives it; the stream knows its owner
/// without holding it.
public protocol NetworkStream: AnyObject {
  /// The owner is told of the outcome, which may be before this returns.
  func open()
  /// Closes without a word to the owner.
  func close()
  /// Ends what we send and throws away what still comes, until the other side closes as well.
  func finish()
  var isOpen: Bool { get }
  /// Reads what is there. 0: nothing now (or the stream closed, which the owner has been told).
  func read(into buffer: inout MutableSpan<UInt8>) -> Int
  /// Bytes that came wait in memory, where the kernel sees none: read without being told.
  var hasInput: Bool { get }
  /// Writes what fits; `streamWritable` follows if that was not all.
  func write(_ bytes: Span<UInt8>) -> Int
  /// Leaves what comes in the kernel, whose window then holds the other side back. Without this, bytes that
  /// nobody takes would wake the loop for ever.
  func pauseReading()
  func resumeReading()
}
