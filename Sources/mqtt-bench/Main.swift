import CBenchSocket
import MQTTClient

/// The bench client: `make bench` compares it with other clients of the same command line.
@main
enum Main {
  static let usage: StaticString = """
    usage: mqtt-bench pub PORT QOS N WINDOW | recv PORT N QOS | echo PORT N QOS | idle PORT SECS
    A last word 5 speaks MQTT 5.0 instead of 3.1.1. Prints one line of JSON.
    """

  static func main() {
    guard let what = word(1), let (first, second, third) = numbers(what) else {
      return fail(usage, 64)
    }
    let qos = MQTTQoS(rawValue: UInt8(clamping: what == .pub ? first : second)) ?? .atMostOnce
    let window = what == .pub ? max(1, third) : 20
    let version = number(what == .pub ? 6 : what == .idle ? 4 : 5) == 5 ? MQTTVersion.v5 : .v3_1_1
    guard let link = Link(port: UInt16(clamping: number(2)), window: window, version: version) else {
      return fail("mqtt-bench: no connection", 69)
    }
    let cases = Cases(link)
    var isDone = cases.connect()
    let count = what == .pub ? second : first
    if isDone {
      switch what {
      case .pub: isDone = cases.publish(qos, count, window: window)
      case .recv: isDone = cases.receive(count, qos)
      case .echo: isDone = cases.echo(count, qos)
      case .idle: isDone = cases.idle(seconds: count)
      }
    }
    guard isDone else { return fail("mqtt-bench: the connection ended early", 70) }
    bench_report(bench_argument(1), Int32(qos.rawValue), Int64(count))
    link.close()
  }

  private enum What { case pub, recv, echo, idle }

  private static func word(_ index: Int32) -> What? {
    guard let text = bench_argument(index) else { return nil }
    if strcmp(text, "pub") == 0 { return .pub }
    if strcmp(text, "recv") == 0 { return .recv }
    if strcmp(text, "echo") == 0 { return .echo }
    return strcmp(text, "idle") == 0 ? .idle : nil
  }

  /// The numbers after the port, as many as there must be.
  private static func numbers(_ what: What) -> (Int, Int, Int)? {
    let needed: Int32 = what == .pub ? 5 : what == .idle ? 3 : 4
    guard bench_argument(needed) != nil else { return nil }
    return (number(3), number(4), number(5))
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
