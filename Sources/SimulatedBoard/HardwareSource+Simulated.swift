import Boards
import DeviceProgram
import HAL
import LinuxPlatform

extension HardwareSource {
  /// A board of models, in the time of the loop, whose world can be touched below `sim`.
  public static var simulated: HardwareSource { simulated(ChipModel.all) }

  public static func simulated(_ models: [ChipModel]) -> HardwareSource {
    HardwareSource(isSimulated: true) { loop in
      let threads = BusThreads(loop: loop)
      let board = SimulatedBoard(models, clock: loop) { bus throws(HardwareError) in try threads.queue(bus) }
      return board.hardware
    }
  }
}
