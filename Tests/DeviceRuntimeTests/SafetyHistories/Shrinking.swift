import DeviceRuntime
import HAL

extension History {
  /// The shortest and plainest history that is still as bad, as far as leaving out and making plainer go.
  func shrunk(while isBad: (History) -> Bool) -> History {
    var best = self
    var isProgress = true
    while isProgress {
      isProgress = best.leaveOut(while: isBad)
      for candidate in best.plainer where !isProgress && isBad(candidate) {
        best = candidate
        isProgress = true
      }
    }
    return best
  }

  /// Leaves out halves, then quarters, down to single steps.
  private mutating func leaveOut(while isBad: (History) -> Bool) -> Bool {
    let count = steps.count
    var length = max(1, count / 2)
    while !steps.isEmpty {
      var start = 0
      while start < steps.count {
        var shorter = self
        shorter.steps.removeSubrange(start..<min(start + length, steps.count))
        if isBad(shorter) { self = shorter } else { start += length }
      }
      if length == 1 { break }
      length /= 2
    }
    return steps.count < count
  }

  /// Histories of the same length that are easier to read. Each is plainer than this one, so that there is an end.
  private var plainer: [History] {
    var all: [History] = []
    func add(_ change: (inout History) -> Void) {
      var history = self
      change(&history)
      all.append(history)
    }
    if isQueued { add { $0.isQueued = false } }
    if policy.start { add { $0.policy.start = false } }
    if policy.stop != false { add { $0.policy.stop = false } }
    if policy.brokerLost != nil { add { $0.policy.brokerLost = nil } }
    if policy.controllerLost != nil { add { $0.policy.controllerLost = nil } }
    if policy.maxOn != nil { add { $0.policy.maxOn = nil } }
    if policy.brokerLost?.exceptPerson == true { add { $0.policy.brokerLost?.exceptPerson = false } }
    if policy.controllerLost?.exceptPerson == true { add { $0.policy.controllerLost?.exceptPerson = false } }
    for time in History.times {
      if let after = policy.brokerLost?.after, time < after { add { $0.policy.brokerLost?.after = time } }
      if let after = policy.controllerLost?.after, time < after {
        add { $0.policy.controllerLost?.after = time }
      }
      if let maxOn = policy.maxOn, time < maxOn { add { $0.policy.maxOn = time } }
    }
    for index in steps.indices {
      for step in steps[index].plainer { add { $0.steps[index] = step } }
    }
    return all
  }
}

extension Step {
  fileprivate var plainer: [Step] {
    switch self {
    case .wish(let active, let source): source == .broker ? [] : [.wish(active, .broker)]
    case .pass(let time): History.times.filter { $0 < time }.map { .pass($0) }
    case .jump(let time): [.pass(time)] + History.times.filter { $0 < time }.map { .jump($0) }
    case .untilDue, .almostDue: History.times.map { .pass($0) }
    case .busFails(true): [.busFails(forgets: false)]
    default: []
    }
  }
}

/// A history that should not be, as it is reported.
struct Finding: CustomStringConvertible {
  let violation: Oracle.Violation
  let history: History

  /// The first finding among these histories, shrunk.
  static func first<S: Subject>(of subject: S.Type, in numbers: Range<UInt64>, steps: Int) -> Finding? {
    for number in numbers {
      let history = History(number: number, steps: steps)
      guard let violation = Life<S>.violation(in: history) else { continue }
      return Finding(
        violation: violation, history: history.shrunk { Life<S>.violation(in: $0) == violation })
    }
    return nil
  }

  var description: String { "not true: \(violation.rawValue)\n\(history)" }
}
