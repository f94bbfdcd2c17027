import DeviceFile
import DeviceRuntime

/// Whether a module is well, on a topic that Home Assistant looks at: while something is wrong with its line, nobody knows
/// the state of a relay or a contact, though the device is there.
struct HomeAssistantHealth {
  let topic: String
  /// What was published last.
  var said: Bool?
  private let module: String
  /// The module's place on the device.
  private var place = 0

  /// One for each module that has entities which say so.
  static func all(of components: [HomeAssistantComponent]) -> [HomeAssistantHealth] {
    var all: [HomeAssistantHealth] = []
    for component in components {
      guard let topic = component.availability, !all.contains(where: { $0.topic.equals(topic) }) else {
        continue
      }
      all.append(HomeAssistantHealth(topic: topic, module: component.module))
    }
    return all
  }

  private init(topic: String, module: String) {
    self.topic = topic
    self.module = module
  }

  mutating func find(on device: Device) {
    place = device.modules.firstIndex { $0.name.equals(module) } ?? 0
  }

  /// False: there is no room for it now.
  mutating func flush(on device: Device) -> Bool {
    let isWell = device.isWell(place)
    if said == isWell { return true }
    let word: FixedText = isWell ? "online" : "offline"
    guard word.withSpan({ device.publish(FixedText(topic), retaining: $0) }) != nil else { return false }
    said = isWell
    return true
  }
}
