package import Networking

extension NetworkError.Kind {
  /// What the owner can do about a call that got no answer.
  ///
  /// - Parameter key: the setting that holds the far side's address.
  package func remedy(address key: String) -> String {
    switch self {
    case .badURL: "correct \(key)"
    case .nameLookup: "check \(key) and the network's DNS"
    case .tls: "check \(key), or name your own CA as `ca_file` under `network`"
    case .certificateNotYetValid: "wait for this host's clock to be set, or set it"
    case .tooLarge, .protocolViolation: "check that \(key) is the service's own address"
    case .forbiddenAddress: "let \(key) lead to a public address"
    case .disk: "free some space on this host's disk"
    case .connect, .timeout, .closed, .cancelled, .other: "it is tried again by itself"
    }
  }
}
