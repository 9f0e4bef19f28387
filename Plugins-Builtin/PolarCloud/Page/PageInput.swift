internal import ConnectorKit
internal import JSON
internal import Networking

/// What a person has sent from the page, or by a program: checked, key by key.
struct PageInput: Sendable, Hashable {
  /// Why it is not taken.
  struct Defect: Error, Sendable, Hashable {
    var key: String
    var problem: String
  }
  /// The keys, in the order in which they came, each with its text.
  var values: [String: String] = [:]

  /// Reads a body.
  ///
  /// - Throws: ``Defect`` for what is neither a JSON object of texts, numbers and truth values nor such a form, and for a
  ///   key that is not known.
  init(_ request: PageRequest) throws(Defect) {
    guard request.body.count <= 16 << 10 else {
      throw Defect(key: "", problem: "the body is too large")
    }
    let pairs = request.isForm ? try Self.form(request.body) : try Self.json(request.body)
    for (key, value) in pairs {
      guard Self.keys.contains(key) else {
        throw Defect(key: key.logged, problem: "is not known here")
      }
      guard value.utf8.count <= 255,
        value.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
      else { throw Defect(key: key, problem: "is too long, or holds a control character") }
      values[key] = value
    }
  }

  /// What can be entered.
  static let keys: Set<String> = [
    "username", "pin", "machine_type", "printer_type", "manufacturer", "webcam_enabled",
    "max_image_size", "server_url", "status_interval", "verbose",
  ]

  /// The entered values with these in place of what they say.
  ///
  /// - Throws: ``Defect``.
  func merged(into former: EnteredValues) throws(Defect) -> EnteredValues {
    var entered = former
    if let text = values["username"] {
      guard text.contains("@"), text.utf8.allSatisfy({ $0 > 0x20 }) else {
        throw Defect(key: "username", problem: "is no e-mail address")
      }
      entered.username = text
    }
    if let text = values["pin"], !text.isEmpty {
      guard (4...8).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
      else { throw Defect(key: "pin", problem: "has 4 to 8 digits") }
      entered.pin = Secret(text)
    }
    if let text = values["machine_type"] {
      guard
        let word = ["Cartesian", "Delta", "Belt"].first(where: {
          $0.lowercased() == text.lowercased()
        })
      else { throw Defect(key: "machine_type", problem: "is Cartesian, Delta or Belt") }
      entered.machineType = word
    }
    if let text = values["printer_type"] {
      guard (1...120).contains(text.count) else {
        throw Defect(key: "printer_type", problem: "has 1 to 120 characters")
      }
      entered.printerType = text
    }
    if let text = values["manufacturer"] { entered.manufacturer = Manufacturer(text).rawValue }
    if let text = values["webcam_enabled"] {
      entered.webcamEnabled = try Self.truth(text, "webcam_enabled")
    }
    if let text = values["verbose"] { entered.isVerbose = try Self.truth(text, "verbose") }
    if let text = values["max_image_size"] {
      entered.maximumImageSize = try Self.number(text, "max_image_size", in: 10_000...1_000_000)
    }
    if let text = values["status_interval"] {
      entered.statusInterval = try Self.number(text, "status_interval", in: 10...60)
    }
    if let text = values["server_url"] {
      guard let parts = URLParts(text), !parts.hasCredentials,
        parts.scheme == "https" || (parts.scheme == "http" && parts.isLoopback)
      else { throw Defect(key: "server_url", problem: "is no https address") }
      entered.serverURL = text
    }
    return entered
  }

  private static func truth(_ text: String, _ key: String) throws(Defect) -> Bool {
    switch text.lowercased() {
    case "true", "1", "yes", "on": return true
    case "false", "0", "no", "off": return false
    default: throw Defect(key: key, problem: "is true or false")
    }
  }

  private static func number(
    _ text: String, _ key: String, in range: ClosedRange<Int>
  ) throws(Defect) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw Defect(key: key, problem: "is a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  // MARK: Bodies

  private static func json(_ body: [UInt8]) throws(Defect) -> [(String, String)] {
    let limits = JSONLimits(bytes: 16 << 10, depth: 4)
    guard
      let object = body.isEmpty
        ? JSONObject() : (try? JSONValue(parsing: body, limits: limits))?.object
    else { throw Defect(key: "", problem: "the body is no JSON object") }
    var pairs: [(String, String)] = []
    for (key, value) in object {
      switch value {
      case .string(let text): pairs.append((key, text))
      case .number(let number): pairs.append((key, number.spelling))
      case .bool(let isOn): pairs.append((key, isOn ? "true" : "false"))
      default: throw Defect(key: key.logged, problem: "is no text, number or truth value")
      }
    }
    return pairs
  }

  private static func form(_ body: [UInt8]) throws(Defect) -> [(String, String)] {
    var pairs: [(String, String)] = []
    for pair in body.split(separator: UInt8(ascii: "&")) {
      let sides = pair.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = sides.first.flatMap({ decoded($0) }),
        let value = sides.count == 2 ? decoded(sides[1]) : ""
      else { throw Defect(key: "", problem: "the form is broken") }
      pairs.append((name, value))
    }
    return pairs
  }

  private static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
    var text: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): text.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
        else { return nil }
        text.append(high << 4 | low)
      default: text.append(byte)
      }
    }
    return String(validating: text, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    UInt8(String(decoding: [byte], as: UTF8.self), radix: 16)
  }
}
