internal import Glibc
internal import Platform

/// A socket that listens; closed with its owner unless it was handed on.
struct ListeningSocket: ~Copyable {
  /// The socket; -1 once it was handed on.
  private(set) var descriptor: Int32

  /// Listens on `address`.
  ///
  /// - Throws: ``HTTPServer/Failure``, which says who holds a busy port.
  init(_ address: HTTPServer.Address) throws(HTTPServer.Failure) {
    guard let port = UInt16(exactly: address.port) else {
      throw Self.failure(address, "the port must be 0 to 65535")
    }
    var v4 = sockaddr_in()
    var v6 = sockaddr_in6()
    if unsafe inet_pton(AF_INET, address.host, &v4.sin_addr) == 1 {
      v4.sin_family = sa_family_t(AF_INET)
      v4.sin_port = port.bigEndian
      self = try Self(address, family: AF_INET, socketAddress: v4)
    } else if unsafe inet_pton(AF_INET6, address.host, &v6.sin6_addr) == 1 {
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
      self = try Self(address, family: AF_INET6, socketAddress: v6)
    } else {
      throw Self.failure(
        address, "that is no numeric address; write one, such as 127.0.0.1, ::1 or 0.0.0.0")
    }
  }

  private init<SocketAddress>(
    _ address: HTTPServer.Address, family: Int32, socketAddress: SocketAddress
  ) throws(HTTPServer.Failure) {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw Self.failure(address, errorNumber: errno) }
    // After a restart the port is free at once, although old connections are still being forgotten.
    set(SOL_SOCKET, SO_REUSEADDR, 1)
    if family == AF_INET6 { set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    let bound = unsafe withUnsafeBytes(of: socketAddress) { bytes in
      unsafe bytes.withMemoryRebound(to: sockaddr.self) {
        unsafe bind(descriptor, $0.baseAddress, socklen_t(bytes.count))
      }
    }
    guard bound == 0, listen(descriptor, 64) == 0 else {
      throw Self.failure(address, errorNumber: errno)
    }
  }

  /// A socket of `family` that is not bound yet.
  ///
  /// - Parameter place: what it is for, for the failure's text.
  init(unbound family: Int32, place: String) throws(HTTPServer.Failure) {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    descriptor = socket(family, type, 0)
    guard descriptor >= 0 else {
      let error = PlatformError.current("open a socket for", place)
      throw HTTPServer.Failure(description: error.description)
    }
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  /// The port on which it listens.
  var port: Int {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutableBytes(of: &address) { bytes in
      unsafe bytes.withMemoryRebound(to: sockaddr.self) {
        unsafe getsockname(descriptor, $0.baseAddress, &length)
      }
    }
    guard result == 0 else { return 0 }
    // `sin_port` and `sin6_port` stand at the same place.
    let bigEndian = unsafe withUnsafeBytes(of: address) {
      unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
    }
    return Int(UInt16(bigEndian: bigEndian))
  }

  /// Hands the socket on: the caller closes it.
  consuming func take() -> Int32 {
    let taken = descriptor
    descriptor = -1
    return taken
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(
      descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func failure(
    _ address: HTTPServer.Address, errorNumber: Int32
  ) -> HTTPServer.Failure {
    switch errorNumber {
    case EADDRINUSE:
      let holder = PortHolder.of(port: address.port)?.description ?? "another program"
      return failure(
        address, "the port is held by \(holder); end that program or choose another port")
    case EACCES:
      return failure(address, "ports below 1024 are for root; choose a higher one")
    case EADDRNOTAVAIL:
      return failure(
        address, "this host does not have that address (yet); choose one that `ip address` lists")
    case EAFNOSUPPORT:
      return failure(address, "this host speaks no IPv6; choose an IPv4 address")
    default:
      let error = PlatformError(
        operation: "listen on", subject: address.description, errorNumber: errorNumber)
      return HTTPServer.Failure(description: error.description)
    }
  }

  private static func failure(
    _ address: HTTPServer.Address, _ reason: String
  ) -> HTTPServer.Failure {
    HTTPServer.Failure(description: "cannot listen on \(address): \(reason)")
  }
}
