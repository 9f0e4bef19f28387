internal import Cryptography
internal import JSON
internal import Platform

/// Who may call: the pairs of id and key that Cura asks for, and the proofs that it makes with them (RFC 7616, SHA-256).
/// A pure state machine.
struct DigestAuthority: Sendable {
  /// One Cura.
  struct Client: Sendable, Hashable {
    var id: String
    var key: String
    /// What it calls itself.
    var application: String
    /// Who sits at it, as it says.
    var user: String
    var isApproved: Bool
    /// From where it called last.
    var peer: String
  }
  /// A nonce of ours with which an approved Cura has proven itself.
  private struct Nonce: Sendable {
    var issuedAt: MonotonicInstant
    var seen: Set<UInt32> = []
  }
  static let realm = "Jedi-API"
  private static let mostClients = 32
  private static let mostNonces = 64
  private static let mostUses = 20_000
  private static let nonceLife = Duration.seconds(3_600)

  private(set) var clients: [Client]
  /// Nonces are ours by their seal, and kept only when they have been used: whoever asks for many takes nobody's.
  private var nonces: [String: Nonce] = [:]
  private let seal = GUIDText.randomDigits(32)
  /// Nonces that were made up to then and are not kept count no more.
  private var floor: MonotonicInstant?

  /// What was kept of those that a person has approved.
  init(_ stored: JSONValue?) {
    clients = (stored?.array ?? []).prefix(Self.mostClients).compactMap { stored in
      guard let id = stored["id"]?.string, let key = stored["key"]?.string else { return nil }
      return Client(
        id: id, key: key, application: stored["application"]?.string ?? "",
        user: stored["user"]?.string ?? "", isApproved: true, peer: stored["peer"]?.string ?? "")
    }
  }

  /// What is kept.
  var stored: JSONValue {
    .array(
      clients.filter(\.isApproved).map {
        [
          "id": .string($0.id), "key": .string($0.key), "application": .string($0.application),
          "user": .string($0.user), "peer": .string($0.peer),
        ]
      })
  }

  /// A Cura asks for an id and a key. Beyond 32 the oldest that nobody has approved goes.
  mutating func admit(application: String, user: String, peer: String) -> Client {
    if clients.count >= Self.mostClients {
      clients.remove(at: clients.firstIndex { !$0.isApproved } ?? 0)
    }
    let client = Client(
      id: GUIDText.randomDigits(32), key: GUIDText.randomDigits(64), application: application,
      user: user, isApproved: false, peer: peer)
    clients.append(client)
    return client
  }

  /// A person approves a Cura; false where there is none of that id.
  mutating func approve(_ id: String) -> Bool {
    guard let place = clients.firstIndex(where: { $0.id == id }) else { return false }
    clients[place].isApproved = true
    return true
  }

  /// A new nonce, for a 401: the time, something random, and a seal over both.
  func challenge(at now: MonotonicInstant) -> String {
    let body =
      "\(String(max(0, now.sinceOrigin.components.seconds), radix: 16))-\(GUIDText.randomDigits(16))"
    return "\(body)-\(sealed(body))"
  }

  private func sealed(_ body: String) -> String {
    // Once more around the outside, so that nothing can be appended to what is sealed.
    Digest.sha256Hex(Array("\(seal):\(Digest.sha256Hex(Array("\(seal):\(body)".utf8)))".utf8))
  }

  /// When a nonce of ours was made; nil where it is not ours, too old, or was used and forgotten.
  private func issue(of nonce: String, at now: MonotonicInstant) -> MonotonicInstant? {
    if let known = nonces[nonce] {
      return isCurrent(known.issuedAt, at: now) ? known.issuedAt : nil
    }
    let parts = nonce.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, let seconds = Int64(Substring(parts[0]), radix: 16), seconds >= 0,
      Substring(parts[2]) == sealed("\(Substring(parts[0]))-\(Substring(parts[1]))")
    else { return nil }
    let issued = MonotonicInstant(sinceOrigin: .seconds(seconds))
    return isCurrent(issued, at: now) && floor.map { issued > $0 } ?? true ? issued : nil
  }

  private func isCurrent(_ issued: MonotonicInstant, at now: MonotonicInstant) -> Bool {
    issued.duration(to: now) < Self.nonceLife
  }

  /// Keeps a nonce that was used; beyond 64 the oldest goes, and no other of its age is taken any more.
  private mutating func keep(_ nonce: Nonce, as text: String, at now: MonotonicInstant) {
    nonces = nonces.filter { isCurrent($0.value.issuedAt, at: now) }
    if nonces[text] == nil, nonces.count >= Self.mostNonces,
      let oldest = nonces.min(by: { $0.value.issuedAt < $1.value.issuedAt })
    {
      nonces[oldest.key] = nil
      floor = max(floor ?? oldest.value.issuedAt, oldest.value.issuedAt)
    }
    nonces[text] = nonce
  }

  /// Whether a person has approved the Cura that made this proof, with a nonce of ours, and for the first time.
  ///
  /// - Parameters:
  ///   - authorization: the field `Authorization`.
  ///   - path: the request's path.
  mutating func isProven(
    _ authorization: String, method: String, path: String, peer: String, at now: MonotonicInstant
  ) -> Bool {
    guard let proof = DigestProof(authorization), proof.uri == path, proof.realm == Self.realm,
      let place = clients.firstIndex(where: { $0.id == proof.username }),
      clients[place].isApproved, proof.isMade(with: clients[place].key, method: method),
      let issued = issue(of: proof.nonce, at: now)
    else { return false }
    var nonce = nonces[proof.nonce] ?? Nonce(issuedAt: issued)
    guard nonce.seen.count < Self.mostUses, nonce.seen.insert(proof.count).inserted else {
      return false
    }
    keep(nonce, as: proof.nonce, at: now)
    clients[place].peer = peer
    return true
  }

  /// Whether an approved Cura has called from there: it does not sign what it uploads.
  func knows(peer: String) -> Bool { clients.contains { $0.isApproved && $0.peer == peer } }

  /// Whether an id has been approved; nil where it is not known.
  func isApproved(_ id: String) -> Bool? { clients.first { $0.id == id }?.isApproved }
}
