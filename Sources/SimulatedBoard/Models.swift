import HAL
import Simulation

extension ChipModel {
  /// The models there are, a line a chip.
  public static var all: [ChipModel] {
    [
      ChipModel("TMP105") { TMP105Model(environment: $0, clock: $1) },
      ChipModel("LM75") { LM75Model(environment: $0, clock: $1) },
      ChipModel("SHT3x") { SHT3xModel(environment: $0, clock: $1) },
      ChipModel("BMP280") { BMP280Model(environment: $0, clock: $1) },
      ChipModel("DPS310") { DPS310Model(environment: $0, clock: $1) },
      ChipModel("BH1750") { BH1750Model(environment: $0, clock: $1) },
    ]
  }
}
