import Cryptography
import Platform
import Testing

@testable import CuraConnect

@Suite("Who may call") struct DigestTests {
  private let now = MonotonicInstant(sinceOrigin: .seconds(1))

  private func proof(
    _ client: DigestAuthority.Client, nonce: String, count: String = "00000001",
    method: String = "GET", uri: String = "/cluster-api/v1/printers", key: String? = nil
  ) -> String {
    func hash(_ text: String) -> String { Digest.sha256Hex(Array(text.utf8)) }
    let first = hash("\(client.id):Jedi-API:\(key ?? client.key)")
    let second = hash("\(method):\(uri)")
    let response = hash("\(first):\(nonce):\(count):0123456789abcdef:auth:\(second)")
    return "Digest username=\"\(client.id)\", realm=\"Jedi-API\", nonce=\"\(nonce)\", "
      + "uri=\"\(uri)\", nc=\(count), cnonce=\"0123456789abcdef\", qop=auth, "
      + "response=\"\(response)\", algorithm=\"SHA-256\""
  }

  @Test("only an approved Cura proves itself, with a nonce of ours, once")
  func approval() {
    var authority = DigestAuthority(nil)
    let client = authority.admit(application: "Cura", user: "me", peer: "10.0.0.2")
    #expect(client.id.utf8.count == 32)
    #expect(client.key.utf8.count == 64)
    let nonce = authority.challenge(at: now)
    func check(_ text: String, _ authority: inout DigestAuthority) -> Bool {
      authority.isProven(
        text, method: "GET", path: "/cluster-api/v1/printers", peer: "10.0.0.2", at: now)
    }
    #expect(!check(proof(client, nonce: nonce), &authority))
    let isKnown = authority.approve(client.id)
    #expect(isKnown)
    #expect(check(proof(client, nonce: nonce), &authority))
    #expect(!check(proof(client, nonce: nonce), &authority))
    // Requests run side by side.
    #expect(check(proof(client, nonce: nonce, count: "00000003"), &authority))
    #expect(check(proof(client, nonce: nonce, count: "00000002"), &authority))
    #expect(!check(proof(client, nonce: "of-its-own", count: "00000004"), &authority))
    #expect(!check(proof(client, nonce: nonce, count: "00000005", key: "wrong"), &authority))
    #expect(!check(proof(client, nonce: nonce, count: "00000006", method: "PUT"), &authority))
    #expect(!check(proof(client, nonce: nonce, count: "00000007", uri: "/other"), &authority))
    #expect(authority.knows(peer: "10.0.0.2"))
    #expect(!authority.knows(peer: "10.0.0.3"))
  }

  @Test("approvals outlive a restart, requests for them do not")
  func restart() {
    var authority = DigestAuthority(nil)
    let first = authority.admit(application: "Cura", user: "me", peer: "10.0.0.2")
    let second = authority.admit(application: "Cura", user: "me", peer: "10.0.0.2")
    _ = authority.approve(first.id)
    let next = DigestAuthority(authority.stored)
    #expect(next.isApproved(first.id) == true)
    #expect(next.isApproved(second.id) == nil)
  }

  @Test("requests for approval do not gather, and push no approved Cura out")
  func flood() {
    var authority = DigestAuthority(nil)
    let first = authority.admit(application: "Cura", user: "me", peer: "10.0.0.2")
    _ = authority.approve(first.id)
    for _ in 0..<1_000 { _ = authority.admit(application: "x", user: "y", peer: "10.0.0.9") }
    #expect(authority.clients.count == 32)
    #expect(authority.isApproved(first.id) == true)
  }

  @Test("who asks for nonces without end takes none from an approved Cura; none can be made up")
  func nonces() {
    var authority = DigestAuthority(nil)
    let client = authority.admit(application: "Cura", user: "me", peer: "10.0.0.2")
    _ = authority.approve(client.id)
    let nonce = authority.challenge(at: now)
    for _ in 0..<1_000 { _ = authority.challenge(at: now) }
    func check(_ text: String, at moment: MonotonicInstant) -> Bool {
      authority.isProven(
        text, method: "GET", path: "/cluster-api/v1/printers", peer: "10.0.0.2", at: moment)
    }
    #expect(check(proof(client, nonce: nonce), at: now))
    #expect(!check(proof(client, nonce: "f\(nonce)", count: "00000002"), at: now))
    let late = now.advanced(by: .seconds(3_601))
    #expect(!check(proof(client, nonce: nonce, count: "00000003"), at: late))
    // What is used up and forgotten is not taken again.
    for number in 1...200 {
      let other = authority.challenge(at: now.advanced(by: .seconds(number)))
      #expect(check(proof(client, nonce: other), at: now.advanced(by: .seconds(number))))
    }
    #expect(!check(proof(client, nonce: nonce), at: now.advanced(by: .seconds(200))))
  }

  @Test(
    "what is no proof is none",
    arguments: [
      "", "Basic YTpi", "Digest", "Digest username=", "Digest =", "Digest username=\"a",
      "Digest username=\"a\", username=\"b\"", "Digest nc=zz",
    ])
  func garbage(_ text: String) { #expect(DigestProof(text) == nil) }
}
