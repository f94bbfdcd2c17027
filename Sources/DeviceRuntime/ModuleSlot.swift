/// A module with what its device still has to publish for it. States and errors are not queued but marked:
/// however often they change while the broker is slow or away, the newest is what goes out.
final class ModuleSlot {
  let module: any Module
  let errorTopic: TopicArena.Place
  let resultTopic: TopicArena.Place
  private(set) var entities: [EntitySlot] = []
  var needsError = false
  /// What is wrong; empty when well.
  var error = FixedText()

  init(module: any Module, topics: Topics, arena: TopicArena) {
    self.module = module
    errorTopic = arena.add(topics, module.name, "error")
    resultTopic = arena.add(topics, module.name, "result")
    for entity in module.entities {
      var slot = EntitySlot()
      slot.isReading = entity.access.contains(.reading)
      slot.isRetained = entity.access.contains(.retained)
      if slot.isReading || entity.access.contains(.state) {
        slot.topic = arena.add(topics, module.name, key: entity.key, entity.isMain ? "state" : "")
      }
      if entity.access.contains(.command) {
        slot.commandTopic = arena.add(topics, module.name, key: entity.key, "set")
      }
      entities.append(slot)
    }
  }

  var needsState: Bool {
    for entity in entities where entity.needsState { return true }
    return false
  }

  func mark(_ entity: Int, needsState: Bool) {
    guard entities.indices.contains(entity), !entities[entity].isReading else { return }
    entities[entity].needsState = needsState
  }

  func markAll() {
    for index in entities.indices { mark(index, needsState: true) }
    needsError = true
  }
}

/// One entity of a module.
struct EntitySlot {
  /// Of its states or readings.
  var topic = TopicArena.Place()
  var commandTopic = TopicArena.Place()
  var isReading = false
  /// Of readings; states are retained always.
  var isRetained = false
  var needsState = false
}
