/// What kind of wait comes before the next attempt.
enum Patience {
  /// At once: the next attempt is another one.
  case none
  case normal
  /// Somebody has to change a configuration first.
  case long
  /// Another client has our client identifier.
  case growing
}

/// How long to wait before the next attempt: a random time between the minimum and a ceiling that
/// doubles with every failure (full jitter), so that many devices do not return at one moment.
struct Backoff {
  private let minimum: UInt64
  private let maximum: UInt64
  private var failures: UInt64 = 0
  private var random: UInt64

  /// Times in a row that another client took our session.
  private var takeovers: UInt64 = 0
  /// Connections in a row that the server closed early.
  private var earlyEnds = 0

  /// A connection shorter than this counts as a failure, whatever the ceiling.
  private static let shortestStable: UInt64 = 5_000

  init(minimum: UInt64, maximum: UInt64, seed: UInt64) {
    self.minimum = minimum
    self.maximum = max(minimum, maximum)
    random = seed
  }

  /// The longest wait after the failures so far.
  var ceiling: UInt64 {
    let doublings = min(failures, 32)
    let (product, overflow) = max(minimum, 1).multipliedReportingOverflow(by: 1 << doublings)
    return overflow ? maximum : min(product, maximum)
  }

  /// The wait before the next attempt.
  mutating func wait(_ patience: Patience) -> UInt64 {
    switch patience {
    case .none: 0
    case .normal: afterFailure()
    case .long: afterRefusal()
    case .growing: afterTakeover()
    }
  }

  /// The wait after an attempt that failed, or a connection that ended.
  private mutating func afterFailure() -> UInt64 {
    if ceiling < maximum { failures += 1 }
    return uniform(minimum, max(minimum, ceiling))
  }

  /// The wait after a refusal that will be repeated until somebody changes a configuration.
  private mutating func afterRefusal() -> UInt64 {
    uniform(max(minimum, maximum / 2), maximum)
  }

  private var takeoverCeiling: UInt64 {
    let (product, overflow) = maximum.multipliedReportingOverflow(by: 1 << min(takeovers, 4))
    return overflow ? maximum : product
  }

  /// The wait after another client has taken our session: longer each time, so that two devices with one
  /// client identifier do not take it from each other for ever.
  private mutating func afterTakeover() -> UInt64 {
    let longest = takeoverCeiling
    takeovers += 1
    return uniform(longest / 2, longest)
  }

  /// The server closed after that time: whether that was early for at least the third time in a row.
  mutating func isEarlyAgain(_ duration: UInt64) -> Bool {
    guard duration < Self.shortestStable else { return false }
    earlyEnds += 1
    return earlyEnds >= 3
  }

  /// A connection ended after that time. Only one that outlived the longest wait of the other side in
  /// a fight for one client identifier makes us forget the failures, else the fight would never calm; or one that
  /// broke off in the middle of work: it was of use, and so will be the next.
  mutating func connectionLasted(_ duration: UInt64, brokeOff: Bool) {
    if brokeOff || duration >= Self.shortestStable { earlyEnds = 0 }
    if brokeOff || duration >= max(Self.shortestStable, ceiling) { failures = 0 }
    if duration >= takeoverCeiling { takeovers = 0 }
  }

  private mutating func uniform(_ low: UInt64, _ high: UInt64) -> UInt64 {
    low + next().multipliedFullWidth(by: high - low + 1).high
  }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    random &+= 0x9E37_79B9_7F4A_7C15
    var mixed = random
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
