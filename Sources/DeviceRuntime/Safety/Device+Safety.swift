// The device and its gates. They register when their modules start; from then on the device tells them who is there,
// and stops them before anything else.
extension Device {
  /// Whoever controls the device through the broker is away.
  public func controllerLost() {
    for gate in gates { gate.lost(.controller) }
  }

  /// Whoever controls the device through the broker is back.
  public func controllerFound() {
    for gate in gates { gate.found(.controller) }
  }

  func gatesLoseBroker() {
    for gate in gates { gate.lost(.broker) }
  }

  func gatesFindBroker() {
    for gate in gates { gate.found(.broker) }
  }

  /// An output behind a bus has not got its level yet.
  var hasPendingOutputs: Bool {
    for gate in gates where gate.isPending { return true }
    return false
  }

  /// What is wrong with the module's outputs: the first that does not obey, or nothing.
  func tellFaults(of module: any Module) {
    for gate in gates where gate.module === module {
      if let fault = gate.fault { return setError(fault.text, of: module) }
    }
    setError("", of: module)
  }
}
