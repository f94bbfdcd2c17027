import HAL
import Simulation
import Units

/// A chip on a simulated board, in air of its own: what is set there is its alone, and everything else is as around
/// the board.
///
/// Models belong to the thread of their bus, so what is wanted of them travels there as work of that bus: all of it
/// at once, the newest wins.
final class SimulatedChip: Work {
  /// What was set of one quantity; nil: it is as it is by itself.
  struct Setting {
    let quantity: Quantity
    let key: StaticString
    var thousandths: Int64?
  }

  let name: String
  let target: SimulatedI2CTarget
  private let environment: Environment
  private let queue: any WorkQueue
  /// The chip as it is after power-up.
  private let makeModel: () -> any I2CTargetModel

  // The loop's
  private var wanted: (settings: [Setting], fault: Fault?) = ([], nil)
  private var isUnderWay = false
  private var isWantedAnew = false

  // The bus's, and the loop's while nothing is under way
  private var given: (settings: [Setting], fault: Fault?) = ([], nil)
  private var present: Fault?

  init(
    name: String, target: SimulatedI2CTarget, environment: Environment, queue: any WorkQueue,
    makeModel: @escaping () -> any I2CTargetModel
  ) {
    self.name = name
    self.target = target
    self.environment = environment
    self.queue = queue
    self.makeModel = makeModel
  }

  /// Makes the chip find this from its next transfer on. False: its bus has no room for that.
  func want(_ settings: [Setting], fault: Fault?) -> Bool {
    wanted = (settings, fault)
    isWantedAnew = true
    return hand()
  }

  private func hand() -> Bool {
    guard isWantedAnew, !isUnderWay else { return true }
    given = wanted
    isUnderWay = queue.submit(self, urgent: true)
    isWantedAnew = !isUnderWay
    return isUnderWay
  }

  func perform() {
    for setting in given.settings {
      if let thousandths = setting.thousandths {
        environment.set(setting.quantity, setting.key, thousandths: thousandths)
      } else {
        environment.clear(setting.quantity, setting.key)
      }
    }
    guard given.fault != present else { return }
    present = given.fault
    guard let fault = present else { return target.heal() }
    // Whoever pulls a chip out takes its power away.
    if fault == .absent { target.model = makeModel() }
    target.inject(fault)
  }

  func completed() {
    isUnderWay = false
    _ = hand()
  }
}
