import MQTTClient

/// SCRAM-SHA-256 (RFC 5802, RFC 7677): proves to the server that we know the password, and to us that it
/// does, without sending it. For MQTT 5.0's enhanced authentication.
///
/// User name and password are taken as they are, so only printable ASCII is sure to be what the server keeps:
/// other text has several spellings, and SASLprep (RFC 4013), which would choose one, is not done. `takes` tells.
/// There is no channel binding.
///
/// Cost: the server's number of iterations, at the first connection and when it changes its salt, in slices of
/// `sliceIterations`, so that nothing else has to wait for them. Fewer than 4,096 are refused, as the RFC asks,
/// and more than `mostIterations`.
public final class ScramSHA256: MQTTAuthenticator {
  public static let mostIterations = 100_000
  /// Some 0.3 ms on a desk, below 10 ms on an ARM of 700 MHz.
  public static let sliceIterations: UInt32 = 256
  private static let fewestIterations = 4_096
  private static let longestChallenge = 1_024

  private let user: [UInt8]
  private let password: [UInt8]
  private let crypto: Crypto
  /// Instead of a random one; for tests against the RFC's example.
  private let fixedNonce: [UInt8]?

  private var nonce: [UInt8] = []
  private var firstBare: [UInt8] = []
  /// What the server has to prove with; nil while it may not be satisfied yet.
  private var serverSignature: [UInt8]?
  /// The latest salted password, which costs most.
  private var salting: Salting?

  /// PBKDF2 as far as it has come.
  private struct Salting {
    let salt: [UInt8]
    let iterations: UInt32
    var left: UInt32
    var link: [UInt8]
    var key: [UInt8]
  }

  /// Nil when there is no `libcrypto.so.3` on this machine (Debian: openssl).
  public init?(user: String, password: [UInt8], nonce: String? = nil) {
    guard let crypto = Crypto() else { return nil }
    self.crypto = crypto
    self.password = password
    fixedNonce = nonce.map { Array($0.utf8) }
    var name: [UInt8] = []
    for byte in user.utf8 {
      switch byte {
      case UInt8(ascii: ","): name += Array("=2C".utf8)
      case UInt8(ascii: "="): name += Array("=3D".utf8)
      default: name.append(byte)
      }
    }
    self.user = name
  }

  /// Whether SASLprep would leave both as they are: printable ASCII.
  public static func takes(_ user: String, _ password: [UInt8]) -> Bool {
    !user.utf8.isEmpty && !password.isEmpty
      && user.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
      && password.allSatisfy { (0x20..<0x7F).contains($0) }
  }

  public var method: StaticString { "SCRAM-SHA-256" }

  public func start(into data: inout [UInt8]) {
    serverSignature = nil
    // Without random numbers nothing is said, and the server refuses us.
    nonce = fixedNonce ?? crypto.random(18).map { Base64.encode($0) } ?? []
    guard !nonce.isEmpty else { return }
    firstBare = Array("n=".utf8) + user + Array(",r=".utf8) + nonce
    data += Array("n,,".utf8) + firstBare
  }

  public func answer(_ challenge: Span<UInt8>, into data: inout [UInt8]) -> MQTTAuthenticationAnswer {
    guard serverSignature == nil, !nonce.isEmpty, challenge.count <= ScramSHA256.longestChallenge else {
      return .refused
    }
    let bytes = challenge.indices.map { challenge[$0] }
    guard let first = ServerFirst(bytes), first.nonce.count > nonce.count,
      first.nonce.prefix(nonce.count) == nonce[...],
      first.iterations >= ScramSHA256.fewestIterations, first.iterations <= ScramSHA256.mostIterations,
      salt(first), let salting
    else { return .refused }
    guard salting.left == 0 else { return .later }
    let key = salting.key
    // "biws" is "n,," in Base64: no channel binding.
    let withoutProof = Array("c=biws,r=".utf8) + first.nonce
    let comma = [UInt8(ascii: ",")]
    let message = firstBare + comma + bytes + comma + withoutProof
    guard let clientKey = crypto.hmac(key, Array("Client Key".utf8)),
      let storedKey = crypto.sha256(clientKey),
      let signature = crypto.hmac(storedKey, message),
      let serverKey = crypto.hmac(key, Array("Server Key".utf8)),
      let expected = crypto.hmac(serverKey, message)
    else { return .refused }
    serverSignature = expected
    var proof = clientKey
    for index in proof.indices { proof[index] ^= signature[index] }
    data += withoutProof + Array(",p=".utf8) + Base64.encode(proof)
    return .given
  }

  public func finish(_ data: Span<UInt8>) -> Bool {
    guard let expected = serverSignature, data.count > 2, data.count <= ScramSHA256.longestChallenge,
      data[0] == UInt8(ascii: "v"), data[1] == UInt8(ascii: "=")
    else { return false }
    serverSignature = nil
    var text: [UInt8] = []
    for index in 2..<data.count {
      if data[index] == UInt8(ascii: ",") { break }
      text.append(data[index])
    }
    guard let signature = Base64.decode(text[...]), signature.count == expected.count else { return false }
    // The time it takes says nothing about where they differ.
    var difference: UInt8 = 0
    for index in expected.indices { difference |= expected[index] ^ signature[index] }
    return difference == 0
  }

  /// Goes on with the salted password for one slice. False: OpenSSL refused.
  private func salt(_ first: ServerFirst) -> Bool {
    let iterations = UInt32(first.iterations)
    if salting?.iterations != iterations || salting?.salt != first.salt {
      guard let link = crypto.hmac(password, first.salt + [0, 0, 0, 1]) else { return false }
      salting = Salting(salt: first.salt, iterations: iterations, left: iterations - 1, link: link, key: link)
    }
    guard var salting, salting.left > 0 else { return true }
    let count = min(salting.left, ScramSHA256.sliceIterations)
    guard crypto.iterate(password, count, link: &salting.link, result: &salting.key) else { return false }
    salting.left -= count
    self.salting = salting
    return true
  }
}

/// `r=NONCE,s=SALT,i=ITERATIONS`, and extensions that need not be understood.
private struct ServerFirst {
  let nonce: [UInt8]
  let salt: [UInt8]
  let iterations: Int

  /// Nil: something else, or an extension that has to be understood (`m=`).
  init?(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard parts.count >= 3, let nonce = ServerFirst.value(parts[0], "r"),
      let salt = ServerFirst.value(parts[1], "s"),
      let decoded = Base64.decode(salt), !decoded.isEmpty, let count = ServerFirst.value(parts[2], "i"),
      count.count <= 6, !count.isEmpty, nonce.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    var number = 0
    for digit in count {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    self.nonce = Array(nonce)
    self.salt = decoded
    iterations = number
  }

  private static func value(_ part: ArraySlice<UInt8>, _ name: Unicode.Scalar) -> ArraySlice<UInt8>? {
    guard part.count > 2, part.first == UInt8(ascii: name), part[part.startIndex + 1] == UInt8(ascii: "=")
    else {
      return nil
    }
    return part.dropFirst(2)
  }
}
