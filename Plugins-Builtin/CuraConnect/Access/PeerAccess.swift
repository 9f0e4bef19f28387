internal import HTTPServer
internal import Networking

/// Who may call at all, by the address from which a request comes.
struct PeerAccess: Sendable {
  let allowed: [NetworkRange]

  /// The visitor's address: the one that a proxy on this host names, else the one that connected.
  static func visitor(_ request: HTTPServer.Request) -> String {
    guard request.isFromLoopback,
      let forwarded = request.fields.last(where: { $0.name.lowercased() == "x-forwarded-for" })
    else { return request.peer }
    // The proxy appends whom it has seen itself.
    let last = forwarded.value.utf8.split(separator: UInt8(ascii: ",")).last
    return last.map { String(decoding: $0.filter { $0 > 0x20 }, as: UTF8.self) } ?? ""
  }

  /// Whether the visitor is in one of the networks.
  func allows(_ request: HTTPServer.Request) -> Bool {
    let visitor = Self.visitor(request)
    guard let address = IPAddress(literal: visitor) else {
      return request.peer == "unix" && visitor == "unix"
    }
    return allowed.contains { $0.contains(address) }
  }
}
