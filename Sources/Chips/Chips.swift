import Drivers
import Simulation

/// Shows every chip there is, a line each: its driver, and its model for boards that are simulated. Whoever looks takes
/// what it needs; the rest is in no program.
public func forEachChip(_ visitor: inout some ChipVisitor) {
  visitor.sensor(TMP105.self, TMP105Model.self)
  visitor.sensor(LM75.self, LM75Model.self)
  visitor.sensor(SHT3x.self, SHT3xModel.self)
  visitor.sensor(BMP280.self, BMP280Model.self)
  visitor.sensor(DPS310.self, DPS310Model.self)
  visitor.sensor(BH1750.self, BH1750Model.self)
  visitor.sensor(MCP3008.self, MCP3008Model.self)
  visitor.sensor(DS18B20.self, DS18B20Model.self)
  visitor.sensor(DHT22.self, DHT22Model.self)
  visitor.sensor(MHZ19.self, MHZ19Model.self)
  visitor.sensor(PMS5003.self, PMS5003Model.self)
  visitor.expander(MCP23017.self, MCP23017Model.self)
  visitor.expander(MCP23008.self, MCP23008Model.self)
  visitor.expander(PCA9555.self, PCA9555Model.self)
  visitor.expander(PCF8574.self, PCF8574Model.self)
}
