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
  /// Of an encrypted key. Without it such a key is an error: nobody is ever asked.
  public var keyPassword: String?
  /// The protocol that is asked for in the handshake.
  public var alpn: String? = "mqtt"
  /// SHA-256 of the server's public key, 32 bytes. Without an authority of our own the pin alone decides.
  public var pin: [UInt8]?
  /// Takes whatever certificate comes: whoever sits in between reads and changes everything.
  public var isInsecure = false

  public init() {}
}

/// TLS 1.2 or later over a TCP connection, by OpenSSL. The session of a connection shortens the handshake of
/// the next one. Memory is allocated when a connection is made. Files are read, and hands shaken, on a thread of its own.
public final class TLSStream: NetworkStream, NetworkStreamOwner, TLSHandshakeOwner {
  private let host: String
  private unowned(unsafe) let owner: any NetworkStreamOwner
  private var stream: TCPStream?
  private var handshake: TLSHandshake?
  private var isWanted = false
  private var isEstablished = false
  /// Why the connection below has ended, while the thread may still find the better reason.
  private var lost: String?
  /// The handshake of the latest connection was shortened.
  public private(set) var isResumed = false

  public init(
    _ endpoint: Endpoint, _ settings: TLSSettings, proxy: ProxySettings? = nil, loop: EventLoop,
    owner: any NetworkStreamOwner
  ) {
    host = endpoint.host
    self.owner = owner
    stream = TCPStream(endpoint, proxy: proxy, loop: loop, owner: self)
    handshake = TLSHandshake(settings, loop: loop, owner: self)
  }

  deinit {
    handshake?.stop()
  }

  public func open() {
    isWanted = true
    lost = nil
    handshake?.prepare()
  }

  public func close() {
    isWanted = false
    drop()
    stream?.close()
  }

  public func finish() {
    guard isEstablished, let connection else { return close() }
    isWanted = false
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

  private var connection: OpaquePointer? { handshake?.connection }

  // MARK: What the connection below tells

  public func streamOpened() {
    guard let stream, let handshake else { return }
    guard handshake.connect(stream.file, host) else { return fail("no memory, or no file left") }
    shakeHands()
  }

  public func streamReadable() {
    isEstablished ? owner.streamReadable() : shakeHands()
  }

  public func streamWritable() {
    isEstablished ? owner.streamWritable() : shakeHands()
  }

  public func streamClosed(_ reason: String) {
    if handshake?.isBusy == true {
      lost = reason
    } else {
      fail(reason)
    }
  }

  // MARK: What the thread has done

  func prepared(_ trouble: String?) {
    guard isWanted else { return }
    if let trouble { return fail(trouble) }
    stream?.open()
  }

  func warns(_ reason: String) { owner.streamWarns(reason) }

  func handsShaken(_ outcome: Int) {
    guard isWanted else { return }
    guard outcome == CTLS_DONE else {
      let isGoingOn = outcome == CTLS_WANTS_READ || outcome == CTLS_WANTS_WRITE
      if let lost, isGoingOn { return fail(lost) }
      if outcome == CTLS_WANTS_READ { stream?.resumeReading() }
      return settle(outcome)
    }
    if let lost { return fail(lastWords ?? lost) }
    isEstablished = true
    isResumed = connection.map { ctls_is_resumed($0) != 0 } ?? false
    stream?.resumeReading()
    owner.streamOpened()
  }

  /// Why the server has closed, if it said so after its part of the handshake, as it does of our certificate.
  private var lastWords: String? {
    guard let connection else { return nil }
    var byte: UInt8 = 0
    return ctls_read(connection, &byte, 1) == CTLS_FAILED ? String(cString: ctls_reason(connection)) : nil
  }

  /// What comes meanwhile is the thread's to read.
  private func shakeHands() {
    stream?.pauseReading()
    handshake?.shakeHands()
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
    let wasWanted = isWanted
    close()
    if wasWanted { owner.streamClosed(reason) }
  }

  private func drop() {
    handshake?.drop()
    isEstablished = false
  }
}
