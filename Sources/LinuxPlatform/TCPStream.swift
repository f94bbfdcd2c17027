import CLinux
import HAL

/// A TCP connection that never blocks: the name is looked up on a thread of its own, and each address the
/// lookup gives is tried in turn. A host that begins with a slash is the path of a local socket.
public final class TCPStream: NetworkStream, FileObserver, ResolverOwner {
  private let loop: EventLoop
  private let endpoint: Endpoint
  private let owner: any NetworkStreamOwner
  private var resolver: Resolver?
  private(set) var file: Int32 = -1
  private var token: UInt32 = 0
  private var isConnecting = false
  private var isFinishing = false
  private var isReading = true
  private var needsRoom = false
  /// Where the next attempt begins among the addresses: at the one that worked, or after one that said nothing.
  private var nextAddress = 0
  private var address = 0
  private var untried = 0
  private var lastError: Int32 = 0
  private var isWanted = false

  public init(_ endpoint: Endpoint, loop: EventLoop, owner: any NetworkStreamOwner) {
    self.endpoint = endpoint
    self.loop = loop
    self.owner = owner
    resolver = Resolver(loop: loop, owner: self)
  }

  public func open() {
    isWanted = true
    do { try resolver?.resolve(endpoint) } catch { fail(error.message) }
  }

  public func close() {
    isWanted = false
    dropFile()
  }

  /// A socket that is closed while an answer is on its way resets the connection, and our last words may be
  /// lost with it.
  public func finish() {
    guard file >= 0, !isConnecting else { return close() }
    isWanted = false
    isFinishing = true
    linux_end_writing(file)
    watch(reading: true, writing: false)
  }

  public var isOpen: Bool { file >= 0 }

  public var hasInput: Bool { false }

  public func read(into buffer: inout MutableSpan<UInt8>) -> Int {
    guard file >= 0, buffer.count > 0 else { return 0 }
    let count = buffer.withUnsafeMutableBufferPointer { linux_read(file, $0.baseAddress, $0.count) }
    if count > 0 {
      acknowledgeNow()
      return count
    }
    if count == 0 {
      fail("closed by the broker")
    } else if count != -Int(EAGAIN) {
      fail(SystemError(number: Int32(-count)).message)
    }
    return 0
  }

  public func write(_ bytes: Span<UInt8>) -> Int {
    guard file >= 0, !isConnecting, bytes.count > 0 else { return 0 }
    let count = bytes.withUnsafeBufferPointer { linux_write(file, $0.baseAddress, $0.count) }
    if count < 0 && count != -Int(EAGAIN) {
      fail(SystemError(number: Int32(-count)).message)
      return 0
    }
    if count < bytes.count { waitForRoom() }
    return max(0, count)
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
    if isConnecting { return finishConnecting() }
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
    if resolver.count <= 0 { return fail(resolver.failure) }
    untried = Int(resolver.count)
    tryNextAddress()
  }

  private func tryNextAddress() {
    guard let resolver else { return }
    while untried > 0 {
      untried -= 1
      address = nextAddress % Int(resolver.count)
      nextAddress = address + 1
      let result = linux_connect(resolver.addresses.advanced(by: address))
      if result < 0 {
        lastError = -result
        continue
      }
      file = result
      isConnecting = true
      do {
        token = try loop.watch(file, for: .writable, observer: self)
      } catch {
        return fail(error.message)
      }
      return
    }
    fail(SystemError(number: lastError).message)
  }

  private func finishConnecting() {
    let error = linux_socket_error(file)
    isConnecting = false
    if error != 0 {
      lastError = error
      dropFile()
      return tryNextAddress()
    }
    nextAddress = address
    watch(reading: true, writing: false)
    owner.streamOpened()
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
    if file < 0 { return }
    loop.unwatch(file, token: token)
    linux_close(file)
    file = -1
    isConnecting = false
    isFinishing = false
  }
}
