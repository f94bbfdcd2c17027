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
      ChipModel("MCP23017") { _, _ in MCP23017Model() },
      ChipModel("MCP23008") { _, _ in MCP23008Model() },
      ChipModel("PCA9555") { _, _ in PCA9555Model() },
      ChipModel("PCF8574") { _, _ in PCF8574Model() },
      ChipModel("BH1750") { BH1750Model(environment: $0, clock: $1) },
    ]
  }
}
