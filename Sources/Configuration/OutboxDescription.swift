import DeviceFile
import MQTTClient

/// Where readings wait while the broker is away, when they are to outlive the process.
public struct OutboxDescription: Sendable {
  public var mark: Mark
  public var path: String
  public var bytes: Int
  /// What goes when it is full.
  public var drop: MQTTDropPolicy
}
