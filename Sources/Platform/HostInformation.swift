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

  /// The first IPv4 address that is not loopback, in interface order; nil when there is none.
  package static var firstIPv4Address: String? {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return nil }
    defer { unsafe freeifaddrs(list) }
    var next = unsafe list
    while let entry = unsafe next {
      var address: UInt32 = 0
      if unsafe platform_interface_ipv4(entry, &address) != 0 { return dotted(address) }
      unsafe next = entry.pointee.ifa_next
    }
    return nil
  }

  /// The address from which this host would reach the numeric `address` (a connected UDP socket, nothing is sent).
  package static func localAddress(toReach address: String) -> String? {
    var target = sockaddr_in()
    if unsafe inet_pton(AF_INET, address, &target.sin_addr) == 1 {
      target.sin_family = sa_family_t(AF_INET)
      target.sin_port = in_port_t(9).bigEndian
      guard let socket = datagramSocket(AF_INET) else { return nil }
      var own = sockaddr_in()
      guard unsafe platform_connect_in(socket.number, &target) == 0,
        unsafe platform_local_in(socket.number, &own) == 0
      else { return nil }
      return dotted(UInt32(bigEndian: own.sin_addr.s_addr))
    }
    var target6 = sockaddr_in6()
    guard unsafe inet_pton(AF_INET6, address, &target6.sin6_addr) == 1 else { return nil }
    target6.sin6_family = sa_family_t(AF_INET6)
    target6.sin6_port = in_port_t(9).bigEndian
    guard let socket = datagramSocket(AF_INET6) else { return nil }
    var own = sockaddr_in6()
    guard unsafe platform_connect_in6(socket.number, &target6) == 0,
      unsafe platform_local_in6(socket.number, &own) == 0
    else { return nil }
    var text = [CChar](repeating: 0, count: 64)
    guard unsafe inet_ntop(AF_INET6, &own.sin6_addr, &text, socklen_t(text.count)) != nil else {
      return nil
    }
    return String(cCharacters: text)
  }

  private static func datagramSocket(_ family: Int32) -> FileDescriptor? {
    let number = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    return number < 0 ? nil : FileDescriptor(owning: number)
  }

  private static func dotted(_ address: UInt32) -> String {
    "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
  }
}
