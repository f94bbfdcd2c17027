/// Reads the tree of a device file. What is wrong is reported and replaced by something harmless, so that
/// one reading finds everything; nobody sees the result of a file with errors.
struct DeviceReader {
  static let reservedNames = ["availability"]

  static let noDriver = DriverDescription(
    name: "", addresses: [], shortestPeriodMilliseconds: 0, quantities: [])

  let problems: Problems
  let drivers: [DriverDescription]
  let surroundings: any ConfigurationSurroundings

  func read(_ root: Node, board override: String?) -> DeviceDescription {
    let nowhere = BoardReference(mark: root.mark, name: "")
    guard let fields = Fields(root, owner: "", wanted: "keys like 'device: greenhouse'", problems) else {
      return DeviceDescription(
        mark: root.mark, name: "", root: "", board: nowhere, broker: BrokerReader.nothing(root.mark),
        modules: [])
    }
    let name = fields.required("device", example: "greenhouse")?.name() ?? ""
    let topicRoot = readRoot(fields)
    let board = readBoard(fields, override)
    let reader = BrokerReader(problems: problems, clientID: "swiftlet-" + name)
    let broker = reader.read(fields, override: surroundings.variable(BrokerReader.variable))
    let modules = readModules(fields)
    checkOutbox(broker, modules)
    fields.finish()
    return DeviceDescription(
      mark: root.mark, name: name, root: topicRoot, board: board, broker: broker, modules: modules)
  }

  private func readRoot(_ fields: Fields) -> String {
    guard let field = fields.optional("root") else { return "swiftlet" }
    let upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    let wanted: Message = "topic levels of A-Z, a-z, 0-9, '-' and '_', with '/' between them"
    guard let root = field.name(extra: "/" + upperCase, wanted: wanted, longest: 128) else { return "" }
    let bytes = root.bytes
    let isSlash = bytes.map { $0 == 0x2F }
    for index in bytes.indices where isSlash[index] {
      if index == 0 || index == bytes.count - 1 || isSlash[index - 1] {
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
    return BoardReference(mark: field?.mark ?? fields.mark, name: field?.name() ?? "")
  }

  private func readModules(_ fields: Fields) -> [ModuleDescription] {
    guard let field = fields.optional("modules") else {
      problems.report(fields.mark, "'modules' is missing", "it lists the relays, buttons and sensors")
      return []
    }
    guard case .sequence(let nodes) = field.node.content else {
      field.reject(wanted: "a list of modules", "begin each with '- ', for example - relay: fan")
      return []
    }
    let reader = ModuleReader(problems: problems, drivers: drivers)
    var modules: [ModuleDescription] = []
    for node in nodes {
      guard let module = reader.read(node) else { continue }
      reportDuplicate(module, modules)
      modules.append(module)
    }
    return modules
  }

  private func reportDuplicate(_ module: ModuleDescription, _ modules: [ModuleDescription]) {
    for other in modules where other.name.equals(module.name) && !module.name.utf8.isEmpty {
      let place = other.mark.lineText
      problems.report(
        module.mark, "the name \(module.name.quoted) is already taken by \(other.title) at \(place)")
      return
    }
  }
}
