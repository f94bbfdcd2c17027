import Configuration
import DeviceFile
import LinuxPlatform
import MQTTConnection

// What `check` says of the files that a device file names. The running device finds the same by itself, each when it
// needs it: relays do not wait for files.
extension Program {
  /// False: the device could not use one of them. What is not here may be there where the device runs: only a warning.
  func checkFiles(of broker: BrokerDescription) -> Bool {
    var isGood = true
    func report(_ mark: Mark, _ reason: Message, isAbsent: Bool, isWarning: Bool) {
      let error = ConfigurationError(
        mark, reason.text, suggestion: isAbsent ? "well if it is there where the device runs" : nil)
      StandardStream.error.write("\(isWarning ? "warning: " : "")\(error.text)\n")
      isGood = isGood && isWarning
    }
    for trouble in catalog.transports.fileTroubles(broker.tls) {
      report(
        broker.mark(of: trouble.file), "\(trouble.reason)", isAbsent: trouble.weight == .absent,
        isWarning: trouble.weight != .unusable)
    }
    if let outbox = broker.outbox, let trouble = catalog.outbox?.trouble(outbox) {
      report(
        outbox.mark, "outbox \(outbox.path): \(trouble.reason)", isAbsent: trouble.isAbsent,
        isWarning: trouble.isAbsent)
    }
    return isGood
  }
}

extension BrokerDescription {
  fileprivate func mark(of file: TLSFileTrouble.File) -> Mark {
    switch file {
    case .authority: tlsMarks.authority ?? mark
    case .certificate: tlsMarks.certificate ?? mark
    case .key: tlsMarks.key ?? tlsMarks.certificate ?? mark
    case .keyPassword: tlsMarks.keyPassword ?? mark
    }
  }
}
