internal import CMQTT

/// The control packet types of MQTT, with the number in the upper half of the first byte.
public enum PacketType: UInt8, Sendable {
  case connect = 1
  case connack = 2
  case publish = 3
  case puback = 4
  case pubrec = 5
  case pubrel = 6
  case pubcomp = 7
  case subscribe = 8
  case suback = 9
  case unsubscribe = 10
  case unsuback = 11
  case pingreq = 12
  case pingresp = 13
  case disconnect = 14
  /// MQTT 5.0 only.
  case auth = 15

  /// The lower half of the first byte, where the type fixes it: `PUBLISH` alone carries flags there.
  public var fixedFlags: UInt8? {
    switch self {
    case .publish: nil
    case .pubrel, .subscribe, .unsubscribe: 0b0010
    default: 0
    }
  }
}

/// How often a message arrives: at most once, at least once, exactly once.
public enum QoS: UInt8, Comparable, Sendable {
  case atMostOnce = 0
  case atLeastOnce = 1
  case exactlyOnce = 2

  public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}

/// The protocol level that `CONNECT` carries.
public enum ProtocolVersion: UInt8, Sendable {
  case v3_1_1 = 4
  case v5 = 5

  /// 5.0 is built in. A program can be built without it, to be smaller: all that only 5.0 needs is
  /// reached through this constant, so that it falls out.
  @inline(__always)
  public static var hasV5: Bool { CMQTT_HAS_5 != 0 }

  /// It is 5.0, and 5.0 is built in.
  @inline(__always)
  public var isV5: Bool {
    switch self {
    case .v3_1_1: false
    case .v5: ProtocolVersion.hasV5
    }
  }
}
