/// The manufacturer's code as the Polar Cloud knows it.
enum Manufacturer: String, Sendable, Hashable, CaseIterable {
  case klipper = "kl"
  case elegoo = "el"
  case creality = "CR"
  case anycubic = "ac"

  /// Reads a code, or a name as older versions of the original wrote it; what is not known is any Klipper printer.
  init(_ text: String) {
    let text = text.lowercased()
    if let code = Self.allCases.first(where: { $0.rawValue.lowercased() == text }) {
      self = code
    } else if text.hasPrefix("elegoo") || text.hasSuffix("elegoo") {
      self = .elegoo
    } else if text == "cre" || text.hasPrefix("creality") || text.hasSuffix("creality") {
      self = .creality
    } else if text.hasPrefix("anycubic") || text.hasSuffix("anycubic") {
      self = .anycubic
    } else {
      self = .klipper
    }
  }

  /// The name, for people.
  var title: String {
    switch self {
    case .klipper: "Any Klipper printer"
    case .elegoo: "Elegoo"
    case .creality: "Creality"
    case .anycubic: "Anycubic"
    }
  }

  /// Words of which a make's name holds one, lower case; none: all makes are offered.
  var words: [String] {
    switch self {
    case .klipper: []
    case .elegoo: ["elegoo", "neptune"]
    case .creality: ["creality", "ender", "cr-"]
    case .anycubic: ["anycubic", "kobra", "vyper", "mega", "chiron"]
    }
  }
}
