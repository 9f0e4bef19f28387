internal import Networking

/// Which of the two hubs it is.
enum Generation: String, Sendable, Hashable, CustomStringConvertible {
  /// `api.php` with JSON files.
  case v1
  /// `printer-api/*.php` with a database.
  case v2

  var description: String { rawValue }
}

/// Where a hub's scripts are.
struct HubAddress: Sendable, Hashable {
  var generation: Generation
  var update: String
  var commands: String
  var files: String
  /// Where pictures are uploaded; nil: nowhere.
  var image: String?

  /// The addresses of the owner's own choice.
  struct Overrides: Sendable, Hashable {
    var update: String?
    var commands: String?
    var files: String?
    var image: String?
  }

  /// The addresses of a hub of this generation.
  ///
  /// - Parameter server: the address of one of its scripts, or the folder that holds them; query and fragment do not count.
  init(server: String, generation: Generation, overrides: Overrides = Overrides()) {
    let isScript = Self.generation(named: server) == generation
    let base = isScript ? Self.folder(of: server) : Self.base(server)
    let own = isScript || generation == .v1 ? base : "\(base)printer-api/"
    self.generation = generation
    switch generation {
    case .v1:
      update = overrides.update ?? "\(own)api.php"
      commands = overrides.commands ?? overrides.update ?? "\(own)api.php"
      files = overrides.files ?? "\(own)api_files.php"
      image = overrides.image ?? "\(own)upload_image.php"
    case .v2:
      update = overrides.update ?? "\(own)update.php"
      commands = overrides.commands ?? "\(own)commands.php"
      files = overrides.files ?? "\(own)files.php"
      image = overrides.image
    }
  }

  /// The generation that the last component of an address tells; nil: none.
  static func generation(named url: String) -> Generation? {
    switch lastComponent(of: url) {
    case "api.php": .v1
    case "update.php", "commands.php", "files.php": .v2
    default: nil
    }
  }

  /// What tells the generation of the hub in a folder, without changing anything there.
  static func probes(_ server: String) -> [(generation: Generation, url: String)] {
    let base = base(server)
    return [(.v1, "\(base)api.php"), (.v2, "\(base)printer-api/update.php")]
  }

  /// `url` with `name=value` at the end of its query, all escaped.
  static func query(_ url: String, _ items: [(name: String, value: String)]) -> String {
    let text = items.map { "\($0.name)=\(URLParts.escape($0.value))" }.joined(separator: "&")
    return url + (url.contains("?") ? "&" : "?") + text
  }

  // MARK: Parts

  /// The address without query and fragment.
  private static func plain(_ url: String) -> String {
    guard let parts = URLParts(url) else { return url }
    return parts.origin + parts.path
  }

  private static func lastComponent(of url: String) -> String {
    plain(url).utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last
      .flatMap { String($0) } ?? ""
  }

  /// The folder that holds a script, with its slash.
  private static func folder(of url: String) -> String {
    let plain = plain(url)
    guard let slash = plain.utf8.lastIndex(of: UInt8(ascii: "/")) else { return plain + "/" }
    return String(plain[...slash])
  }

  /// The folder that an address names, with its slash. Another generation's script stands for its folder.
  private static func base(_ url: String) -> String {
    guard generation(named: url) == nil else { return folder(of: url) }
    let plain = plain(url)
    return plain.hasSuffix("/") ? plain : plain + "/"
  }
}
