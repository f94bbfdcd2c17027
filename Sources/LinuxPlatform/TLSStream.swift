import CTLS
import HAL

/// Whom to trust and who we are at `mqtts://` and `wss://`.
public struct TLSSettings: Sendable {
  /// PEM files; nil: the system's authorities.
  public var caFile: String?
  public var caDirectory: String?
  /// The client's certificate chain and key; a key in the certificate's file need not be named.
  public var certificate: String?
  public var key: String?
  /// The protocol that is asked for in the handshake.
  public var alpn: String? = "mqtt"
  /// SHA-256 of the server's public key, 32 bytes. Without an authority of our own the pin alone decides.
  public var pin: [UInt8]?
  /// Takes whatever certificate comes: whoever sits in between reads and changes everything.
  public var isInsecure = false

  public init() {}
}

/// TLS 1.2 or later over a TCP connection, by OpenSSL. The session of a connection shortens the handshake of
/// the next one. Memory is allocated when a connection is made.
public final class TLSStream: NetworkStream, NetworkStreamOwner {
  private let host: String
  private let settings: TLSSettings
  private unowned(unsafe) let owner: any NetworkStreamOwner
  private var stream: TCPStream?
  private var context: OpaquePointer?
  private var connection: OpaquePointer?
  private var isEstablished = false
  /// The handshake of the latest connection was shortened.
  public private(set) var isResumed = false

  public init(
    _ endpoint: Endpoint, _ settings: TLSSettings, proxy: ProxySettings? = nil, loop: EventLoop,
    owner: any NetworkStreamOwner
  ) {
    host = endpoint.host
    self.settings = settings
    self.owner = owner
    stream = TCPStream(endpoint, proxy: proxy, loop: loop, owner: self)
  }

  deinit {
    ctls_context_free(context)
  }

  public func open() {
    if context == nil { context = makeContext() }
    guard let context else { return owner.streamClosed("out of memory") }
    if let reason = ctls_context_open(context) { return owner.streamClosed(String(cString: reason)) }
    stream?.open()
  }

  public func close() {
    drop()
    stream?.close()
  }

  public func finish() {
    guard isEstablished, let connection else { return close() }
    ctls_finish(connection)
    drop()
    stream?.finish()
  }

  public var isOpen: Bool { stream?.isOpen ?? false }

  public var hasInput: Bool {
    guard isEstablished, let connection else { return false }
    return ctls_has_input(connection) != 0
  }

  public func read(into buffer: inout MutableSpan<UInt8>) -> Int {
    guard isEstablished, let connection, buffer.count > 0 else { return 0 }
    let count = buffer.withUnsafeMutableBufferPointer { ctls_read(connection, $0.baseAddress, $0.count) }
    if count > 0 {
      stream?.acknowledgeNow()
      return count
    }
    settle(count)
    return 0
  }

  public func write(_ bytes: Span<UInt8>) -> Int {
    guard isEstablished, let connection, bytes.count > 0 else { return 0 }
    let count = bytes.withUnsafeBufferPointer { ctls_write(connection, $0.baseAddress, $0.count) }
    guard count > 0 else {
      settle(count)
      return 0
    }
    if count < bytes.count { stream?.waitForRoom() }
    return count
  }

  public func pauseReading() { stream?.pauseReading() }
  public func resumeReading() { stream?.resumeReading() }

  public func streamOpened() {
    guard let context, let stream else { return }
    connection = host.withCString { ctls_connect(context, stream.file, $0) }
    guard connection != nil else { return fail("out of memory") }
    shakeHands()
  }

  public func streamReadable() {
    isEstablished ? owner.streamReadable() : shakeHands()
  }

  public func streamWritable() {
    isEstablished ? owner.streamWritable() : shakeHands()
  }

  public func streamClosed(_ reason: String) {
    drop()
    owner.streamClosed(reason)
  }

  private func shakeHands() {
    guard let connection else { return }
    let outcome = Int(ctls_handshake(connection))
    guard outcome == CTLS_DONE else { return settle(outcome) }
    isEstablished = true
    isResumed = ctls_is_resumed(connection) != 0
    owner.streamOpened()
  }

  /// What a call without bytes means.
  private func settle(_ outcome: Int) {
    switch outcome {
    case CTLS_WANTS_READ: break
    case CTLS_WANTS_WRITE: stream?.waitForRoom()
    case CTLS_CLOSED:
      fail(isEstablished ? "closed by the broker" : "closed by the broker during the TLS handshake")
    default: fail(connection.map { String(cString: ctls_reason($0)) } ?? "TLS failed")
    }
  }

  private func fail(_ reason: String) {
    drop()
    stream?.close()
    owner.streamClosed(reason)
  }

  private func drop() {
    ctls_free(connection)
    connection = nil
    isEstablished = false
  }

  /// The settings as OpenSSL takes them; nil: out of memory.
  private func makeContext() -> OpaquePointer? {
    guard let context = ctls_context_create() else { return nil }
    set(context, CTLS_CA_FILE, settings.caFile)
    set(context, CTLS_CA_DIRECTORY, settings.caDirectory)
    set(context, CTLS_CERTIFICATE, settings.certificate)
    set(context, CTLS_KEY, settings.key)
    set(context, CTLS_ALPN, settings.alpn)
    if let pin = settings.pin, pin.count == 32 { ctls_set_pin(context, pin) }
    if settings.isInsecure { ctls_set_insecure(context) }
    return context
  }

  private func set(_ context: OpaquePointer, _ which: ctls_text, _ text: String?) {
    guard let text else { return }
    text.withCString { ctls_set_text(context, which, $0) }
  }
}
