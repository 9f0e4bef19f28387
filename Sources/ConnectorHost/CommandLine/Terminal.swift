internal import ConnectorKit
internal import Glibc

/// Where a command writes: its results, and what went wrong.
struct Terminal: Sendable {
  /// Takes text for standard output.
  var output: @Sendable (String) -> Void
  /// Takes text for standard error.
  var errors: @Sendable (String) -> Void
  /// Whether standard output shows colours when it may.
  var isTerminal: Bool
  /// The next line of standard input, without its end; nil at the end. Blocks.
  var input: @Sendable () -> String? = { nil }
  /// Whether a person sits at standard input.
  var asksPerson = false

  /// The process's own.
  static var standard: Terminal {
    Terminal(
      output: { Console.say($0) }, errors: { Console.complain($0) },
      isTerminal: isatty(STDOUT_FILENO) == 1, input: { readLine() },
      asksPerson: isatty(STDIN_FILENO) == 1)
  }

  /// Writes to standard output; without a terminator the text's own last line break is the end.
  func say(_ text: String, terminator: String = "\n") {
    output(terminator.isEmpty && text.hasSuffix("\n") ? String(text.dropLast()) : text)
  }

  /// Reads a secret from standard input, asked for where a person sits there; nil where there is none. Blocks.
  func secret(_ question: String) -> Secret? {
    if asksPerson { complain(question) }
    guard let line = input() else { return nil }
    let text = line.filter { !$0.isWhitespace }
    return text.isEmpty ? nil : Secret(text)
  }

  /// Writes a line to standard error; whatever it quotes, it stays one line and steers no terminal.
  func complain(_ line: String) { errors(line.onOneLine) }

  /// Whether to write colours: a terminal that knows them, and nobody who asks not to.
  func usesColours(_ environment: [String: String]) -> Bool {
    isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }
}
