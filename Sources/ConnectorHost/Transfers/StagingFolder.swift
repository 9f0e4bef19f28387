internal import ConnectorKit
internal import Platform

/// The host's private folder `staging` for files on their way, 0700. Nothing in it outlives the daemon.
///
/// All of it blocks: call it at start-up, or through `offload`.
struct StagingFolder: Sendable {
  /// So much of the disk stays free, in bytes: the printer and its system need it more than we do.
  static let reserve: Int64 = 64 << 20

  let path: String

  private let state: StateDirectory

  /// The folder of this state directory; nothing is made or removed before ``empty()``.
  init(in state: StateDirectory) {
    self.state = state
    path = state.path(of: "staging")
  }

  /// Makes the folder, and empties one that a former daemon has left: for the daemon only, which holds the lock.
  ///
  /// - Throws: `PlatformError` where it cannot be made or used.
  func empty() throws(PlatformError) {
    try state.makeFolder("staging")
    try Files.setMode(path, 0o700)
    for name in try Files.names(in: path) {
      // One that stays costs room, no more: names are never used twice.
      try? Files.remove("\(path)/\(name)")
    }
  }

  /// A path for a new file, which nobody can guess.
  func newPath() -> String {
    let parts = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
    return "\(path)/\(parts.joined(separator: "-"))"
  }

  /// The largest file that there is room for now: a tenth more must fit, and the reserve stays.
  ///
  /// - Throws: `TransferFailure.disk`, also where there is no room for anything.
  func room() throws(TransferFailure) -> Int64 {
    let free: Int64
    do { free = try Files.freeSpace(at: path) } catch { throw TransferFailure(error) }
    let room = max(0, free - Self.reserve) / 11 * 10
    guard room > 0 else { throw Self.full }
    return room
  }

  /// The failure where the disk has no room for a file.
  static let full = TransferFailure(
    .disk, "this host's disk has no room for the file; free some space on it")
}
