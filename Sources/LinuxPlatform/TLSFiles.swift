import CTLS

/// What keeps a file of the settings from being used.
public struct TLSFileTrouble: Sendable {
  public enum File: Sendable {
    case authority
    case certificate
    case key
    case keyPassword
  }

  public enum Weight: Sendable {
    case unusable
    /// It is not here, and may be where the device runs.
    case absent
    case needless
  }

  public let file: File
  public let reason: String
  public let weight: Weight
}

extension TLSSettings {
  /// What has no effect. Waits for the disk.
  public var warnings: [String] {
    keyPassword == nil ? [] : fileTroubles.filter { $0.weight == .needless }.map { $0.reason }
  }

  /// Opens every file that is named, as a connection would. For `check`: it waits for the disk.
  public var fileTroubles: [TLSFileTrouble] {
    guard let context = makeContext() else { return [] }
    defer { ctls_context_free(context) }
    var troubles: [TLSFileTrouble] = []
    func look(_ which: ctls_text, _ file: TLSFileTrouble.File) {
      var isAbsent: Int32 = 0
      guard let words = ctls_trouble(context, which, &isAbsent) else { return }
      let reason = String(cString: words)
      // Without OpenSSL no file can be looked at.
      if let last = troubles.last, last.reason.utf8.elementsEqual(reason.utf8) { return }
      troubles.append(TLSFileTrouble(file: file, reason: reason, weight: isAbsent != 0 ? .absent : .unusable))
    }
    if caFile != nil || caDirectory != nil { look(CTLS_CA_FILE, .authority) }
    guard certificate != nil else { return troubles }
    let count = troubles.count
    look(CTLS_CERTIFICATE, .certificate)
    // A key in a file that cannot be used is said already.
    if key != nil || troubles.count == count { look(CTLS_KEY, .key) }
    if let words = ctls_warning(context) {
      troubles.append(
        TLSFileTrouble(file: .keyPassword, reason: String(cString: words), weight: .needless))
    }
    return troubles
  }
}
