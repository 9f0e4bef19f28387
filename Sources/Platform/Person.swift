internal import Glibc

/// A user of this host, in whose name root does something.
package struct Person: Sendable, Hashable {
  /// The user's id.
  package var user: UInt32
  /// The group that is the user's own.
  package var group: UInt32
  /// The login name; nil for one that the system does not list.
  package var name: String?
  /// The home folder.
  package var home: String?

  /// Whom `path` belongs to, where this process is root and that one is not; nil otherwise, and where nothing is there.
  package static func other(owning path: String) -> Person? {
    guard Files.isRoot, let found = (try? Files.information(path)) ?? nil, found.owner != 0 else {
      return nil
    }
    var person = Person(user: found.owner, group: found.group, name: nil, home: nil)
    if let entry = unsafe getpwuid(found.owner) {
      person.group = unsafe entry.pointee.pw_gid
      unsafe person.name = String(validatingCString: entry.pointee.pw_name)
      unsafe person.home = String(validatingCString: entry.pointee.pw_dir)
    }
    return person
  }

  /// Makes this process theirs, for good.
  ///
  /// - Throws: `PlatformError` where it is not root's to give away.
  package func takeOver() throws(PlatformError) {
    try takeGroups()
    guard setgid(group) == 0, setuid(user) == 0 else { throw failure }
  }

  /// Runs `body` with their rights and no others, and takes root's again.
  ///
  /// It holds for the whole process: nothing else of it may be under way that needs root.
  ///
  /// - Throws: what `body` throws; `PlatformError` where the rights cannot be changed.
  package func acting<Result>(_ body: () async throws -> Result) async throws -> Result {
    try takeGroups()
    guard setegid(group) == 0, seteuid(user) == 0 else {
      Self.returnToRoot()
      throw failure
    }
    defer { Self.returnToRoot() }
    return try await body()
  }

  private var failure: PlatformError {
    PlatformError(operation: "act as", subject: name ?? "user \(user)", errorNumber: errno)
  }

  private func takeGroups() throws(PlatformError) {
    var own = gid_t(group)
    let result =
      if let name { unsafe initgroups(name, group) } else { unsafe setgroups(1, &own) }
    guard result == 0 else { throw failure }
  }

  private static func returnToRoot() {
    _ = seteuid(0)
    _ = setegid(0)
    _ = unsafe initgroups("root", 0)
  }
}
