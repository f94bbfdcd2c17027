import MQTTCodec

/// The filters we want, with what the server knows of each. Grows when one is added and no place is
/// free, before start.
struct Subscriptions {
  enum State: Equatable {
    case wanted, asked(UInt16), granted, refused
    /// The server does not take such filters, and the owner is yet to be told.
    case unavailable(ReasonCode)
    /// The server is to forget it.
    case unwanted, unasked(UInt16)
    /// The server takes no packet as long as it needs to forget it, and the owner is yet to be told.
    case unforgettable(ReasonCode)
    /// A free place.
    case gone
  }

  struct Entry {
    let filter: [UInt8]
    let options: SubscriptionOptions
    /// Of 5.0, encoded: those of its `SUBSCRIBE`, or of its `UNSUBSCRIBE`.
    fileprivate(set) var properties: [UInt8]
    let hasIdentifier: Bool
    /// Those of one call go out together.
    fileprivate(set) var call: UInt32
    /// Where it stands in its packet.
    fileprivate(set) var place = 0
    var state = State.wanted

    var isLive: Bool {
      switch state {
      case .wanted, .asked, .granted, .refused, .unavailable: true
      case .unwanted, .unasked, .unforgettable, .gone: false
      }
    }
  }

  private(set) var entries: [Entry] = []
  /// Entries of which something is to be sent.
  private var unsent = 0
  /// Some were sent, and may not be answered.
  private var mayAwait = false
  private var calls: UInt32 = 0

  var hasUnsent: Bool { unsent > 0 }

  /// The number of a call.
  mutating func nextCall() -> UInt32 {
    calls &+= 1
    return calls
  }

  /// The place of a filter. One that is there already is asked for anew, as a server does it.
  mutating func add(_ entry: Entry) -> Int {
    if let known = entries.firstIndex(where: { $0.isLive && $0.filter == entry.filter }) {
      if entries[known].state != .wanted { unsent += 1 }
      entries[known] = entry
      return known
    }
    unsent += 1
    if let free = entries.firstIndex(where: { $0.state == .gone }) {
      entries[free] = entry
      return free
    }
    entries.append(entry)
    return entries.count - 1
  }

  /// It is no longer wanted. False when it was not: nothing will be told.
  mutating func remove(_ index: Int, _ properties: [UInt8], call: UInt32) -> Bool {
    guard entries.indices.contains(index), entries[index].isLive else { return false }
    if entries[index].state != .wanted { unsent += 1 }
    entries[index].state = .unwanted
    entries[index].properties = properties
    entries[index].call = call
    return true
  }

  /// A new connection. Without a session the server knows none of them; with one it knows those it
  /// granted.
  mutating func rewind(sessionPresent: Bool) {
    unsent = 0
    for index in entries.indices {
      switch entries[index].state {
      case .granted where sessionPresent, .gone: continue
      case .unwanted, .unasked, .unforgettable: entries[index].state = .unwanted
      default: entries[index].state = .wanted
      }
      unsent += 1
    }
  }

  mutating func sent(_ index: Int, packetID: UInt16, place: Int) {
    entries[index].state = entries[index].state == .unwanted ? .unasked(packetID) : .asked(packetID)
    entries[index].place = place
    unsent -= 1
    mayAwait = true
  }

  /// The first that a packet asked for and nobody was told of.
  func first(askedBy packetID: UInt16, in type: PacketType) -> Int? {
    let state = type == .subscribe ? State.asked(packetID) : .unasked(packetID)
    return entries.firstIndex { $0.state == state }
  }

  /// Those that go into one packet with the first: as many of its call as fit into so many bytes, and itself in any
  /// case. Answers the last one, and the bytes of their list.
  func batch(from first: Int, room: Int) -> (last: Int, length: Int) {
    var batch = (last: first, length: 0)
    let (call, state) = (entries[first].call, entries[first].state)
    let extra = state == .unwanted ? 2 : 3
    for index in first..<entries.count where isUnsent(index, of: call, state) {
      let length = batch.length + entries[index].filter.count + extra
      guard length <= room || index == first else { break }
      batch = (index, length)
    }
    return batch
  }

  /// It is not sent to this server.
  mutating func withhold(_ index: Int, _ reason: ReasonCode) {
    entries[index].state = entries[index].state == .unwanted ? .unforgettable(reason) : .unavailable(reason)
    unsent -= 1
  }

  mutating func settle(_ index: Int, _ state: State) {
    entries[index].state = state
  }

  /// The packet identifier of the first that the server has not answered.
  mutating func firstAwaited() -> UInt32? {
    guard mayAwait else { return nil }
    for entry in entries {
      switch entry.state {
      case .asked(let packetID), .unasked(let packetID): return UInt32(packetID)
      default: continue
      }
    }
    mayAwait = false
    return nil
  }

  @inline(never)
  func isUnsent(_ index: Int, of call: UInt32, _ state: State) -> Bool {
    entries[index].call == call && entries[index].state == state
  }

  /// The first entry of which something is to be sent. What is unwanted goes first: the same filter may
  /// be wanted again, in another place.
  func firstUnsent() -> Int? {
    guard unsent > 0 else { return nil }
    return entries.firstIndex { $0.state == .unwanted } ?? entries.firstIndex { $0.state == .wanted }
  }
}
