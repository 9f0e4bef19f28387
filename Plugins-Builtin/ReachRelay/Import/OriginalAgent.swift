internal import ConnectorKit
internal import JSON
internal import Networking

/// What the files of Reach's own agent say together.
struct OriginalAgent {
  /// Its `.env`.
  let environment: OriginalEnvironment?
  /// Its state file.
  let state: OriginalState?

  /// A token with its printer.
  private struct Credentials: Equatable {
    var token: String
    var printerID: String
  }

  /// The entry with the same pairing.
  ///
  /// - Throws: `ImportFailure`.
  func entry() throws(ImportFailure) -> ImportedEntry {
    var notes: [String] = []
    let identity = try identity(&notes)
    let relay = try relay(&notes)
    var entry = ImportedEntry(
      settings: [(ReachRelaySettings.relay.declaration.key, .string(relay.origin))],
      identity: identity.json, notes: notes, program: ReachRelayBackend.agent.program,
      stopAdvice: ReachRelayBackend.agent.stopAdvice)
    if let environment {
      OriginalSettings(environment).add(to: &entry)
    } else {
      entry.notes.append(
        "there is no .env beside it: intervals that stood there or in the service's unit are not taken over"
      )
    }
    return entry
  }

  // MARK: The pairing

  private func identity(_ notes: inout [String]) throws(ImportFailure) -> ReachIdentity {
    let environmentID = environment?["REACH_LINK_PRINTER_ID"] ?? environment?["REACH_PRINTER_ID"]
    let configured = Self.credentials(
      environment?["REACH_LINK_TOKEN"], environmentID ?? state?.printerID)
    let kept = Self.credentials(state?.token, state?.printerID ?? environmentID)
    guard let newest = kept ?? configured else { throw missing }
    var chosen = newest
    var previous: String?
    if let kept, let configured, kept != configured {
      if kept.printerID == configured.printerID {
        // The agent forgets a rotation when it starts anew with the token of its .env.
        previous = configured.token
        notes.append(
          "the state file and .env hold different tokens: the state file's is used, and the other one where the relay refuses it"
        )
      } else {
        chosen = configured
        notes.append(
          "the state file is of another printer (\(kept.printerID)) and is not used")
      }
    }
    for token in [chosen.token, previous ?? ""] where !token.isEmpty {
      guard HTTPField.canCarry(token) else {
        throw ImportFailure(
          "its token holds a blank, a line break or a letter beyond ASCII",
          remedy: "copy the file again, or pair anew with a pairing_code")
      }
    }
    var identity = ReachIdentity(token: Secret(chosen.token), printerID: chosen.printerID)
    identity.previousToken = previous.map { Secret($0) }
    identity.userID = state?.userID ?? environment?["REACH_LINK_USER_ID"]
    // Where the agent's variables stay in the service's environment, they are no news from the owner.
    identity.configuredTokenHash = configured.map { PairingDecision.hash(Secret($0.token)) }
    return identity
  }

  private static func credentials(_ token: String?, _ printerID: String?) -> Credentials? {
    guard let token, let printerID else { return nil }
    return Credentials(token: token, printerID: printerID)
  }

  private var missing: ImportFailure {
    if environment?["REACH_LINK_TOKEN"] ?? state?.token != nil {
      return ImportFailure(
        "there is a token, and no id of the printer that it belongs to",
        remedy: "add REACH_LINK_PRINTER_ID, or pair anew with a pairing_code")
    }
    return ImportFailure(
      "this agent has not paired yet: it holds no token",
      remedy:
        "write an entry with relay and pairing_code instead: printer-uplink backends reach")
  }

  // MARK: The relay

  /// The state file's, as for the agent: a relay may send its printers elsewhere.
  private func relay(_ notes: inout [String]) throws(ImportFailure) -> RelayAddress {
    let configured = environment?["REACH_LINK_RELAY"]
    let moved = state?.relay.flatMap { RelayAddress(origin: $0) }
    guard let relay = moved ?? configured.flatMap({ RelayAddress(origin: $0) }) else {
      throw ImportFailure(
        configured ?? state?.relay == nil
          ? "the relay's address is missing" : "the relay's address is no https address",
        remedy: "add REACH_LINK_RELAY=https://… with the address that your dashboard names")
    }
    if let configured = configured.flatMap({ RelayAddress(origin: $0) }), configured != relay {
      notes.append(
        "the state file names \(relay.origin), .env \(configured.origin): the state file's is taken, as the agent does"
      )
    }
    return relay
  }
}
