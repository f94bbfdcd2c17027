import MQTTCodec

/// The acknowledgement that a delivered message of QoS 1 or 2 is still to get.
public struct MQTTPostponedAcknowledgement: Sendable {
  public let packetID: UInt16
  let isExactlyOnce: Bool
  /// On another connection the packet identifier stands for nothing.
  let connection: UInt32
}

// For owners whose handlers go on when `nextEvent` is called again.
extension MQTTClient {
  /// Keeps the message that the latest `nextEvent` answered from being acknowledged by the next one; nil when
  /// it was none of QoS 1 or 2. The owner calls `acknowledge` instead, in the order of the messages.
  /// [MQTT-4.6.0-2], [MQTT-4.6.0-3]
  ///
  /// Until then it counts against `receiveMaximum` (5.0) at a server that keeps to it. How many there are is for
  /// the owner to bound: mosquitto 2.0 sends twice the maximum at QoS 2 when `PUBREC` comes late. When the connection is
  /// lost before, the next one brings the message again if the server keeps the session, with `duplicate` and
  /// the same packet identifier, at QoS 2 too: it is for the owner to know it again.
  public func postponeAcknowledgement() -> MQTTPostponedAcknowledgement? {
    guard current.packetID != 0 else { return nil }
    let postponed = MQTTPostponedAcknowledgement(
      packetID: current.packetID, isExactlyOnce: current.isExactlyOnce, connection: counters.connections)
    if current.isExactlyOnce {
      if let stored { forgetReceived(stored, current.packetID) }
      receivedIDs.remove(current.packetID)
    }
    current.packetID = 0
    return postponed
  }

  /// Queues the acknowledgement. False: there is no room, and it may be tried again after `withOutput`, or its
  /// connection has ended.
  public func acknowledge(_ postponed: MQTTPostponedAcknowledgement) -> Bool {
    guard state == .connected, postponed.connection == counters.connections else { return false }
    // The latest message may be waiting for its own, for which room was made sure of.
    guard output.makeRoom(Acknowledgement.encodedLength + Self.answerRoom) else { return false }
    if postponed.isExactlyOnce {
      receivedIDs.insert(postponed.packetID)
      if let stored { keepReceived(stored, postponed.packetID) }
    }
    acknowledge(postponed.isExactlyOnce ? .pubrec : .puback, postponed.packetID)
    return true
  }
}
