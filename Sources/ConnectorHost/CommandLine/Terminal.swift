internal import Glibc

/// Where a command writes: its results, and what went wrong.
struct Terminal: Sendable {
  /// Takes text for standard output.
  var output: @Sendable (String) -> Void
  /// Takes text for standard error.
  var errors: @Sendable (String) -> Void
  /// Whether standard output shows colours when it may.
  var isTerminal: Bool

  /// The process's own.
  static var standard: Terminal {
    Terminal(
      output: { Console.say($0) }, errors: { Console.complain($0) },
      isTerminal: isatty(STDOUT_FILENO) == 1)
  }

  /// Writes to standard output; without a terminator the text's own last line break is the end.
  func say(_ text: String, terminator: String = "\n") {
    output(terminator.isEmpty && text.hasSuffix("\n") ? String(text.dropLast()) : text)
  }

  /// Writes a line to standard error.
  func complain(_ line: String) { errors(line) }

  /// Whether to write colours: a terminal that knows them, and nobody who asks not to.
  func usesColours(_ environment: [String: String]) -> Bool {
    isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }
}
