import Testing

@testable import ConnectorHost

@Suite("The log's console") struct LoggingConsoleTests {
  @Test("Colours only on a terminal and only where nobody objects")
  func colours() {
    func style(_ isTerminal: Bool, _ noColor: String?, _ terminal: String?) -> LogConsole.Style {
      LogConsole.style(
        isTerminal: isTerminal, identity: "1:2", journalStream: nil, noColor: noColor,
        terminal: terminal)
    }
    #expect(style(true, nil, "xterm") == .coloured)
    #expect(style(true, "", nil) == .coloured)
    #expect(style(true, "1", "xterm") == .plain)
    #expect(style(true, nil, "dumb") == .plain)
    #expect(style(false, nil, "xterm") == .plain)
  }

  @Test("The journal's form only where standard error is the journal's stream")
  func journal() {
    func style(_ stream: String?, _ identity: String?) -> LogConsole.Style {
      LogConsole.style(
        isTerminal: false, identity: identity, journalStream: stream, noColor: nil, terminal: nil)
    }
    #expect(style("8:1234", "8:1234") == .journal)
    #expect(style("8:1234", "8:99") == .plain)
    #expect(style("", "") == .plain)
    #expect(style(nil, nil) == .plain)
  }
}
