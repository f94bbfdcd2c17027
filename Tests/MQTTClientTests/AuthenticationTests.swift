import MQTTClient
import MQTTCodec
import Testing

/// Counts down: each challenge is answered with the number below it.
private final class Countdown: MQTTAuthenticator {
  let method: StaticString = "COUNT"
  var trusts = true
  /// How often it asks for more time before each answer.
  var delays = 0
  private var delay = 0

  func start(into data: inout [UInt8]) { data.append(9) }

  func answer(_ challenge: Span<UInt8>, into data: inout [UInt8]) -> MQTTAuthenticationAnswer {
    guard challenge.count == 1, challenge[0] > 0 else { return .refused }
    delay += 1
    if delay <= delays { return .later }
    delay = 0
    data.append(challenge[0] - 1)
    return .given
  }

  func finish(_ data: Span<UInt8>) -> Bool { trusts && data.count == 1 }
}

@Suite("Authentication in several steps")
struct AuthenticationTests {
  private func list(_ data: UInt8) -> [UInt8] {
    text(.authenticationMethod, "COUNT") + [0x16, 0, 1, data]
  }

  private func auth(_ code: UInt8, _ data: UInt8) -> [UInt8] {
    let list = list(data)
    return packet(0xF0, [code, UInt8(list.count)] + list)
  }

  @Test(
    "[MQTT5-4.12.0-1] [MQTT5-4.12.0-2] [MQTT5-4.12.0-3] [MQTT5-4.12.0-5] [MQTT5-3.15.1-1] [MQTT5-3.15.2-1] [MQTT5-3.1.2-30] Challenges are answered until the server is satisfied"
  )
  func connecting() throws {
    let harness = try harnessV5(authenticator: Countdown())
    let connect = harness.open()
    #expect(Array(connect[13..<16]) == number(.receiveMaximum, 20) && Array(connect[16..<28]) == list(9))
    harness.feed(auth(0x18, 5))
    #expect(harness.take() == auth(0x18, 4))
    #expect(throws: MQTTPublishError.notConnected) { try harness.publish("t", []) }
    harness.feed(auth(0x18, 3))
    #expect(harness.take() == auth(0x18, 2))
    harness.feed(connack(list(1)))
    #expect(harness.seen == [.connected(false)])
  }

  @Test("An answer that takes time is given when it is ready, and the client wants to be called until then")
  func later() throws {
    let countdown = Countdown()
    countdown.delays = 3
    let harness = try harnessV5(authenticator: countdown)
    _ = harness.open()
    harness.feed(auth(0x18, 5))
    for _ in 0..<2 {
      #expect(harness.client.nextDeadline == harness.now && !harness.client.hasOutput)
      harness.client.advance(to: harness.now)
      harness.pull()
    }
    harness.pull()
    #expect(harness.take() == auth(0x18, 4))
    #expect(harness.client.nextDeadline != harness.now)
    harness.feed(connack(list(1)))
    #expect(harness.seen == [.connected(false)])
  }

  @Test("A connection that is lost while an answer is under way is followed by one from the start")
  func lostLater() throws {
    let countdown = Countdown()
    countdown.delays = 1
    let harness = try harnessV5(authenticator: countdown)
    _ = harness.open()
    harness.feed(auth(0x18, 5))
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    #expect(harness.client.nextDeadline != harness.now)
    harness.waitForOpen()
    harness.client.transportOpened(now: harness.now)
    _ = harness.takeAll()
    #expect(harness.client.nextDeadline != harness.now)
  }

  @Test("[MQTT5-4.12.1-1] [MQTT5-4.12.1-2] Who we are can be proved anew on the connection that stands")
  func again() throws {
    let harness = try harnessV5(authenticator: Countdown())
    #expect(!harness.client.reauthenticate())
    harness.connectV5(list(1))
    #expect(harness.client.reauthenticate() && !harness.client.reauthenticate())
    #expect(harness.take() == auth(0x19, 9))
    _ = try harness.publish("t", [1])
    harness.feed(auth(0x18, 8))
    #expect(harness.take() == publishV5("t", [1]) + auth(0x18, 7))
    harness.feed(auth(0, 1))
    #expect(harness.seen == [.reauthenticated])
    #expect(harness.client.reauthenticate())
  }

  @Test("[MQTT5-4.12.0-4] A server that is not satisfied refuses or closes")
  func refused() throws {
    let harness = try harnessV5(authenticator: Countdown())
    _ = harness.open()
    harness.feed(auth(0x18, 5) + connack(reason: 0x87))
    #expect(harness.seen == [.refused(.notAuthorized)])
  }

  @Test("We are not satisfied with a server that cannot prove who it is, or does not keep to the method")
  func notSatisfied() throws {
    let other = text(.authenticationMethod, "OTHER")
    let cases: [([UInt8], MQTTDisconnectReason)] = [
      (connack(), .authenticationFailed), (auth(0x18, 0), .authenticationFailed),
      (packet(0xF0, [0x18, UInt8(other.count)] + other), .violation(.protocolError)),
      (auth(0, 1), .violation(.protocolError)), (auth(0x19, 1), .violation(.protocolError)),
    ]
    for (bytes, reason) in cases {
      let harness = try harnessV5(authenticator: Countdown())
      _ = harness.open()
      harness.feed(bytes)
      #expect(harness.seen == [.failed(reason)])
    }
    let harness = try harnessV5(authenticator: Countdown())
    harness.connectV5(list(1))
    harness.feed(auth(0x18, 5))
    #expect(harness.takeLast() == [0xE0, 1, 0x82])
    #expect(harness.seen == [.disconnected(.violation(.protocolError))])
  }

  @Test("An AUTH that finds no room waits for it")
  func noRoom() throws {
    let harness = try harnessV5(authenticator: Countdown()) { $0.sendCapacity = 200 }
    harness.connectV5(list(1))
    while (try? harness.publish("t", [UInt8](repeating: 0, count: 10))) != nil {}
    var acknowledged: UInt16 = 0
    while harness.client.hasOutput, acknowledged < 60 {
      acknowledged += 1
      harness.feed(publishV5("t", [], qos: 1, packetID: acknowledged))
    }
    #expect(harness.client.reauthenticate())
    let first = harness.take()
    #expect(first.suffix(4) != auth(0x19, 9).suffix(4))
    #expect(harness.take().suffix(16) == auth(0x19, 9))
  }
}
