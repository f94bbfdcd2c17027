import MQTTClient
import MQTTCodec
import Testing

@Suite("Calls with text, bytes and words")
struct TextTests {
  @Test("Strings and arrays go out as their bytes")
  func overloads() throws {
    let harness = try harnessV5()
    harness.connectV5()
    var list = PropertyList()
    try list.append(user: "a", "b")
    try harness.client.publish(topic: "t", payload: "text", qos: .atLeastOnce, properties: list)
    try harness.client.publish(topic: "t", payload: [1, 2])
    #expect(
      harness.takeAll() == publishV5("t", Array("text".utf8), qos: 1, packetID: 1, list.bytes)
        + publishV5("t", [1, 2]))
    try harness.client.subscribe(filter: "a", qos: .atLeastOnce)
    try harness.client.subscribe(
      filter: "b", options: MQTTSubscribeOptions(qos: .atMostOnce), subscriptionID: 5, userProperties: list)
    #expect(
      harness.takeAll() == packet(0x82, [0, 2, 0, 0, 1, 97, 1])
        + packet(0x82, [0, 3, 9, 11, 5] + list.bytes + [0, 1, 98, 0]))
    #expect(throws: MQTTPublishError.invalidTopic(.wildcardInTopic)) {
      try harness.client.publish(topic: "#", payload: "")
    }
  }

  @Test("User properties go with an UNSUBSCRIBE")
  func unsubscribeProperties() throws {
    let harness = try harnessV5()
    let filter = try harness.client.subscribe(
      filter: "a", options: MQTTSubscribeOptions(qos: .atMostOnce), subscriptionID: 5)
    harness.connectV5()
    harness.feed([0x90, 4, 0, 1, 0, 0])
    _ = harness.takeAll()
    #expect(throws: MQTTSubscribeError.invalidOptions) {
      try harness.client.unsubscribe(filter, userProperties: number(.topicAlias, 1).span)
    }
    var list = PropertyList()
    try list.append(user: "why", "no use")
    try harness.client.unsubscribe(filter, userProperties: list.bytes.span)
    #expect(
      harness.takeAll() == packet(0xA2, [0, 2, UInt8(list.bytes.count)] + list.bytes + [0, 1, 97]))
    // Without any, none: not even those of its SUBSCRIBE.
    let other = try harness.client.subscribe(
      filter: "b", options: MQTTSubscribeOptions(qos: .atMostOnce), subscriptionID: 6)
    _ = harness.takeAll()
    harness.client.unsubscribe(other)
    #expect(harness.takeAll() == packet(0xA2, [0, 4, 0, 0, 1, 98]))
  }

  @Test("A reason code prints its words")
  func words() {
    #expect("\(MQTTReasonCode.notAuthorized)" == "not authorized")
    #expect("\(MQTTEvent.refused(.badUserNameOrPassword))" == "refused(bad user name or password)")
  }
}
