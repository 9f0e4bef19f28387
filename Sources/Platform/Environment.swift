internal import CPlatform
internal import Glibc

/// The variables that the process was started with.
package enum Environment {
  /// A copy of the environment; of two variables of one name the first counts.
  ///
  /// Take it once at the start: the environment is process-wide and not safe against writers.
  package static var variables: [String: String] {
    var result: [String: String] = [:]
    guard var entry = unsafe platform_environment() else { return result }
    while let text = unsafe entry.pointee {
      let pair = unsafe String(cString: text)
      if let equals = pair.firstIndex(of: "=") {
        let name = String(pair[..<equals])
        if result[name] == nil { result[name] = String(pair[pair.index(after: equals)...]) }
      }
      unsafe entry += 1
    }
    return result
  }

  /// Gives the process a variable that it has not got.
  ///
  /// Only at the start, before anybody else reads or writes the environment.
  package static func add(_ name: String, _ value: String) { unsafe setenv(name, value, 0) }
}
