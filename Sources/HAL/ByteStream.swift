/// A serial line that has been opened: bytes come when they come, on the event loop, and writing does not wait.
public protocol ByteStream: AnyObject {
  /// Sends the bytes, all of them or none. `.busy`: there is no room for them now.
  func write(_ bytes: Span<UInt8>) throws(BusError)

  /// Who is told of what arrives.
  var observer: (any ByteStreamObserver)? { get set }
}

/// Somebody who wants what a stream brings. Calls come on the event loop.
public protocol ByteStreamObserver: AnyObject {
  /// These bytes have come, in pieces of any size; the span must not be kept.
  func streamReceived(_ bytes: Span<UInt8>, at now: Instant)
  /// Nothing more will come (the adapter is gone).
  func streamFailed(_ error: BusError)
}
