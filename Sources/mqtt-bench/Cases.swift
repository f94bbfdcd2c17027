import CBenchSocket
import MQTTClient

/// The four things a client is measured at. Each ends with true, or with false when the server went away.
final class Cases {
  private let link: Link
  private let client: MQTTClient
  private let payload = [UInt8](repeating: UInt8(ascii: "x"), count: 64)

  init(_ link: Link) {
    self.link = link
    client = link.client
  }

  func connect() -> Bool {
    while !client.isConnected, link.isOpen {
      link.flush()
      link.wait()
      while client.nextEvent(now: bench_now()) != nil {}
    }
    return link.isOpen
  }

  func subscribe(_ filter: [UInt8], _ qos: MQTTQoS) -> Bool {
    do throws(MQTTSubscribeError) {
      try client.subscribe(filter: filter.span, qos: qos)
    } catch {
      return false
    }
    while link.isOpen {
      link.flush()
      link.wait()
      while let event = client.nextEvent(now: bench_now()) {
        if case .subscribed = event { return true }
      }
    }
    return false
  }

  /// `count` messages, at most `window` of them without acknowledgement.
  func publish(_ qos: MQTTQoS, _ count: Int, window: Int) -> Bool {
    bench_begin()
    return qos == .atMostOnce
      ? publishUnanswered(count) && publishAnswered(.atLeastOnce, 1, window: 1)
      : publishAnswered(qos, count, window: window)
  }

  private func publishUnanswered(_ count: Int) -> Bool {
    let topic = bytes("bench/pub/t0")
    let payload = self.payload
    let room = topic.count + payload.count
    var left = count
    do throws(MQTTPublishError) {
      while left > 0, link.isOpen {
        while left > 0, client.outputRoom >= room {
          try client.publish(topic: topic.span, payload: payload.span)
          left -= 1
        }
        link.flush()
      }
    } catch {
      return false
    }
    return link.isOpen
  }

  private func publishAnswered(_ qos: MQTTQoS, _ count: Int, window: Int) -> Bool {
    let topic = bytes("bench/pub/t0")
    let payload = self.payload
    var left = count
    var unanswered = 0
    do throws(MQTTPublishError) {
      while left > 0 || unanswered > 0 {
        while left > 0, unanswered < window {
          try client.publish(topic: topic.span, payload: payload.span, qos: qos)
          left -= 1
          unanswered += 1
        }
        link.flush()
        guard settle(&unanswered) else { return false }
      }
    } catch {
      return false
    }
    return true
  }

  /// Waits for acknowledgements.
  @inline(__always)
  private func settle(_ unanswered: inout Int) -> Bool {
    link.wait()
    let now = bench_now()
    while let event = client.nextEvent(now: now) {
      if case .published = event { unanswered -= 1 }
    }
    return link.isOpen
  }

  func receive(_ count: Int, _ qos: MQTTQoS) -> Bool {
    guard subscribe(bytes("bench/rcv/t0"), qos) else { return false }
    bench_say("READY")
    var left = count
    var length = 0
    // The first messages may have come with SUBACK: they are pulled before the first wait.
    bench_begin()
    while link.isOpen {
      let now = bench_now()
      while let event = client.nextEvent(now: now) {
        guard case .message(let message) = event else { continue }
        client.withMessage(message) { _, payload in length += payload.count }
        left -= 1
      }
      link.flush()
      if left <= 0 { break }
      link.wait()
    }
    return left <= 0 && length == count * payload.count
  }

  /// Every command's payload becomes the state; ends when the server has all of them.
  func echo(_ count: Int, _ qos: MQTTQoS) -> Bool {
    let state = bytes("act/1/state")
    guard subscribe(bytes("act/1/set"), qos) else { return false }
    bench_say("READY")
    bench_begin()
    var left = count
    var unanswered = 0
    while link.isOpen {
      let now = bench_now()
      while let event = client.nextEvent(now: now) {
        if case .published = event { unanswered -= 1 }
        guard case .message(let message) = event else { continue }
        left -= 1
        if qos != .atMostOnce { unanswered += 1 }
        do throws(MQTTPublishError) {
          try client.withMessage(message) { _, payload throws(MQTTPublishError) in
            _ = try client.publish(topic: state.span, payload: payload, qos: qos)
          }
        } catch {
          return false
        }
      }
      link.flush()
      if left <= 0, unanswered <= 0 { break }
      link.wait()
    }
    return left <= 0 && unanswered <= 0
  }

  func idle(seconds: Int) -> Bool {
    bench_say("READY")
    bench_begin()
    let end = bench_now() + UInt64(seconds) * 1000
    while link.isOpen, bench_now() < end {
      link.wait(until: end)
      while client.nextEvent(now: bench_now()) != nil {}
      link.flush()
    }
    return link.isOpen
  }

  private func bytes(_ text: StaticString) -> [UInt8] {
    text.withUTF8Buffer { Array($0) }
  }
}
