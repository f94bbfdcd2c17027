import CLinux
import HAL

/// A TCP connection that never blocks: the name is looked up on a thread of its own, and the addresses that
/// the lookup gives race. A host that begins with a slash is the path of a local socket. With a proxy, the
/// proxy is connected to, and asked for the connection; the host's name is looked up there.
public final class TCPStream: NetworkStream, FileObserver, ResolverOwner, AddressRaceOwner {
  private let loop: EventLoop
  private let endpoint: Endpoint
  private let proxy: ProxySettings?
  private unowned(unsafe) let owner: any NetworkStreamOwner
  private var resolver: Resolver?
  private var race: AddressRace?
  /// What is still to be said to the proxy.
  private var handshake: ProxyHandshake?
  private(set) var file: Int32 = -1
  private var token: UInt32 = 0
  private var isFinishing = false
  private var isReading = true
  private var needsRoom = false
  private var isWanted = false
  private let plain: PlainServer?
  /// The server has shown that it does not speak TLS, at this connection or an earlier one.
  private var isKnown = false
  /// What may still be sent before it has; nil: everything.
  private var allowance: Int?
  private var silence: Moment?
  /// Why the connection has ended, while the server is asked in TLS what it speaks.
  private var asking: String?

  /// `plain`: what is sent here is not encrypted, and whoever listens may want it to be.
  public init(
    _ endpoint: Endpoint, proxy: ProxySettings? = nil, plain: PlainServer? = nil, loop: EventLoop,
    owner: any NetworkStreamOwner
  ) {
    self.endpoint = endpoint
    self.plain = plain
    self.proxy = proxy
    self.loop = loop
    self.owner = owner
    resolver = Resolver(loop: loop, owner: self)
    race = AddressRace(loop: loop, owner: self)
  }

  deinit {
    resolver?.stop()
  }

  public func open() {
    isWanted = true
    do {
      try resolver?.resolve(proxy?.endpoint ?? endpoint)
    } catch {
      notReached(error.message)
    }
  }

  public func close() {
    isWanted = false
    dropFile()
  }

  /// A socket that is closed while an answer is on its way resets the connection, and our last words may be
  /// lost with it.
  public func finish() {
    guard isReady else { return close() }
    isWanted = false
    isFinishing = true
    linux_end_writing(file)
    watch(reading: true, writing: false)
  }

  public var isOpen: Bool { file >= 0 }

  /// Connected, through the proxy if there is one.
  private var isReady: Bool { file >= 0 && handshake == nil && asking == nil }

  public var hasInput: Bool { false }

  public func read(into buffer: inout MutableSpan<UInt8>) -> Int {
    guard isReady, buffer.count > 0 else { return 0 }
    let count = buffer.withUnsafeMutableBufferPointer { linux_read(file, $0.baseAddress, $0.count) }
    if count > 0 {
      if !isKnown, isTLS(buffer[0]) { return 0 }
      isKnown = true
      acknowledgeNow()
      return count
    }
    if count == 0 {
      ended("closed by the broker")
    } else if count != -Int(EAGAIN) {
      ended(SystemError(number: Int32(-count)).message)
    }
    return 0
  }

  public func write(_ bytes: Span<UInt8>) -> Int {
    guard isReady, bytes.count > 0 else { return 0 }
    let part = bytes.extracting(first: min(bytes.count, allowance ?? bytes.count))
    if part.count == 0 { return 0 }
    let count = part.withUnsafeBufferPointer { linux_write(file, $0.baseAddress, $0.count) }
    if count < 0 && count != -Int(EAGAIN) {
      fail(SystemError(number: Int32(-count)).message)
      return 0
    }
    if let allowance {
      listen(allowance - max(0, count))
    } else if count < bytes.count {
      waitForRoom()
    }
    return max(0, count)
  }

  /// What is harmless is out: who speaks TLS says so now.
  private func listen(_ allowance: Int) {
    self.allowance = allowance
    if allowance > 0 { return waitForRoom() }
    let silence =
      self.silence
      ?? Moment(loop: loop) { [unowned(unsafe) self] in
        isAnswerless()
      }
    self.silence = silence
    let roundTrip = Duration.microseconds(Int64(linux_round_trip(file)))
    do throws(SystemError) {
      try silence.begin(PlainServer.patience(endpoint.port, roundTrip: roundTrip))
    } catch {
      fail(error.message)
    }
  }

  private func isAnswerless() {
    allowance = nil
    if asking != nil { return fail("") }
    if file >= 0 { owner.streamWritable() }
  }

  /// A server that had the first bytes only, or listens where TLS usually is, and has never answered, is asked in TLS
  /// what it speaks, before the owner hears of the end.
  private func ended(_ reason: String) {
    guard let plain, !isKnown, proxy == nil,
      allowance != nil || plain.isAsked || PlainServer.isUsualForTLS(endpoint.port),
      let resolver, resolver.count > 0
    else { return fail(reason) }
    dropFile()
    asking = reason
    race?.start(resolver.addresses, count: Int(resolver.count))
  }

  private func ask() {
    let hello = PlainServer.hello
    if linux_write(file, hello, hello.count) == hello.count { return listen(0) }
    fail("")
  }

  private func hearAnswer() {
    var byte: UInt8 = 0
    let count = linux_read(file, &byte, 1)
    if count == -Int(EAGAIN) || (count == 1 && isTLS(byte)) { return }
    fail("")
  }

  private func isTLS(_ first: UInt8) -> Bool {
    guard let plain, PlainServer.isTLS(first) else { return false }
    asking = nil
    fail("the server speaks TLS: use " + plain.secured)
    return true
  }

  func acknowledgeNow() { linux_acknowledge_now(file) }

  /// Has the owner told when there is room again.
  func waitForRoom() {
    watch(reading: isReading, writing: true)
  }

  public func pauseReading() {
    watch(reading: false, writing: needsRoom)
  }

  public func resumeReading() {
    if !isReading { watch(reading: true, writing: needsRoom) }
  }

  public func fileReady(_ readiness: Readiness) {
    if handshake != nil { return continueHandshake() }
    if asking != nil { return hearAnswer() }
    if isFinishing { return discard() }
    if readiness.contains(.readable) || readiness.contains(.closed) { owner.streamReadable() }
    if readiness.contains(.closed) && !isReading { return fail("the connection broke off") }
    if file >= 0 && readiness.contains(.writable) {
      watch(reading: isReading, writing: false)
      owner.streamWritable()
    }
  }

  func resolved() {
    guard isWanted, let resolver else { return }
    if resolver.count <= 0 { return notReached(resolver.failure) }
    race?.start(resolver.addresses, count: Int(resolver.count))
  }

  func raceLost(_ error: Int32) {
    notReached(SystemError(number: error).message)
  }

  func raceWon(_ file: Int32) {
    self.file = file
    do {
      token = try loop.watch(file, for: .readable, observer: self)
    } catch {
      linux_close(file)
      self.file = -1
      return notReached(error.message)
    }
    isReading = true
    needsRoom = false
    allowance =
      plain?.isToldSecrets == true && !isKnown && endpoint.port != 0 ? PlainServer.harmlessBytes : nil
    if asking != nil { return ask() }
    guard let proxy else { return owner.streamOpened() }
    handshake = ProxyHandshake(proxy, to: endpoint)
    sayToProxy()
  }

  private func notReached(_ reason: String) {
    fail(proxy == nil ? reason : "the proxy: " + reason)
  }

  /// The few bytes of a handshake find the socket's buffer empty.
  private func sayToProxy() {
    guard let bytes = handshake?.takeOutput(), !bytes.isEmpty else { return }
    let written = linux_write(file, bytes, bytes.count)
    if written < bytes.count { fail("the proxy takes nothing") }
  }

  /// Reads no further than the proxy's answers go: what follows them is the broker's.
  private func continueHandshake() {
    while let wanted = handshake?.wanted {
      var bytes = [UInt8](repeating: 0, count: wanted)
      let count = linux_read(file, &bytes, wanted)
      if count == -Int(EAGAIN) { return }
      if count < 0 { return fail("the proxy: " + SystemError(number: Int32(-count)).message) }
      if count == 0 { return fail("the proxy has closed the connection") }
      bytes.removeLast(wanted - count)
      switch handshake?.take(bytes) {
      case .refused(let reason): return fail(reason)
      case .done:
        handshake = nil
        return owner.streamOpened()
      default: sayToProxy()
      }
    }
  }

  private func watch(reading: Bool, writing: Bool) {
    guard file >= 0 else { return }
    isReading = reading
    needsRoom = writing
    var readiness = Readiness()
    if reading { readiness.insert(.readable) }
    if writing { readiness.insert(.writable) }
    do { try loop.change(file, token: token, to: readiness) } catch { fail(error.message) }
  }

  func fail(_ reason: String) {
    let reason = asking ?? reason
    dropFile()
    if !isWanted { return }
    isWanted = false
    owner.streamClosed(reason)
  }

  private func discard() {
    withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
      let count = linux_read(file, buffer.baseAddress, buffer.count)
      if count <= 0 && count != -Int(EAGAIN) { dropFile() }
    }
  }

  private func dropFile() {
    race?.stop()
    silence?.stop()
    handshake = nil
    asking = nil
    if file < 0 { return }
    loop.unwatch(file, token: token)
    linux_close(file)
    file = -1
    isFinishing = false
  }
}
