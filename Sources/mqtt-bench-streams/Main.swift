import CBenchSocket
import HAL
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// The client on the way that `swiftletd` uses: event loop, connection, and the streams on one another.
/// `make bench` compares what a message costs on each of them.
@main
enum Main {
  static let usage: StaticString = """
    usage: mqtt-bench-streams tcp|tls|ws|wss pub PORT QOS N WINDOW | tcp|tls|ws|wss recv PORT N QOS
    To 127.0.0.1, whatever its certificate is. A last word 5 speaks MQTT 5.0 instead of 3.1.1. Prints one line of JSON.
    """

  static func main() {
    guard let server = server(), bench_argument(5) != nil else { return fail(usage, 64) }
    let isPublisher = strcmp(bench_argument(2), "pub") == 0
    let qos = MQTTQoS(rawValue: UInt8(clamping: number(isPublisher ? 4 : 5))) ?? .atMostOnce
    let count = number(isPublisher ? 5 : 4)
    let version = number(isPublisher ? 7 : 6) == 5 ? MQTTVersion.v5 : .v3_1_1
    let job = isPublisher ? Job.publish(window: max(1, number(6))) : .receive
    do {
      let loop = try EventLoop()
      guard let runner = Runner(server, job, qos, count, version, loop) else { return fail(usage, 64) }
      try loop.run(runner)
      guard runner.isDone else { return fail("mqtt-bench-streams: the connection ended early", 70) }
    } catch {
      return fail("mqtt-bench-streams: no event loop", 71)
    }
    bench_report(bench_argument(2), Int32(qos.rawValue), Int64(count))
  }

  private static func server() -> MQTTServer? {
    guard let scheme = bench_argument(1), bench_argument(2) != nil else { return nil }
    var server = MQTTServer(endpoint: Endpoint(host: "127.0.0.1", port: UInt16(clamping: number(3))))
    var tls = TLSSettings()
    tls.isInsecure = true
    if strcmp(scheme, "tcp") == 0 { return server }
    if strcmp(scheme, "tls") == 0 || strcmp(scheme, "wss") == 0 { server.tls = tls }
    if strcmp(scheme, "ws") == 0 || strcmp(scheme, "wss") == 0 { server.webSocket = WebSocketSettings() }
    return server.tls == nil && server.webSocket == nil ? nil : server
  }

  private static func number(_ index: Int32) -> Int {
    Int(clamping: bench_number(bench_argument(index)))
  }

  private static func fail(_ text: StaticString, _ status: Int32) {
    // A static string ends with a zero byte, as C's do.
    bench_say(UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self))
    exit(status)
  }
}
