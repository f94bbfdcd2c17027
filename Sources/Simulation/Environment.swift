import Units

/// What is around the simulated chips, and what they measure therefore. Values are in thousandths of the quantity's
/// customary unit.
///
/// What it is like by itself is a class's own affair (`value(of:)`); whoever holds it can set any quantity, one
/// that no chip here measures too, and let it go again. Chips with several channels of one quantity ask with the
/// channel's key, and get the quantity's value where nothing was set for the key.
///
/// A corner of it can be an environment of its own: there it is as around it where nothing else was set.
///
/// It is for one thread at a time: the one that runs the models.
open class Environment {
  private struct Setting {
    let quantity: Quantity
    let key: StaticString
    var thousandths: Int64

    func isOf(_ quantity: Quantity, _ key: StaticString) -> Bool {
      Channel(self.quantity, key: self.key, decimals: 0) == Channel(quantity, key: key, decimals: 0)
    }
  }

  private var settings: [Setting] = []
  private let outside: Environment?

  /// A room at rest, but for the given values.
  public init(_ values: (quantity: Quantity, thousandths: Int64)...) {
    outside = nil
    for value in values { set(value.quantity, thousandths: value.thousandths) }
  }

  /// A corner of another one.
  public init(inside outside: Environment) {
    self.outside = outside
  }

  /// What it is like where nothing was set.
  open func value(of quantity: Quantity) -> Int64 {
    let room: InlineArray<6, (quantity: Quantity, thousandths: Int64)> = [
      (.temperature, 20_000), (.humidity, 50_000), (.pressure, 1_013_250), (.illuminance, 500_000),
      (.co2, 600_000), (.pm25, 8_000),
    ]
    for index in room.indices where room[index].quantity == quantity { return room[index].thousandths }
    return 0
  }

  /// What it is like.
  public final func thousandths(of quantity: Quantity, _ key: StaticString = "") -> Int64 {
    for setting in settings where setting.isOf(quantity, key) { return setting.thousandths }
    for setting in settings where setting.isOf(quantity, "") { return setting.thousandths }
    return outside?.thousandths(of: quantity, key) ?? value(of: quantity)
  }

  /// Makes it so, until it is cleared or set otherwise.
  public final func set(_ quantity: Quantity, _ key: StaticString = "", thousandths: Int64) {
    for index in settings.indices where settings[index].isOf(quantity, key) {
      settings[index].thousandths = thousandths
      return
    }
    settings.append(Setting(quantity: quantity, key: key, thousandths: thousandths))
  }

  /// Lets it be as it is by itself.
  public final func clear(_ quantity: Quantity, _ key: StaticString = "") {
    settings.removeAll { $0.isOf(quantity, key) }
  }
}
