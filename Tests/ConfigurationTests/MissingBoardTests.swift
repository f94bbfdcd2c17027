import DeviceFile
import Foundation
import Testing

/// What somebody reads whose board is not found: which boards there are, where they were looked for, and what to do.
struct MissingBoardTests {
  private func surroundings(_ names: [String], in places: [String]) -> TestSurroundings {
    let surroundings = TestSurroundings()
    (surroundings.names, surroundings.places) = (names, places)
    return surroundings
  }

  private let places = ["/boot/boards", "./boards", "/usr/share/swiftlet/boards"]

  @Test func `boards are listed with the places that were searched`() {
    let surroundings = surroundings(
      ["a", "b"], in: places)
    #expect(
      errors(board("toaster"), surroundings: surroundings) == [
        "device.yaml:2:8: unknown board 'toaster'; boards are a and b, looked for in /boot/boards, ./boards and /usr/share/swiftlet/boards"
      ])
  }

  @Test func `without any board file it is said what to copy, and where to`() {
    #expect(
      errors(board("raspberry-pi-9"), surroundings: surroundings([], in: places)) == [
        "device.yaml:2:8: unknown board 'raspberry-pi-9'; there are no board files, looked for in /boot/boards, "
          + "./boards and /usr/share/swiftlet/boards: copy the files of Swiftlet's boards/, and its folder "
          + "headers/, to /usr/share/swiftlet/boards"
      ])
  }

  @Test func `a board without its header says what to copy, too`() {
    let surroundings = surroundings(["uno"], in: places)
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\nheader: rpi-99\n"
    #expect(
      errors(board("uno"), surroundings: surroundings) == [
        "uno.yaml:3:9: there is no header 'rpi-99'; headers are files in boards/headers/, "
          + "copy that folder to /usr/share/swiftlet/boards"
      ])
  }

  @Test func `a board whose file is wrong is not suggested`() {
    let surroundings = surroundings(["uno", "uno-2"], in: [])
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\nlinse: []\n"
    surroundings.boards["uno-2"] = "board: uno-2\ntitle: Uno 2\ncarrier: uno\n"
    for name in ["unno", "Uno", "uno-22", "Uno 2"] {
      let found = errors(board(name), surroundings: surroundings)
      #expect(found.count == 1 && !found[0].contains("did you mean"), "\(found)")
    }
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\n"
    #expect(errors(board("Uno 2"), surroundings: surroundings)[0].contains("did you mean 'uno-2'?"))
    #expect(errors(board("unno"), surroundings: surroundings)[0].contains("did you mean 'uno'?"))
  }

  @Test func `a carrier has its usual spellings as a board has`() {
    let surroundings = TestSurroundings()
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\ncarrier: RPi 4\n"
    #expect(
      errors(board("uno"), surroundings: surroundings) == [
        "uno.yaml:3:10: unknown board 'RPi 4'; did you mean 'raspberry-pi-4'? boards are raspberry-pi-4 and simulator"
      ])
  }

  @Test func `what only tests have is not among the boards that are offered`() throws {
    let folder = packageRoot.appendingPathComponent("boards").path
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      #expect(!name.contains("test"))
    }
  }
}
