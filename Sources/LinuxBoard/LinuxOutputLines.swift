import CGPIOD
import HAL

/// An output that somebody wants.
public struct OutputRequest: Sendable {
  /// The label of its chip, such as `pinctrl-bcm2711`.
  public var chip: String
  /// Kernels name lines differently: the first of these names that the chip has. A decimal number that is
  /// nobody's name is an offset.
  public var names: [String]
  /// Who wants it, such as `fan`: `gpioinfo` shows it.
  public var user: String
  public var activeLow: Bool
  /// What the line shows from the first moment on.
  public var startsActive: Bool

  public init(chip: String, names: [String], user: String, activeLow: Bool, startsActive: Bool) {
    self.chip = chip
    self.names = names
    self.user = user
    self.activeLow = activeLow
    self.startsActive = startsActive
  }
}

/// Everything that stands in the way of some outputs; none of them is held then.
public struct OutputRequestError: Error, Equatable {
  public var problems: [OutputProblem]
}

/// What is wrong with one of the outputs.
public struct OutputProblem: Equatable, Sendable {
  /// Which request.
  public var index: Int
  public var cause: LineError
  /// Who holds a line that is busy; nil when it cannot be told.
  public var holder: String?
}

/// Requests outputs, all those of one chip in one request: their start levels come at the same instant.
public enum LinuxOutputLines {
  /// The lines in the order of `requests`. The chips are looked through once, however many lines there are.
  ///
  /// `gpioinfo` shows one consumer for all lines of a request: the program and the names of their users, as many
  /// as the kernel's 31 bytes hold, and how many more there are (`swiftletd fan,pump,+2`).
  ///
  /// Lines whose chip is behind a bus wait for it, here too: request them after the others.
  public static func request(
    _ requests: [OutputRequest], program: String
  ) throws(OutputRequestError) -> [LinuxOutputLine] {
    let locations = try locate(requests)
    try checkHolders(locations)
    var lines = [LinuxOutputLine?](repeating: nil, count: requests.count)
    var problems: [OutputProblem] = []
    for members in groups(locations) {
      let group = OutputGroup(requests: requests, locations: locations, members: members, program: program)
      do throws(LineError) {
        let opened = try group.open()
        for (place, index) in members.enumerated() {
          lines[index] = LinuxOutputLine(opened, index: place, startsActive: requests[index].startsActive)
        }
      } catch {
        problems += group.problems(error)
      }
    }
    if !problems.isEmpty { throw OutputRequestError(problems: problems) }
    return lines.compactMap { $0 }
  }

  private static func locate(_ requests: [OutputRequest]) throws(OutputRequestError) -> [gpio_location] {
    if requests.isEmpty { return [] }
    var chips: OpaquePointer?
    let result = gpio_chips_open(&chips)
    guard result >= 0, let chips else {
      let problem = OutputProblem(index: 0, cause: LineError(number: -result), holder: nil)
      throw OutputRequestError(problems: [problem])
    }
    defer { gpio_chips_close(chips) }
    var locations: [gpio_location] = []
    var problems: [OutputProblem] = []
    for (index, request) in requests.enumerated() {
      do throws(LineError) {
        locations.append(try request.locate(on: chips))
      } catch {
        problems.append(OutputProblem(index: index, cause: error, holder: nil))
      }
    }
    if !problems.isEmpty { throw OutputRequestError(problems: problems) }
    return locations
  }

  /// The kernel drives what comes before a busy line in a request, and then lets go of it: it is better not asked.
  private static func checkHolders(_ locations: [gpio_location]) throws(OutputRequestError) {
    var problems: [OutputProblem] = []
    for (index, location) in locations.enumerated() {
      if let holder = location.consumer {
        problems.append(OutputProblem(index: index, cause: .busy, holder: holder))
      }
    }
    if !problems.isEmpty { throw OutputRequestError(problems: problems) }
  }

  /// The indices of the lines of each chip, in order.
  static func groups(_ locations: [gpio_location]) -> [[Int]] {
    var groups: [[Int]] = []
    for index in locations.indices {
      var group = 0
      while group < groups.count && !isSameChip(locations[groups[group][0]], locations[index]) { group += 1 }
      if group == groups.count { groups.append([]) }
      groups[group].append(index)
    }
    return groups
  }

  private static func isSameChip(_ left: gpio_location, _ right: gpio_location) -> Bool {
    var left = left
    var right = right
    return gpio_same_chip(&left, &right) != 0
  }

  /// What `gpioinfo` shows for all lines of a request.
  static func consumer(_ program: String, _ users: [String]) -> String {
    var text = Array(program.utf8)
    var named = 0
    for user in users {
      let name = Array(user.utf8)
      let rest = users.count - named - 1
      let room = Int(GPIO_CONSUMER_MAX) - (rest == 0 ? 0 : more(rest).count)
      if text.count + 1 + name.count > room && users.count > 1 { break }
      text.append(UInt8(ascii: named == 0 ? " " : ","))
      text += name
      named += 1
    }
    if named > 0 && named < users.count { text += more(users.count - named) }
    return String(decoding: text, as: UTF8.self)
  }

  @inline(never)
  private static func more(_ count: Int) -> [UInt8] { Array((",+" + String(count)).utf8) }
}

/// The outputs of one chip.
private struct OutputGroup {
  let requests: [OutputRequest]
  let locations: [gpio_location]
  let members: [Int]
  let program: String

  func open() throws(LineError) -> RequestedOutputs {
    try open(members)
  }

  private func open(_ members: [Int]) throws(LineError) -> RequestedOutputs {
    let consumer = LinuxOutputLines.consumer(program, members.map { requests[$0].user })
    let outputs = members.map { index in
      gpio_output(
        offset: locations[index].offset, active_low: requests[index].activeLow ? 1 : 0,
        active: requests[index].startsActive ? 1 : 0)
    }
    return try RequestedOutputs(locations[members[0]], consumer: consumer, outputs)
  }

  /// The kernel refuses a request as a whole: the cause are those of its lines that are refused alone.
  func problems(_ error: LineError) -> [OutputProblem] {
    var problems: [OutputProblem] = []
    var opened: [RequestedOutputs] = []
    for index in members {
      do throws(LineError) {
        opened.append(try open([index]))
      } catch {
        problems.append(OutputProblem(index: index, cause: error, holder: locations[index].consumer))
      }
    }
    return problems.isEmpty ? [OutputProblem(index: members[0], cause: error, holder: nil)] : problems
  }
}

extension OutputRequest {
  fileprivate func locate(on chips: OpaquePointer) throws(LineError) -> gpio_location {
    var failure = LineError.noSuchLine
    for name in names {
      var location = gpio_location()
      let result = chip.withCString { chip in
        name.withCString { name in gpio_chips_find(chips, chip, name, &location) }
      }
      if result >= 0 { return location }
      failure = LineError(number: -result)
    }
    throw failure
  }
}
