import MQTTClient

extension Topics {
  /// The topics on which a broker keeps something of a device with these modules.
  public func retained(of modules: [any Module]) -> [String] {
    var topics = [availability.string]
    for module in modules {
      topics.append(string(of: module.name, "", "error"))
      for entity in module.entities
      where entity.access.contains(.state) || entity.access.contains(.retained) {
        topics.append(string(of: module.name, entity.key, entity.isMain ? "state" : ""))
      }
    }
    return topics
  }
}

/// Something that a device does when it is online, besides its states and before them.
public protocol OnlineErrand: AnyObject {
  /// Everything is to be said now.
  func markAll()
  /// False: there is no room for all of it yet.
  func flush(on device: Device) -> Bool
  /// The broker has a message.
  func heard(_ packetID: UInt16)
  /// A message has come; false: it is not for the errand.
  func receive(_ topic: FixedText, _ payload: FixedText, retained: Bool) -> Bool
}

extension OnlineErrand {
  public func markAll() {}
  public func heard(_ packetID: UInt16) {}
  public func receive(_ topic: FixedText, _ payload: FixedText, retained: Bool) -> Bool { false }
}

/// Two errands, the first before the second.
final class ErrandPair: OnlineErrand {
  private let first: any OnlineErrand
  private let second: any OnlineErrand

  init(_ first: any OnlineErrand, _ second: any OnlineErrand) {
    self.first = first
    self.second = second
  }

  func markAll() {
    first.markAll()
    second.markAll()
  }

  func flush(on device: Device) -> Bool { first.flush(on: device) && second.flush(on: device) }

  func heard(_ packetID: UInt16) {
    first.heard(packetID)
    second.heard(packetID)
  }

  func receive(_ topic: FixedText, _ payload: FixedText, retained: Bool) -> Bool {
    first.receive(topic, payload, retained: retained) || second.receive(topic, payload, retained: retained)
  }
}

/// Clears what the broker keeps on topics that the device has no longer, and tells when the broker has done so.
final class TopicClearing: OnlineErrand {
  private let topics: [String]
  private var sent = 0
  private var waiting: [UInt16] = []
  private let done: () -> Void

  init(_ topics: [String], done: @escaping () -> Void) {
    self.topics = topics
    self.done = done
  }

  func flush(on device: Device) -> Bool {
    while sent < topics.count {
      guard let packetID = device.publish(FixedText(topics[sent]), "", .atLeastOnce, retain: true) else {
        return false
      }
      waiting.append(packetID)
      sent += 1
    }
    return true
  }

  func heard(_ packetID: UInt16) {
    guard let index = waiting.firstIndex(of: packetID) else { return }
    waiting.remove(at: index)
    if waiting.isEmpty, sent == topics.count { done() }
  }
}

extension Device {
  /// Clears what the broker keeps on these topics, once it can be reached; `done`: it has.
  public func clear(_ topics: [String], done: @escaping () -> Void) {
    add(errand: TopicClearing(topics, done: done))
  }

  /// It comes after those that are there.
  func add(errand: any OnlineErrand) {
    self.errand = self.errand.map { ErrandPair($0, errand) } ?? errand
  }
}
