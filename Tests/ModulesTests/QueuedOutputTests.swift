import DeviceBench
import DeviceRuntime
import Expanders
import HAL
import Modules
import Simulation
import Testing

/// A line of the kernel that may sleep.
@Suite struct QueuedOutputTests {
  let slow = SimulatedOutputLine(startsActive: true)
  let queue = SimulatedWorkQueue()
  let bench: DeviceBench
  let line: QueuedOutputLine
  let watcher: LineWatcher

  init() throws {
    line = QueuedOutputLine(slow, queue: queue)
    watcher = LineWatcher(line)
    line.observer = watcher
    bench = try DeviceBench.make([], queue: queue)
    line.start(on: bench.device)
    bench.start()
  }

  @Test("it has its start level from the request, and a new one when the kernel has taken it")
  func pending() throws {
    #expect(line.level == .driven(true))
    try line.set(active: false)
    #expect(line.level == .pending(false) && slow.isActive)
    bench.settle()
    #expect(line.level == .driven(false) && !slow.isActive && watcher.news() == ["driven off"])
  }

  @Test("the newest value wins, and comes before what else waits for the queue")
  func newest() throws {
    var level: Bool?
    let other = OtherWork()
    other.performed = { [slow] in level = slow.isActive }
    queue.submit(other)
    try line.set(active: false)
    try line.set(active: true)
    try line.set(active: false)
    bench.settle()
    #expect(level == false && line.level == .driven(false) && slow.changes == 1)
    #expect(watcher.news() == ["driven off"])
  }

  @Test("a value that changes while one is under way follows it")
  func follows() throws {
    bench.busHangs = true
    try line.set(active: false)
    try line.set(active: true)
    #expect(line.level == .pending(true))
    bench.busHangs = false
    bench.settle()
    #expect(line.level == .driven(true) && slow.isActive && slow.changes == 2)
    #expect(watcher.news() == ["driven on"])
  }

  @Test("a failure is told once, tried again every second, and unknown after two")
  func retries() throws {
    slow.fault = .system(5)
    try line.set(active: false)
    bench.run(for: .milliseconds(1_999))
    #expect(line.level == .pending(false) && watcher.news() == ["system(5)"])
    bench.run(for: .milliseconds(1))
    #expect(line.level == .unknown && watcher.news() == ["system(5)"])
    slow.fault = nil
    bench.run(for: .seconds(1))
    #expect(line.level == .driven(false) && watcher.news() == ["driven off"])
  }

  @Test("a driver that hangs makes the level unknown after two seconds")
  func hang() throws {
    bench.busHangs = true
    try line.set(active: false)
    bench.run(for: .seconds(2))
    #expect(line.level == .unknown && watcher.news() == ["bus(HAL.BusError.timeout)"])
    try line.set(active: true)
    #expect(line.level == .pending(true))
    bench.run(for: .seconds(2))
    #expect(line.level == .unknown && watcher.news() == ["bus(HAL.BusError.timeout)"])
    try line.set(active: false)
    bench.busHangs = false
    bench.settle()
    #expect(line.level == .driven(false) && watcher.news() == ["driven off"])
  }
}
