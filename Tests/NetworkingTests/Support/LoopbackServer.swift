import Foundation
import Platform

/// A TCP or Unix-socket server on loopback that obeys a script: one thread per connection, blocking calls only.
final class LoopbackServer: Sendable {
  typealias Script = @Sendable (LoopbackPeer) -> Void

  let port: Int
  let path: String?
  private let listener: Int32
  private let counts = Guarded((accepted: 0, open: 0))
  private let peers = Guarded<[LoopbackPeer]>([])

  /// How many connections were accepted so far.
  var accepted: Int { counts.withLock { $0.accepted } }
  /// How many connections' scripts are still running.
  var open: Int { counts.withLock { $0.open } }

  init(_ script: @escaping Script) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        precondition(bind(listener, generic, length) == 0 && listen(listener, 512) == 0)
        precondition(getsockname(listener, generic, &length) == 0)
      }
    }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
    path = nil
    accept(script)
  }

  init(path: String, _ script: @escaping Script) {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8) + [0]) }
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        precondition(bind(listener, generic, length) == 0 && listen(listener, 64) == 0)
      }
    }
    self.listener = listener
    port = 0
    self.path = path
    accept(script)
  }

  deinit {
    // The accepting thread closes it: here, its number might be another server's before that thread looks again.
    shutdown(listener, Int32(SHUT_RDWR))
    for peer in peers.withLock({ $0 }) { peer.close() }
    if let path { unlink(path) }
  }

  func url(_ path: String = "/", scheme: String = "http") -> String {
    "\(scheme)://127.0.0.1:\(port)\(path)"
  }

  private func accept(_ script: @escaping Script) {
    let listener = listener
    let counts = counts
    let peers = peers
    Thread.detachNewThread {
      while true {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else {
          close(listener)
          return
        }
        let peer = LoopbackPeer(descriptor)
        peers.withLock { $0.append(peer) }
        counts.withLock {
          $0.accepted += 1
          $0.open += 1
        }
        Thread.detachNewThread {
          script(peer)
          peer.close()
          peers.withLock { $0.removeAll { $0 === peer } }
          counts.withLock { $0.open -= 1 }
        }
      }
    }
  }
}

/// The server's side of one connection.
final class LoopbackPeer: Sendable {
  private let state: Guarded<(descriptor: Int32, isOpen: Bool)>
  private let buffer = Guarded<[UInt8]>([])
  private let descriptor: Int32

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    state = Guarded((descriptor, true))
    var on: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Shuts the connection down at once; the descriptor goes with the object, so that no thread meets a reused number.
  func close() {
    state.withLock { state in
      if state.isOpen { shutdown(state.descriptor, Int32(SHUT_RDWR)) }
      state.isOpen = false
    }
  }

  /// Closes with a reset instead of an orderly end.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    // Only connect(AF_UNSPEC) resets a TCP connection that keeps its descriptor.
    var address = sockaddr(
      sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    connect(descriptor, &address, socklen_t(MemoryLayout<sockaddr>.size))
    state.withLock { $0.isOpen = false }
  }

  deinit { Glibc.close(descriptor) }

  /// The next bytes; empty at the end of the stream.
  func read(atMost count: Int = 65_536) -> [UInt8] {
    let kept = buffer.withLock { kept in
      defer { kept = [] }
      return kept
    }
    if !kept.isEmpty { return kept }
    var bytes = [UInt8](repeating: 0, count: count)
    let got = recv(descriptor, &bytes, count, 0)
    return got > 0 ? Array(bytes.prefix(got)) : []
  }

  /// Exactly `count` bytes, or nil at the end of the stream.
  func read(exactly count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more = read()
      if more.isEmpty { return nil }
      bytes += more
    }
    let rest = Array(bytes.dropFirst(count))
    buffer.withLock { $0 = rest }
    return Array(bytes.prefix(count))
  }

  /// All up to and including `end`, or nil at the end of the stream.
  func read(through end: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    while true {
      if let found = bytes.firstRange(of: end) {
        let rest = Array(bytes[found.upperBound...])
        buffer.withLock { $0 = rest }
        return Array(bytes[..<found.upperBound])
      }
      let more = read()
      if more.isEmpty { return nil }
      bytes += more
    }
  }

  @discardableResult func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let done = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if done <= 0 { return false }
      sent += done
    }
    return true
  }

  @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }
}
