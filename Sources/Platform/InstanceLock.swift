/// An exclusive `flock` on a file, held as long as this value's owner lives.
package final class InstanceLock: Sendable {
  /// Why the lock was not given.
  package enum Failure: Error, Sendable {
    /// Another process holds it; its pid where the file names one.
    case held(byProcess: Int32?)
    /// The file could not be opened or locked.
    case system(PlatformError)
  }

  /// Takes the lock on `path` (made 0600 when missing) without waiting, and writes our pid into it.
  package init(path: String) throws(Failure) {}
}
