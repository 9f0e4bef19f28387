internal import ConnectorKit
internal import HTTPServer
internal import JSON

/// `printer-uplink validate`: says what is wrong with a file and what each backend would do; reads, never writes.
struct ValidateCommand {
  /// How to print, and what fails.
  struct Options: Equatable {
    var isJSON = false
    var isStrict = false
  }
  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write.
  let terminal: Terminal
  let options: Options

  /// Checks the file at `path` and prints the result.
  ///
  /// - Returns: 0, or 78 where there is an error (or, when strict, a warning).
  func run(_ path: String) -> Int32 {
    var loaded = loader.load(path)
    let paired = loaded.configuration.map { StoredPairings.names(of: $0, loader.environment) } ?? []
    if !paired.isEmpty { loaded = loader.load(path, knownIdentities: paired) }
    let errors = loaded.findings.count { $0.finding.severity == .error }
    let warnings = loaded.findings.count { $0.finding.severity == .warning }
    let isGood = errors == 0 && (!options.isStrict || warnings == 0)
    if options.isJSON {
      terminal.say(
        PrettyJSON.text(json(loaded, path: path, errors, warnings, isGood)), terminator: "")
    } else {
      print(loaded, path: path, errors, warnings)
    }
    return isGood ? 0 : CommandLineProgram.configurationStatus
  }

  private func print(_ loaded: LoadedConfiguration, path: String, _ errors: Int, _ warnings: Int) {
    let usesColours = terminal.usesColours(loader.environment)
    for found in loaded.findings {
      terminal.say(usesColours ? Self.coloured(found) : found.description)
    }
    for line in loaded.configuration.map(plan) ?? [] { terminal.say(line.onOneLine) }
    let counts = [(errors, "error"), (warnings, "warning")].filter { $0.0 > 0 }
      .map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
    terminal.say(
      "\(path.onOneLine): " + ((errors == 0 ? ["ok"] : []) + counts).joined(separator: ", "))
  }

  /// What `run` would do, a line for each part.
  private func plan(_ configuration: Configuration) -> [String] {
    var lines = ["printer: \(configuration.printer.name), \(configuration.printer.moonraker)"]
    let control = configuration.control.listen.map { address in
      let host = address.host.contains(":") ? "[\(address.host)]" : address.host
      return "http://\(host):\(address.port)/"
    }
    lines.append("status page: \(control ?? "off")")
    for backend in configuration.backends {
      let descriptor = backend.connector.descriptor
      let name =
        backend.name == descriptor.type ? backend.name : "\(backend.name) (\(descriptor.type))"
      guard backend.isEnabled else {
        lines.append("\(name): disabled")
        continue
      }
      let caution = backend.isInsecure ? ", insecure" : ""
      lines.append(
        "\(name): permissions \(backend.permissionsText)\(caution); \(descriptor.intention(backend.settings))"
      )
    }
    return lines
  }

  /// The place in bold; the severity in red or yellow.
  private static func coloured(_ found: LocatedFinding) -> String {
    let place = found.place
    let colour =
      switch found.finding.severity {
      case .error: "31"
      case .warning: "33"
      case .note: "36"
      }
    return "\u{1B}[1;\(colour)m\(place)\u{1B}[0m\(found.description.dropFirst(place.count))"
  }

  private func json(
    _ loaded: LoadedConfiguration, path: String, _ errors: Int, _ warnings: Int, _ isGood: Bool
  ) -> JSONValue {
    [
      "file": .string(path),
      "ok": .bool(isGood),
      "errors": .integer(errors),
      "warnings": .integer(warnings),
      "findings": .array(
        loaded.findings.map { found in
          [
            "severity": .string(found.finding.severity.rawValue),
            "line": .integer(found.line),
            "column": .integer(found.column),
            "key": .string(found.finding.key),
            "problem": .string(found.finding.problem),
            "remedy": .string(found.finding.remedy),
          ]
        }),
      "backends": .array(
        (loaded.configuration?.backends ?? []).map { backend in
          let descriptor = backend.connector.descriptor
          return [
            "name": .string(backend.name),
            "type": .string(descriptor.type),
            "line": .integer(backend.line),
            "enabled": .bool(backend.isEnabled),
            "insecure": .bool(backend.isInsecure),
            "permissions": .array(
              Permission.allCases.filter(backend.permissions.contains).map { .string($0.rawValue) }),
            "intention": backend.isEnabled
              ? .string(descriptor.intention(backend.settings)) : .null,
          ]
        }),
    ]
  }
}
