import MQTTCodec

/// The filters we want, with what the server knows of each. Grows when one is added, before start.
struct Subscriptions {
  enum State { case wanted, asked(UInt16), granted, refused }

  struct Entry {
    let filter: [UInt8]
    let qos: QoS
    var state = State.wanted
  }

  private(set) var entries: [Entry] = []
  /// Entries that are to be sent.
  private(set) var wanted = 0

  mutating func add(_ filter: Span<UInt8>, _ qos: QoS) -> Int {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(filter.count)
    for index in filter.indices { bytes.append(filter[index]) }
    entries.append(Entry(filter: bytes, qos: qos))
    wanted += 1
    return entries.count - 1
  }

  /// A new connection. Without a session the server knows none of them; with one it knows those it
  /// granted.
  mutating func rewind(sessionPresent: Bool) {
    wanted = 0
    for index in entries.indices {
      if sessionPresent, case .granted = entries[index].state { continue }
      entries[index].state = .wanted
      wanted += 1
    }
  }

  mutating func asked(_ index: Int, packetID: UInt16) {
    entries[index].state = .asked(packetID)
    wanted -= 1
  }

  mutating func answered(_ index: Int, granted: Bool) {
    entries[index].state = granted ? .granted : .refused
  }

  /// The first entry that is to be sent.
  func firstWanted() -> Int? {
    guard wanted > 0 else { return nil }
    return entries.firstIndex { if case .wanted = $0.state { true } else { false } }
  }
}
