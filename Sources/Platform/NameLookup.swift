internal import Glibc

/// Asks the system's resolver for a host's addresses.
package enum NameLookup {
  /// What the resolver says.
  package enum Outcome: Sendable, Hashable {
    /// There is at least one address.
    case found
    /// There is no such name.
    case unknownName
    /// Nobody could be asked, or nobody answered; the resolver's words.
    case noAnswer(String)
  }

  /// Looks `host` up. Blocks for as long as the resolver's own time-outs: call it through ``offload(_:)``.
  package static func addresses(of host: String) -> Outcome {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    if let list = unsafe list { unsafe freeaddrinfo(list) }
    switch code {
    case 0: return .found
    case EAI_AGAIN, EAI_FAIL, EAI_SYSTEM, EAI_MEMORY:
      guard let words = unsafe gai_strerror(code) else { return .noAnswer("error \(code)") }
      return .noAnswer(unsafe String(cString: words))
    default: return .unknownName
    }
  }
}
