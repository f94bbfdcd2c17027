import MQTTAsync

/// Switches the fan of a greenhouse on and waits until it is.
func switchFanOn(at url: String) async throws {
  let client = try await MQTTAsyncClient.connect(url)
  let states = try await client.messages("swiftlet/+/+/state", qos: .atLeastOnce)
  try await client.publish("swiftlet/greenhouse/fan/set", "ON", qos: .atLeastOnce)
  for await message in states {
    print(message.topic, message.text ?? "bytes")
    if message.text == "ON" { break }
  }
  await client.disconnect()
}

/// Several servers with our own authority; a session that the server keeps while we are away.
func keeper(authority: String) throws -> MQTTAsyncClient {
  var options = MQTTAsyncClient.defaultOptions
  options.clientID = "keeper"
  options.cleanSession = false
  options.username = "me"
  options.password = Array("secret".utf8)
  var transport = MQTTTransport()
  transport.tls.caFile = authority
  return try MQTTAsyncClient(
    "mqtts://broker.local", "wss://spare.local/mqtt", options: options, transport: transport,
    authentication: .scramSHA256)
}
