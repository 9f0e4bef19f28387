import ConnectorKit
import Testing

@testable import PrintDock

@Suite("PrintDock's settings") struct ValidationTests {
  private func errors(_ settings: Settings) -> [String] {
    PrintDockBackend.validate(settings).filter { $0.severity == .error }.map(\.key)
  }

  @Test("A token, or all three of an earlier pairing, or nothing at all, is fine")
  func fine() {
    #expect(PrintDockBackend.validate(PrintDockFixture.settings(token: "PAIR_1")).isEmpty)
    #expect(
      PrintDockBackend.validate(PrintDockFixture.settings(id: "46", secret: "s", printer: 262))
        .isEmpty)
    let none = PrintDockBackend.validate(PrintDockFixture.settings())
    #expect(none.map(\.severity) == [.note])
  }

  @Test("What contradicts itself or is half is an error at the key to mend")
  func errors() {
    let both = PrintDockFixture.settings(token: "t", id: "46", secret: "s", printer: 1)
    #expect(errors(both) == ["pairing_token"])
    #expect(errors(PrintDockFixture.settings(token: "t", id: "46")) == ["pairing_token"])
    #expect(errors(PrintDockFixture.settings(id: "46", printer: 1)) == ["connector_id"])
    #expect(errors(PrintDockFixture.settings(secret: "s")) == ["connector_secret"])
    #expect(errors(PrintDockFixture.settings(id: "46", secret: "s")) == ["printer_id"])
  }

  @Test(
    "Blanks and line breaks from copying are errors, and the secret is not shown",
    arguments: [
      "", " PAIR_1", "PAIR 1", "PAIR_1\n", "PÄIR",
    ])
  func blanks(text: String) {
    let findings = PrintDockBackend.validate(PrintDockFixture.settings(token: text))
    #expect(findings.map(\.severity) == [.error])
    if !text.isEmpty { #expect(!"\(findings)".contains(text)) }
    #expect(
      errors(PrintDockFixture.settings(id: "46", secret: text, printer: 1)) == ["connector_secret"])
    #expect(
      errors(PrintDockFixture.settings(id: text, secret: "s", printer: 1)) == ["connector_id"])
  }

  @Test("A printer number without a connector is a warning")
  func strayPrinter() {
    let findings = PrintDockBackend.validate(PrintDockFixture.settings(token: "t", printer: 5))
    #expect(findings.map(\.severity) == [.warning])
  }

  @Test("The intention says what happens, without a secret")
  func intention() {
    let intention = PrintDockBackend.descriptor.intention
    let pairing = intention(PrintDockFixture.settings(token: "PAIR_1"))
    #expect(
      pairing
        == "pair with https://www.spoolr.io unless this token has been spent, then report: "
        + "a heartbeat each 10 s, a snapshot each 30 s and at each change of the print's state; "
        + "ask for commands each 3 s and, where there is a camera, for pictures each 2 s")
    let known = intention(PrintDockFixture.settings(id: "46", secret: "hunter2", printer: 1))
    #expect(known.hasPrefix("report to https://www.spoolr.io as connector 46: "))
    #expect(!known.contains("hunter2"))
    #expect(intention(Settings()).contains("credentials of an earlier pairing"))
  }

  @Test("Keys are declared once, and what is refused is not declared")
  func keys() {
    let keys = PrintDockBackend.descriptor.settings.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(Set(keys).isDisjoint(with: PrintDockBackend.descriptor.refusedKeys.keys))
    #expect(PrintDockBackend.descriptor.environment.map(\.variable) == ["CLOUD_URL"])
  }
}
