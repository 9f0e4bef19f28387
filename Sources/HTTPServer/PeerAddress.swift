internal import Glibc

/// The numeric address at the other end of a connection; IPv4 inside IPv6 counts as IPv4.
struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
  /// Four bytes of IPv4, sixteen of IPv6, none where unknown.
  var bytes: [UInt8]

  /// An address of these bytes.
  init(bytes: [UInt8]) {
    let isMapped =
      bytes.count == 16 && bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
    self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
  }

  /// The address in a socket address of the C library; an unknown one where it is neither IPv4 nor IPv6.
  @safe init(_ address: UnsafePointer<sockaddr>?) {
    guard let address = unsafe address else {
      self.init(bytes: [])
      return
    }
    let raw = unsafe UnsafeRawPointer(address)
    switch unsafe Int32(address.pointee.sa_family) {
    case AF_INET:
      let internet = unsafe raw.loadUnaligned(as: sockaddr_in.self)
      self.init(bytes: unsafe withUnsafeBytes(of: internet.sin_addr) { unsafe Array($0) })
    case AF_INET6:
      let internet = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
      self.init(bytes: unsafe withUnsafeBytes(of: internet.sin6_addr) { unsafe Array($0) })
    default: self.init(bytes: [])
    }
  }

  /// Whether it is this host's loopback.
  var isLoopback: Bool {
    bytes.count == 4 ? bytes[0] == 127 : bytes == Array(repeating: 0, count: 15) + [1]
  }

  /// As usually written: `192.168.1.7`, `fe80::1`; `unknown`.
  var description: String {
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard bytes.count == 4 || bytes.count == 16 else { return "unknown" }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else {
      return "unknown"
    }
    return String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
  }
}
