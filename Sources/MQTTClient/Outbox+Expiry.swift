import MQTTCodec

// A Message Expiry Interval counts from `publish`: what waited arrives with the rest of its time, or not at all. A
// command that was meant for now must not switch anything an hour later.
extension Outbox.Record {
  private static let hasDeadline: UInt8 = 0b100000

  /// What stands in the properties is not an interval any more, but the second at which it ends.
  fileprivate(set) var expires: Bool {
    get { flags & Self.hasDeadline != 0 }
    set { flags |= Self.hasDeadline }
  }
}

extension Outbox {
  /// Makes deadlines of all intervals that are none yet.
  func startExpiries(now seconds: UInt32) {
    var offset = head
    var rest = used
    while rest > 0 {
      let record = pointer(offset)
      // Half of the range is behind us: an interval of 68 years and more stays as it is. That its end is rounded up
      // makes it one second longer.
      if record.pointee.propertiesCount > 0, !record.pointee.expires, let bytes = expiry(at: offset),
        number(bytes) < UInt32.max >> 1
      {
        record.pointee.expires = true
        write(seconds &+ number(bytes), to: bytes)
      }
      let size = Int(record.pointee.size)
      offset = after(offset, size)
      rest -= size
    }
  }

  /// Seconds that a message has left, negative when its time is over; nil when it has no end.
  func secondsLeft(at offset: Int, now seconds: UInt32) -> Int32? {
    guard let bytes = expiry(at: offset) else { return nil }
    return Int32(bitPattern: number(bytes) &- seconds)
  }

  /// Has the message say that it expires in that time while `body` runs.
  func withExpiry<R>(_ seconds: UInt32, at offset: Int, _ body: () -> R) -> R {
    guard let bytes = expiry(at: offset) else { return body() }
    let deadline = number(bytes)
    write(seconds, to: bytes)
    defer { write(deadline, to: bytes) }
    return body()
  }

  /// Where a record's Message Expiry Interval stands. Linear in its properties.
  private func expiry(at offset: Int) -> UnsafeMutablePointer<UInt8>? {
    let record = pointer(offset).pointee
    let start = base + offset + Self.headerSize + record.keySize + Int(record.topicCount)
    let bytes = start.assumingMemoryBound(to: UInt8.self)
    let properties = UnsafeBufferPointer(start: bytes, count: Int(record.propertiesCount))
    var position = 0
    do throws(MalformedPacket) {
      while let property = try Properties.next(properties.span, at: &position) {
        if property.id == .messageExpiryInterval { return bytes + (position - 4) }
      }
    } catch {
      // A record of the store that is damaged: it goes out as it is.
    }
    return nil
  }

  private func number(_ bytes: UnsafeMutablePointer<UInt8>) -> UInt32 {
    var number: UInt32 = 0
    for index in 0..<4 { number = number << 8 | UInt32(bytes[index]) }
    return number
  }

  private func write(_ number: UInt32, to bytes: UnsafeMutablePointer<UInt8>) {
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * index)) }
  }
}
