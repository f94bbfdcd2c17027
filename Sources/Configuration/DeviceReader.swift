import Boards
import DeviceFile
import DeviceRuntime

/// Reads the tree of a device file. What is wrong is reported and replaced by something harmless, so that
/// one reading finds everything; nobody sees the result of a file with errors.
struct DeviceReader {
  static let reservedNames = ["availability", "get"]

  let problems: Problems
  let features: ConfigurationFeatures
  let surroundings: any ConfigurationSurroundings

  func read(_ root: Node, board override: String?) -> DeviceDescription {
    let nowhere = BoardReference(mark: root.mark, name: "")
    guard let fields = Fields(root, owner: "", wanted: "keys like 'device: greenhouse'", problems) else {
      return DeviceDescription(
        mark: root.mark, name: "", topicPrefix: "", board: nowhere, broker: BrokerReader.nothing(root.mark))
    }
    let name = fields.required("device", example: "greenhouse")?.name() ?? ""
    let topicRoot = readRoot(fields)
    let board = readBoard(fields, override)
    let reader = BrokerReader(problems: problems, features: features, clientID: "swiftlet-" + name)
    let broker = reader.read(fields, override: surroundings.variable(BrokerReader.variable))
    let prefix: Message = "\(topicRoot)/\(name)"
    let device = DeviceDescription(
      mark: root.mark, name: name, topicPrefix: prefix.text, board: board, broker: broker)
    device.ownLines = fields.optional("lines")
    device.ownBuses = fields.optional("buses")
    if let index = fields.optional("log")?.choice(LogLevel.words) {
      device.log = LogLevel(rawValue: UInt8(index)) ?? .info
    }
    device.dialect = features.dialect
    if let dialect = device.dialect { device.topicPrefix = dialect.read(fields, device.topicPrefix) }
    device.modules = readModules(fields, device.needs)
    device.dialect?.settle(name, device.topics, device.modules, problems)
    checkOutbox(broker, device.needs)
    fields.finish()
    return device
  }

  private func readRoot(_ fields: Fields) -> String {
    guard let field = fields.optional("root") else { return "swiftlet" }
    let wanted: Message = "topic levels of A-Z, a-z, 0-9, '-' and '_', with '/' between them"
    guard let root = field.name(extra: "/", wanted: wanted, longest: 128, proposes: false) else {
      return ""
    }
    let bytes = root.bytes
    for index in bytes.indices where bytes[index] == 0x2F {
      if index == 0 || index == bytes.count - 1 || bytes[index - 1] == 0x2F {
        field.report("\(field.title) has an empty level", "put single '/' between levels, none at the ends")
        break
      }
    }
    return root
  }

  private func readBoard(_ fields: Fields, _ override: String?) -> BoardReference {
    if let override {
      _ = fields.optional("board")
      return BoardReference(mark: Mark(file: "--board"), name: override)
    }
    let field = fields.required("board", example: "raspberry-pi-4")
    return BoardReference(mark: field?.mark ?? fields.mark, name: field?.text(wanted: Field.wantedName) ?? "")
  }

  private func readModules(_ fields: Fields, _ needs: DeviceNeeds) -> [any Module] {
    guard let field = fields.optional("modules") else {
      let things = features.kinds.map { DeviceReader.plural($0.name) }
      problems.report(fields.mark, "'modules' is missing", "it lists the \(listed(things))")
      return []
    }
    guard case .sequence(let nodes) = field.node.content else {
      let example = features.kinds.first?.name ?? "relay"
      field.reject(wanted: "a list of modules", "begin each with '- ', for example - \(example): fan")
      return []
    }
    let reader = ModuleReader(problems: problems, features: features, needs: needs)
    var claimants: [Claimant] = []
    var modules: [any Module] = []
    for node in nodes {
      guard let (module, file) = reader.read(node) else { continue }
      reportDuplicate(file.claimant, claimants)
      claimants.append(file.claimant)
      modules.append(module)
    }
    return modules
  }

  /// `relays`, `binaries`
  private static func plural(_ name: String) -> String {
    let bytes = name.bytes
    guard bytes.count > 1, bytes.begins(with: "ry".bytes, at: bytes.count - 2) else { return name + "s" }
    return String(decoding: bytes.dropLast(), as: UTF8.self) + "ies"
  }

  private func reportDuplicate(_ claimant: Claimant, _ others: [Claimant]) {
    for other in others where other.name.equals(claimant.name) && !claimant.name.utf8.isEmpty {
      problems.report(
        claimant.mark,
        "the name \(claimant.name.quoted) is already taken by \(other.title) at \(other.mark.lineText)")
      return
    }
  }
}
