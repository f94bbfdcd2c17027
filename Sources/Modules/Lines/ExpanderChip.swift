import Drivers
import HAL

/// What a port needs of its chip, so that all but this is there once for all kinds of chips.
protocol HeldChip: AnyObject {
  /// Makes the chip hold these levels on these pins, and reads that back. If it is known to hold them, it is only
  /// read: true if it did not, so that it must have lost its power, and was set again.
  func hold(_ levels: UInt32, on outputs: UInt32) throws(LineError) -> Bool
}

/// An expander's chip as the bus's queue sees it. It is touched in `perform` only.
final class ExpanderChip<Chip: PortExpander>: HeldChip {
  private var chip: Chip
  /// What the chip did before the first write: the pins that are not ours stay that way. Nil: not read yet.
  private var adopted: PortState?
  /// What was written last and read back. Nil: nothing, or a transfer has failed since.
  private var held: PortState?
  private var needsPreparation = true

  init(_ chip: Chip) {
    self.chip = chip
  }

  func hold(_ levels: UInt32, on outputs: UInt32) throws(LineError) -> Bool {
    do throws(BusError) {
      let state = try state(levels, outputs)
      let isKnown = held == state
      held = nil
      // A second look: noise on the answer is no loss of power.
      if isKnown {
        var isHeld = try chip.holds(state)
        if !isHeld { isHeld = try chip.holds(state) }
        if isHeld {
          held = state
          return false
        }
        needsPreparation = true
      }
      try write(state)
      if try chip.holds(state) {
        held = state
        return isKnown
      }
      needsPreparation = true
    } catch {
      held = nil
      needsPreparation = true
      throw .bus(error)
    }
    throw .notHeld
  }

  private func write(_ state: PortState) throws(BusError) {
    if needsPreparation { try chip.prepare() }
    needsPreparation = false
    try chip.write(state)
  }

  /// Ours and what the others are left at.
  private func state(_ levels: UInt32, _ outputs: UInt32) throws(BusError) -> PortState {
    let others: PortState
    if let adopted {
      others = adopted
    } else {
      others = try adopt()
      adopted = others
    }
    return PortState(
      latch: others.latch & ~outputs | levels & outputs, outputs: others.outputs & ~outputs | outputs)
  }

  /// What is kept for ever is read until two answers are the same, three times at most.
  private func adopt() throws(BusError) -> PortState {
    var state = try chip.adopt()
    needsPreparation = false
    for _ in 0..<2 {
      let again = try chip.read()
      if again == state { return state }
      state = again
    }
    throw .shortTransfer
  }
}
