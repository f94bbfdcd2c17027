import CBenchSocket
import MQTTClient

/// A client and its socket, on a thread that may wait: one `send` for all that a turn has to say, then one
/// `recv` that waits for what comes next.
final class Link {
  let client: MQTTClient
  private let socket: Int32
  private(set) var isOpen = true

  /// Nil: nobody listens, or the options are wrong.
  init?(port: UInt16, window: Int, version: MQTTVersion) {
    var options = MQTTClientOptions(clientID: "swiftlet-bench", randomSeed: 1)
    options.version = version
    options.fallsBack = false
    options.maxInFlight = window
    options.receiveCapacity = 32_768
    options.sendCapacity = 32_768
    options.outboxCapacity = max(8192, window * 256)
    socket = bench_connect(port)
    guard socket >= 0 else { return nil }
    do throws(MQTTOptionsError) {
      client = try MQTTClient(options)
    } catch {
      return nil
    }
    client.start(now: bench_now())
    client.transportOpened(now: bench_now())
  }

  /// Sends what there is.
  @inline(__always)
  func flush() {
    while client.hasOutput, isOpen {
      client.withOutput { bytes in
        let count = bytes.withUnsafeBytes { bench_send(socket, $0.baseAddress, $0.count) }
        if count < 0 { isOpen = false }
        return max(0, count)
      }
    }
    if client.transportRequest == .close { isOpen = false }
  }

  /// Waits until bytes come or a deadline does: the client's own or `end`.
  @inline(__always)
  func wait(until end: UInt64 = .max) {
    let now = bench_now()
    let deadline = min(client.nextDeadline ?? .max, end)
    guard deadline > now else { return client.advance(to: now) }
    let timeout = deadline == .max ? 0 : Int64(clamping: deadline - now)
    client.withReceiveBuffer { buffer in
      let count = buffer.withUnsafeMutableBytes {
        bench_receive(socket, $0.baseAddress, $0.count, timeout)
      }
      if count == 0 || (count < 0 && count != -Int(EAGAIN)) { isOpen = false }
      return max(0, count)
    }
    client.advance(to: bench_now())
  }

  func close() {
    client.disconnect(now: bench_now())
    flush()
    bench_close(socket)
  }
}
