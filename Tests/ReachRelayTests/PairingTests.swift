import ConnectorKit
import JSON
import Networking
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach pairing") struct PairingTests {
  private static func configuration(
    _ values: [String: SettingValue] = [:]
  ) throws -> ReachConfiguration {
    var all: [String: SettingValue] = ["relay": .string("https://relay.example.com")]
    all.merge(values) { $1 }
    return try ReachConfiguration(.written(all))
  }

  private static let token = Secret("configured")
  private static let tokenAndPrinter: [String: SettingValue] = [
    "token": .secret(token), "printer_id": .string("p-1"),
  ]
  private static func stored(
    tokenHash: String? = nil, codeHash: String? = nil
  ) -> ReachIdentity {
    var identity = ReachIdentity(token: Secret("stored"), printerID: "p-0")
    identity.configuredTokenHash = tokenHash
    identity.pairingCodeHash = codeHash
    return identity
  }

  @Test("A configured token that nothing replaced is used")
  func configuredToken() throws {
    let configuration = try Self.configuration(Self.tokenAndPrinter)
    var expected = ReachIdentity(token: Self.token, printerID: "p-1")
    expected.configuredTokenHash = PairingDecision.hash(Self.token)
    #expect(PairingDecision(configuration, stored: nil) == .paired(expected))
  }

  @Test("A stored token wins over the configured one that it replaced, and over no other")
  func rotatedToken() throws {
    let configuration = try Self.configuration(Self.tokenAndPrinter)
    var replaced = Self.stored(tokenHash: PairingDecision.hash(Self.token))
    let decision = PairingDecision(configuration, stored: replaced)
    replaced.printerID = "p-1"
    #expect(decision == .paired(replaced))
    for other in [Self.stored(tokenHash: PairingDecision.hash(Secret("older"))), Self.stored()] {
      guard case .paired(let identity) = PairingDecision(configuration, stored: other) else {
        Issue.record("not paired")
        return
      }
      #expect(identity.token == Self.token)
    }
  }

  @Test("A code is used once, and a new one again")
  func codes() throws {
    let code = Secret("ABC123")
    let configuration = try Self.configuration(["pairing_code": .secret(code)])
    #expect(PairingDecision(configuration, stored: nil) == .claim(code))
    let spent = Self.stored(codeHash: PairingDecision.hash(code))
    #expect(PairingDecision(configuration, stored: spent) == .paired(spent))
    let older = Self.stored(codeHash: PairingDecision.hash(Secret("OLD")))
    #expect(PairingDecision(configuration, stored: older) == .claim(code))
  }

  @Test("Without token and code the stored pairing is used, or there is none")
  func neither() throws {
    let configuration = try Self.configuration()
    #expect(PairingDecision(configuration, stored: Self.stored()) == .paired(Self.stored()))
    #expect(PairingDecision(configuration, stored: nil) == .unpaired)
  }

  @Test("An identity is stored and read with all it has, and not without token or printer")
  func identities() {
    var identity = Self.stored(tokenHash: "a", codeHash: "b")
    identity.userID = "u"
    identity.previousToken = Secret("former")
    identity.movedTo = "https://b.example.com"
    identity.movedFrom = "https://a.example.com"
    #expect(ReachIdentity(identity.json) == identity)
    #expect(ReachIdentity(["token": "t"]) == nil)
    #expect(ReachIdentity(["token": "", "printer_id": "p"]) == nil)
    #expect(ReachIdentity(["token": 1, "printer_id": "p"]) == nil)
    let odd = ReachIdentity(["token": "t", "printer_id": "p", "previous_token": "a b"])
    #expect(odd == ReachIdentity(token: Secret("t"), printerID: "p"))
  }

  @Test(
    "The configured relay wins over a stored one of another host, but for an allowed move from it",
    arguments: [
      ("https://relay.example.com:8443", "https://relay.example.com", false, true),
      ("https://other.example.com", "https://relay.example.com", false, false),
      ("https://other.example.com", "https://relay.example.com", true, true),
      ("https://other.example.com", "https://former.example.com", true, false),
      ("http://other.example.com", "https://relay.example.com", true, false),
    ])
  func moves(movedTo: String, movedFrom: String, isAllowed: Bool, isUsed: Bool) throws {
    let configuration = try Self.configuration(["allow_relay_move": .boolean(isAllowed)])
    var identity = Self.stored()
    identity.movedTo = movedTo
    identity.movedFrom = movedFrom
    #expect(
      identity.relay(configuration).origin == (isUsed ? movedTo : configuration.relay.origin))
  }

  private static func claim(
    _ answer: RelayAnswer, allowMove: Bool = false
  ) throws -> PairingClaim {
    PairingClaim(
      answer, code: Secret("ABC123"),
      configuration: try configuration(["allow_relay_move": .boolean(allowMove)]))
  }

  @Test("A claim yields token, printer and user, and the mark of the spent code")
  func claimed() throws {
    let reply: JSONObject = ["reachLinkToken": "t", "printerId": "p", "userId": "u", "more": 1]
    guard case .paired(let identity, nil) = try Self.claim(.accepted(reply)) else {
      Issue.record("not paired")
      return
    }
    var expected = ReachIdentity(token: Secret("t"), printerID: "p")
    expected.userID = "u"
    expected.pairingCodeHash = PairingDecision.hash(Secret("ABC123"))
    #expect(identity == expected)
  }

  @Test(
    "A move is followed to the same host, elsewhere only when allowed, and never without https",
    arguments: [
      ("https://relay.example.com:8443/x", false, "https://relay.example.com:8443", nil),
      ("https://relay.example.com/", false, nil, nil),
      ("https://other.example.com", false, nil, "other.example.com"),
      ("https://other.example.com", true, "https://other.example.com", nil),
      ("http://relay.example.com", true, nil, "an address without https"),
      ("nonsense", true, nil, "an address without https"),
    ] as [(String, Bool, String?, String?)])
  func claimedMove(url: String, isAllowed: Bool, movedTo: String?, rejected: String?) throws {
    let reply: JSONObject = [
      "reachLinkToken": "t", "printerId": "p", "relayUrl": .string(url),
    ]
    guard
      case .paired(let identity, let move) = try Self.claim(.accepted(reply), allowMove: isAllowed)
    else {
      Issue.record("not paired")
      return
    }
    #expect(identity.movedTo == movedTo)
    #expect(move == rejected)
  }

  @Test("Every 4xx but 429 refuses the code for good")
  func refused() throws {
    for answer: RelayAnswer in [
      .unauthorised("status 401: no"), .forbidden(status: 404, "status 404: no"),
      .refused(status: 410, "status 410: expired"),
    ] {
      guard case .refused(let reason) = try Self.claim(answer) else {
        Issue.record("\(answer) is not refused")
        continue
      }
      #expect(reason.hasPrefix("status 4"))
    }
  }

  @Test("Everything else is tried again")
  func again() throws {
    for answer: RelayAnswer in [
      .failed(status: 500), .failed(status: 429), .redirected(host: "h"),
      .unreachable(.timeout, "too slow"), .accepted([:]), .accepted(["reachLinkToken": "t"]),
      .accepted(["reachLinkToken": 5, "printerId": "p"]), .wait(status: 429, .seconds(7)),
    ] {
      guard case .again(_, let pause) = try Self.claim(answer) else {
        Issue.record("\(answer) is not tried again")
        continue
      }
      if case .wait = answer { #expect(pause == .seconds(7)) } else { #expect(pause == nil) }
    }
  }
}
