import HAL
import MQTTClient
import MQTTCodec

/// A device: its modules, their timers, and their topics on the broker. It knows no socket: whoever owns
/// the transport moves bytes between it and `client`, and calls `turn`.
///
/// Hardware comes first: timers and lines work the same with and without a broker.
public final class Device {
  public let clock: any MonotonicClock
  public let client: MQTTClient
  public let topics: Topics
  let log: any Log
  let times: SampleTimes?
  var stampProperties = PropertyList()
  private(set) var slots: [ModuleSlot] = []
  let arena = TopicArena()
  private(set) var gates: [SafetyGate] = []
  private var parts: [any DevicePart] = []
  var listeners: [any CommandListener] = []
  private var timers: [DeviceTimer] = []
  private var phase = Phase.idle
  var needsBirth = false
  var errand: (any OnlineErrand)?
  /// What `availability` says after a clean stop; nothing: it is cleared.
  public var lastWord: StaticString = "offline"
  private var farewell = Farewell.notDue
  /// Readings that could not be published because there was no connection, or no room.
  public internal(set) var droppedReadings: UInt64 = 0
  /// Of those that were to be kept, since that was last logged.
  var lostReadings: UInt32 = 0
  var lastFailure = ConnectionFailure.none
  var hasLoggedRefusal = false
  var hasLoggedSubscription = false
  var rejectionLimit = LogLimit(most: 10)
  var debugLimit = LogLimit(most: 100)

  private enum Phase {
    case idle
    case running
    /// Waiting until the last words are out, at most until the deadline.
    case stopping(Instant)
    case stopped
  }

  /// How far a clean stop has come: last states, then `offline`, and DISCONNECT once the broker has that.
  /// A broker that does not take it gets no DISCONNECT: then the will says `offline`.
  private enum Farewell {
    case notDue
    case due
    case said(packetID: UInt16)
  }

  /// How long a clean stop waits for the broker to take the last messages.
  private static let patience = Duration.seconds(2)

  /// Bytes of a `PUBLISH` whose topic and payload are as long as a text can be.
  private static let longestAnswer = 2 * FixedText.capacity + 8

  /// `client` carries the will of `topics` and is not started yet. `wallClock` tells when readings
  /// were taken.
  public init(
    topics: Topics, modules: [any Module], client: MQTTClient, clock: any MonotonicClock, log: any Log,
    wallClock: (any WallClock)? = nil
  ) {
    self.topics = topics
    self.client = client
    self.clock = clock
    self.log = log
    times = wallClock.map { SampleTimes(clock: clock, wallClock: $0) }
    client.rewriter = times
    for module in modules { slots.append(ModuleSlot(module: module, topics: topics, arena: arena)) }
  }

  /// The options of a client for a device with these topics: its will says `offline`.
  public static func options(topics: Topics, clientID: String, randomSeed: UInt64) -> MQTTClientOptions {
    var options = MQTTClientOptions(clientID: clientID, randomSeed: randomSeed)
    options.will = MQTTWill(
      topic: topics.availability.string, payload: Array("offline".utf8), qos: .atLeastOnce, retain: true)
    // After a broker's restart a device is back within ten seconds: eight and the time to connect. More would spare
    // a broker of a home nothing.
    options.backoffMaximum = 8_000
    // A device says the same few topics all its life.
    options.sentTopicAliases = 16
    return options
  }

  public var modules: [any Module] { slots.map { $0.module } }

  /// Takes something that is to start with the device.
  public func add(_ part: any DevicePart) { parts.append(part) }

  /// Starts the modules, then the connection.
  public func start() {
    phase = .running
    for part in parts { part.start(on: self) }
    for slot in slots { slot.module.start(on: self) }
    gatesLoseBroker()
    for slot in slots { slot.module.brokerDisconnected() }
    subscribe()
    client.start(now: clientNow)
  }

  /// Does what is due, and answers when to call again if nothing else happens before. Call it also after
  /// each event: bytes received, an edge, completed work.
  public func turn() -> Instant? {
    runTimers()
    client.advance(to: clientNow)
    tellUnlogged()
    handleEvents()
    flush()
    finishStopping()
    keep()
    return nextDeadline
  }

  /// Brings the outputs to their stop levels at once, then says `offline` and goes.
  public func stop() {
    guard case .running = phase else { return }
    for gate in gates { gate.stop() }
    for slot in slots { slot.module.stop() }
    phase = client.isConnected || hasPendingOutputs ? .stopping(clock.now + Device.patience) : .stopped
    farewell = .due
  }

  /// The last words are out, or nobody was there to hear them.
  public var isStopped: Bool {
    if case .stopped = phase { return true }
    return false
  }

  /// An alarm for a module (or one of its parts).
  public func makeTimer(for owner: any TimerOwner) -> DeviceTimer {
    let timer = DeviceTimer(owner: owner)
    timers.append(timer)
    return timer
  }

  /// A gate of a module that starts.
  func register(_ gate: SafetyGate) {
    gates.append(gate)
  }

  var clientNow: UInt64 { UInt64(clock.now.milliseconds) }

  var isStopping: Bool {
    if case .running = phase { return false }
    return true
  }

  /// The connection has ended: after a farewell that is what the stop was waiting for.
  func connectionEnded() {
    if case .stopping = phase, !hasPendingOutputs { phase = .stopped }
  }

  /// The broker has a message: if it was `offline`, nothing is left to say.
  func farewellHeard(_ packetID: UInt16) {
    if case .said(packetID) = farewell { client.disconnect(now: clientNow) }
  }

  private func finishStopping() {
    guard case .stopping(let deadline) = phase else { return }
    if clock.now >= deadline || !client.isConnected && !hasPendingOutputs {
      phase = .stopped
    } else if case .due = farewell, !hasPending, !hasPendingOutputs,
      let packetID = publish(topics.availability, FixedText(lastWord), .atLeastOnce, retain: true)
    {
      farewell = .said(packetID: packetID)
    }
  }

  /// What the turn has given to the store survives loss of power from now on, or from the end of what that
  /// takes: then there is another turn.
  private func keep() {
    do throws(MQTTStoreError) {
      try client.commit()
    } catch {
      // It is told as an event, once.
    }
  }

  private var hasPending: Bool {
    for slot in slots where slot.needsState || slot.needsError { return true }
    return false
  }

  private func runTimers() {
    // A timer that schedules itself for now would keep the loop here: each fires once a turn.
    for timer in timers { _ = timer.fire(ifDueAt: clock.now) }
  }

  private func handleEvents() {
    while canAnswer, let event = client.nextEvent(now: clientNow) { handle(event) }
  }

  /// Whether a command would find room for its answer. While there is none, commands wait in the receive
  /// buffer, and behind it in the broker: none is obeyed without a word.
  private var canAnswer: Bool {
    !client.isConnected || !client.hasOutput || client.outputRoom >= Device.longestAnswer
  }

  private var nextDeadline: Instant? {
    // While there is no room for answers, events wait.
    var next = (canAnswer ? client.nextDeadline : client.nextTimer).map {
      Instant(nanoseconds: Int64($0) * 1_000_000)
    }
    if case .stopping(let deadline) = phase { next = min(next ?? deadline, deadline) }
    for timer in timers {
      if let deadline = timer.deadline { next = min(next ?? deadline, deadline) }
    }
    if let deadline = rejectionLimit.deadline { next = min(next ?? deadline, deadline) }
    if let deadline = debugLimit.deadline { next = min(next ?? deadline, deadline) }
    return next
  }
}
