import Chips
import Drivers
import HAL
import Simulation

extension ChipModel {
  /// The models of all chips that can be on an I2C bus.
  public static var all: [ChipModel] {
    var models = ModelCollector()
    forEachChip(&models)
    return models.models
  }
}

/// Takes the models, by the names that drivers call their chips.
private struct ModelCollector: ChipVisitor {
  var models: [ChipModel] = []

  mutating func sensor<Driver: I2CSensor, Model: I2CTargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    models.append(ChipModel(Driver.name.description) { Model(environment: $0, clock: $1) })
  }

  mutating func expander<Driver: PortExpander, Model: ExpanderModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    models.append(ChipModel(Driver.name.description) { _, _ in Model() })
  }
}
