import DeviceFile
import DeviceRuntime
import MQTTClient

// `outbox` of the broker, and who needs it.
extension BrokerReader {
  private static let defaultOutboxSize = 1 << 20
  private static let outboxSizes = (64 << 10)...(1 << 30)

  func outbox(_ field: Field) -> OutboxDescription? {
    let wanted: Message = "a mapping like { path: /var/lib/swiftlet/outbox.db, size: 1MiB }"
    guard let fields = Fields(field.node, owner: "'outbox'", wanted: wanted, problems) else { return nil }
    if !features.hasOutbox { field.report("this program was built without an outbox") }
    var outbox = OutboxDescription(
      mark: field.mark, path: "", bytes: BrokerReader.defaultOutboxSize, drop: .oldest)
    if let path = fields.required("path", example: "/var/lib/swiftlet/outbox.db"), let text = path.text() {
      outbox.path = text
      if text.bytes.first != UInt8(ascii: "/") || text.bytes.last == UInt8(ascii: "/") {
        path.reject(wanted: "a file with its whole path")
      }
    }
    if let size = fields.optional("size") { outbox.bytes = size.size(in: BrokerReader.outboxSizes) ?? 0 }
    switch fields.optional("drop")?.choice(["oldest", "newest", "priority"]) {
    case 1: outbox.drop = .newest
    case 2: outbox.drop = .lowestPriority
    default: break
    }
    fields.finish()
    return outbox
  }
}

extension DeviceReader {
  /// What is to be kept needs a place.
  func checkOutbox(_ broker: BrokerDescription, _ needs: DeviceNeeds) {
    for (mark, title) in needs.keptOnDisk where broker.outbox == nil {
      problems.report(
        mark, "\(title) is to be kept on disk, and there is no outbox",
        "give 'mqtt' an 'outbox', for example outbox: { path: /var/lib/swiftlet/outbox.db }")
    }
    if let outbox = broker.outbox, needs.keptOnDisk.isEmpty {
      problems.report(outbox.mark, "nothing is kept in the outbox", "say 'keep: disk' at a sensor")
    }
  }
}

extension DeviceDescription {
  /// MQTT 3.1.1 has no properties, in which kept readings carry the time they were taken at.
  func warnOfLostTimes(_ warnings: Problems) {
    guard broker.version == .v3_1_1 else { return }
    for mark in needs.keptWithoutTime {
      warnings.report(
        mark, "with MQTT 3.1.1 kept readings do not tell when they were taken",
        "say 'format: json' at the sensor")
    }
    for mark in needs.expiring { warnings.report(mark, "with MQTT 3.1.1 readings do not expire") }
  }
}

extension Field {
  /// A number of bytes with its unit.
  fileprivate func size(in range: ClosedRange<Int>) -> Int? {
    let wanted: Message =
      "a size from \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound)), like 1MiB"
    guard case .scalar(let text) = node.content else {
      reject(wanted: wanted)
      return nil
    }
    for (unit, factor) in [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)] where text.bytes.count > 3 {
      let digits = text.bytes.count - 3
      guard text.bytes.begins(with: unit.bytes, at: digits),
        let number = parseInteger(String(decoding: text.bytes[..<digits], as: UTF8.self)),
        number <= range.upperBound / factor, range.contains(number * factor)
      else { continue }
      return number * factor
    }
    reject(wanted: wanted)
    return nil
  }
}

/// `1MiB`, in the largest unit that gives a whole number.
func sizeText(_ bytes: Int) -> String {
  for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20)] where bytes >= factor && bytes % factor == 0 {
    return (bytes / factor).description + unit
  }
  return (bytes >> 10).description + "KiB"
}
