import FaultyDisk
import Loopback
import MQTTClient
import Persistence
import Simulation
import TestNumbers

/// A device that dies again and again, at any write to its disk, while it exchanges numbered messages with
/// a server that does not. What it was told to be durable has to arrive.
final class CrashRun {
  private var random: SplitMix
  private let server = LoopbackServer()
  private var process: (store: SQLiteSessionStore, client: MQTTClient)!
  private let queue = SimulatedWorkQueue()
  private let isQueued: Bool
  private let version: MQTTVersion
  private var isOpen = false
  private var now: UInt64 = 1_000

  /// Bytes for how far the session is, which are kept beyond the limit: received messages, and one record more.
  private static let notes = 21 * 40

  private var published = 0
  private var sentDown = 0
  /// Accepted by `publish`; durable when the next `commit` says so.
  private var pending: [Int: QoS] = [:]
  private var durable: [Int: QoS] = [:]
  /// Messages of the server that were handled, and since when they cannot be forgotten.
  private var handled: Set<Int> = []
  private var handledForGood: Set<Int> = []
  private var everHandled: Set<Int> = []
  private(set) var deaths = 0
  private(set) var refused = 0
  private(set) var complaints: [String] = []

  init(seed: UInt64) throws {
    random = SplitMix(state: seed)
    faulty_disk_format()
    isQueued = random.next() % 2 == 0
    version = random.next() % 2 == 0 ? .v5 : .v3_1_1
    process = try CrashRun.start(isQueued ? queue : nil, version, capacity: CrashRun.capacity(&random))
  }

  /// Ample, or soon full; another process may have less than the one before.
  private static func capacity(_ random: inout SplitMix) -> Int {
    Bool.random(using: &random) ? 1 << 20 : Int.random(in: 1_500...6_000, using: &random)
  }

  private var client: MQTTClient { process.client }
  private var store: SQLiteSessionStore { process.store }

  private static func start(
    _ queue: SimulatedWorkQueue?, _ version: MQTTVersion, capacity: Int
  ) throws -> (store: SQLiteSessionStore, client: MQTTClient) {
    let store = try SQLiteSessionStore(path: "session", capacity: capacity, queue: queue, vfs: "faulty")
    var options = MQTTClientOptions(clientID: "dev", randomSeed: 7)
    options.version = version
    options.cleanSession = false
    options.outboxCapacity = 1024
    options.maxInFlight = 6
    options.dropPolicy = .newest
    let client = try MQTTClient(options, store: store)
    let filter = Array("down".utf8)
    try client.subscribe(filter: filter.span, qos: .exactlyOnce)
    return (store, client)
  }

  /// Some lives with sudden ends, and one in which everything is settled.
  func run() throws {
    client.start(now: now)
    for _ in 0..<chance(1...4) {
      faulty_disk_die_after(chance(0...120))
      for _ in 0..<200 where faulty_disk_is_dead() == 0 { step() }
      try restart()
    }
    for _ in 0..<400 {
      exchange(loss: 0)
      now += 100
    }
    judge()
  }

  private func chance(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  private func restart() throws {
    deaths += 1
    let how = [FAULTY_DISK_KILLED, FAULTY_DISK_POWER_LOSS, FAULTY_DISK_POWER_LOSS_EMPTY][chance(0...2)]
    _ = queue.run()
    faulty_disk_die_after(0)
    closeConnection()
    // Nothing that the end of the old ones does reaches the disk.
    process = nil
    faulty_disk_restart(Int32(how), random.next())
    process = try CrashRun.start(isQueued ? queue : nil, version, capacity: CrashRun.capacity(&random))
    if store.setAside != nil { complaints.append("the database was damaged") }
    pending = [:]
    handled = handledForGood
    client.start(now: now)
  }

  private func step() {
    switch chance(0...9) {
    case 0...3: publish()
    case 4: commit()
    case 5 where !server.subscriptions.isEmpty:
      server.send("down", number(sentDown), qos: .exactlyOnce); sentDown += 1
    case 6 where chance(0...3) == 0: closeConnection(); client.transportClosed(now: now)
    default: exchange(loss: 8)
    }
    now += 20
  }

  private func publish() {
    let qos = chance(0...1) == 0 ? QoS.atLeastOnce : .exactlyOnce
    let topic = Array("up".utf8)
    let payload = number(published) + [UInt8](repeating: 0x20, count: chance(0...60))
    do {
      _ = try client.publish(topic: topic.span, payload: payload.span, qos: qos, durability: .disk)
      pending[published] = qos
      if store.usedBytes > store.capacity + CrashRun.notes {
        complaints.append("\(store.usedBytes) bytes of \(store.capacity)")
      }
    } catch {
      let isFull = error == .outboxFull && store.capacity < 1 << 20
      if isFull { refused += 1 }
      if faulty_disk_is_dead() == 0, !isFull { complaints.append("publish: \(error)") }
    }
    published += 1
  }

  private func commit() {
    do {
      guard try client.commit(), faulty_disk_is_dead() == 0 else { return }
      durable.merge(pending) { $1 }
      pending = [:]
      handledForGood = handled
    } catch {
      if faulty_disk_is_dead() == 0 { complaints.append("commit: \(error)") }
    }
  }

  /// Moves bytes both ways; one time in `loss` the connection ends with bytes on their way.
  private func exchange(loss: Int) {
    if client.transportRequest == .open, !isOpen {
      isOpen = true
      server.transportOpened()
      client.transportOpened(now: now)
    }
    client.advance(to: now)
    var isLost = false
    for _ in 0..<4 where !isLost {
      if chance(0...2) > 0 || loss == 0 { _ = queue.run() }
      // Without it `withOutput` commits what has to be.
      if chance(0...1) == 0 { commit() }
      client.withOutput { bytes in
        guard faulty_disk_is_dead() == 0 else { return 0 }
        if loss > 0, chance(0...loss) == 0 {
          // They left and never arrive.
          isLost = true
          return chance(1...bytes.count)
        }
        server.receive(bytes.indices.map { bytes[$0] })
        return bytes.count
      }
      if isLost { break }
      if client.transportRequest == .close { closeConnection(); client.transportClosed(now: now) }
      guard faulty_disk_is_dead() == 0 else { return }
      let bytes = server.output
      let taken = client.receive(bytes.span, now: now)
      server.output.removeFirst(taken)
      pull()
    }
    if isLost || (loss > 0 && chance(0...loss) == 0) { closeConnection(); client.transportClosed(now: now) }
  }

  private func closeConnection() {
    isOpen = false
    server.transportClosed()
  }

  private func pull() {
    while faulty_disk_is_dead() == 0, let event = client.nextEvent(now: now) {
      switch event {
      case .message(let message):
        let number = client.withMessage(message) { _, payload in
          Int(String(decoding: payload.indices.map { payload[$0] }, as: UTF8.self)) ?? -1
        }
        if handledForGood.contains(number) { complaints.append("message \(number) was handled twice") }
        handled.insert(number)
        everHandled.insert(number)
      case .storeFailed(let error):
        if faulty_disk_is_dead() == 0 { complaints.append("the store: \(error)") }
      case .publishFailed(let packetID, let failure): complaints.append("\(packetID): \(failure)")
      default: break
      }
    }
  }

  private func number(_ number: Int) -> [UInt8] { Array(String(number).utf8) }

  private func judge() {
    var arrivals: [Int: Int] = [:]
    var order: [Int] = []
    for message in server.accepted {
      let text = String(decoding: message.payload, as: UTF8.self).prefix { $0 != " " }
      let number = Int(text) ?? -1
      if arrivals[number] == nil { order.append(number) }
      arrivals[number, default: 0] += message.qos == .exactlyOnce ? 1000 : 1
    }
    for (number, qos) in durable {
      let count = arrivals[number] ?? 0
      if qos == .exactlyOnce ? count != 1000 : count == 0 {
        complaints.append("message \(number) of QoS \(qos.rawValue): \(count)")
      }
    }
    for (number, count) in arrivals where count > 1000 {
      complaints.append("message \(number) came twice: \(count)")
    }
    if order != order.sorted() { complaints.append("out of order") }
    for number in 0..<sentDown where !everHandled.contains(number) {
      complaints.append("message \(number) was not handled")
    }
    complaints += server.faults
    if store.usedBytes > 200 { complaints.append("\(store.usedBytes) bytes are left in the store") }
  }
}
