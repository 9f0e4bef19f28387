internal import Glibc

/// An IP address, and what it may lead to.
package enum IPAddress: Sendable, Hashable {
  /// IPv4, the first octet highest.
  case v4(UInt32)
  /// IPv6: its first and its last eight bytes.
  case v6(UInt64, UInt64)

  /// The address that `host` spells out, nil for a name.
  ///
  /// - Parameter host: IPv6 without brackets (a zone is ignored), or IPv4 in any spelling that the system's
  ///   resolver takes for an address: decimal, octal, hexadecimal, with fewer than four parts.
  package init?(literal host: String) {
    let text = String(host.prefix { $0 != "%" })
    var address6 = in6_addr()
    if unsafe inet_pton(AF_INET6, text, &address6) == 1 {
      self = unsafe withUnsafeBytes(of: &address6) { bytes in
        unsafe .v6(Self.half(bytes, 0), Self.half(bytes, 8))
      }
      return
    }
    // A name's closing dot: some resolvers drop it before they look for an address.
    let name = text.hasSuffix(".") ? String(text.dropLast()) : text
    var address4 = in_addr()
    guard unsafe inet_aton(name, &address4) == 1 else { return nil }
    self = .v4(UInt32(bigEndian: address4.s_addr))
  }

  /// The address in a `sockaddr`'s bytes; nil when it is of another family.
  init?(family: Int32, _ bytes: UnsafeRawBufferPointer) {
    switch family {
    case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
      let address = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
      self = .v4(UInt32(bigEndian: address.sin_addr.s_addr))
    case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
      // Behind family, port and flow label.
      self = unsafe .v6(Self.half(bytes, 8), Self.half(bytes, 16))
    default: return nil
    }
  }

  private static func half(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// Whether a host on the open Internet may have it: no loopback, private, link-local, shared, multicast,
  /// documentation, benchmark or reserved address, nor an IPv6 one that only wraps such an IPv4 address.
  package var isPublic: Bool {
    switch self {
    case .v4(let address):
      return !Self.special4.contains { address >> (32 - $0.bits) == $0.network >> (32 - $0.bits) }
    case .v6(let high, let low):
      if let wrapped = Self.wrapped(high, low) {
        return wrapped.allSatisfy { IPAddress.v4($0).isPublic }
      }
      // Only this eighth has been given out; the rest is local, multicast or nobody's.
      return high >> 61 == 0b001
        && !Self.special6.contains { high >> (64 - $0.bits) == $0.network >> (64 - $0.bits) }
    }
  }

  /// The IPv4 addresses that packets to an IPv6 one are carried to, for the kinds that have any.
  private static func wrapped(_ high: UInt64, _ low: UInt64) -> [UInt32]? {
    let last = UInt32(truncatingIfNeeded: low)
    // ::ffff:a.b.c.d
    if high == 0, low >> 32 == 0xFFFF { return [last] }
    // 64:ff9b::a.b.c.d, by which networks without IPv4 reach its hosts
    if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return [last] }
    // 6to4, 2002:a.b.c.d::/48
    if high >> 48 == 0x2002 { return [UInt32(truncatingIfNeeded: high >> 16)] }
    // Teredo, 2001:0:server…, the client's address inverted at the end
    if high >> 32 == 0x2001_0000 { return [UInt32(truncatingIfNeeded: high), ~last] }
    return nil
  }

  private static let special4: [(network: UInt32, bits: Int)] = [
    (0x0000_0000, 8),  // this network; 0.0.0.0 leads to this host
    (0x0A00_0000, 8),  // private
    (0x6440_0000, 10),  // shared by a provider's customers
    (0x7F00_0000, 8),  // loopback
    (0xA9FE_0000, 16),  // link-local
    (0xAC10_0000, 12),  // private
    (0xC000_0000, 24),  // protocol assignments
    (0xC000_0200, 24),  // documentation
    (0xC058_6300, 24),  // former 6to4 relays
    (0xC0A8_0000, 16),  // private
    (0xC612_0000, 15),  // benchmarks
    (0xC633_6400, 24),  // documentation
    (0xCB00_7100, 24),  // documentation
    (0xE000_0000, 3),  // multicast, reserved, broadcast
  ]

  private static let special6: [(network: UInt64, bits: Int)] = [
    (0x2001_0000_0000_0000, 23),  // protocol assignments, benchmarks, overlays
    (0x2001_0DB8_0000_0000, 32),  // documentation
    (0x3FFF_0000_0000_0000, 20),  // documentation
  ]
}
