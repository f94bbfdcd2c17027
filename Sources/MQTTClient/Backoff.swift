/// How long to wait before the next attempt: a random time between the minimum and a ceiling that
/// doubles with every failure (full jitter), so that many devices do not return at one moment.
struct Backoff {
  private let minimum: UInt64
  private let maximum: UInt64
  private var failures: UInt64 = 0
  private var random: UInt64

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

  /// The wait after an attempt that failed, or a connection that ended.
  mutating func afterFailure() -> UInt64 {
    if ceiling < maximum { failures += 1 }
    return uniform(minimum, max(minimum, ceiling))
  }

  /// The wait after a refusal that will be repeated until somebody changes a configuration.
  mutating func afterRefusal() -> UInt64 {
    uniform(max(minimum, maximum / 2), maximum)
  }

  /// A connection ended after that time. Only one that outlived the longest wait of the other side in
  /// a fight for one client identifier makes us forget the failures, else the fight would never calm.
  mutating func connectionLasted(_ duration: UInt64) {
    if duration >= max(Self.shortestStable, ceiling) { failures = 0 }
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
