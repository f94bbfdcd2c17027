import DeviceFile
import DeviceRuntime

/// What a device file says of Home Assistant.
struct HomeAssistantSettings {
  var isWanted = false
  /// Where the device file says whether; nil: it does not.
  private var place: Mark?
  /// One document for each entity.
  var isSplit = false
  var prefix = "homeassistant"
  var area: String?
  var name: String?
  var id: String?
  private var modules: [(name: String, settings: HomeAssistantModule)] = []

  var mark: Mark { place ?? Mark(file: "") }

  private static let example: Message = "yes, no or a mapping like { suggested_area: Garden }"

  mutating func read(_ fields: Fields) {
    guard let field = fields.optional("home_assistant") else { return }
    place = field.mark
    if case .scalar = field.node.content {
      isWanted = field.state() ?? false
      return
    }
    guard
      let fields = Fields(
        field.node, owner: "'home_assistant'", wanted: HomeAssistantSettings.example, fields.problems)
    else { return }
    isWanted = true
    isSplit = fields.optional("discovery")?.choice(["device", "entity"]) == 1
    if let prefix = fields.optional("discovery_prefix").flatMap({ topic($0) }) { self.prefix = prefix }
    area = fields.optional("suggested_area")?.line()
    name = fields.optional("name")?.line()
    id = fields.optional("id")?.name()
    fields.finish()
  }

  private func topic(_ field: Field) -> String? {
    let wanted: Message = "topic levels of A-Z, a-z, 0-9, '-', '_' and '.', with '/' between them"
    return field.name(extra: "/.", wanted: wanted, longest: 64, proposes: false)
  }

  mutating func read(_ file: ModuleFile) {
    guard let field = file.fields.optional("home_assistant") else { return }
    if place == nil {
      return field.report("\(field.title) has no effect", "say 'home_assistant: yes' for the device")
    }
    var module = HomeAssistantModule()
    if case .scalar = field.node.content {
      module.isHidden = field.state() == false
    } else if let fields = file.fields.mapping("home_assistant", example: "{ name: Fan, icon: 'mdi:fan' }") {
      module.read(fields)
      fields.finish()
    }
    modules.append((file.name, module))
  }

  func module(_ name: String) -> HomeAssistantModule {
    modules.first { $0.name.equals(name) }?.settings ?? HomeAssistantModule()
  }
}

/// What it says of one module.
struct HomeAssistantModule {
  var isHidden = false
  /// What people read.
  var name: String?
  /// In the place of the module's name in ids.
  var id: String?
  var icon: String?
  /// Of what a relay switches or a contact senses; of a sensor it comes from its quantities.
  var deviceClass: Field?
  var category: StaticString?
  var isEnabled = true

  mutating func read(_ fields: Fields) {
    name = fields.optional("name")?.line()
    id = fields.optional("id")?.name()
    if let field = fields.optional("icon"), let icon = field.line() {
      self.icon = icon
      let bytes = icon.bytes
      let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? 0
      if colon == 0 || colon == bytes.count - 1 { field.reject(wanted: "an icon like mdi:fan") }
    }
    deviceClass = fields.optional("device_class")
    if let index = fields.optional("entity_category")?.choice(["config", "diagnostic"]) {
      category = index == 0 ? "config" : "diagnostic"
    }
    isEnabled = fields.optional("enabled_by_default")?.state() ?? true
  }
}

extension Field {
  /// A name for people, of any characters.
  fileprivate func line() -> String? {
    guard let text = text() else { return nil }
    if text.utf8.count > 64 { report("\(title) is longer than 64 bytes") }
    return text
  }
}
