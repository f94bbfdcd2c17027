import Boards
import DeviceFile
import DeviceRuntime
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// What a device will use and say, on one screen: the answer of `swiftletd check` to a file that is right.
public enum Summary {
  /// `stale`: topics that the device has no longer.
  public static func text(_ configuration: DeviceConfiguration, stale: [String] = []) -> String {
    let device = configuration.device
    let board = configuration.board
    var text: Message = "\(device.name) on \(board.title)\(board.simulated ? ", simulated" : "")\n"
    text += row("broker", brokerText(device.broker))
    if let outbox = device.broker.outbox { text += row("outbox", outboxText(outbox)) }
    let claims = device.needs.claims
    var heading = "lines"
    for claim in claims.lines {
      guard claim.line != nil || claim.pin != nil else { continue }
      text += row(heading, lineText(claim))
      heading = ""
    }
    heading = "limits"
    for claim in claims.outputs {
      guard let expander = claim.pin?.expander else { continue }
      text += row(heading, "\(claim.name): \(expander.promise)")
      heading = ""
    }
    heading = "buses"
    for target in claims.targets {
      guard let bus = target.bus else { continue }
      text += row(heading, targetText(target, board.simulated ? "simulated" : bus.device))
      heading = ""
    }
    let topics = device.topics
    text += row("topics", "\(topics.availability.string)")
    text += row("", "\(device.topicPrefix)/get")
    for module in device.modules {
      for topic in topics.strings(of: module) { text += row("", "\(topic)") }
    }
    if let dialect = device.dialect { text += rows(dialect.heading, dialect.retainedTopics) }
    text += rows("clears", stale)
    return text.text
  }

  private static func rows(_ heading: String, _ topics: [String]) -> Message {
    var text: Message = ""
    for (index, topic) in topics.enumerated() { text += row(index == 0 ? heading : "", "\(topic)") }
    return text
  }

  @inline(never)
  private static func row(_ heading: String, _ text: Message) -> Message {
    "\(padded(heading))\(text)\n"
  }

  @inline(never)
  private static func padded(_ text: String) -> String {
    var padded = text.bytes
    while padded.count < 8 { padded.append(0x20) }
    return String(decoding: padded, as: UTF8.self)
  }

  private static func brokerText(_ broker: BrokerDescription) -> Message {
    var text: Message = ""
    for (index, server) in broker.servers.enumerated() {
      if index > 0 { text += ", else " }
      text += serverText(server)
    }
    if let proxy = broker.proxy {
      let scheme = proxy.kind == .socks5 ? "socks5" : "http"
      text += ", through \(scheme)://\(proxy.endpoint.host):\(Int(proxy.endpoint.port))"
    }
    if let username = broker.username { text += ", user \(username)" }
    if broker.tls.isInsecure { text += ", ANY certificate is taken" }
    if broker.tls.pin != nil { text += ", key pinned" }
    return "\(text), client \(broker.clientID), keep alive \(Int(broker.keepAliveSeconds))s"
  }

  private static func serverText(_ server: ServerDescription) -> Message {
    if server.scheme == .unix { return "\(server.host)" }
    let scheme: Message = server.scheme == .mqtt ? "" : "\(server.scheme.name)://"
    let isIPv6 = server.host.bytes.contains(0x3A)
    let host: Message = isIPv6 ? "[\(server.host)]" : "\(server.host)"
    return "\(scheme)\(host):\(Int(server.port))\(server.path.utf8.count > 1 ? server.path : "")"
  }

  private static func outboxText(_ outbox: OutboxDescription) -> Message {
    let start: Message = "\(outbox.path), at most \(sizeText(outbox.bytes)), when it is full"
    switch outbox.drop {
    case .oldest: return "\(start) the oldest goes"
    case .newest: return "\(start) nothing new is taken"
    case .lowestPriority: return "\(start) the oldest of the lowest priority goes"
    }
  }

  private static func lineText(_ claim: LineClaim) -> Message {
    let pin = claim.line?.pin.map { padded("pin " + $0.description) } ?? padded("")
    let user: Message = "\(claim.claimant.kind) \(claim.claimant.name)"
    let level = claim.activeLow ? "active low" : "active high"
    return "\(padded(claim.line?.name ?? claim.name))\(pin)\(user), \(level)\(claim.note)"
  }

  private static func targetText(_ target: TargetClaim, _ device: String) -> Message {
    let address = padded(hexadecimal(target.address ?? 0))
    let user: Message = "\(target.claimant.kind) \(target.claimant.name)"
    let bus = target.bus?.name ?? target.busName
    return "\(padded(bus))\(address)\(user), \(target.chip)\(target.note) (\(device))"
  }
}
