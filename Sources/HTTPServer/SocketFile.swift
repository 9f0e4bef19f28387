internal import Glibc
internal import Platform

/// The file of a Unix socket: 0600, made for us alone.
struct SocketFile: Sendable {
  /// Where it is.
  let path: String
  private let address: sockaddr_un

  /// A file at `path`; nothing is made yet.
  ///
  /// - Throws: ``HTTPServer/Failure`` where the path is too long for a socket.
  init(path: String) throws(HTTPServer.Failure) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = Array(path.utf8)
    // One byte stays for the final NUL.
    guard !name.isEmpty, !name.contains(0),
      name.count < MemoryLayout.size(ofValue: address.sun_path)
    else {
      throw HTTPServer.Failure(
        description:
          "cannot listen on \(path): a socket's path has at most 107 bytes; choose a shorter one")
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
    self.address = address
    self.path = path
  }

  /// Listens there. Nobody else can connect before the mode is set, as nobody listens until then.
  ///
  /// - Throws: ``HTTPServer/Failure``; a socket on which somebody listens and any other file stay.
  func listen() throws(HTTPServer.Failure) -> ListeningSocket {
    try removeStale()
    let socket = try ListeningSocket(unbound: AF_UNIX, place: path)
    guard unsafe call(socket.descriptor, bind) == 0 else { throw failure(errno) }
    guard unsafe chmod(path, 0o600) == 0, Glibc.listen(socket.descriptor, 16) == 0 else {
      let reason = errno
      remove()
      throw failure(reason)
    }
    return socket
  }

  /// Removes the socket; no other kind of file.
  func remove() {
    guard kind == S_IFSOCK else { return }
    _ = unsafe unlink(path)
  }

  /// Removes what a daemon left that did not come to its end.
  private func removeStale() throws(HTTPServer.Failure) {
    guard let kind else { return }
    guard kind == S_IFSOCK else {
      throw HTTPServer.Failure(
        description: "cannot listen on \(path): something else stands there; move it away")
    }
    let probe = try ListeningSocket(unbound: AF_UNIX, place: path)
    guard unsafe call(probe.descriptor, connect) != 0, errno == ECONNREFUSED else {
      throw HTTPServer.Failure(
        description: "cannot listen on \(path): another program listens there; end it first")
    }
    remove()
  }

  /// What stands there, links not followed; nil where nothing does.
  private var kind: mode_t? {
    var information = stat()
    guard unsafe lstat(path, &information) == 0 else { return nil }
    return information.st_mode & S_IFMT
  }

  private func call(
    _ descriptor: Int32,
    _ body: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
  ) -> Int32 {
    unsafe withUnsafeBytes(of: address) { bytes in
      unsafe bytes.withMemoryRebound(to: sockaddr.self) {
        unsafe body(descriptor, $0.baseAddress, socklen_t(bytes.count))
      }
    }
  }

  private func failure(_ errorNumber: Int32) -> HTTPServer.Failure {
    let error = PlatformError(operation: "listen on", subject: path, errorNumber: errorNumber)
    return HTTPServer.Failure(description: error.description)
  }
}
