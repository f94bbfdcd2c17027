import DeviceFile
import DeviceRuntime
import HAL
import Units

/// One entity, as Home Assistant has it.
struct HomeAssistantComponent {
  let platform: StaticString
  /// Among those of the device: `fan`, `air_temperature`.
  let id: String
  /// Of a document that is its alone.
  let topic: String
  let module: String
  /// The module's, where it says whether it is well; readings expire instead.
  let availability: String?
  private let uniqueID: String
  private let entityID: String
  private let name: String
  private let entity: Entity
  private let states: StateWords?
  private let stateTopic: String
  private let commandTopic: String
  private let deviceClass: String?
  private let settings: HomeAssistantModule

  /// Nil: Home Assistant has nothing for such an entity.
  init?(
    _ module: any Module, _ entity: Entity, _ settings: HomeAssistantModule,
    _ identity: HomeAssistantIdentity,
    prefix: String
  ) {
    switch entity.role {
    case .switch: platform = "switch"
    case .binary: platform = "binary_sensor"
    case .measurement: platform = "sensor"
    default: return nil
    }
    let part = entity.isMain ? "" : "_" + entity.key.description
    id = (settings.id ?? module.name) + part
    topic = prefix + "/" + platform.description + "/" + identity.id + "/" + id + "/config"
    self.module = module.name
    uniqueID = identity.id + "_" + id
    entityID = platform.description + "." + identity.slug + "_" + id.slug
    name = (settings.name ?? module.name.words) + part.words
    self.entity = entity
    self.settings = settings
    states = entity.isMain ? module.stateWords : nil
    (stateTopic, commandTopic) = identity.topics(of: module, entity)
    availability = entity.role == .measurement ? nil : identity.availability(of: module)
    deviceClass = settings.deviceClass?.text()
  }

  /// The inside of its object.
  func write(to document: JSONDocument) {
    document.member("name", name)
    document.member("uniq_id", uniqueID)
    document.member("def_ent_id", entityID)
    document.member("stat_t", stateTopic)
    if entity.access.contains(.command) { document.member("cmd_t", commandTopic) }
    if let states {
      document.member("pl_on", states.on)
      document.member("pl_off", states.off)
    }
    if entity.role == .measurement { writeMeasurement(to: document) }
    if let deviceClass { document.member("dev_cla", deviceClass) }
    if let icon = settings.icon { document.member("ic", icon) }
    if let category = settings.category ?? ownCategory { document.member("ent_cat", category) }
    if !settings.isEnabled { document.member("en", false) }
  }

  private var ownCategory: StaticString? {
    entity.access.contains(.diagnostic) ? "diagnostic" : entity.access.contains(.config) ? "config" : nil
  }

  private func writeMeasurement(to document: JSONDocument) {
    if let quantity = entity.quantity {
      if quantity.deviceClass.utf8CodeUnitCount > 0 { document.member("dev_cla", quantity.deviceClass) }
      if quantity.unit.utf8CodeUnitCount > 0 { document.member("unit_of_meas", quantity.unit) }
      document.member("stat_cla", quantity.isTotal ? "total_increasing" : "measurement")
    }
    document.member("sug_dsp_prc", Int64(entity.decimals))
    if entity.access.contains(.object) { document.member("val_tpl", "{{ value_json.value }}") }
    // Three readings may be missing; a period that is no whole number of seconds is rounded up.
    if entity.period > .zero {
      document.member("exp_aft", 5 + (3 * entity.period.milliseconds + 999) / 1_000)
    }
  }
}

// MARK: - What Home Assistant would refuse

extension HomeAssistantComponent {
  /// Those of all modules. Ids that are the same are reported, and classes that Home Assistant has not.
  static func all(
    of modules: [any Module], _ settings: HomeAssistantSettings, _ identity: HomeAssistantIdentity,
    _ problems: Problems
  ) -> [HomeAssistantComponent] {
    var all: [HomeAssistantComponent] = []
    for module in modules {
      let own = settings.module(module.name)
      if own.isHidden { continue }
      for entity in module.entities {
        guard let component = HomeAssistantComponent(module, entity, own, identity, prefix: settings.prefix)
        else { continue }
        if all.contains(where: { $0.id.equals(component.id) }) {
          problems.report(
            settings.mark, "two entities have the id \(component.id.quoted) for Home Assistant",
            "give one of the modules another: home_assistant: { id: NAME }")
        }
        component.checkClass(problems)
        all.append(component)
      }
    }
    return all
  }

  private func checkClass(_ problems: Problems) {
    guard let field = settings.deviceClass else { return }
    switch entity.role {
    case .switch: _ = field.choice(["outlet", "switch"])
    case .binary: _ = field.choice(HomeAssistantComponent.binaryClasses)
    default: field.report("\(field.title) has no effect", "it comes from what the chip measures")
    }
  }

  /// Source: Home Assistant 2026.11, binary_sensor/const.py.
  private static var binaryClasses: [String] {
    [
      "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas",
      "glass_break", "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug",
      "power", "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration",
      "window",
    ]
  }
}

extension String {
  /// Lower case, with underscores for what ids of entities cannot have.
  var slug: String {
    mapped { byte in
      let lower = lowercase(byte)
      return isDigit(lower) || (lower >= 0x61 && lower <= 0x7A) ? lower : UInt8(ascii: "_")
    }
  }

  /// With spaces for the underscores and hyphens of a name.
  var words: String { mapped { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") ? 0x20 : $0 } }

  /// Topic levels as what ids in topics can have: `home_den`.
  var id: String {
    mapped { byte in
      let lower = lowercase(byte)
      let isKept = isDigit(lower) || (lower >= 0x61 && lower <= 0x7A) || byte == UInt8(ascii: "-")
      return isKept ? byte : UInt8(ascii: "_")
    }
  }

  private func mapped(_ transform: (UInt8) -> UInt8) -> String {
    String(decoding: bytes.map(transform), as: UTF8.self)
  }
}
