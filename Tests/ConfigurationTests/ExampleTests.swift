import Configuration
import DeviceFile
import Testing

struct ExampleTests {
  @Test(arguments: [
    "raspberry-pi-3", "raspberry-pi-4", "raspberry-pi-5", "raspberry-pi-zero-2-w", "simulator",
  ])
  func `the greenhouse runs on every board without a warning`(board: String) throws {
    let configuration = try DeviceConfiguration.load(
      file("examples/greenhouse/device.yaml"), features: testFeatures(), board: board,
      surroundings: TestSurroundings())
    #expect(configuration.device.name == "greenhouse")
    #expect(configuration.device.modules.map(\.name) == ["fan", "air", "door"])
    #expect(configuration.board.name == board)
    #expect(configuration.warnings.isEmpty)
  }
}
