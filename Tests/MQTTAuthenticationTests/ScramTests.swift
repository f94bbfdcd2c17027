import MQTTAuthentication
import MQTTClient
import Testing

@Suite("SCRAM-SHA-256")
struct ScramTests {
  private let nonce = "rOprNGfwEbeRWgbNEkqO"
  private let challenge =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
  private let verdict = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

  private func scram(_ user: String = "user", _ password: String = "pencil", random: Bool = false) throws
    -> ScramSHA256
  {
    try #require(
      ScramSHA256(user: user, password: Array(password.utf8), nonce: random ? nil : nonce),
      "libcrypto.so.3 is missing")
  }

  private func start(_ scram: ScramSHA256) -> String {
    var data: [UInt8] = []
    scram.start(into: &data)
    return String(decoding: data, as: UTF8.self)
  }

  private func answer(_ scram: ScramSHA256, _ challenge: String) -> String? {
    var data: [UInt8] = []
    let challenge = Array(challenge.utf8)
    for _ in 0..<1000 {
      switch scram.answer(challenge.span, into: &data) {
      case .given: return String(decoding: data, as: UTF8.self)
      case .later: #expect(data.isEmpty)
      case .refused: return nil
      }
    }
    return nil
  }

  private func finish(_ scram: ScramSHA256, _ data: String) -> Bool {
    let data = Array(data.utf8)
    return scram.finish(data.span)
  }

  @Test("the example of RFC 7677, and again on the next connection")
  func example() throws {
    let scram = try scram()
    for _ in 0..<2 {
      #expect(start(scram) == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
      let expected =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
      #expect(answer(scram, challenge) == expected)
      #expect(finish(scram, verdict))
    }
  }

  @Test("no call takes long, however many iterations the server wants, and the second connection none")
  func slices() throws {
    let scram = try scram()
    let challenge = Array(challenge.replacing("i=4096", with: "i=100000").utf8)
    for expected in [391, 1] {
      _ = start(scram)
      var data: [UInt8] = []
      var calls = 0
      var answer = MQTTAuthenticationAnswer.later
      while answer == .later {
        answer = scram.answer(challenge.span, into: &data)
        calls += 1
      }
      #expect(answer == .given && calls == expected)
    }
  }

  @Test("only printable ASCII is sure to be what the server keeps") func spellings() {
    #expect(ScramSHA256.takes("user", Array("pencil".utf8)))
    for text in ["", "gehe\u{ef}m", "a\u{7f}", "a\u{0}", "\u{a0}"] {
      #expect(!ScramSHA256.takes(text, Array("pencil".utf8)))
      #expect(!ScramSHA256.takes("user", Array(text.utf8)))
    }
  }

  @Test("commas and equals signs in a user name are written in another way")
  func escaping() throws {
    #expect(try start(scram("a=b,c")) == "n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO")
  }

  @Test("every connection has another nonce of 24 characters")
  func nonces() throws {
    let scram = try scram(random: true)
    let nonces = Set((0..<50).map { _ in String(start(scram).dropFirst("n,,n=user,r=".count)) })
    #expect(nonces.count == 50 && nonces.allSatisfy { $0.utf8.count == 24 && !$0.contains(",") })
  }

  @Test(
    "a challenge that is none, or that weakens the proof, ends the connection",
    arguments: [
      "", "r=", "e=unknown-user", "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "r=XOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=100001",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ=,i=4096",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=W2=ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "r=rOprNGfwEbeRWgbNEkqOabc,s=,i=4096",
      "m=x,r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "r=rOprNGfwEbeRWgbNEkqO\u{7},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    ])
  func badChallenges(challenge: String) throws {
    let scram = try scram()
    _ = start(scram)
    #expect(answer(scram, challenge) == nil)
    #expect(!finish(scram, verdict))
  }

  @Test("a challenge of any length and any bytes is no harm")
  func longChallenges() throws {
    let scram = try scram()
    _ = start(scram)
    #expect(answer(scram, challenge + ",x=" + String(repeating: "y", count: 1000)) == nil)
    for end in challenge.indices.dropLast(2) { #expect(answer(scram, String(challenge[..<end])) == nil) }
  }

  @Test(
    "a server that cannot prove that it knows the password is not believed",
    arguments: [
      "", "v=", "e=other-error", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
      "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5n",
      "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ])
  func badVerdicts(verdict: String) throws {
    let scram = try scram()
    _ = start(scram)
    _ = answer(scram, challenge)
    #expect(!finish(scram, verdict))
  }

  @Test("a verdict without a challenge, or a second one, is not believed")
  func outOfOrder() throws {
    let scram = try scram()
    #expect(answer(scram, challenge) == nil)
    _ = start(scram)
    #expect(!finish(scram, verdict))
    #expect(answer(scram, challenge) != nil)
    #expect(answer(scram, challenge) == nil)
    #expect(finish(scram, verdict))
    #expect(!finish(scram, verdict))
  }
}
