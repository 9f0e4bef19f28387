internal import ConnectorKit
internal import JSON

/// The variables of Reach's own agent that are settings here: the entry's own, and the host's.
struct OriginalSettings {
  private let environment: OriginalEnvironment

  init(_ environment: OriginalEnvironment) { self.environment = environment }

  /// Which variable is which key.
  private static let own = [
    ("REACH_LINK_PRINTER_IP", "printer_ip"),
    ("REACH_LINK_HEARTBEAT_INTERVAL", "heartbeat_interval"),
    ("REACH_LINK_TELEMETRY_INTERVAL", "telemetry_interval"),
    ("REACH_LINK_WEBCAM_INTERVAL", "webcam.interval"),
    ("REACH_LINK_WEBCAM_VIEWER_TIMEOUT", "webcam.viewer_timeout"),
    ("REACH_LINK_FIREBASE_DATABASE_URL", "firebase.url"),
    ("REACH_LINK_FIREBASE_TOKEN", "firebase.token"),
  ]

  /// Adds what the file says.
  func add(to entry: inout ImportedEntry) {
    for (variable, key) in Self.own {
      guard let value = environment[variable] else { continue }
      guard let declaration = ReachRelayBackend.descriptor.settings.first(where: { $0.key == key })
      else {
        entry.notes.append("\(variable) has no counterpart here and is not taken over")
        continue
      }
      add(declaration, variable, value, &entry)
    }
    addHostSettings(&entry)
  }

  private func add(
    _ declaration: SettingDeclaration, _ variable: String, _ value: String,
    _ entry: inout ImportedEntry
  ) {
    if declaration.isSecret {
      entry.secrets.append((declaration.key, Secret(value)))
      return
    }
    guard case .duration(let range) = declaration.kind else {
      entry.settings.append((declaration.key, .string(value)))
      return
    }
    guard let number = Int64(value) else {
      entry.notes.append("\(variable) is no whole number and is not taken over")
      return
    }
    let kept = min(
      max(number, range.lowerBound.components.seconds), range.upperBound.components.seconds)
    if kept != number {
      entry.notes.append(
        "\(variable) was \(number); the nearest that is possible here is \(kept)")
    }
    // One that is written down rules the idle interval too.
    let rulesOthers = declaration.key == ReachRelaySettings.telemetryInterval.declaration.key
    if rulesOthers || declaration.defaultText != "\(kept)" {
      entry.settings.append((declaration.key, .integer(kept)))
    }
  }

  // MARK: The host's

  private func addHostSettings(_ entry: inout ImportedEntry) {
    if let moonraker = environment["REACH_LINK_MOONRAKER_URL"],
      moonraker != "http://127.0.0.1:7125"
    {
      entry.hostSettings.append(("printer.moonraker", .string(moonraker)))
    }
    if let file = environment["REACH_LINK_LOG_FILE"] {
      if file.hasPrefix("/") {
        entry.hostSettings.append(("log.file", .string(file)))
      } else {
        entry.notes.append(
          "REACH_LINK_LOG_FILE is no absolute path and is not taken over; see log.file")
      }
    }
    if let level = environment["RUST_LOG"] {
      let word = level.lowercased() == "warn" ? "warning" : level.lowercased()
      if word != LogLevel.info.rawValue {
        if LogLevel(rawValue: word) != nil {
          entry.hostSettings.append(("log.level", .string(word)))
        } else {
          entry.notes.append("RUST_LOG is no single level and is not taken over; see log.level")
        }
      }
    }
    if let port = environment["REACH_LINK_HEALTH_PORT"] {
      if let port = UInt16(port), port > 0 {
        entry.hostSettings.append(("control.health_listen", .string("0.0.0.0:\(port)")))
        entry.notes.append(
          "control.health_listen serves /health, and nothing else, to the whole network, as the agent once did; 127.0.0.1:\(port) keeps it on this host"
        )
      } else {
        entry.notes.append("REACH_LINK_HEALTH_PORT is no port and is not taken over")
      }
    }
  }
}
