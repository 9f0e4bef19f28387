internal import ConnectorKit
internal import JSON

/// One call of a macro's, decoded and clean. Pure.
enum MacroCall: Sendable, Hashable {
  case notify(String)
  case bedCleared
  case setEnabled(Bool, backend: String)

  /// Why a call is none: words for the log.
  struct Mistake: Error, Sendable, Hashable {
    var text: String
  }

  /// Decodes a call.
  ///
  /// - Parameter params: as they came: anything.
  /// - Throws: `Mistake`.
  init(_ method: MacroMethod, _ params: JSONValue) throws(Mistake) {
    switch method {
    case .notify: self = .notify(try Self.message(params["text"]))
    case .bedCleared: self = .bedCleared
    case .enable: self = .setEnabled(true, backend: try Self.name(params["backend"]))
    case .disable: self = .setEnabled(false, backend: try Self.name(params["backend"]))
    }
  }

  /// A macro's text; Jinja makes numbers of what looks like one.
  private static func message(_ value: JSONValue?) throws(Mistake) -> String {
    let raw: String
    switch value {
    case .string(let text)?: raw = text
    case .number(let number)?: raw = number.spelling
    case nil, .null?: throw Mistake(text: "there is no text=… in it")
    default: throw Mistake(text: "its text is no text")
    }
    let text = raw.oneCleanLine(PrinterMessage.length)
    guard !text.isEmpty else { throw Mistake(text: "its text is empty") }
    return text
  }

  private static func name(_ value: JSONValue?) throws(Mistake) -> String {
    guard case .string(let name)? = value else {
      throw Mistake(text: "it does not say which entry: backend=\"…\"")
    }
    // As the file allows names; what else it may be, nobody repeats it.
    guard (1...64).contains(name.utf8.count), name == name.oneCleanLine(64) else {
      throw Mistake(text: "no entry can have that name")
    }
    return name
  }
}

extension String {
  /// The text as one line of at most `limit` characters: what steers terminals, turns text around or ends lines becomes a
  /// blank, blanks are not repeated, and what is too long ends in `…`. However long the text is, only its beginning is
  /// looked at.
  func oneCleanLine(_ limit: Int) -> String {
    var line = String.UnicodeScalarView()
    var count = 0
    var isBlankDue = false
    var isCut = false
    scan: for (index, scalar) in unicodeScalars.enumerated() {
      if index >= limit * 4 {
        isCut = true
        break
      }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate,
        .privateUse, .unassigned:
        isBlankDue = count > 0
      default:
        let needed = isBlankDue ? 2 : 1
        guard count + needed <= limit else {
          isCut = true
          break scan
        }
        if isBlankDue { line.append(" ") }
        isBlankDue = false
        line.append(scalar)
        count += needed
      }
    }
    guard isCut, !line.isEmpty else { return String(line) }
    return String(String.UnicodeScalarView(line.prefix(max(0, limit - 1)))) + "…"
  }
}
