import CGPIOD
import HAL
import Testing

@testable import LinuxBoard

/// Outputs that are requested together, as far as that can be seen without a chip.
struct OutputLinesTests {
  private func location(_ path: String, _ offset: UInt32) -> gpio_location {
    var location = gpio_location()
    withUnsafeMutableBytes(of: &location.path) { $0.copyBytes(from: path.utf8) }
    location.offset = offset
    return location
  }

  private func request(_ chip: String, _ names: [String] = ["GPIO17"]) -> OutputRequest {
    OutputRequest(chip: chip, names: names, user: "fan", activeLow: false, startsActive: false)
  }

  @Test func `the lines of one chip are one request, in their order`() {
    let locations = [
      location("/dev/gpiochip0", 4), location("/dev/gpiochip1", 4), location("/dev/gpiochip0", 2),
      location("/dev/gpiochip10", 4), location("/dev/gpiochip1", 9),
    ]
    #expect(LinuxOutputLines.groups(locations) == [[0, 2], [1, 4], [3]])
    #expect(LinuxOutputLines.groups([]).isEmpty)
  }

  @Test(arguments: [
    (["fan"], "swiftletd fan"),
    (["fan", "pump"], "swiftletd fan,pump"),
    (["heating", "cooling", "fan"], "swiftletd heating,cooling,fan"),
    (["heating", "ventilation", "fan"], "swiftletd heating,+2"),
    (["heating", "ventilation"], "swiftletd heating,ventilation"),
    (["a-name-that-is-very-long-itself", "fan"], "swiftletd"),
    // The kernel cuts it.
    (["a-name-that-is-very-long-itself"], "swiftletd a-name-that-is-very-long-itself"),
  ])
  func `the consumer names as many users as fit`(users: [String], expected: String) {
    let consumer = LinuxOutputLines.consumer("swiftletd", users)
    #expect(consumer == expected)
    #expect(consumer.utf8.count <= 31 || users.count == 1)
  }

  @Test func `a chip that nobody has is the problem of each line that wants it`() {
    do {
      _ = try LinuxOutputLines.request(
        [request("no such chip"), request("nor this one")], program: "swiftletd")
      Issue.record("there is no such chip")
    } catch {
      #expect(error.problems.map(\.index) == [0, 1])
      #expect(error.problems.allSatisfy { [.chipGone, .system(13)].contains($0.cause) && $0.holder == nil })
    }
  }

  @Test func `no outputs need no chips`() throws {
    #expect(try LinuxOutputLines.request([], program: "swiftletd").isEmpty)
  }
}
