internal import ConnectorKit
internal import JSON
internal import Platform

// What the host itself writes on the printer's console. It is no cloud's command: nobody submits it, it has no id, takes
// nobody's turn, and nothing waits for it.

extension CommandGate {
  /// So long a line may wait for Klipper, which does one thing after the other.
  private static let consolePatience = Duration.seconds(30)

  /// Whether a line could be shown now: Klipper takes G-code, and nobody is stopping it.
  var canTellConsole: Bool {
    let seen = status.trusted(at: time.now)
    guard seen.isCurrent, seen.link == .connected, seen.klippy == .ready else { return false }
    return state.withLock { !$0.isEnding && !$0.arbiter.isStopping }
  }

  /// Says on the printer's console that a backend waits for a person.
  ///
  /// - Throws: `CommandFailure` where it cannot be shown; it is not tried again here.
  func tellConsole(parked backend: String) async throws(CommandFailure) {
    guard let help = MoonrakerRequest(parts: ["printer", "gcode", "help"], method: .get) else {
      return
    }
    let words = try await perform(.query(help), within: .seconds(10))
    guard words?[ConsoleLine.word] != nil else {
      throw CommandFailure(
        .printerRefused, "Klipper does not know \(ConsoleLine.word): add [respond] to printer.cfg")
    }
    // It may have stopped while it was asked.
    guard canTellConsole else {
      throw CommandFailure(.wrongState, "Klipper takes no G-code now")
    }
    _ = try await perform(.gcode(ConsoleLine.parked(backend)), within: Self.consolePatience)
  }
}
