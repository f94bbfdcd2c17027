import MQTTClient

/// Messages of QoS 1 and 2 that are with their streams. They are acknowledged in the order in which they came,
/// each when all of its streams are done with it. [MQTT-4.6.0-2], [MQTT-4.6.0-3]
struct Deliveries {
  private struct Delivery {
    var postponed: MQTTPostponedAcknowledgement
    /// Streams that are not done with it.
    var holders: Int
    /// It came on this connection; else it can be acknowledged when the server sends it again.
    var isCurrent = true
  }

  private var deliveries: [UInt64: Delivery] = [:]
  private var numbers: [UInt16: UInt64] = [:]
  private var order = Fifo<UInt64>()
  private var lastNumber: UInt64 = 0

  /// Answers the number that names the delivery, never 0.
  mutating func add(_ postponed: MQTTPostponedAcknowledgement, holders: Int) -> UInt64 {
    lastNumber += 1
    deliveries[lastNumber] = Delivery(postponed: postponed, holders: holders)
    numbers[postponed.packetID] = lastNumber
    order.append(lastNumber)
    return lastNumber
  }

  /// Whether the message is one that a stream has, or has handled, already: then it is acknowledged with that.
  mutating func isRepetition(_ postponed: MQTTPostponedAcknowledgement, duplicate: Bool) -> Bool {
    guard let number = numbers[postponed.packetID], let known = deliveries[number] else { return false }
    guard duplicate else {
      // The one before has expired, and the server has given its packet identifier to another.
      remove(number)
      return false
    }
    deliveries[number]?.postponed = postponed
    deliveries[number]?.isCurrent = true
    if !known.isCurrent { order.append(number) }
    return true
  }

  /// One of its streams is done with it.
  mutating func handled(_ number: UInt64) {
    deliveries[number]?.holders -= 1
  }

  /// It stays without an acknowledgement, so that the session's next connection brings it again.
  mutating func remove(_ number: UInt64) {
    guard let delivery = deliveries.removeValue(forKey: number) else { return }
    if numbers[delivery.postponed.packetID] == number { numbers[delivery.postponed.packetID] = nil }
  }

  /// A connection has begun.
  mutating func begin(sessionPresent: Bool) {
    order = Fifo()
    if sessionPresent {
      for number in deliveries.keys { deliveries[number]?.isCurrent = false }
    } else {
      deliveries.removeAll()
      numbers.removeAll()
    }
  }

  /// Gives `acknowledge` what is due, until it answers false.
  mutating func acknowledge(_ acknowledge: (MQTTPostponedAcknowledgement) -> Bool) {
    while let number = order.first {
      if let delivery = deliveries[number] {
        guard delivery.holders <= 0, acknowledge(delivery.postponed) else { return }
        remove(number)
      }
      _ = order.popFirst()
    }
  }
}
