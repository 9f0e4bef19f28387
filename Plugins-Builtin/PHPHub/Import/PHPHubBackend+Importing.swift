package import ConnectorKit
internal import JSON
internal import Networking

extension PHPHubBackend {
  /// Makes an entry of `printer_config.json`, the file of the hub's own client.
  ///
  /// - Returns: nil where it is no JSON object with `server_url`, `printer_token` and `moonraker_url`.
  /// - Throws: `ImportFailure` where it holds no token or no address that can be used.
  package static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry? {
    let limits = JSONLimits(bytes: 1 << 20, depth: 16)
    let body = text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
    guard let root = (try? JSONValue(parsing: body, limits: limits))?.object,
      root["server_url"] != nil, root["printer_token"] != nil, root["moonraker_url"] != nil
    else { return nil }
    return try OriginalConfiguration(root).entry()
  }
}

/// The original's `printer_config.json`.
private struct OriginalConfiguration {
  private let root: JSONObject

  init(_ root: JSONObject) { self.root = root }

  /// Keys that have no effect of their own here, with what the owner is told.
  private static let dropped = [
    "camera.resolution": "never had an effect",
    "intervals.health_check": "every answer of the hub is looked at as it comes",
    "intervals.reconnect_attempt": "never had an effect; see retries.base_delay",
    "timeouts.moonraker": "one connection to Moonraker serves all clouds",
    "logging.verbose": "see log.level",
    "auto_update": "never had an effect",
  ]
  /// Keys that are read in another way than by a setting of the same name.
  private static let special: Set<String> = [
    "printer_token", "moonraker_url", "security.allowed_gcode_patterns",
    "security.validate_dangerous_commands", "camera.urls", "logging.level", "logging.max_size_mb",
    "logging.backup_count",
  ]
  /// What the original's example has as its camera, whether there is one or not.
  private static let exampleCamera = "http://localhost:8080/?action=snapshot"

  func entry() throws(ImportFailure) -> ImportedEntry {
    guard let token = root["printer_token"]?.string, HubConfiguration.isToken(token) else {
      throw ImportFailure(
        "its printer_token is no token", remedy: HubConfiguration.tokenRemedy)
    }
    guard let server = root["server_url"]?.string, let parts = URLParts(server),
      ["http", "https"].contains(parts.scheme), !parts.hasCredentials
    else {
      throw ImportFailure(
        "its server_url is no http or https address",
        remedy: "write the address of the hub's api.php there, and import it again")
    }
    var entry = ImportedEntry(
      settings: [], identity: JSONObject(), moonraker: root["moonraker_url"]?.string,
      notes: [], program: PHPHubBackend.agent.program,
      stopAdvice: PHPHubBackend.agent.stopAdvice)
    entry.settings.append(("server_url", .string(server)))
    entry.secrets.append(("printer_token", Secret(token)))
    if token == PHPHubSettings.publishedToken {
      entry.notes.append(
        "printer_token is the one that the hub's own example publishes: whoever knows it can be this printer; choose one of your own here and at the hub"
      )
    }
    if parts.scheme == "http", !parts.isLoopback {
      entry.settings.append(("insecure", true))
      entry.notes.append(
        "server_url has no TLS, so the entry says insecure: true; everything can be read and changed on the way, the token too: use https where the hub knows it"
      )
    }
    for (path, value) in leaves(root, "") { take(path, value, &entry) }
    add(to: &entry)
    return entry
  }

  /// Every value with its path; lists count as values.
  private func leaves(_ object: JSONObject, _ prefix: String) -> [(String, JSONValue)] {
    object.flatMap { key, value -> [(String, JSONValue)] in
      let path = prefix.isEmpty ? key : "\(prefix).\(key)"
      // Comments of the example.
      if key.hasPrefix("_") || path == "auto_update" {
        return path == "auto_update" ? [(path, value)] : []
      }
      return value.object.map { leaves($0, path) } ?? [(path, value)]
    }
  }

  private func take(_ path: String, _ value: JSONValue, _ entry: inout ImportedEntry) {
    if path == "server_url" || Self.special.contains(path) { return }
    if let reason = Self.dropped[path] {
      entry.notes.append("\(path) is dropped: \(reason)")
      return
    }
    guard let declaration = PHPHubSettings.declarations.first(where: { $0.key == path }),
      !declaration.isSecret
    else {
      entry.notes.append("\(path.prefix(80)) is not known and is not taken over")
      return
    }
    guard let taken = Self.value(value, declaration, &entry.notes) else { return }
    entry.settings.append((path, taken))
  }

  /// The value as it is written; nil where it is the default, or cannot be used, which is noted.
  private static func value(
    _ value: JSONValue, _ declaration: SettingDeclaration, _ notes: inout [String]
  ) -> JSONValue? {
    let key = declaration.key
    switch declaration.kind {
    case .boolean:
      guard let isOn = value.bool else { break }
      return kept(value, unless: "\(isOn)", declaration)
    case .integer(let range):
      return number(
        value, Double(range.lowerBound)...Double(range.upperBound), declaration, &notes)
    case .number(let range): return number(value, range, declaration, &notes)
    case .duration(let range):
      return number(
        value, seconds(range.lowerBound)...seconds(range.upperBound), declaration, &notes)
    case .choice(let words):
      guard let word = value.string ?? value.bool.map({ "\($0)" }), words.contains(word) else {
        break
      }
      return kept(.string(word), unless: word, declaration)
    case .string(let limit):
      guard let text = value.string, text.count <= limit else { break }
      return kept(value, unless: text, declaration)
    case .path, .url:
      guard let text = value.string, !text.isEmpty else { break }
      return kept(value, unless: text, declaration)
    case .stringList:
      guard let texts = value.array?.map(\.string), !texts.contains(nil) else { break }
      let written = "[\(texts.compactMap(\.self).joined(separator: ", "))]"
      return kept(value, unless: written, declaration)
    }
    notes.append("\(key) is none that can be used here and is not taken over")
    return nil
  }

  /// The value, unless it is the default. (No shorter: a `nil` beside a JSON value would be JSON's null.)
  private static func kept(
    _ value: JSONValue, unless text: String, _ declaration: SettingDeclaration
  ) -> JSONValue? {
    guard declaration.defaultText != text else { return nil }
    return value
  }

  private static func number(
    _ value: JSONValue, _ range: ClosedRange<Double>, _ declaration: SettingDeclaration,
    _ notes: inout [String]
  ) -> JSONValue? {
    guard let number = HubNumber.double(value) else {
      notes.append("\(declaration.key) is no number and is not taken over")
      return nil
    }
    var isWhole = false
    if case .integer = declaration.kind { isWhole = true }
    let kept = min(max(isWhole ? number.rounded() : number, range.lowerBound), range.upperBound)
    if kept != number {
      notes.append(
        "\(declaration.key) was \(spelled(number)); the nearest that is possible here is \(spelled(kept))"
      )
    }
    return self.kept(
      Int64(exactly: kept).map { .integer($0) } ?? .double(kept), unless: spelled(kept), declaration
    )
  }

  private static func spelled(_ number: Double) -> String {
    Int64(exactly: number).map { "\($0)" } ?? "\(number)"
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  // MARK: What is read in another way

  private func add(to entry: inout ImportedEntry) {
    addCamera(&entry)
    addSecurity(&entry)
    addLogging(&entry)
    entry.notes += [
      "Macros are refused until they are named: allowed_macros: [NAME]",
      "firmware_restart, reboot and shutdown are refused below permissions: full, and while a job runs",
      "The hub's token is plain, and the first hub tells it to everybody: read the security note in docs/connectors/php-hub.md",
    ]
  }

  private func addCamera(_ entry: inout ImportedEntry) {
    guard let value = root["camera"]?["urls"] else { return }
    let urls = (value.array ?? []).compactMap(\.string)
    if urls.isEmpty || urls == [Self.exampleCamera] {
      entry.notes.append("camera.urls is left out: the camera that Moonraker knows is used")
      return
    }
    let usable = urls.filter { url in
      PHPHubBackend.validate(
        Settings([
          "camera.urls": Settings.Entry(value: .list([url]), origin: .byDefault),
          "printer_token": Settings.Entry(value: .secret(Secret("x")), origin: .byDefault),
        ])
      ).allSatisfy { $0.key != "camera.urls" }
    }
    if usable.count != urls.count {
      entry.notes.append(
        "camera.urls: streams and what is no address are not taken over; write addresses of single pictures"
      )
    }
    guard !usable.isEmpty else { return }
    entry.settings.append(("camera.urls", .array(usable.map { .string($0) })))
  }

  private func addSecurity(_ entry: inout ImportedEntry) {
    let security = root["security"]
    if security?["validate_dangerous_commands"] == false {
      entry.notes.append(
        "security.validate_dangerous_commands: false is dropped: what no cloud may send (M112, SAVE_CONFIG, FIRMWARE_RESTART…) is refused at every level"
      )
    }
    guard let list = security?["allowed_gcode_patterns"]?.array else { return }
    let patterns = list.compactMap(\.string)
    guard patterns != ["G*", "M*", "T*"] else { return }
    entry.settings.append(("allowed_gcode_patterns", .array(patterns.map { .string($0) })))
    entry.notes.append(
      "allowed_gcode_patterns had no effect in the original and has one here: what does not match is refused; more than G, M and T with a number needs permissions: full"
    )
  }

  private func addLogging(_ entry: inout ImportedEntry) {
    let logging = root["logging"]
    if let level = logging?["level"]?.string?.lowercased(), level != "info" {
      if LogLevel(rawValue: level) != nil {
        entry.hostSettings.append(("log.level", .string(level)))
      } else {
        entry.notes.append("logging.level is no level and is not taken over; see log.level")
      }
    }
    if let size = logging?["max_size_mb"]?.integer, size != 10, (1...1_024).contains(size) {
      entry.hostSettings.append(("log.max_size_mb", .integer(size)))
    }
    if let count = logging?["backup_count"]?.integer, count != 5, (0...100).contains(count) {
      entry.hostSettings.append(("log.backups", .integer(count)))
    }
  }
}
