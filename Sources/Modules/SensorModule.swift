import Boards
import DeviceFile
import DeviceRuntime
import Drivers
import HAL
import Units

/// A sensor: measures every so often and publishes each channel on its own topic, as a plain number or with its
/// time. What the chip has no value for, or none yet that means something, is not published but named on `…/error`.
///
/// A failed measurement publishes nothing but the reason (on `…/error`), and is tried again with growing
/// pauses, at most a minute or the period apart, whichever is longer. A bus that hangs is reported too.
public final class SensorModule: Module, TimerOwner, SensorProbeOwner {
  public static func kind(_ chips: [SensorChip]) -> ModuleKind {
    ModuleKind("sensor", chips: chips.map { $0.name }) { SensorModule($0, chips) }
  }

  public let name: String
  public let entities: [Entity]
  private let probe: any SensorProbe
  private var place: SensorPlace
  private let claim: TargetClaim?
  let period: Duration
  let keeping: Keeping
  let format: ReadingFormat
  let expires: UInt32
  private var device: Device?
  private var schedule: DeviceTimer?
  private var watchdog: DeviceTimer?
  private var next = Instant.zero
  /// When the last measurement was begun.
  private var began: Instant?
  private var failures = 0
  private var phase = Phase.idle

  private enum Phase {
    case idle
    /// The queue has the probe.
    case busy
    /// The chip converts.
    case converting
    /// The device stops: nothing is measured any more.
    case stopped
  }

  /// A transfer that takes longer means that the bus is stuck.
  private static let patience = Duration.seconds(2)
  /// However often somebody asks.
  private static let shortestPause = Duration.seconds(1)
  private static let longestPause = Duration.seconds(60)
  private static let defaultPeriod = Duration.seconds(10)

  public init(
    name: String, probe: any SensorProbe, at place: SensorPlace, every period: Duration,
    keeping: Keeping = .nothing, format: ReadingFormat = .plain, isRetained: Bool = false, expires: UInt32 = 0
  ) {
    self.name = name
    self.probe = probe
    self.place = place
    self.period = max(period, .milliseconds(1))
    self.keeping = keeping
    self.format = format
    self.expires = expires
    entities = SensorModule.entities(probe, every: self.period, isRetained: isRetained, format)
    claim = nil
  }

  /// From a device file: keys `driver`, `bus`, `address`, `every`, `keep`, `priority`, `format`, `retain` and `expires`.
  private init(_ file: ModuleFile, _ chips: [SensorChip]) {
    name = file.name
    let chip = file.driver(among: chips.map { $0.name }, parts: chips.map { $0.parts }).map { chips[$0] }
    let claim = file.target(
      chip: chip?.name ?? "", usual: chip?.usualAddress, allows: { chip?.allows($0) ?? false })
    let every = file.fields.optional("every")?.duration(atLeast: chip?.shortestPeriod ?? .zero)
    period = every ?? SensorModule.defaultPeriod
    (keeping, format) = file.keeping()
    let retention = file.retention(keeping)
    expires = retention.expires
    claim.note = ", every \(durationText(period))\(format == .json ? ", JSON" : "")\(keeping.note)"
    if retention.isRetained { claim.note += ", retained" }
    probe = chip?.probe(claim) ?? NoProbe()
    entities = SensorModule.entities(probe, every: period, isRetained: retention.isRetained, format)
    place = SensorPlace(bus: "", address: 0, identity: chip?.identity)
    self.claim = claim
  }

  /// One for each channel, in their order.
  private static func entities(
    _ probe: any SensorProbe, every period: Duration, isRetained: Bool, _ format: ReadingFormat
  ) -> [Entity] {
    var access: Entity.Access = isRetained ? [.reading, .retained] : .reading
    if format == .json { access.insert(.object) }
    return probe.channels.map { channel in
      var entity = Entity(.measurement, channel.name, access: access, quantity: channel.quantity)
      entity.decimals = channel.decimals
      entity.period = period
      return entity
    }
  }

  public func start(on device: Device) {
    self.device = device
    probe.owner = self
    if let claim, let bus = claim.bus {
      place.bus = bus.device
      place.address = claim.address ?? 0
      place.enableHint = bus.enableHint
    }
    schedule = device.makeTimer(for: self)
    watchdog = device.makeTimer(for: self)
    next = device.clock.now
    schedule?.schedule(at: next)
  }

  /// A person who just connected wants to see a value now.
  public func brokerConnected() { measureNow(after: .zero) }

  public func refresh() { measureNow(after: SensorModule.shortestPause) }

  private func measureNow(after pause: Duration) {
    guard let device, case .idle = phase, failures == 0 else { return }
    let now = device.clock.now
    next = min(next, max(now, (began ?? now) + pause))
    schedule?.schedule(at: next)
  }

  public func stop() {
    phase = .stopped
    schedule?.cancel()
    watchdog?.cancel()
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    if timer === watchdog { return reportHang() }
    switch phase {
    case .idle:
      began = now
      enqueue(at: now) { $0.start() }
    case .converting: enqueue(at: now) { $0.collect() }
    case .busy, .stopped: break
    }
  }

  public func probeCompleted() {
    guard let device, case .busy = phase else { return }
    watchdog?.cancel()
    switch probe.outcome {
    case .converting(let time):
      phase = .converting
      schedule?.schedule(at: device.clock.now + time)
    case .measured(let readings):
      phase = .idle
      failures = 0
      device.setError(readings.faultText(probe.channels, place), of: self)
      publish(readings, on: device)
      scheduleNext(after: period)
    case .failed(let error):
      phase = .idle
      failures = min(failures + 1, 16)
      let text = error.text(place)
      device.setError(text, of: self)
      device.debug(FixedText(name), text)
      scheduleNext(after: pause)
    }
  }

  /// The period, doubled for each failure in a row after the first.
  private var pause: Duration {
    let longest = max(period, SensorModule.longestPause)
    return min(longest, period * (1 << (failures - 1)))
  }

  private func enqueue(at now: Instant, _ step: (any SensorProbe) -> Void) {
    phase = .busy
    watchdog?.schedule(at: now + SensorModule.patience)
    step(probe)
  }

  private func scheduleNext(after pause: Duration) {
    guard let device else { return }
    next = next + pause
    // In step with the first measurement, leaving out what is past.
    let late = device.clock.now - next
    if late > .zero { next = next + period * ((late.nanoseconds - 1) / period.nanoseconds + 1) }
    schedule?.schedule(at: next)
  }

  private func publish(_ readings: Readings, on device: Device) {
    let channels = probe.channels
    for index in 0..<readings.count {
      let reading = readings[index]
      let place = Int(reading.channel)
      guard reading.quality.isPublished, place < channels.count else { continue }
      var text = FixedText()
      reading.append(as: channels[place], to: &text)
      device.publish(
        text, as: place, of: self, keeping: keeping, format: format, expires: expires,
        quality: reading.quality == .good ? "" : reading.quality.name)
    }
  }

  private func reportHang() {
    var text = FixedText(place.bus)
    text.append(" hangs: a transfer has not ended for 2 s (is SDA or SCL held low?)")
    device?.setError(text, of: self)
  }
}
