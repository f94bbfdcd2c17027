import DeviceBench
import HAL
import Simulation

/// What happens in the greenhouse's day.
struct Day {
  struct Event: Sendable {
    let at: Duration
    let text: String
    let act: @Sendable (Greenhouse) -> Void
  }

  static let events: [Event] = commands + doors + brokerTrouble + sensorTrouble

  /// `04:00` or `04:00:30` after the start.
  private static func at(_ time: String, _ text: String, _ act: @escaping @Sendable (Greenhouse) -> Void)
    -> Event
  {
    let parts = time.split(separator: ":").compactMap { Int($0) } + [0]
    return Event(at: .seconds(parts[0] * 3_600 + parts[1] * 60 + parts[2]), text: text, act: act)
  }

  private static func command(_ time: String, _ payload: String, to module: String = "fan") -> Event {
    at(time, "\(module)/set = \(payload)") { $0.bench.send(payload, to: module) }
  }

  private static func door(_ time: String, isClosed: Bool) -> Event {
    at(time, "the door is \(isClosed ? "closed" : "opened")") {
      $0.door.drive(active: isClosed, at: $0.bench.clock.now)
    }
  }

  private static let commands: [Event] = [
    command("00:10", "ON"),
    command("00:25", "OFF"),
    command("02:00", "ON"),
    command("02:20", "ON"),
    command("02:45", "warm"),
    command("02:46", "ON", to: "heater"),
    command("02:47", "ON", to: "door"),
    command("02:48", "größer \"🌱\""),
    command("03:00", "TOGGLE"),
    command("03:05", "toggle"),
    at("03:05:01", "fan/set = toggle, delivered again") {
      $0.bench.send("toggle", to: "fan", duplicate: true)
    },
    at("16:00", "fan/set = a megabyte") { $0.bench.send(String(repeating: "x", count: 1 << 20), to: "fan") },
    command("23:50", "ON"),
  ]

  private static let doors: [Event] = [
    door("00:00:30", isClosed: true),
    door("01:00", isClosed: false),
    door("01:00:45", isClosed: true),
    door("06:07", isClosed: false),
    at("18:00", "the door rattles, and the kernel drops two edges") {
      $0.door.drive(active: true, at: $0.bench.clock.now, lost: 2)
    },
  ]

  private static let brokerTrouble: [Event] = [
    command("06:00", "ON"),
    at("06:05", "the broker goes") { $0.bench.loseBroker() },
    at("06:10", "fan/set = ON, retained, while the device is away") {
      $0.bench.send("ON", to: "fan", retain: true)
    },
    at("06:15", "the broker is back") { $0.bench.link.isDown = false },
    at("06:20", "the retained command is cleared") { $0.bench.send("", to: "fan", retain: true) },
    command("08:00", "ON"),
    at("08:01", "the broker restarts") { $0.bench.loseBroker() },
    at("08:01:20", "the broker is back") { $0.bench.link.isDown = false },
    at("20:00", "the broker falls silent") { $0.bench.server.isDeaf = true },
    at("20:05", "the broker speaks again") { $0.bench.server.isDeaf = false },
  ]

  private static let sensorTrouble: [Event] = [
    at("04:00", "the sensor is unplugged") { $0.air.inject(.absent) },
    at("04:20", "the sensor is plugged in") { $0.air.heal() },
    at("10:00", "noise flips a bit of the next two answers") { $0.air.inject(.flippedBit(5), count: 4) },
    at("12:00", "SDA is held low") { $0.bench.busHangs = true },
    command("12:00:15", "ON"),
    at("12:01", "SDA is free") { $0.bench.busHangs = false },
    at("14:00", "another program holds the fan's line") { $0.fan.fault = .busy },
    command("14:00:01", "ON"),
    at("14:01", "the line is free") { $0.fan.fault = nil },
    command("14:01:01", "ON"),
    at("14:30", "another program holds the fan's line") { $0.fan.fault = .busy },
    at("14:35", "the line is free") { $0.fan.fault = nil },
  ]
}
