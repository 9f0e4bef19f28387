internal import Glibc

/// The user and the groups with whose rights this process acts: its effective ids, of all its threads.
package enum Credentials {
  /// A user with a group.
  package struct Owner: Sendable, Hashable {
    /// The user id.
    package var user: UInt32
    /// The group id.
    package var group: UInt32
    /// An owner.
    package init(user: UInt32, group: UInt32) {
      self.user = user
      self.group = group
    }
  }

  /// What ``lower(to:)`` has put aside.
  package struct Former: Sendable {
    fileprivate var group: gid_t
    fileprivate var groups: [gid_t]
  }

  /// From now on, until ``restore(_:)``, root acts with the rights of `owner` and of the groups that this user is in.
  ///
  /// It concerns the whole process, whatever thread calls it.
  ///
  /// - Returns: what ``restore(_:)`` needs.
  /// - Throws: `PlatformError`; nothing has changed then.
  package static func lower(to owner: Owner) throws(PlatformError) -> Former {
    var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
    let count = unsafe getgroups(Int32(groups.count), &groups)
    let former = Former(group: getegid(), groups: Array(groups.prefix(Int(max(0, count)))))
    let new = self.groups(of: owner)
    // The user last: without root's rights nothing of this could be changed any more.
    guard unsafe setgroups(new.count, new) == 0, setegid(owner.group) == 0,
      seteuid(owner.user) == 0
    else {
      let failure = PlatformError.current("act with the rights of", "user id \(owner.user)")
      restore(former)
      throw failure
    }
    return former
  }

  /// Acts as root again.
  package static func restore(_ former: Former) {
    _ = seteuid(0)
    _ = setegid(former.group)
    _ = unsafe setgroups(former.groups.count, former.groups)
  }

  /// The home folder of the user with this id; nil where there is no such user.
  package static func home(ofUser user: UInt32) -> String? { account(user)?.home }

  /// The first group of the user with this id; nil where there is no such user.
  package static func group(ofUser user: UInt32) -> UInt32? { account(user)?.group }

  private static func groups(of owner: Owner) -> [gid_t] {
    guard let account = account(owner.user) else { return [owner.group] }
    var groups = [gid_t](repeating: 0, count: 256)
    var count = Int32(groups.count)
    guard unsafe getgrouplist(account.name, account.group, &groups, &count) >= 0 else {
      return [account.group, owner.group]
    }
    return [owner.group] + groups.prefix(Int(count)).filter { $0 != owner.group }
  }

  private static func account(_ user: UInt32) -> (name: String, group: UInt32, home: String)? {
    var buffer = [CChar](repeating: 0, count: 16 << 10)
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    guard unsafe getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0,
      let account = unsafe found?.pointee, let name = unsafe account.pw_name,
      let home = unsafe account.pw_dir
    else { return nil }
    return unsafe (String(cString: name), account.pw_gid, String(cString: home))
  }
}
