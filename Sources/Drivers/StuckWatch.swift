import Units

/// Watches a result whose last digits are noise in a chip that works: one that has been exactly the same so many times in
/// a row is stuck. Then the chip is to be reset; a value that is still the same afterwards is not known to be measured.
struct StuckWatch {
  private let most: Int
  private var last: Int64?
  private var alike = 0

  init(most: Int) { self.most = most }

  /// Of a chip whose steps are coarser than its noise, so that a still room can stand still in it, too: but hardly for a
  /// day, which is what this takes at ten seconds a reading.
  static var ofCoarseSteps: StuckWatch { StuckWatch(most: 10_000) }

  /// Takes a result; true: the chip is to be reset now.
  mutating func take(_ raw: Int64) -> Bool {
    if raw != last { alike = 0 }
    last = raw
    alike = alike < 2 * most ? alike + 1 : most + 1
    return alike % most == 0
  }

  var quality: Quality { alike < most ? .good : .estimated }
}
