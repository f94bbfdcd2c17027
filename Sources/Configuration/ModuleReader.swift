import DeviceFile
import DeviceRuntime

/// Reads one entry of `modules`: finds its kind, which reads the rest.
struct ModuleReader {
  let problems: Problems
  let features: ConfigurationFeatures
  let needs: DeviceNeeds

  func read(_ node: Node) -> (module: any Module, file: ModuleFile)? {
    guard let fields = Fields(node, owner: "this module", wanted: "a module like 'relay: fan'", problems),
      let kind = kind(of: fields), let field = fields.optional(kind.name)
    else { return nil }
    fields.owner = kind.name
    let nameField = Field(node: field.node, key: kind.name, owner: "", problems: problems)
    // What could be proposed may be another module's name.
    let name = nameField.name(proposes: false) ?? ""
    if !name.utf8.isEmpty { fields.owner = ("\(kind.name) \(name.quoted)" as Message).text }
    for reserved in DeviceReader.reservedNames where reserved.equals(name) {
      field.report("\(name.quoted) is a reserved name", "the device uses it in its own topics")
    }
    let file = ModuleFile(kind: kind.name, name: name, fields: fields, needs: needs, kinds: features.kinds)
    let module = kind.read(file)
    features.dialect?.read(file)
    fields.finish()
    return (module, file)
  }

  /// The kind whose key is there.
  private func kind(of fields: Fields) -> ModuleKind? {
    let kinds = features.kinds
    let names = kinds.map { $0.name }
    let found = kinds.filter { fields.entry($0.name) != nil }
    if found.count == 1 { return found[0] }
    if found.count > 1 {
      problems.report(
        fields.mark, "a module is one thing, not \(listed(found.map { $0.name }))",
        "begin each module with its own '- '")
      return nil
    }
    let choices = listed(names, last: "or")
    guard case .mapping(let entries) = fields.node.content, let first = entries.first else {
      problems.report(fields.mark, "a module without anything in it", "it begins with \(choices)")
      return nil
    }
    for entry in entries {
      guard let suggestion = didYouMean(entry.key, names) else { continue }
      problems.report(entry.mark, "unknown module kind \(entry.key.quoted)", suggestion)
      return nil
    }
    problems.report(first.mark, "unknown module kind \(first.key.quoted)", "a module is a \(choices)")
    return nil
  }
}
