internal import Platform

/// The files from which a configuration file's service gets its variables, as our units name them.
///
/// `/etc/printer-uplink/env` is for all of the package's services, `NAME.env` beside it for the instance `NAME`;
/// `~/.config/printer-uplink/env` is for those of a home folder.
struct EnvironmentFiles: Equatable {
  private static let limit = 1 << 20
  /// For a file that no service of ours reads.
  static let nothing = EnvironmentFiles(paths: [], owner: nil)

  /// Where they may stand, in order: the last counts.
  let paths: [String]
  /// What they say.
  private(set) var variables: [String: String] = [:]
  /// Those that stand there and may not be read.
  private(set) var unreadable: [String] = []

  /// Reads those of the configuration at `path`. Blocks on file reads.
  ///
  /// - Parameter environment: read are `HOME` and `XDG_CONFIG_HOME`.
  init(of path: String, _ environment: [String: String]) {
    if StateDirectory.isSystemConfiguration(path) {
      let instance = StateDirectory.instance(of: path).map { ["/etc/printer-uplink/\($0).env"] }
      self.init(paths: ["/etc/printer-uplink/env"] + (instance ?? []), owner: nil)
    } else if let data = PrinterData.folder(of: path) {
      let place = Self.home(of: data, environment).map { "\($0)/printer-uplink/env" }
      // Root must not read for a user what that user himself may not.
      let owner = Files.isRoot ? (try? Files.information(data))?.owner : nil
      self.init(paths: place.map { [$0] } ?? [], owner: owner)
    } else {
      self = .nothing
    }
  }

  /// Reads these.
  ///
  /// - Parameter owner: whose they must be; nil: anybody's.
  init(paths: [String], owner: UInt32?) {
    self.paths = paths
    for path in paths {
      do throws(PlatformError) {
        guard try Files.information(path) != nil else { continue }
        let bytes = try Files.read(path, limit: Self.limit, ownedBy: owner)
        let text = EnvironmentFileText(String(decoding: bytes, as: UTF8.self))
        variables.merge(text.variables) { _, later in later }
      } catch {
        unreadable.append(path)
      }
    }
  }

  /// The folder of settings of the user whose `printer_data` is at `data`.
  private static func home(of data: String, _ environment: [String: String]) -> String? {
    let own = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = Files.folder(of: data)
    guard home != own, (try? Files.information("\(home)/.config")) != nil else {
      if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") { return folder }
      return own.map { "\($0)/.config" }
    }
    return "\(home)/.config"
  }

  /// What to say of a variable that is nowhere.
  func missing(_ name: String) -> (problem: String, remedy: String) {
    if let path = unreadable.last {
      return (
        "the environment variable \(name) is not set here, and \(path), where the daemon has its variables from, may not be read by this user",
        "put 'sudo' before the command"
      )
    }
    guard let path = paths.last else {
      return (
        "the environment variable \(name) is not set",
        "set it for the daemon, or write the value here"
      )
    }
    return (
      "the environment variable \(name) is not set",
      "set it for the daemon in \(path), or write the value here"
    )
  }
}
