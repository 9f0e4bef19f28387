internal import ConnectorKit
internal import JSON

extension Diagnosis {
  /// The diagnosis for a person: causes with their remedies first, then every look on a line of its own.
  ///
  /// - Parameter usesColours: whether to mark the words *wrong*, *look* and *ok* with colours.
  func text(usesColours: Bool = false) -> String {
    var lines: [String] = []
    for cause in causes {
      guard case .bad(let problem, let remedy) = cause.outcome else { continue }
      lines.append("\(Self.word("wrong", "31", usesColours)) \(cause.title): \(problem.onOneLine)")
      if !remedy.isEmpty { lines.append("      do: \(remedy.onOneLine)") }
    }
    if !lines.isEmpty { lines.append("") }
    for entry in entries { lines += self.lines(of: entry, usesColours) }
    let skipped = entries.count { $0.cause != nil }
    let counts = [
      causes.isEmpty ? "nothing is wrong" : "\(causes.count) wrong",
      skipped > 0 ? "\(skipped) skipped because of that" : "",
    ]
    lines += ["", counts.filter { !$0.isEmpty }.joined(separator: ", ")]
    return lines.map { $0 + "\n" }.joined()
  }

  private func lines(of entry: Entry, _ usesColours: Bool) -> [String] {
    let title = entry.checkup.title
    if let cause = entry.cause {
      return ["  –   \(title): skipped, because of \(self.title(of: cause))"]
    }
    switch entry.checkup.outcome {
    case .good(let text):
      return ["\(Self.word("ok", "32", usesColours))    \(title): \(text.onOneLine)"]
    case .warning(let problem, let remedy):
      let line = "\(Self.word("look", "33", usesColours))  \(title): \(problem.onOneLine)"
      return remedy.isEmpty ? [line] : [line, "      do: \(remedy.onOneLine)"]
    // Told above, with what to do.
    case .bad(let problem, _):
      return ["\(Self.word("wrong", "31", usesColours)) \(title): \(problem.onOneLine)"]
    case .unknown(let text): return ["  ?   \(title): \(text.onOneLine)"]
    }
  }

  private static func word(_ word: String, _ colour: String, _ usesColours: Bool) -> String {
    usesColours ? "\u{1B}[1;\(colour)m\(word)\u{1B}[0m" : word
  }

  /// The diagnosis for programs.
  var document: JSONValue {
    [
      "version": 1,
      "program": ["name": .string(Product.name), "version": .string(Product.version)],
      "ok": .bool(isHealthy),
      "causes": .array(causes.map { .string($0.id) }),
      "checks": .array(entries.map(Self.json)),
    ]
  }

  private static func json(_ entry: Entry) -> JSONValue {
    let state: String
    let text: String
    var remedy: String?
    switch entry.checkup.outcome {
    case .good(let seen): (state, text) = ("ok", seen)
    case .unknown(let why): (state, text) = ("unknown", why)
    case .warning(let problem, let what): (state, text, remedy) = ("warning", problem, what)
    case .bad(let problem, let what): (state, text, remedy) = ("wrong", problem, what)
    }
    return [
      "id": .string(entry.checkup.id), "title": .string(entry.checkup.title),
      "state": .string(entry.cause == nil ? state : "skipped"),
      "text": .string(text), "remedy": .string(orNull: remedy?.isEmpty == true ? nil : remedy),
      "because": .string(orNull: entry.cause),
    ]
  }
}
