internal import ConnectorKit
internal import Glibc
package import Platform

/// The folder of what the daemon must not lose: identities, the memory of spent tokens, its lock. 0700.
///
/// All of it blocks: call it at start-up, or through `offload`.
package struct StateDirectory: Sendable {
  /// The folder's path.
  package let path: String
  /// Whether the disk cannot be written at all (a card that has failed): then reporting goes on with what is stored.
  package let isReadOnly: Bool
  /// To whom new files are given: the folder's owner while we run as root, so that the daemon's own user
  /// can still use them; nil otherwise.
  private let heir: Owner?

  private struct Owner: Sendable {
    var user: UInt32
    var group: UInt32
  }

  /// Opens the folder at `path` and makes it where it is missing.
  ///
  /// - Parameter configurationPath: the configuration file: as root, a new folder is given to its owner.
  /// - Throws: `StateFailure` when it cannot be used, or lies where every Moonraker client can read.
  package init(opening path: String, configurationPath: String) throws(StateFailure) {
    let path = Self.withoutTrailingSlashes(path)
    try Self.refuseConfigurationFolder(path)
    do {
      let isNew = try Files.information(path) == nil
      if isNew { try Files.makeFolder(path, mode: 0o700) }
      if isNew, Files.isRoot, let owner = try Files.information(configurationPath) {
        try Files.setOwner(path, owner: owner.owner, group: owner.group)
      }
      guard let folder = try Files.information(path), folder.kind == .folder else {
        throw StateFailure("\(path) is no folder; set state_directory to another path")
      }
      isReadOnly = try Files.isOnReadOnlyFileSystem(path)
      guard isReadOnly || Files.isWritable(path) else {
        throw StateFailure(
          "\(path) is not writable for this user; run as its owner, or set state_directory")
      }
      if !isReadOnly { try Self.close(path, folder) }
      self.path = path
      heir =
        Files.isRoot && folder.owner != 0 ? Owner(user: folder.owner, group: folder.group) : nil
    } catch let error as StateFailure {
      throw error
    } catch {
      throw StateFailure("\(error); set state_directory to a folder that this user may write")
    }
  }

  /// The path of the file or folder `name` in this folder.
  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Takes the daemon's exclusive lock: one daemon per state directory.
  ///
  /// - Parameter isSigned: whether the lock's file names this process; a look that changes nothing leaves it as it is.
  /// - Throws: `StateFailure` that names the process which holds it.
  package func lock(isSigned: Bool = true) throws(StateFailure) -> InstanceLock {
    let file = path(of: "daemon.lock")
    do {
      let lock = try InstanceLock(path: file, isSigned: isSigned)
      if isSigned { bequeath(file) }
      return lock
    } catch {
      switch error {
      case .held(let process):
        let who = process.map { " (pid \($0))" } ?? ""
        throw StateFailure(
          "another \(Product.name)\(who) uses \(path); stop it or give this one another state_directory",
          isHeld: true)
      case .system(let cause):
        throw StateFailure("\(cause); check the owner and the mode of \(path)")
      }
    }
  }

  /// Makes the folder `name` in this folder, 0700.
  package func makeFolder(_ name: String) throws(PlatformError) {
    let folder = path(of: name)
    try refuseLink(folder)
    try Files.makeFolder(folder, mode: 0o700)
    bequeath(folder)
  }

  /// Replaces the file `name` as a whole, 0600; on return it is on the disk.
  package func replace(_ name: String, with bytes: [UInt8]) throws(PlatformError) {
    let file = path(of: name)
    let folder = Files.folder(of: file)
    if folder != path { try refuseLink(folder) }
    try Files.replace(file, with: bytes, mode: 0o600)
    bequeath(file)
  }

  /// As root in somebody else's folder: a link there may lead to anything.
  private func refuseLink(_ path: String) throws(PlatformError) {
    guard heir != nil, Files.isLink(path) else { return }
    throw PlatformError(operation: "use", subject: path, errorNumber: ELOOP)
  }

  private func bequeath(_ path: String) {
    guard let heir else { return }
    // Root may always do this, save on file systems without owners, where it does not matter.
    try? Files.setOwner(path, owner: heir.user, group: heir.group)
  }

  /// Takes away what group and others may do, in a folder that is ours alone.
  private static func close(
    _ path: String, _ folder: Files.Information
  ) throws(PlatformError) {
    guard folder.mode & 0o077 != 0, folder.owner == Files.effectiveUser || Files.isRoot else {
      return
    }
    // Somebody may have named a folder that others use too (/tmp): what we put there is 0600 anyway.
    let names = try Files.names(in: path)
    guard names.isEmpty || names.contains("daemon.lock") else { return }
    try Files.setMode(path, 0o700)
  }
}
