internal import Glibc
package import Platform

/// Where the control socket is: `$RUNTIME_DIRECTORY/control.sock`, else in the state directory.
///
/// With a runtime directory, a link in the state directory leads to it: the command line finds the daemon of its
/// configuration file there, without knowing the service manager's variables.
package struct ControlSocket: Sendable {
  private static let name = "control.sock"
  /// Where the daemon listens.
  package let path: String
  /// Where the command line connects.
  package let clientPath: String

  /// The socket of the daemon with this state directory.
  package init(environment: [String: String], stateDirectory: String) {
    clientPath = "\(StateDirectory.withoutTrailingSlashes(stateDirectory))/\(Self.name)"
    // systemd separates several folders by colons; ours is the first.
    let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first
    path =
      folder.map { "\(StateDirectory.withoutTrailingSlashes(String($0)))/\(Self.name)" }
      ?? clientPath
  }

  /// Prepares the state directory, which must be ours: takes the link of a former start away, and sets one where the
  /// socket lies elsewhere. Call it before listening. Blocks on the disk.
  ///
  /// - Throws: `PlatformError`.
  package func prepare() throws(PlatformError) {
    var information = stat()
    if unsafe lstat(clientPath, &information) == 0 {
      let kind = information.st_mode & S_IFMT
      // A socket that a former daemon left here would hide the one that is elsewhere now.
      if kind == S_IFLNK || (kind == S_IFSOCK && path != clientPath) {
        try Files.remove(clientPath)
      }
    }
    guard path != clientPath else { return }
    guard unsafe symlink(path, clientPath) == 0 else {
      throw PlatformError.current("make the link", clientPath)
    }
  }
}
