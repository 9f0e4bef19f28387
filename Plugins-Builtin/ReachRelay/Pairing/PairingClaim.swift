internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// What an answer to a pairing claim means. Pure.
enum PairingClaim {
  /// Paired; `rejectedMove` names the host to which the relay would have sent us.
  case paired(ReachIdentity, rejectedMove: String?)
  /// The code is refused for good: why, in the relay's words.
  case refused(String)
  /// To be tried again: why, and how long to wait at least.
  case again(String, after: Duration?)

  /// Reads `answer` to a claim with `code`.
  init(_ answer: RelayAnswer, code: Secret, configuration: ReachConfiguration) {
    let host = configuration.relay.host
    switch answer {
    case .accepted(let reply):
      guard let token = reply["reachLinkToken"]?.string, HTTPField.canCarry(token),
        let printerID = reply["printerId"]?.string, !printerID.isEmpty
      else {
        self = .again("\(host) answers without a token and a printer id", after: nil)
        return
      }
      var identity = ReachIdentity(token: Secret(token), printerID: printerID)
      identity.userID = reply["userId"]?.string
      identity.pairingCodeHash = PairingDecision.hash(code)
      var rejectedMove: String?
      if let url = reply["relayUrl"]?.string, !url.isEmpty {
        let moved = RelayAddress(origin: url)
        if let moved, moved.host == configuration.relay.host || configuration.allowRelayMove {
          if moved != configuration.relay {
            identity.movedTo = moved.origin
            identity.movedFrom = configuration.relay.origin
          }
        } else {
          rejectedMove = moved?.host ?? "an address without https"
        }
      }
      self = .paired(identity, rejectedMove: rejectedMove)
    case .unauthorised(let message), .forbidden(_, let message), .refused(_, let message):
      self = .refused(message)
    case .wait(_, let duration): self = .again("\(host) asks to wait", after: duration)
    case .redirected, .failed, .unreadable, .unreachable:
      self = .again(answer.problem(host: host) ?? "\(host) does not answer", after: nil)
    }
  }
}
