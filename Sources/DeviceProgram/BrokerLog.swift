import DeviceRuntime
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// Logs what becomes of the connection. A broker that closes every connection at once is worth one line for
/// each of the two ways the system puts it, not one for each attempt.
final class BrokerLog: MQTTConnectionOwner {
  private let client: MQTTClient
  private let log: any Log
  private var lastReason: FixedText?
  private var reasonBefore: FixedText?
  private var connections: UInt32 = 0

  init(client: MQTTClient, log: any Log) {
    self.client = client
    self.log = log
  }

  func connectionWarns(_ server: MQTTServer, reason: String) { connectionClosed(server, reason: reason) }

  func connectionClosed(_ server: MQTTServer, reason: String) {
    var line: FixedText = "broker "
    line.append(server.endpoint.host)
    if server.endpoint.port != 0 {
      line.append(":")
      line.append(decimal: Int64(server.endpoint.port))
    }
    line.append(": ")
    line.append(reason)
    if client.counters.connections != connections { (lastReason, reasonBefore) = (nil, nil) }
    connections = client.counters.connections
    if line == lastReason || line == reasonBefore { return }
    (lastReason, reasonBefore) = (line, lastReason)
    log.write(.warning, line)
  }
}
