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

  @Test("an output behind a bus is pending until it is acknowledged, and unknown when it is lost")
  func pendingOutput() throws {
    final class Waiting: OutputLineObserver {
      var events: [String] = []
      func outputDriven() { events.append("driven") }
      func outputFailed(_ error: LineError) { events.append("\(error)") }
    }
    let line = SimulatedPendingOutputLine(startsActive: true, isDriven: false)
    let waiting = Waiting()
    line.observer = waiting
    #expect(line.level == .pending(true) && !line.isDriven)
    line.acknowledge()
    #expect(line.level == .driven(true) && line.isDriven)
    try line.set(active: false)
    line.fail(.notHeld)
    #expect(line.level == .pending(false) && line.isDriven && !line.isActive)
    line.lose(.bus(.timeout))
    #expect(line.level == .unknown)
    try line.set(active: true)
    line.acknowledge()
    #expect(line.level == .driven(true) && waiting.events.count == 4)
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

  @Test("urgent work comes before what waits, each kind in its order")
  func urgent() {
    var log: [String] = []
    let queue = SimulatedWorkQueue()
    for (name, isUrgent) in [("a", false), ("b", true), ("c", false), ("d", true)] {
      #expect(queue.submit(Step(name) { if $0.hasPrefix("perform") { log.append($0) } }, urgent: isUrgent))
    }
    #expect(queue.run())
    #expect(log == ["perform b", "perform d", "perform a", "perform c"])
  }

  @Test("work is in the queue once: submitting it again while it waits or is under way does nothing")
  func once() {
    let queue = SimulatedWorkQueue()
    var performed = 0
    var answers: [Bool] = []
    var itself: Step?
    let step = Step("a") { event in
      guard let itself else { return }
      if event.hasPrefix("perform") { performed += 1 }
      if performed < 2 { answers.append(queue.submit(itself)) }
    }
    itself = step
    #expect(queue.submit(step))
    #expect(!queue.submit(step) && !queue.submit(step, urgent: true))
    #expect(queue.run())
    // Refused while it is under way, taken from its own end on.
    #expect(performed == 1 && answers == [false, true])
    #expect(queue.run() && performed == 2)
    #expect(!queue.run())
  }

  @Test("work that waits behind other work of the same run is not taken twice")
  func onceInRun() {
    let queue = SimulatedWorkQueue()
    var performed = 0
    let last = Step("last") { if $0.hasPrefix("perform") { performed += 1 } }
    queue.submit(Step("first") { _ in #expect(!queue.submit(last)) })
    queue.submit(last)
    #expect(queue.run())
    #expect(performed == 1 && !queue.run())
  }
}
