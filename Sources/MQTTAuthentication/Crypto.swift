import CCrypto

/// SHA-256 and what is made of it, by OpenSSL. Nil: OpenSSL refused.
final class Crypto {
  private let library: OpaquePointer

  /// Nil when there is no `libcrypto` on this machine.
  init?() {
    guard let library = ccrypto_open() else { return nil }
    self.library = library
  }

  deinit {
    ccrypto_close(library)
  }

  func sha256(_ bytes: [UInt8]) -> [UInt8]? {
    result { result in
      bytes.withUnsafeBufferPointer { ccrypto_sha256(library, $0.baseAddress, $0.count, result) }
    }
  }

  func hmac(_ key: [UInt8], _ bytes: [UInt8]) -> [UInt8]? {
    result { result in
      key.withUnsafeBufferPointer { key in
        bytes.withUnsafeBufferPointer {
          ccrypto_hmac_sha256(library, key.baseAddress, key.count, $0.baseAddress, $0.count, result)
        }
      }
    }
  }

  /// Goes on with PBKDF2. False: OpenSSL refused.
  func iterate(_ key: [UInt8], _ iterations: UInt32, link: inout [UInt8], result: inout [UInt8]) -> Bool {
    let code = key.withUnsafeBufferPointer { key in
      link.withUnsafeMutableBufferPointer { link in
        result.withUnsafeMutableBufferPointer { result in
          ccrypto_iterate(
            library, key.baseAddress, key.count, iterations, link.baseAddress, result.baseAddress)
        }
      }
    }
    return code == 0
  }

  func random(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let code = bytes.withUnsafeMutableBufferPointer { ccrypto_random(library, $0.baseAddress, $0.count) }
    return code == 0 ? bytes : nil
  }

  private func result(_ body: (UnsafeMutablePointer<UInt8>?) -> Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: Int(CCRYPTO_SHA256))
    let code = bytes.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    return code == 0 ? bytes : nil
  }
}
