import MQTTCodec

/// Bytes in one contiguous piece of memory, in at the end and out at the front; what is left moves to
/// the start when the end is reached. Owned by the client, which frees it.
struct ByteQueue {
  private let base: UnsafeMutablePointer<UInt8>
  let capacity: Int
  /// Position of the first byte.
  private(set) var head = 0
  private var tail = 0

  init(capacity: Int) {
    base = .allocate(capacity: capacity)
    base.initialize(repeating: 0, count: capacity)
    self.capacity = capacity
  }

  func deallocate() {
    base.deallocate()
  }

  var count: Int { tail - head }
  var isEmpty: Bool { tail == head }

  mutating func removeAll() {
    head = 0
    tail = 0
  }

  /// Sees to it that `needed` bytes can be appended in one piece; false when there is no room.
  @inline(__always)
  mutating func makeRoom(_ needed: Int) -> Bool {
    if capacity - tail >= needed { return true }
    return compact(toFit: needed)
  }

  @inline(never)
  private mutating func compact(toFit needed: Int) -> Bool {
    guard capacity - count >= needed else { return false }
    base.update(from: base + head, count: count)
    tail -= head
    head = 0
    return true
  }

  /// Moves everything to the start, so that all free room is in one piece.
  mutating func compact() {
    if head > 0 { _ = compact(toFit: 0) }
  }

  /// Room at the end without moving anything.
  var room: Int { capacity - tail }

  /// Lets `body` write at the end; it answers how many bytes it wrote.
  @inline(__always)
  mutating func append(_ body: (inout MutableSpan<UInt8>) -> Int) -> Int {
    let free = UnsafeMutableBufferPointer(start: base + tail, count: capacity - tail)
    var span = free.mutableSpan
    let written = max(0, min(body(&span), capacity - tail))
    tail += written
    return written
  }

  /// Lets `encode` write a packet at the end; false, and nothing is written, when it does not fit.
  @inline(__always)
  mutating func write(
    _ encode: (inout MutableSpan<UInt8>) throws(EncodingError) -> Int
  ) -> Bool {
    let free = UnsafeMutableBufferPointer(start: base + tail, count: capacity - tail)
    var span = free.mutableSpan
    do {
      tail += try encode(&span)
      return true
    } catch {
      return false
    }
  }

  /// Copies bytes to the end; the caller made room.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    precondition(bytes.count <= capacity - tail)
    UnsafeMutableRawPointer(base + tail).copyMemory(from: source, byteCount: bytes.count)
    tail += bytes.count
  }

  /// Takes bytes away at the front.
  @inline(__always)
  mutating func removeFirst(_ amount: Int) {
    head += amount
    if head == tail {
      head = 0
      tail = 0
    }
  }

  /// The bytes from the front; valid until the queue changes.
  @inline(__always)
  var contents: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base + head, count: tail - head)
  }

  /// The first four bytes as a number; nil when there are not as many.
  @inline(__always)
  var firstWord: UInt32? {
    guard tail - head >= 4 else { return nil }
    return UInt32(bigEndian: UnsafeRawPointer(base + head).loadUnaligned(as: UInt32.self))
  }

  /// Bytes by position; valid until the queue changes.
  @inline(__always)
  func bytes(at position: Int, count: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base + position, count: count)
  }
}
