internal import Glibc

/// `/proc` as this process sees it.
package enum ProcessFolder {
  /// Whether `/proc` is there and speaks of this process: in a PID namespace without a `/proc` of its own, or a
  /// changed root without any, it does not.
  ///
  /// Swift's threads look their own states up there and end the process where they find none, after seconds or days.
  ///
  /// - Parameter folder: another place than `/proc`, for tests.
  package static func showsThisProcess(in folder: String = "/proc") -> Bool {
    let name = unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      unsafe count = max(0, readlink("\(folder)/self", start, buffer.count))
    }
    return String(decoding: name, as: UTF8.self) == "\(getpid())"
  }
}
