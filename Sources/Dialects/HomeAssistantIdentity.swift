import DeviceFile
import DeviceRuntime
import ProductVersion

/// What every document says of the device.
struct HomeAssistantIdentity {
  /// The same as long as root and device are called the same, or their `id` stands in the device file.
  var id = ""
  /// The device's name in ids of entities.
  var slug = ""
  /// Differs from device to device.
  var hash: UInt64 = 0
  private var name = ""
  var board = ""
  private var area: String?
  private var availability = ""
  private var topics = Topics(prefix: "")

  init() {}

  init(_ device: String, _ topics: Topics, _ settings: HomeAssistantSettings) {
    self.topics = topics
    let prefix = topics.prefix.string
    id = settings.id ?? String(decoding: prefix.bytes.dropLast(), as: UTF8.self).id
    slug = (settings.id ?? device).slug
    name = settings.name ?? device.words
    area = settings.area
    availability = topics.availability.string
    // FNV-1a
    hash = 0xCBF2_9CE4_8422_2325
    for byte in prefix.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  /// Where it is said whether a module is well.
  func availability(of module: any Module) -> String { topics.string(of: module.name, "", "availability") }

  /// Where an entity says what it is, and where it is told what to be.
  func topics(of module: any Module, _ entity: Entity) -> (state: String, command: String) {
    var (state, command) = ("", "")
    entity.forEachTopic { key, leaf in
      let topic = topics.string(of: module.name, key, leaf)
      if leaf.utf8CodeUnitCount == 3 { command = topic } else { state = topic }
    }
    return (state, command)
  }

  func write(to document: JSONDocument) {
    document.object("dev") {
      document.member("ids", id)
      document.member("name", name)
      document.member("mf", "Swiftlet")
      document.member("mdl", board)
      document.member("sw", Version.text)
      if let area { document.member("sa", area) }
    }
    document.object("o") {
      document.member("name", "swiftletd")
      document.member("sw", Version.text)
    }
  }

  /// Who says that an entity is there: the device, and the entity's module where that can fail alone.
  func writeAvailability(_ module: String?, to document: JSONDocument) {
    document.array("avty") {
      document.element { document.member("t", availability) }
      if let module { document.element { document.member("t", module) } }
    }
    if module != nil { document.member("avty_mode", "all") }
  }
}
