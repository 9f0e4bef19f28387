package import ConnectorKit
internal import Cryptography
internal import JSON

extension PolarCloudBackend {
  /// The original's private key, beside its configuration.
  package static func companion(of text: [UInt8]) -> String? {
    OriginalFile(text) == nil ? nil : "polar_cloud_key.pem"
  }

  /// The configuration alone: only what is not registered yet goes without the key.
  package static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry? {
    try importing(text, with: nil)
  }

  /// Makes an entry of `polar_cloud.conf` and `polar_cloud_key.pem`: with the serial number and the key nobody registers
  /// again.
  package static func importing(
    _ text: [UInt8], with companion: [UInt8]?
  ) throws(ImportFailure) -> ImportedEntry? {
    guard let file = OriginalFile(text) else { return nil }
    var record = PolarRecord()
    record.serialNumber = file["serial_number"]
    record.registeredAs = record.serialNumber == nil ? nil : file["username"]
    record.key = try key(companion, isNeeded: record.serialNumber != nil)
    var notes: [String] = []
    let settings = settings(file, &notes)
    if record.serialNumber != nil {
      notes.append(
        "its PIN is not taken over: it is needed to register only, and still stands in the original's file for all to read"
      )
      notes.append(
        "the cloud knows a printer by the network hardware of its host as well: go on on the same host"
      )
    }
    var entry = ImportedEntry(
      settings: settings, identity: record.json, moonraker: "http://localhost:7125", notes: notes,
      program: agent.program, stopAdvice: agent.stopAdvice)
    if record.serialNumber == nil, let pin = file["pin"] {
      entry.secrets = [(PolarSettings.pin.declaration.key, Secret(pin))]
    }
    return entry
  }

  private static func key(
    _ companion: [UInt8]?, isNeeded: Bool
  ) throws(ImportFailure) -> Secret? {
    guard let companion else {
      if !isNeeded { return nil }
      throw ImportFailure(
        "polar_cloud_key.pem is not beside it, or cannot be read",
        remedy: "put it there, and run this as a user who may read it")
    }
    do throws(RSAKey.Defect) {
      let key = try RSAKey(pem: String(decoding: companion, as: UTF8.self))
      // Written anew: an older form becomes the usual one.
      guard let pem = key.privatePEM else { throw .failed }
      return Secret(pem)
    } catch {
      throw ImportFailure(
        "polar_cloud_key.pem holds no usable RSA key (\(error))",
        remedy: "take the file of a running installation, or register anew with username and pin")
    }
  }

  private static func settings(
    _ file: OriginalFile, _ notes: inout [String]
  ) -> [(key: String, value: JSONValue)] {
    var settings: [(key: String, value: JSONValue)] = []
    func add<Value>(_ setting: Setting<Value>, _ value: JSONValue) {
      let written =
        value.string ?? value.number?.spelling ?? value.bool.map { $0 ? "true" : "false" }
      if written != setting.declaration.defaultText {
        settings.append((setting.declaration.key, value))
      }
    }
    if let url = file["server_url"], let server = PolarServer(url) {
      add(PolarSettings.serverURL, .string(server.origin))
    }
    if let name = file["username"] { add(PolarSettings.username, .string(name)) }
    if let type = file["machine_type"] {
      if let word = ["Cartesian", "Delta", "Belt"].first(where: {
        $0.lowercased() == type.lowercased()
      }) {
        add(PolarSettings.machineType, .string(word))
      } else {
        notes.append("machine_type \(type.logged) is not known and not taken over")
      }
    }
    if let make = file["printer_type"] {
      add(PolarSettings.printerType, .string(String(make.prefix(120))))
    }
    if let code = file["manufacturer"] {
      add(PolarSettings.manufacturer, .string(Manufacturer(code).rawValue))
    }
    // Exactly this word, for the original.
    if let webcam = file["webcam_enabled"] {
      add(PolarSettings.webcamEnabled, .bool(webcam == "true"))
    }
    addNumber(PolarSettings.maximumImageSize, file, 10_000...1_000_000, &settings, &notes)
    // It is not used there, and would be here.
    addNumber(PolarSettings.statusInterval, file, 10...60, &settings, &notes)
    if let isFlipped = file.truth("flip_horizontal") {
      settings.append((PolarSettings.flipHorizontal.declaration.key, .bool(isFlipped)))
    }
    if let isFlipped = file.truth("flip_vertical") {
      settings.append((PolarSettings.flipVertical.declaration.key, .bool(isFlipped)))
    }
    if let turn = file["rotation"], ["0", "90", "180", "270"].contains(turn) {
      settings.append((PolarSettings.rotation.declaration.key, .string(turn)))
    }
    if let isVerbose = file.truth("verbose") { add(PolarSettings.verbose, .bool(isVerbose)) }
    return settings
  }

  private static func addNumber<Value>(
    _ setting: Setting<Value>, _ file: OriginalFile, _ range: ClosedRange<Int>,
    _ settings: inout [(key: String, value: JSONValue)], _ notes: inout [String]
  ) {
    let key = setting.declaration.key
    guard let text = file[key] else { return }
    guard let number = Int(text) else {
      notes.append("\(key) is no whole number and is not taken over")
      return
    }
    let kept = min(max(number, range.lowerBound), range.upperBound)
    if kept != number {
      notes.append("\(key) was \(number); the nearest that is possible here is \(kept)")
    }
    if "\(kept)" != setting.declaration.defaultText { settings.append((key, .integer(kept))) }
  }
}
