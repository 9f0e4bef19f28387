internal import Platform

/// The rights with which root runs a command that is not the daemon: those of the user whose daemon it concerns.
///
/// That user decides what stands in the state folder, and mostly what the configuration says: as root, a command would
/// follow a link of theirs to any file, and read any file that the configuration names. Of the whole process.
struct DaemonRights {
  /// Whose rights count where configuration and state are of different users.
  enum Purpose {
    /// The state's owner: only the daemon is asked, or a file there is read.
    case asking
    /// The configuration's: what it says is done.
    case acting
  }

  /// The loader, with the home folder of that user.
  let loader: ConfigurationLoader
  private let former: Credentials.Former?
  private let owner: Credentials.Owner?

  /// Takes them, for the configuration file at `path`; nothing changes where we are not root, or all of it is root's.
  /// Blocks.
  ///
  /// - Throws: `PlatformError` where root may not act for others here.
  init(
    for path: String, loader: ConfigurationLoader, _ purpose: Purpose
  ) throws(PlatformError) {
    guard Files.isRoot else {
      (self.loader, former, owner) = (loader, nil, nil)
      return
    }
    if let steward = Self.steward(of: path) {
      let former = try Credentials.lower(to: steward)
      let theirs = Self.loader(loader, of: steward)
      guard purpose == .asking, let other = Self.stateOwner(path, theirs),
        other.user != steward.user
      else {
        (self.loader, self.former, owner) = (theirs, former, steward)
        return
      }
      Credentials.restore(former)
      self.former = try Credentials.lower(to: other)
      (self.loader, owner) = (theirs, other)
    } else if let owner = Self.stateOwner(path, loader), owner.user != 0 {
      var loader = loader
      if loader.readsEnvironmentFiles {
        // The service manager reads them as root, and so they may be root's alone.
        let given = EnvironmentFiles(of: path, loader.environment).variables
        loader.environment.merge(given) { own, _ in own }
      }
      former = try Credentials.lower(to: owner)
      (self.loader, self.owner) = (Self.loader(loader, of: owner), owner)
    } else {
      (self.loader, former, owner) = (loader, nil, nil)
    }
  }

  /// Gives them back.
  func giveBack() { if let former { Credentials.restore(former) } }

  /// Runs `body` with root's rights where all of the way to `path` is root's, which nobody else can lead astray.
  func owning<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    guard let former, let owner else { return try body() }
    Credentials.restore(former)
    guard Files.firstOwner(onTheWayTo: path) == nil else {
      _ = try Credentials.lower(to: owner)
      return try body()
    }
    let result = Swift.Result { try body() }
    _ = try Credentials.lower(to: owner)
    return try result.get()
  }

  /// As root, runs `body` with the rights of whoever decides what stands at `path`.
  static func steward<Result>(of path: String, _ body: () throws -> Result) throws -> Result {
    guard Files.isRoot, let owner = steward(of: path) else { return try body() }
    let former = try Credentials.lower(to: owner)
    defer { Credentials.restore(former) }
    return try body()
  }

  /// As root, the environment in which the daemon of the file at `path` looks for its places.
  static func environment(of path: String, _ loader: ConfigurationLoader) -> [String: String] {
    guard Files.isRoot, let steward = steward(of: path) else { return loader.environment }
    return self.loader(loader, of: steward).environment
  }

  private static func steward(of path: String) -> Credentials.Owner? {
    Files.firstOwner(onTheWayTo: path).map { owner in
      Credentials.Owner(
        user: owner.user, group: Credentials.group(ofUser: owner.user) ?? owner.group)
    }
  }

  private static func stateOwner(
    _ path: String, _ loader: ConfigurationLoader
  ) -> Credentials.Owner? {
    guard let folder = try? StatePlace.of(path, loader: loader),
      let found = (try? Files.information(folder)) ?? nil
    else { return nil }
    return Credentials.Owner(user: found.owner, group: found.group)
  }

  private static func loader(
    _ loader: ConfigurationLoader, of owner: Credentials.Owner
  ) -> ConfigurationLoader {
    var loader = loader
    loader.environment["XDG_STATE_HOME"] = nil
    if let home = Credentials.home(ofUser: owner.user) { loader.environment["HOME"] = home }
    return loader
  }
}
