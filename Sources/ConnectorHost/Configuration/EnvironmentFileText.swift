/// The text of a service's environment file, by systemd's rules for `EnvironmentFile=`: `NAME=value` a line, `#` and `;`
/// begin a comment, quotes group, a backslash takes the next character as it is, nothing is expanded.
struct EnvironmentFileText {
  private var rest: Substring.UnicodeScalarView
  /// What it sets; of one name the last counts.
  private(set) var variables: [String: String] = [:]

  /// Reads all of `text`; lines that set nothing are passed over, as systemd does.
  init(_ text: String) {
    rest = text[...].unicodeScalars
    while let first = rest.popFirst() {
      switch first {
      case " ", "\t", "\n", "\r": continue
      case "#", ";": skipComment()
      default:
        guard let name = name(from: first) else { continue }
        let value = value()
        if Self.isName(name), Self.isValue(value) { variables[name] = value }
      }
    }
  }

  private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r"
  }
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || isLineEnd(scalar)
  }

  private mutating func skipComment() {
    while let next = rest.popFirst(), !Self.isLineEnd(next) {
      if next == "\\" { _ = rest.popFirst() }
    }
  }

  /// What stands before `=`; nil where the line has none.
  private mutating func name(from first: Unicode.Scalar) -> String? {
    var name = String(first)
    while let next = rest.popFirst() {
      if next == "=" {
        while let last = name.unicodeScalars.last, Self.isSpace(last) {
          name.unicodeScalars.removeLast()
        }
        return name
      }
      if Self.isLineEnd(next) { return nil }
      name.unicodeScalars.append(next)
    }
    return nil
  }

  /// What stands behind `=`: quoted pieces, then at most one that is not quoted.
  private mutating func value() -> String {
    var value = String.UnicodeScalarView()
    while let next = rest.popFirst() {
      switch next {
      case "\n", "\r": return String(value)
      case " ", "\t": continue
      case "'": while let inner = rest.popFirst(), inner != "'" { value.append(inner) }
      case "\"": takeDoubleQuoted(&value)
      default:
        takeBare(next, &value)
        return String(value)
      }
    }
    return String(value)
  }

  private mutating func takeDoubleQuoted(_ value: inout String.UnicodeScalarView) {
    while let next = rest.popFirst(), next != "\"" {
      guard next == "\\" else {
        value.append(next)
        continue
      }
      guard let escaped = rest.popFirst() else { return }
      switch escaped {
      case "\n": continue
      case "\"", "\\", "`", "$": value.append(escaped)
      default: value.append(contentsOf: ["\\", escaped])
      }
    }
  }

  /// To the end of the line; spaces at the end do not count unless a backslash stands before them.
  private mutating func takeBare(
    _ first: Unicode.Scalar, _ value: inout String.UnicodeScalarView
  ) {
    var next: Unicode.Scalar? = first
    var pending = String.UnicodeScalarView()
    while let scalar = next, !Self.isLineEnd(scalar) {
      if scalar == "\\" {
        value.append(contentsOf: pending)
        pending = .init()
        if let escaped = rest.popFirst(), !Self.isLineEnd(escaped) { value.append(escaped) }
      } else if Self.isSpace(scalar) {
        pending.append(scalar)
      } else {
        value.append(contentsOf: pending)
        pending = .init()
        value.append(scalar)
      }
      next = rest.popFirst()
    }
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  private static func isValue(_ value: String) -> Bool {
    value.unicodeScalars.allSatisfy {
      ($0.value >= 0x20 && $0.value != 0x7F) || $0 == "\t" || $0 == "\n"
    }
  }
}
