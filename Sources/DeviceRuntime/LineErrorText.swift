import HAL

extension LineError {
  /// What is wrong in a person's words. One place, so that gates and modules say the same.
  public var text: FixedText {
    switch self {
    case .chipGone: return "the GPIO chip is gone"
    case .noSuchLine: return "the GPIO chip has no such line"
    case .busy: return "the line is held by another program"
    case .bus: return "the bus that leads to the line's chip fails"
    case .notHeld: return "the line's chip does not keep its level: look for noise or a weak supply"
    case .system(let number):
      var text: FixedText = "the line cannot be used: system error "
      text.append(decimal: Int64(number))
      return text
    }
  }
}
