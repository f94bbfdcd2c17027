/// Has the last word on what messages of QoS 1 and 2 say: some of it may be known only when they leave.
public protocol MQTTRewriter: AnyObject {
  /// Calls `send` once, with what is to go out in the place of these properties and this payload, and answers what it
  /// answers. Neither may become longer. Called for each time a message is sent; must not call the client.
  func rewrite(
    _ properties: Span<UInt8>, _ payload: Span<UInt8>, _ send: (Span<UInt8>, Span<UInt8>) -> Bool
  ) -> Bool
}
