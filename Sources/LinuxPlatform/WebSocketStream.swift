import CLinux
import CWSLAY
import HAL

/// Bytes in the binary frames of a WebSocket, over TCP or TLS. Frames are libwslay's. [MQTT5-6.0.0-1],
/// [MQTT5-6.0.0-3]
public final class WebSocketStream: NetworkStream, NetworkStreamOwner {
  private let endpoint: Endpoint
  private let settings: WebSocketSettings
  private let isSecure: Bool
  private unowned(unsafe) let owner: any NetworkStreamOwner
  private var below: (any NetworkStream)?
  private var frames: OpaquePointer?
  private var state = State.closed
  private var handshake = WebSocketHandshake()
  /// What of it is still to be written.
  private var request: [UInt8] = []
  /// What was read of the answer's head, and later what came behind it.
  private var head = HTTPHead()
  private var headRead = 0
  /// Frames that wait for room below.
  private let output: UnsafeMutablePointer<UInt8>
  private var outputStart = 0
  private var outputEnd = 0
  /// A piece of payload that did not fit into the reader's buffer.
  private var rest = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// The control frame whose payload is being gathered.
  private var control: [UInt8] = []
  private var mayHaveInput = false

  private enum State {
    case closed
    case opening
    /// The request is out; its answer is awaited.
    case asking
    case open
    /// What was taken is still being written; nothing is read and the owner told no more.
    case finishing
  }

  private static let longestHead = 4096
  private static let outputCapacity = 4096 + 128
  /// Header and mask of a frame.
  private static let overhead = 14
  /// Room for a pong and a closing frame.
  private static let reserve = 2 * (125 + overhead)

  /// `below` makes the stream under it, which is encrypted if `isSecure` says so.
  public init(
    _ endpoint: Endpoint, _ settings: WebSocketSettings, isSecure: Bool, owner: any NetworkStreamOwner,
    below: (any NetworkStreamOwner) -> any NetworkStream
  ) {
    self.endpoint = endpoint
    self.settings = settings
    self.owner = owner
    self.isSecure = isSecure
    output = .allocate(capacity: WebSocketStream.outputCapacity)
    output.initialize(repeating: 0, count: WebSocketStream.outputCapacity)
    self.below = below(self)
    load()
  }

  deinit {
    output.deallocate()
    cwslay_free(frames)
  }

  /// The library, which its disk may not give at once: when the stream is made, and again if it was not there.
  private func load() {
    let user = Unmanaged.passUnretained(self).toOpaque()
    frames = cwslay_create(
      { user, buffer, capacity in
        guard let user, let buffer else { return 0 }
        return Unmanaged<WebSocketStream>.fromOpaque(user).takeUnretainedValue().fetch(buffer, capacity)
      }, user)
  }

  public func open() {
    if frames == nil {
      load()
    } else if cwslay_reset(frames) == 0 {
      return owner.streamClosed("out of memory")
    }
    guard frames != nil else {
      return owner.streamClosed("WebSockets need libwslay, which is not here: sudo apt install libwslay1")
    }
    forget()
    state = .opening
    below?.open()
  }

  public func close() {
    state = .closed
    below?.close()
  }

  public func finish() {
    guard case .open = state else { return close() }
    // 1000: a normal end.
    queue(CWSLAY_CLOSE, [0x03, 0xE8])
    state = .finishing
    below?.pauseReading()
    finishWriting()
  }

  private func finishWriting() {
    guard flush() else { return }
    state = .closed
    below?.finish()
  }

  public var isOpen: Bool { below?.isOpen ?? false }

  public var hasInput: Bool {
    guard case .open = state else { return false }
    return mayHaveInput || rest.count > 0 || below?.hasInput == true
  }

  public func read(into buffer: inout MutableSpan<UInt8>) -> Int {
    guard case .open = state, buffer.count > 0 else { return 0 }
    var count = 0
    while true {
      count += deliver(into: &buffer, from: count)
      mayHaveInput = true
      guard count < buffer.count, case .open = state else { return count }
      var piece = cwslay_piece()
      switch cwslay_read(frames, &piece) {
      case 1: accept(piece)
      case 0:
        mayHaveInput = false
        return count
      default:
        fail("the broker sends frames that are no WebSocket's")
        return count
      }
    }
  }

  public func write(_ bytes: Span<UInt8>) -> Int {
    guard case .open = state, flush() else { return 0 }
    let room = WebSocketStream.outputCapacity - WebSocketStream.reserve - WebSocketStream.overhead
    let count = min(bytes.count, room)
    guard count > 0 else { return 0 }
    outputEnd = bytes.withUnsafeBufferPointer {
      cwslay_write(
        frames, Int32(CWSLAY_BINARY.rawValue), $0.baseAddress, count, output, WebSocketStream.outputCapacity)
    }
    guard outputEnd > 0 else {
      fail("no random numbers for the WebSocket's masks")
      return 0
    }
    _ = flush()
    return count
  }

  public func pauseReading() { below?.pauseReading() }
  public func resumeReading() { below?.resumeReading() }

  public func streamOpened() {
    state = .asking
    handshake = WebSocketHandshake()
    request = handshake.request(endpoint, settings, isSecure: isSecure)
    writeRequest()
  }

  private func writeRequest() {
    let waiting = request
    let written = below?.write(waiting.span) ?? 0
    request = Array(waiting[written...])
  }

  public func streamReadable() {
    switch state {
    case .asking: readHead()
    case .open: owner.streamReadable()
    case .closed, .opening, .finishing: break
    }
  }

  public func streamWritable() {
    if case .finishing = state { return finishWriting() }
    if case .asking = state { return writeRequest() }
    guard case .open = state else { return }
    if flush() { owner.streamWritable() }
  }

  public func streamClosed(_ reason: String) {
    let wasAsking = if case .asking = state { true } else { false }
    let isFinishing = if case .finishing = state { true } else { false }
    state = .closed
    if isFinishing { return }
    // What names its cure is said as it is.
    let isCured = reason.utf8.last == UInt8(ascii: "/")
    owner.streamClosed(wasAsking && !isCured ? reason + " during the WebSocket's handshake" : reason)
  }

  public func streamWarns(_ reason: String) { owner.streamWarns(reason) }

  private func forget() {
    head = HTTPHead()
    headRead = 0
    outputStart = 0
    outputEnd = 0
    rest = UnsafeBufferPointer(start: nil, count: 0)
    control = []
    mayHaveInput = false
  }

  private func fail(_ reason: String) {
    close()
    owner.streamClosed(reason)
  }

  /// Gathers the answer up to its empty line.
  private func readHead() {
    var bytes = [UInt8](repeating: 0, count: 1024)
    // To the end of what is there: what TLS keeps in memory wakes nobody.
    while head.end == nil {
      var span = bytes.mutableSpan
      let count = below?.read(into: &span) ?? 0
      guard count > 0 else { return }
      head.add(Array(bytes[..<count]))
      guard head.bytes.count <= WebSocketStream.longestHead else {
        return fail("the answer to the WebSocket's request has no end")
      }
    }
    if let refusal = handshake.refusal(head) { return fail(refusal) }
    headRead = head.end ?? 0
    mayHaveInput = headRead < head.bytes.count
    state = .open
    owner.streamOpened()
  }

  /// Bytes for the frames' decoder: first what came behind the head.
  private func fetch(_ buffer: UnsafeMutablePointer<UInt8>, _ capacity: Int) -> Int {
    if headRead < head.bytes.count {
      let count = min(capacity, head.bytes.count - headRead)
      for index in 0..<count { buffer[index] = head.bytes[headRead + index] }
      headRead += count
      if headRead == head.bytes.count {
        head = HTTPHead()
        headRead = 0
      }
      return count
    }
    let free = UnsafeMutableBufferPointer(start: buffer, count: capacity)
    var span = free.mutableSpan
    return below?.read(into: &span) ?? 0
  }

  /// Copies what is left of a piece; answers how much.
  private func deliver(into buffer: inout MutableSpan<UInt8>, from offset: Int) -> Int {
    let count = min(rest.count, buffer.count - offset)
    guard count > 0, let source = rest.baseAddress else { return 0 }
    buffer.withUnsafeMutableBytes { target in
      target.baseAddress?.advanced(by: offset).copyMemory(from: source, byteCount: count)
    }
    rest = UnsafeBufferPointer(start: source + count, count: rest.count - count)
    return count
  }

  private func accept(_ piece: cwslay_piece) {
    let data = UnsafeBufferPointer(start: piece.data, count: piece.count)
    switch UInt32(piece.opcode) {
    case CWSLAY_BINARY.rawValue, CWSLAY_CONTINUATION.rawValue: rest = data
    case CWSLAY_TEXT.rawValue: fail("the broker sends text where MQTT is binary")
    case CWSLAY_CLOSE.rawValue, CWSLAY_PING.rawValue, CWSLAY_PONG.rawValue:
      // RFC 6455, section 5.5: 125 bytes, and not in fragments.
      guard piece.is_final != 0, piece.payload_length <= 125 else {
        return fail("the broker sends frames that are no WebSocket's")
      }
      control += data
      guard control.count >= Int(piece.payload_length) else { return }
      let payload = control
      control = []
      answer(piece.opcode, payload)
    default: fail("the broker sends frames that are no WebSocket's")
    }
  }

  private func answer(_ opcode: Int32, _ payload: [UInt8]) {
    switch UInt32(opcode) {
    case CWSLAY_PING.rawValue:
      queue(CWSLAY_PONG, payload)
      _ = flush()
    case CWSLAY_CLOSE.rawValue:
      queue(CWSLAY_CLOSE, [UInt8](payload.prefix(2)))
      _ = flush()
      let code = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 1005
      fail("closed by the broker, WebSocket code " + String(code))
    default: break
    }
  }

  /// A control frame behind what waits; left out when a broker that reads nothing has filled the reserve.
  private func queue(_ opcode: CWSLAY_OPCODE, _ payload: [UInt8]) {
    let room = WebSocketStream.outputCapacity - outputEnd
    guard room >= payload.count + WebSocketStream.overhead else { return }
    outputEnd += payload.withUnsafeBufferPointer {
      cwslay_write(frames, Int32(opcode.rawValue), $0.baseAddress, payload.count, output + outputEnd, room)
    }
  }

  /// Writes what waits; true when nothing is left.
  private func flush() -> Bool {
    guard outputStart < outputEnd else { return true }
    let waiting = UnsafeBufferPointer(start: output + outputStart, count: outputEnd - outputStart)
    outputStart += below?.write(waiting.span) ?? 0
    guard outputStart == outputEnd else { return false }
    outputStart = 0
    outputEnd = 0
    return true
  }
}
