internal import CPlatform
internal import Glibc

/// What the operating system says of this machine.
package enum HostInformation {
  /// `gethostname()`, or "localhost" where that fails.
  package static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    let status = unsafe gethostname(&name, name.count - 1)
    let text = String(cCharacters: name)
    return status == 0 && !text.isEmpty ? text : "localhost"
  }

  /// `uname -m`: `x86_64`, `aarch64`…
  package static var machine: String {
    var names = utsname()
    guard unsafe uname(&names) == 0 else { return "" }
    return unsafe withUnsafeBytes(of: names.machine) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// The time since boot without suspensions (`CLOCK_MONOTONIC`), as service managers count it.
  package static var awakeTime: Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// The first IPv4 address that is not loopback, in interface order; nil when there is none.
  package static var firstIPv4Address: String? {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return nil }
    defer { unsafe freeifaddrs(list) }
    var next = unsafe list
    while let entry = unsafe next {
      unsafe next = entry.pointee.ifa_next
      let flags = unsafe Int32(truncatingIfNeeded: entry.pointee.ifa_flags)
      guard flags & Int32(IFF_UP) != 0, flags & Int32(IFF_LOOPBACK) == 0,
        let address = unsafe entry.pointee.ifa_addr,
        unsafe address.pointee.sa_family == sa_family_t(AF_INET)
      else { continue }
      let found = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
      return dotted(found)
    }
    return nil
  }

  /// The address from which this host would reach the numeric `address` (a connected UDP socket, nothing is sent).
  package static func localAddress(toReach address: String) -> String? {
    var target = sockaddr_in()
    if unsafe inet_pton(AF_INET, address, &target.sin_addr) == 1 {
      target.sin_family = sa_family_t(AF_INET)
      target.sin_port = in_port_t(9).bigEndian
      return ownAddress(AF_INET, of: target).map(dotted)
    }
    var target6 = sockaddr_in6()
    guard unsafe inet_pton(AF_INET6, address, &target6.sin6_addr) == 1 else { return nil }
    target6.sin6_family = sa_family_t(AF_INET6)
    target6.sin6_port = in_port_t(9).bigEndian
    guard var own = ownAddress(AF_INET6, of: target6) else { return nil }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard unsafe inet_ntop(AF_INET6, &own.sin6_addr, &text, socklen_t(text.count)) != nil else {
      return nil
    }
    return String(cCharacters: text)
  }

  /// Our end of a datagram socket that is connected to `target`, of the same family.
  private static func ownAddress<Address>(_ family: Int32, of target: Address) -> Address? {
    let number = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return nil }
    let socket = FileDescriptor(owning: number)
    var address = target
    var length = socklen_t(MemoryLayout<Address>.size)
    let status = unsafe withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
      guard let raw = bytes.baseAddress else { return -1 }
      let general = unsafe raw.assumingMemoryBound(to: sockaddr.self)
      guard unsafe connect(socket.number, general, length) == 0 else { return -1 }
      return unsafe getsockname(socket.number, general, &length)
    }
    return status == 0 ? address : nil
  }

  private static func dotted(_ address: sockaddr_in) -> String {
    let number = UInt32(bigEndian: address.sin_addr.s_addr)
    return "\(number >> 24).\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
  }
}
