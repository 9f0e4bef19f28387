import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import PHPHub

@Suite("PHP hub: settings") struct PHPHubSettingsTests {
  private static func findings(_ more: [String: SettingValue]) -> [Finding] {
    PHPHubBackend.validate(settings(more))
  }

  @Test("A usual entry has no findings")
  func usual() { #expect(Self.findings([:]) == []) }

  @Test(
    "Without a token it says to set one's own; the published one is a warning; no finding shows it")
  func token() {
    let none = PHPHubBackend.validate(.written([:]))
    #expect(none.map(\.severity) == [.error] && none[0].remedy.contains("a token of your own"))
    let published = Self.findings(["printer_token": .secret(Secret("TECMED_PRINTER_001"))])
    #expect(published.map(\.severity) == [.warning])
    for bad in ["", "ñ", "a\nb", String(repeating: "x", count: 129)] {
      let found = Self.findings(["printer_token": .secret(Secret(bad))])
      #expect(found.map(\.severity) == [.error])
    }
    #expect(!"\(published)".contains("TECMED"))
  }

  @Test(
    "What cannot be meant is said, with what to write",
    arguments: [
      ("camera.urls", .list(["http://localhost:8080/?action=stream"]), Finding.Severity.error),
      ("camera.urls", .list(["rtsp://camera"]), .error),
      ("gcode_subdirectory", .string("../x"), .error),
      ("gcode_subdirectory", .string(".x"), .error),
      ("file_management.allowed_download_hosts", .list(["a/b"]), .error),
      ("security.validate_dangerous_commands", .boolean(false), .error),
      ("security.dangerous_commands", .string("allow"), .warning),
      ("generation", .string("v2"), .error),
      ("server_url", .string("https://u:p@hub.test/api.php"), .error),
    ] as [(String, SettingValue, Finding.Severity)])
  func findings(key: String, value: SettingValue, severity: Finding.Severity) {
    let found = Self.findings([key: value])
    #expect(found.map(\.severity) == [severity])
    #expect(found.first?.key == key && found.first?.remedy.isEmpty == false)
  }

  @Test("Keys that have no effect here are refused with what to write instead")
  func refused() {
    let refused = PHPHubBackend.descriptor.refusedKeys
    for key in [
      "moonraker_url", "logging", "auto_update", "camera.resolution", "intervals.health_check",
      "intervals.reconnect_attempt", "timeouts.moonraker",
    ] {
      #expect(refused[key]?.isEmpty == false, "\(key)")
    }
    #expect(PHPHubBackend.descriptor.hostAliases["security.allowed_macros"] == "allowed_macros")
    #expect(PHPHubBackend.descriptor.hostAliases["max_command_age_seconds"] == "max_command_age")
  }

  @Test("Every key's value gets to where it has its effect")
  func effects() throws {
    let rules = try configuration([
      "intervals.status_update": .duration(.seconds(7)),
      "intervals.command_check": .duration(.seconds(4)),
      "timeouts.server": .duration(.seconds(11)), "timeouts.camera": .duration(.seconds(6)),
      "timeouts.file_download": .duration(.seconds(61)), "retries.max_attempts": .integer(3),
      "retries.exponential_backoff": .boolean(false), "retries.base_delay": .duration(.seconds(9)),
      "camera.urls": .list(["http://c/1"]), "camera.capture_interval": .duration(.seconds(31)),
      "camera.idle_capture_interval": .duration(.seconds(301)),
      "camera.timelapse_interval": .duration(.seconds(62)),
      "camera.timelapse_directory": .string("/t"), "file_management.auto_cleanup": .boolean(false),
      "file_management.max_age_days": .integer(2),
      "file_management.verify_checksums": .string("required"),
      "file_management.gcode_directory": .string("/g"),
      "file_management.allowed_download_hosts": .list(["a.test"]),
      "mark_downloaded": .string("never"), "gcode_subdirectory": .string("hub"),
      "max_download_mb": .integer(5), "statistics_file": .string("/s.json"),
      "security.rate_limit_seconds": .duration(.seconds(3)), "skip_unchanged": .boolean(true),
      "preserve_hub_edits": .boolean(true), "report_command_results": .boolean(false),
      "sanitize_names": .boolean(false), "paused_status": .string("paused"),
      "time_remaining_unit": .string("seconds"),
      "image_public_url": .string("https://hub.test/i.jpg"),
      "security.dangerous_commands": .string("deny"),
    ])
    #expect(rules.statusInterval == .seconds(7) && rules.commandInterval == .seconds(4))
    #expect(rules.serverTimeout == .seconds(11) && rules.cameraTimeout == .seconds(6))
    #expect(rules.downloadTimeout == .seconds(61) && rules.maxAttempts == 3)
    #expect(rules.backoff == RetryPolicy(base: .seconds(9), doubles: false))
    #expect(rules.camera?.urls == ["http://c/1"] && rules.camera?.interval == .seconds(31))
    #expect(rules.camera?.idleInterval == .seconds(301))
    #expect(rules.camera?.timelapseInterval == .seconds(62))
    #expect(rules.camera?.timelapseDirectory == "/t")
    #expect(!rules.files.cleansUp && rules.files.maxAge == .seconds(172_800))
    #expect(rules.files.checksums == .required && rules.files.gcodeDirectory == "/g")
    #expect(rules.files.allowedHosts == ["a.test"] && rules.files.markDownloaded == "never")
    #expect(rules.files.subdirectory == "hub" && rules.files.maximumBytes == 5 << 20)
    #expect(rules.statisticsFile == "/s.json" && rules.rateLimit == .seconds(3))
    #expect(rules.skipsUnchanged && rules.preservesEdits && !rules.reportsResults)
    #expect(!rules.sanitizesNames && rules.pausedStatus == "paused" && rules.timeUnit == "seconds")
    #expect(rules.imagePublicURL == "https://hub.test/i.jpg" && !rules.orders.takesDangerous)
  }

  @Test("Defaults are the original's")
  func defaults() throws {
    let rules = try HubConfiguration(
      .written(["printer_token": .secret(Secret("t"))]), printerName: "Voron")
    #expect(
      Settings.written([:])[PHPHubSettings.serverURL] == "https://tmeduca.org/printerhub/api.php")
    #expect(rules.statusInterval == .seconds(5) && rules.commandInterval == .seconds(3))
    #expect(rules.serverTimeout == .seconds(10) && rules.cameraTimeout == .seconds(5))
    #expect(rules.downloadTimeout == .seconds(60) && rules.maxAttempts == 5)
    #expect(rules.card.tags == ["Prusa", "PLA"] && rules.card.bedStatus == "limpia")
    #expect(
      rules.camera?.interval == .seconds(30) && rules.camera?.timelapseInterval == .seconds(60))
    #expect(rules.files.cleansUp && rules.files.maxAge == .seconds(30 * 86_400))
    #expect(rules.rateLimit == .seconds(1) && rules.files.checksums == .known)
  }
}

@Suite("PHP hub: importing printer_config.json") struct PHPHubImportTests {
  private static let example = """
    {"_comment": "x", "server_url": "http://192.168.1.9/printerhub/api.php",
     "printer_token": "CANARY", "printer_name": "Prusa 3", "moonraker_url": "http://localhost:7125",
     "camera": {"enabled": true, "urls": ["http://localhost:8080/?action=snapshot"],
       "capture_interval": 45, "resolution": "high"},
     "intervals": {"status_update": 5, "command_check": "2", "health_check": 60, "reconnect_attempt": 10},
     "timeouts": {"moonraker": 5, "server": 900},
     "retries": {"max_attempts": 5, "exponential_backoff": false, "base_delay": 1.5},
     "file_management": {"auto_cleanup": true, "max_age_days": 7.5, "verify_checksums": true, "gcode_directory": "/home/pi/gcodes"},
     "logging": {"level": "DEBUG", "max_size_mb": 20, "backup_count": 5, "verbose": true},
     "security": {"validate_dangerous_commands": false, "rate_limit_seconds": 1,
       "allowed_gcode_patterns": ["G*"]},
     "auto_update": {"enabled": false}, "params": [], "unknown": 1,
     "printer_data": {"tags": ["PETG"], "filament": {"material": "PETG", "remaining": 80},
       "bed_status": "limpia"}}
    """

  @Test("Every key is taken over, or dropped with a word, and the token becomes a secret")
  func whole() throws {
    let entry = try #require(try PHPHubBackend.importing(Array(Self.example.utf8)))
    let settings = Dictionary(entry.settings.map { ($0.key, $0.value) }) { first, _ in first }
    #expect(settings["server_url"] == "http://192.168.1.9/printerhub/api.php")
    #expect(settings["insecure"] == true && settings["printer_name"] == "Prusa 3")
    #expect(settings["camera.capture_interval"] == 45 && settings["camera.urls"] == nil)
    #expect(settings["intervals.status_update"] == nil && settings["intervals.command_check"] == 2)
    #expect(settings["timeouts.server"] == 600 && settings["retries.base_delay"] == 1.5)
    #expect(settings["retries.exponential_backoff"] == false)
    #expect(settings["file_management.gcode_directory"] == "/home/pi/gcodes")
    // A number of days is whole, or the entry would not be taken.
    #expect(settings["file_management.max_age_days"] == 8)
    #expect(settings["allowed_gcode_patterns"] == ["G*"])
    #expect(settings["printer_data.tags"] == ["PETG"])
    #expect(settings["printer_data.filament.material"] == "PETG")
    #expect(settings["printer_data.filament.remaining"] == 80)
    #expect(settings["printer_data.bed_status"] == nil)
    #expect(
      entry.secrets.map(\.key) == ["printer_token"] && entry.secrets[0].secret.revealed == "CANARY")
    #expect(entry.moonraker == "http://localhost:7125")
    #expect(entry.hostSettings.map(\.key) == ["log.level", "log.max_size_mb"])
    let notes = entry.notes.joined(separator: "\n")
    for word in [
      "camera.resolution", "intervals.health_check", "intervals.reconnect_attempt",
      "timeouts.moonraker", "logging.verbose", "auto_update", "unknown", "insecure",
      "validate_dangerous_commands", "allowed_macros: [NAME]", "permissions: full",
      "timeouts.server was 900",
    ] {
      #expect(notes.contains(word), "\(word)")
    }
    #expect(!"\(entry.settings)\(entry.notes)".contains("CANARY"))
  }

  @Test("Other files are none of it; one without a usable token or address cannot be used")
  func others() throws {
    for text in ["", "[]", "{}", "{\"server_url\":\"x\"}", "CLOUD_URL=x"] {
      #expect(try PHPHubBackend.importing(Array(text.utf8)) == nil)
    }
    for text in [
      "{\"server_url\":\"http://h/api.php\",\"printer_token\":\"\",\"moonraker_url\":\"m\"}",
      "{\"server_url\":\"h\",\"printer_token\":\"t\",\"moonraker_url\":\"m\"}",
      "{\"server_url\":7,\"printer_token\":\"t\",\"moonraker_url\":\"m\"}",
    ] {
      #expect(throws: ImportFailure.self) { _ = try PHPHubBackend.importing(Array(text.utf8)) }
    }
  }

  @Test("The published token is named as what it is")
  func published() throws {
    let text =
      "{\"server_url\":\"https://h/api.php\",\"printer_token\":\"TECMED_PRINTER_001\",\"moonraker_url\":\"m\"}"
    let entry = try #require(try PHPHubBackend.importing(Array(text.utf8)))
    #expect(entry.notes.contains { $0.contains("publishes") })
    #expect(!entry.settings.contains { $0.key == "insecure" })
  }
}

@Suite("PHP hub: what leaves the house") struct PHPHubSentFieldTests {
  private func paths(_ value: JSONValue, _ prefix: String = "") -> Set<String> {
    if let object = value.object, !object.isEmpty {
      return object.reduce(into: []) {
        $0.formUnion(paths($1.value, prefix.isEmpty ? $1.key : "\(prefix).\($1.key)"))
      }
    }
    if let array = value.array, !array.isEmpty {
      return array.reduce(into: []) { $0.formUnion(paths($1, prefix + "[]")) }
    }
    return [prefix]
  }

  @Test("Each field of an update is declared, and nothing else")
  func declared() throws {
    var host = HostLoad(cpuPercent: 1)
    host.memoryUsed = 1
    host.cpuTemperature = 1
    let body = UpdateBody(
      token: Secret("t"), rules: try configuration(), generation: .v1, uptime: .seconds(1),
      edits: nil, listing: FileListing([["path": "a.gcode", "size": 1, "modified": 1]]),
      lastCompleted: CompletedJob(filename: "a", endedAt: 1), image: "i",
      results: [["id": "c", "status": "completed"]]
    ).json(.sample("printing") { $0.host = host }, at: .init(millisecondsSinceEpoch: 0))
    let declared = PHPHubBackend.descriptor.sends.filter { $0.message == "update" }.map(\.path)
    func matches(_ declared: String, _ path: String) -> Bool {
      declared == path || (declared.hasSuffix(".*") && path.hasPrefix(declared.dropLast()))
    }
    let sent = paths(.object(body))
    #expect(sent.filter { path in !declared.contains { matches($0, path) } } == [])
    #expect(declared.filter { declared in !sent.contains { matches(declared, $0) } } == [])
  }
}
