import DeviceFile
import DeviceRuntime
import HAL
import MQTTClient

/// Home Assistant's discovery: tells it which entities the device has, what they are and on which topics, so that they
/// appear there by themselves. States and commands go over the device's own topics.
///
///     home_assistant: yes
///     home_assistant: { discovery: device, discovery_prefix: homeassistant, suggested_area: Garden, name: Shed, id: shed }
///
/// One retained document for the device, or one for each entity: where that is wished (before 2024.11 Home Assistant knew
/// no other), or one would be too long for the client or the broker.
///
/// When Home Assistant says that it has started, documents and states are published again, after a delay that differs
/// from device to device. It does not keep readings, so sensors measure once more when it has had time to subscribe.
public final class HomeAssistant: Dialect, TimerOwner {
  var settings = HomeAssistantSettings()
  private(set) var identity = HomeAssistantIdentity()
  private(set) var components: [HomeAssistantComponent] = []
  private var health: [HomeAssistantHealth] = []
  private let document = JSONDocument()
  private var deviceTopic = ""
  /// Where Home Assistant says that it has started.
  private var status = FixedText()
  /// One document for each entity.
  private var isSplit = false
  private var isSplitForBroker = false
  /// The document that is sent next.
  private var next = 0
  private var isMarked = false
  private var device: Device?
  private var birth: DeviceTimer?
  private var refresh: DeviceTimer?

  /// Topic and payload of the longest message that always finds room in the client's buffer, but for what the board is
  /// called.
  static let longestMessage = 3_840
  private static let longestBoard = 100
  /// What an MQTT packet adds to them at most.
  private static let overhead = 16
  /// Home Assistant collects subscriptions for up to a second before it makes them.
  private static let subscribing = Duration.seconds(3)
  private static let longestDelay: UInt64 = 5_000

  public init() {}

  public var board: String {
    get { identity.board }
    set {
      identity.board = String(decoding: newValue.bytes.prefix(HomeAssistant.longestBoard), as: UTF8.self)
    }
  }

  public var isWanted: Bool { settings.isWanted }

  public func read(_ fields: Fields, _ prefix: String) -> String {
    settings.read(fields)
    return prefix
  }

  public func read(_ file: ModuleFile) { settings.read(file) }

  public func settle(_ device: String, _ topics: Topics, _ modules: [any Module], _ problems: Problems) {
    guard isWanted else { return }
    identity = HomeAssistantIdentity(device, topics, settings)
    components = HomeAssistantComponent.all(of: modules, settings, identity, problems)
    health = HomeAssistantHealth.all(of: components)
    deviceTopic = settings.prefix + "/device/" + identity.id + "/config"
    status = FixedText(settings.prefix + "/status")
    isSplit = settings.isSplit
    for index in components.indices {
      writeEntity(index)
      guard document.count + components[index].topic.utf8.count > HomeAssistant.longestMessage else {
        continue
      }
      problems.report(
        settings.mark,
        "the document of \(components[index].id.quoted) for Home Assistant is longer than \(HomeAssistant.longestMessage) bytes",
        "shorten its names and words")
    }
    writeDevice()
    if document.count + deviceTopic.utf8.count > HomeAssistant.longestMessage { isSplit = true }
  }

  // MARK: - Topics

  public var retainedTopics: [String] {
    let documents = isSplit ? components.map { $0.topic } : components.isEmpty ? [] : [deviceTopic]
    return documents + health.map { $0.topic }
  }

  public var heading: String { "ha" }

  // MARK: - Documents

  private func writeDevice() {
    document.removeAll()
    document.object {
      identity.write(to: document)
      identity.writeAvailability(nil, to: document)
      document.object("cmps") {
        for component in components {
          document.object(component.id) {
            document.member("p", component.platform)
            component.write(to: document)
            if let module = component.availability { identity.writeAvailability(module, to: document) }
          }
        }
      }
    }
  }

  private func writeEntity(_ index: Int) {
    document.removeAll()
    document.object {
      identity.write(to: document)
      components[index].write(to: document)
      identity.writeAvailability(components[index].availability, to: document)
    }
  }

  // MARK: - On the device

  public func start(on device: Device) {
    self.device = device
    for index in health.indices { health[index].find(on: device) }
    birth = device.makeTimer(for: self)
    refresh = device.makeTimer(for: self)
    device.listen(to: status)
  }

  public func markAll() {
    isMarked = true
    next = 0
    for index in health.indices { health[index].said = nil }
  }

  public func flush(on device: Device) -> Bool {
    guard !isMarked || flushDocuments(on: device) else { return false }
    for index in health.indices {
      guard health[index].flush(on: device) else { return false }
    }
    return true
  }

  private func flushDocuments(on device: Device) -> Bool {
    if next == 0, !isSplit {
      writeDevice()
      isSplitForBroker = !fits(device)
    }
    let isSplit = isSplit || isSplitForBroker
    let count = isSplit ? components.count : min(1, components.count)
    while next < count {
      if isSplit { writeEntity(next) }
      let topic = FixedText(isSplit ? components[next].topic : deviceTopic)
      guard document.withSpan({ device.publish(topic, retaining: $0) }) != nil else { return false }
      next += 1
    }
    isMarked = false
    refresh?.schedule(at: device.clock.now + HomeAssistant.subscribing)
    return true
  }

  /// Whether the broker takes the document of the device, which is written.
  private func fits(_ device: Device) -> Bool {
    let length = document.count + deviceTopic.utf8.count + HomeAssistant.overhead
    return length <= Int(clamping: device.client.serverLimits.maximumPacketSize)
  }

  public func receive(_ topic: FixedText, _ payload: FixedText, retained: Bool) -> Bool {
    guard topic == status else { return false }
    // What the broker has kept tells of a start that is past: everything has just been published.
    if !retained, payload.matches("online"), let device {
      birth?.schedule(at: device.clock.now + .milliseconds(Int64(identity.hash % HomeAssistant.longestDelay)))
    }
    return true
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    if timer === birth { device?.publishEverything() } else { device?.refreshModules() }
  }
}
