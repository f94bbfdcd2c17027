import DeviceRuntime
import Drivers
import Foundation
import Modules
import SwiftletTesting
import Testing
import VisitCounter

@Suite struct VisitsTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test("a day in the shop: forty visitors are counted, and none of them twice")
  func day() throws {
    let shop = try SimulatedDevice(
      Self.root.appendingPathComponent("device.yaml").path,
      kinds: [VisitCounter.kind, Relay.kind, SensorModule.kind([SensorChip(SHT3x.self)])])
    shop.bench.start()
    #expect(shop.bench.retained("door/count") == "0")
    let door = try #require(shop.board.input("door"))
    for _ in 0..<40 {
      shop.bench.run(for: .seconds(36 * 60))
      door.drive(active: true, at: shop.bench.clock.now)
      shop.bench.run(for: .seconds(5))
      door.drive(active: false, at: shop.bench.clock.now)
    }
    shop.bench.run(for: .seconds(60))
    #expect(shop.bench.retained("door/count") == "40")
  }
}
