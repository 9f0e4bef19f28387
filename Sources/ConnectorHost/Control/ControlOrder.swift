internal import ConnectorKit
internal import JSON

/// What somebody wants changed.
enum ControlOrder: Sendable, Hashable {
  case bedCleared
  case readOnly(Bool)
  /// Up to the notice of this number.
  case wideningsSeen(Int64)
  /// The entry of this name is to run, or not.
  case enabled(String, Bool)
  /// All of the file; with a digest, only while it is that file.
  case reload(only: String?)
  /// The entry of this name, with what its cloud gave for pairing.
  case pair(String, Secret)
  case unpair(String)

  /// The longest name of an entry, and the longest code, that is taken, in bytes.
  private static let longestText = 4 << 10

  /// Where it is told.
  var route: ControlRoute {
    switch self {
    case .bedCleared: .bedCleared
    case .readOnly: .readOnly
    case .wideningsSeen: .wideningsSeen
    case .enabled: .enabled
    case .reload: .reload
    case .pair: .pair
    case .unpair: .unpair
    }
  }

  /// The body with which it is told.
  var body: JSONValue {
    switch self {
    case .bedCleared, .reload(nil): [:]
    case .reload(let file?): ["only": .string(file)]
    case .readOnly(let isOn): ["on": .bool(isOn)]
    case .wideningsSeen(let number): ["through": .integer(number)]
    case .enabled(let name, let isOn): ["backend": .string(name), "on": .bool(isOn)]
    case .pair(let name, let code): ["backend": .string(name), "code": .string(code.revealed)]
    case .unpair(let name): ["backend": .string(name)]
    }
  }

  /// Reads the body of a POST to `route`; nil where it is not exactly what belongs there.
  init?(_ route: ControlRoute, body: [UInt8]) {
    let limits = JSONLimits(bytes: 64 << 10, depth: 4)
    guard let object = (try? JSONValue(parsing: body, limits: limits))?.object else { return nil }
    func text(_ key: String) -> String? {
      guard let text = object[key]?.string, !text.isEmpty, text.utf8.count <= Self.longestText
      else { return nil }
      return text
    }
    switch route {
    case .bedCleared where object.isEmpty: self = .bedCleared
    case .reload where object.isEmpty: self = .reload(only: nil)
    case .reload:
      guard object.count == 1, let file = text("only") else { return nil }
      self = .reload(only: file)
    case .readOnly:
      guard object.keys == ["on"], let isOn = object["on"]?.bool else { return nil }
      self = .readOnly(isOn)
    case .wideningsSeen:
      guard object.keys == ["through"], let number = object["through"]?.integer else { return nil }
      self = .wideningsSeen(number)
    case .enabled:
      guard object.count == 2, let name = text("backend"), let isOn = object["on"]?.bool else {
        return nil
      }
      self = .enabled(name, isOn)
    case .pair:
      guard object.count == 2, let name = text("backend"), let code = text("code") else {
        return nil
      }
      self = .pair(name, Secret(code))
    case .unpair:
      guard object.count == 1, let name = text("backend") else { return nil }
      self = .unpair(name)
    default: return nil
    }
  }
}
