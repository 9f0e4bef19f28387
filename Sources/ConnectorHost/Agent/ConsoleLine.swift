internal import ConnectorKit

/// A line of our own for the printer's console, as G-code. Only our words and an entry's name are in it, never a cloud's.
enum ConsoleLine {
  /// What Klipper must know for it.
  static let word = "RESPOND"

  /// That `backend` waits for a person. Not as an error: `!!` makes some hosts at Klipper's port end the print.
  static func parked(_ backend: String) -> String {
    let name = String(
      String.UnicodeScalarView(
        backend.unicodeScalars.prefix(64).map { isHarmless($0) ? $0 : "_" }))
    return
      "\(word) TYPE=command MSG=\"\(Product.name): \(name) waits for you, see \(Product.name) status\""
  }

  /// Whether a character can stand between quotes and mean nothing to Klipper.
  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
    default: false
    }
  }
}
