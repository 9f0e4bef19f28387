package import ConnectorKit
internal import JSON
internal import Networking

extension PrintDockBackend {
  /// Makes an entry of `config.json`, the file of PrintDock's own connector.
  ///
  /// - Returns: nil where it is no JSON object with a `moonraker` list.
  /// - Throws: `ImportFailure` where it has not paired yet, serves several printers or holds values that cannot be used.
  package static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry? {
    let limits = JSONLimits(bytes: 1 << 20, depth: 16)
    guard let root = (try? JSONValue(parsing: text, limits: limits))?.object else { return nil }
    let file = OriginalConfiguration(root)
    guard let printers = file["moonraker"]?.array else { return nil }
    return try ImportedEntry(file, printers)
  }
}

/// The original's `config.json`; its keys match in any case.
private struct OriginalConfiguration {
  private let members: JSONObject

  init(_ members: JSONObject) { self.members = members }

  subscript(key: String) -> JSONValue? {
    if let value = members[key] { return value }
    for (name, value) in members where name.lowercased() == key { return value }
    return nil
  }
}

extension ImportedEntry {
  fileprivate init(
    _ file: OriginalConfiguration, _ printers: [JSONValue]
  ) throws(ImportFailure) {
    guard let id = file["connector_id"]?.string, !id.isEmpty,
      let secret = file["connector_secret"]?.string, !secret.isEmpty
    else {
      throw ImportFailure(
        "this connector has not paired yet: connector_id and connector_secret are missing",
        remedy: "write an entry with pairing_token instead: printer-uplink backends printdock")
    }
    guard HTTPField.canCarry(id), HTTPField.canCarry(secret) else {
      throw ImportFailure(
        "its connector_id or connector_secret holds a blank, a line break or a letter beyond ASCII",
        remedy: "copy the file again from the original connector, or pair anew with pairing_token")
    }
    guard printers.count == 1, let printer = printers.first?.object else {
      throw ImportFailure(
        "it serves \(printers.count) printers, and one printer-uplink serves one",
        remedy: "pair each printer anew, with a connector of its own at PrintDock")
    }
    let entry = OriginalConfiguration(printer)
    guard let number = entry["printer_id"]?.integer, number > 0 else {
      throw ImportFailure(
        "its printer has no printer_id",
        remedy: "let the original connector run once, so that it writes the number")
    }
    self.init(
      settings: [],
      identity: Identity(
        connectorID: id, secret: Secret(secret), printerID: number, commandsSeconds: nil,
        snapshotsSeconds: nil, tokenDigest: nil
      ).stored,
      moonraker: entry["base_url"]?.string, program: PrintDockBackend.agent.program,
      stopAdvice: PrintDockBackend.agent.stopAdvice)
    add(PrintDockSettings.cloudURL.declaration, file["cloud_url"])
    add(PrintDockSettings.siteName.declaration, file["site_name"])
    add(PrintDockSettings.uiPort.declaration, entry["ui_port"])
    for key in ["poll_commands_seconds", "push_snapshots_seconds", "heartbeat_seconds"] {
      guard let declaration = PrintDockSettings.all.first(where: { $0.key == key }) else {
        continue
      }
      add(declaration, file[key])
    }
  }

  /// Takes a value over where it can be used and says something else than the default.
  private mutating func add(_ declaration: SettingDeclaration, _ value: JSONValue?) {
    guard let value else { return }
    let range: ClosedRange<Int64>
    switch declaration.kind {
    case .integer(let limits): range = Int64(limits.lowerBound)...Int64(limits.upperBound)
    case .duration(let limits):
      range = limits.lowerBound.components.seconds...limits.upperBound.components.seconds
    default:
      guard let text = value.string, !text.isEmpty, text != declaration.defaultText else { return }
      settings.append((declaration.key, .string(text)))
      return
    }
    // The original takes 0 and less for "not set".
    guard let number = value.integer, number > 0 else { return }
    let kept = min(max(number, range.lowerBound), range.upperBound)
    if kept != number {
      notes.append("\(declaration.key) was \(number); the nearest that is possible here is \(kept)")
    }
    let isDefault =
      declaration.defaultText == "\(kept)" || declaration.defaultText == "\(kept)s"
    if !isDefault { settings.append((declaration.key, .integer(kept))) }
  }
}
