import HAL
import Simulation
import Testing
import Units

/// Lines that a test drives.
@Suite struct SimulatedLineTests {
  final class Observer: InputLineObserver {
    var edges: [Edge] = []
    var failures: [LineError] = []
    func inputChanged(_ edge: Edge) { edges.append(edge) }
    func inputFailed(_ error: LineError) { failures.append(error) }
  }

  @Test("an output has its first value from the request, and counts changes, not calls")
  func output() throws {
    let line = SimulatedOutputLine(startsActive: true)
    #expect(line.isActive && line.changes == 0)
    try line.set(active: true)
    try line.set(active: false)
    try line.set(active: false)
    #expect(!line.isActive && line.changes == 1)
  }

  @Test("an output with a fault keeps its value")
  func outputFault() {
    let line = SimulatedOutputLine(startsActive: false)
    line.fault = .chipGone
    #expect(throws: LineError.chipGone) { try line.set(active: true) }
    #expect(!line.isActive && line.changes == 0)
  }

  @Test("an input tells its observer of changes only, with their time and the edges lost before them")
  func input() throws {
    let line = SimulatedInputLine()
    let observer = Observer()
    line.observer = observer
    #expect(try !line.isActive())
    line.drive(active: false, at: .zero)
    line.drive(active: true, at: Instant(nanoseconds: 5), lost: 2)
    line.drive(active: true, at: Instant(nanoseconds: 6))
    #expect(try line.isActive())
    #expect(observer.edges == [Edge(active: true, at: Instant(nanoseconds: 5), lost: 2)])
  }

  @Test("an input that failed tells its observer, and its reads fail")
  func inputFault() {
    let line = SimulatedInputLine()
    let observer = Observer()
    line.observer = observer
    line.fail(.chipGone)
    #expect(observer.failures == [.chipGone])
    #expect(throws: LineError.chipGone) { try line.isActive() }
  }
}

/// A queue whose work waits for the test.
@Suite struct SimulatedWorkQueueTests {
  final class Step: Work {
    let log: (String) -> Void
    let name: String
    init(_ name: String, _ log: @escaping (String) -> Void) {
      self.name = name
      self.log = log
    }
    func perform() { log("perform \(name)") }
    func completed() { log("completed \(name)") }
  }

  @Test("work waits for `run`, which does it in order")
  func order() {
    var log: [String] = []
    let queue = SimulatedWorkQueue()
    queue.submit(Step("a") { log.append($0) })
    queue.submit(Step("b") { log.append($0) })
    #expect(log.isEmpty)
    #expect(queue.run())
    #expect(log == ["perform a", "completed a", "perform b", "completed b"])
    #expect(!queue.run())
  }

  @Test("work that is queued by work waits for the next `run`")
  func chain() {
    var log: [String] = []
    let queue = SimulatedWorkQueue()
    let second = Step("second") { log.append($0) }
    queue.submit(Step("first") { if $0.hasPrefix("completed") { queue.submit(second) } })
    #expect(queue.run())
    #expect(log.isEmpty)
    #expect(queue.run())
    #expect(log == ["perform second", "completed second"])
  }
}
