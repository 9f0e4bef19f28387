internal import Platform

/// `${env:NAME}` and `${file:PATH}` inside a text; `$${` stands for `${` itself.
struct Interpolation {
  /// A part of a text.
  enum Part: Equatable {
    case literal(String)
    case environment(String)
    case file(String)
  }
  /// Why a text cannot be split.
  enum Failure: Error, Equatable {
    /// A `${` without its `}`.
    case unclosed
    /// Neither `env:` nor `file:`, or without a name.
    case unknown(String)
  }

  /// The parts of `text` in order; one literal where nothing is referred to.
  static func parts(of text: String) throws(Failure) -> [Part] {
    var parts: [Part] = []
    var literal = ""
    var rest = text[...]
    while let dollar = rest.firstRange(ofText: "${") {
      if rest[..<dollar.lowerBound].hasSuffix("$") {
        literal += rest[..<dollar.lowerBound].dropLast() + "${"
        rest = rest[dollar.upperBound...]
        continue
      }
      literal += rest[..<dollar.lowerBound]
      guard let end = rest[dollar.upperBound...].firstIndex(of: "}") else { throw .unclosed }
      let reference = rest[dollar.upperBound..<end]
      guard let part = part(reference) else { throw .unknown(String(reference)) }
      if !literal.isEmpty { parts.append(.literal(literal)) }
      literal = ""
      parts.append(part)
      rest = rest[rest.index(after: end)...]
    }
    literal += rest
    if !literal.isEmpty || parts.isEmpty { parts.append(.literal(literal)) }
    return parts
  }

  private static func part(_ reference: Substring) -> Part? {
    if reference.hasPrefix("env:") {
      let name = reference.dropFirst(4)
      let isName =
        !name.isEmpty
        && name.utf8.allSatisfy {
          switch $0 {
          case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
          default: false
          }
        }
      return isName ? .environment(String(name)) : nil
    }
    if reference.hasPrefix("file:"), reference.count > 5 {
      return .file(String(reference.dropFirst(5)))
    }
    return nil
  }
}
