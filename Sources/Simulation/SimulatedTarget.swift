import HAL

/// What can be wrong with a simulated target.
public enum Fault: Equatable, Sendable {
  /// Nobody is there: nobody acknowledges, or nobody drives the line.
  case absent
  /// Somebody else holds the bus.
  case busy
  /// A line is held low until the controller gives up.
  case hang
  /// Answers end early.
  case shortAnswer
  /// This bit of every answer is inverted (counted from the first byte's highest, modulo its length).
  case flippedBit(Int)
  /// The identity register holds this. Chips without one do not show it.
  case wrongIdentity(UInt8)
  /// Conversions do not end while this lasts.
  case neverReady
}

/// A chip on a simulated bus of any kind: counts what goes over the wire and fails as it is told.
public class SimulatedTarget {
  /// Transfers so far, including those that failed.
  public private(set) var transfers = 0
  /// Transfers that failed.
  public private(set) var failures = 0
  /// Bytes on the wire in the transfers that succeeded, addresses included.
  public private(set) var bytesOnWire = 0

  private var fault: Fault?
  private var faultBegins = 0
  private var faultEnds = 0

  init() {}

  /// Makes transfers fail: from now on for ever, or only `count` of them, `after` as many good ones.
  /// Takes the place of any other fault.
  public func inject(_ fault: Fault, after: Int = 0, count: Int? = nil) {
    self.fault = fault
    faultBegins = transfers + after
    faultEnds = if let count { faultBegins + count } else { .max }
  }

  /// Ends the fault.
  public func heal() {
    fault = nil
  }

  /// Counts the transfer; its fault, if it has one.
  func beginTransfer() -> Fault? {
    let isFaulty = transfers >= faultBegins && transfers < faultEnds
    transfers &+= 1
    return isFaulty ? fault : nil
  }

  func count(bytes: Int) { bytesOnWire &+= bytes }

  /// Counts the failure.
  func failed(_ error: BusError) -> BusError {
    failures &+= 1
    return error
  }

  /// Inverts the fault's bit, if it is that kind of fault.
  static func damage(_ bytes: inout MutableSpan<UInt8>, _ fault: Fault?) {
    guard case .flippedBit(let bit) = fault, bytes.count > 0 else { return }
    bytes[bit / 8 % bytes.count] ^= 0x80 >> UInt8(bit % 8)
  }
}
