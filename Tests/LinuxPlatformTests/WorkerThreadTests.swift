import CLinux
import HAL
import Synchronization
import Testing

@testable import LinuxPlatform

/// The queue that has a thread.
struct WorkerThreadTests {
  /// A loop with a queue on it, which runs until something is so.
  private final class Bench: LoopClient {
    let loop: EventLoop
    let queue: WorkerThread
    private var condition: () -> Bool = { true }

    init() throws {
      loop = try EventLoop()
      queue = try WorkerThread(loop: loop)
    }

    deinit {
      queue.stop()
      loop.close()
    }

    var isFinished: Bool { condition() }

    func turn(now: Instant) -> Instant? { nil }

    func run(until condition: @escaping () -> Bool) throws {
      self.condition = condition
      try loop.run(self)
    }
  }

  /// Notes what happens to it; waits in `perform` until its gate opens.
  private final class Step: Work {
    let name: String
    let gate: Gate?
    let journal: Journal
    private(set) var completions = 0

    init(_ name: String, _ journal: Journal, gate: Gate? = nil) {
      self.name = name
      self.journal = journal
      self.gate = gate
    }

    func perform() {
      gate?.pass()
      journal.names.withLock { $0.append(name) }
    }

    func completed() { completions += 1 }
  }

  private final class Journal: Sendable {
    let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
  }

  /// A pipe: the thread says that it has arrived, and waits for a byte.
  private final class Gate {
    private var arrival: (Int32, Int32) = (-1, -1)
    private var permit: (Int32, Int32) = (-1, -1)

    init() {
      for ends in [\Gate.arrival, \Gate.permit] {
        _ = withUnsafeMutableBytes(of: &self[keyPath: ends]) {
          linux_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress, 0)
        }
      }
    }

    deinit { for file in [arrival.0, arrival.1, permit.0, permit.1] { linux_close(file) } }

    private static func wait(_ file: Int32) {
      var byte: UInt8 = 0
      #expect(linux_read(file, &byte, 1) == 1)
    }

    private static func tell(_ file: Int32) {
      var byte: UInt8 = 0
      #expect(linux_write(file, &byte, 1) == 1)
    }

    func pass() {
      Gate.tell(arrival.1)
      Gate.wait(permit.0)
    }

    func waitForThread() { Gate.wait(arrival.0) }
    func open() { Gate.tell(permit.1) }
  }

  @Test func `urgent work overtakes what waits and does not interrupt what is under way`() throws {
    let bench = try Bench()
    let journal = Journal()
    let gate = Gate()
    let first = Step("first", journal, gate: gate)
    #expect(bench.queue.submit(first))
    gate.waitForThread()
    let others = (0..<3).map { Step("waits \($0)", journal) }
    for step in others { #expect(bench.queue.submit(step)) }
    let urgent = (0..<2).map { Step("urgent \($0)", journal) }
    for step in urgent { #expect(bench.queue.submit(step, urgent: true)) }
    gate.open()
    try bench.run { others[2].completions == 1 }
    #expect(journal.all == ["first", "urgent 0", "urgent 1", "waits 0", "waits 1", "waits 2"])
  }

  @Test func `work is in the queue once until it is completed`() throws {
    let bench = try Bench()
    let journal = Journal()
    let gate = Gate()
    let first = Step("first", journal, gate: gate)
    let second = Step("second", journal)
    #expect(bench.queue.submit(first))
    #expect(bench.queue.submit(second))
    gate.waitForThread()
    #expect(!bench.queue.submit(first) && !bench.queue.submit(first, urgent: true))
    #expect(!bench.queue.submit(second) && !bench.queue.submit(second, urgent: true))
    gate.open()
    try bench.run { second.completions == 1 }
    #expect(journal.all == ["first", "second"] && first.completions == 1)
    #expect(bench.queue.submit(second))
    try bench.run { second.completions == 2 }
  }

  @Test func `a queue has room for every address of a bus with eight segments, and refuses what is too much`()
    throws
  {
    let bench = try Bench()
    let journal = Journal()
    let steps = (0..<WorkerThread.capacity).map { Step("\($0)", journal) }
    #expect(steps.count > 8 * 112)
    for step in steps { #expect(bench.queue.submit(step)) }
    #expect(!bench.queue.submit(Step("too much", journal)))
    try bench.run { steps.allSatisfy { $0.completions == 1 } }
    #expect(journal.all == steps.map(\.name))
    #expect(!bench.queue.submit(Step("too much", journal)))
    for step in steps { #expect(bench.queue.submit(step, urgent: true)) }
    try bench.run { steps.allSatisfy { $0.completions == 2 } }
  }
}
