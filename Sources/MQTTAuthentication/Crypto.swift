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

  func pbkdf2(_ password: [UInt8], salt: [UInt8], iterations: UInt32) -> [UInt8]? {
    result { result in
      password.withUnsafeBufferPointer { password in
        salt.withUnsafeBufferPointer {
          ccrypto_pbkdf2_sha256(
            library, password.baseAddress, password.count, $0.baseAddress, $0.count, iterations, result)
        }
      }
    }
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
