internal import Platform

/// Words about a cloud as every client of Moonraker may read them: without addresses, file names, and what else is told of
/// this house or of an account. Pure.
enum PublicText {
  /// `text` with `(address)` and `(file)` for what is one.
  static func of(_ text: String) -> String {
    text.oneCleanLine(300).split(separator: " ", omittingEmptySubsequences: false)
      .map { word(String($0)) }.joined(separator: " ")
  }

  /// Who did something, without from where: `the page` of `the page (192.168.1.7)`.
  static func person(_ text: String) -> String {
    // The rest is a file's name.
    if text.hasPrefix("the end of ") { return "the end of a job" }
    let name = text.prefix { $0 != "(" }
    return of(String(name.hasSuffix(" ") ? name.dropLast() : name))
  }

  private static func word(_ word: String) -> String {
    let frame: Set<Character> = ["'", "\"", "(", ")", "<", ">", ",", ";", ".", ":"]
    let head = word.prefix { frame.contains($0) }
    var core = word[head.endIndex...]
    var tail = ""
    while let last = core.last, frame.contains(last) {
      core = core.dropLast()
      tail = String(last) + tail
    }
    guard let kind = kind(core) else { return word }
    return head + kind + tail
  }

  private static func kind(_ core: Substring) -> String? {
    // A path may stand behind an equals sign, or an address before an @.
    if core.contains("@") || core.contains(text: "://") { return "(address)" }
    if core.contains("/") { return core.count > 1 ? "(file)" : nil }
    let parts = core.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 4, parts.dropLast().allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isNumber) }),
      parts.last?.first?.isNumber ?? false
    {
      return "(address)"
    }
    // IPv6, with its zone; a time of day has two colons.
    let bare = core.prefix { $0 != "%" }
    let colons = bare.count { $0 == ":" }
    if colons >= 3 || bare.contains(text: "::"),
      bare.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
    {
      return "(address)"
    }
    return nil
  }
}
