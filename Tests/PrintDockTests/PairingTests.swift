import ConnectorKit
import JSON
import Testing

@testable import PrintDock

@Suite("Pairing decision") struct PairingDecisionTests {
  static let token = Secret("PAIR_dummy_1")
  static let stored = Identity(
    connectorID: "46", secret: Secret("s"), printerID: 262, commandsSeconds: 3,
    snapshotsSeconds: 30, tokenDigest: PairingDecision.digest(of: token))

  private func settings(
    token: String? = nil, id: String? = nil, secret: String? = nil, printer: Int? = nil
  ) -> Settings {
    PrintDockFixture.settings(token: token, id: id, secret: secret, printer: printer)
  }

  @Test("A token that nobody has spent pairs")
  func fresh() {
    #expect(
      PairingDecision(settings: settings(token: "PAIR_dummy_1"), stored: nil)
        == .pair(Self.token))
  }

  @Test("The token that was spent is ignored, and its removal asked for")
  func spent() {
    #expect(
      PairingDecision(settings: settings(token: "PAIR_dummy_1"), stored: Self.stored)
        == .use(Self.stored, spentToken: true))
  }

  @Test("Another token pairs again")
  func another() {
    #expect(
      PairingDecision(settings: settings(token: "PAIR_dummy_2"), stored: Self.stored)
        == .pair(Secret("PAIR_dummy_2")))
  }

  @Test("Without a token the stored identity is used; without either nothing can be done")
  func stored() {
    #expect(
      PairingDecision(settings: settings(), stored: Self.stored)
        == .use(Self.stored, spentToken: false))
    #expect(PairingDecision(settings: settings(), stored: nil) == .missing)
  }

  @Test(
    "Credentials in the file win; what PrintDock said of the interval is kept for the same connector"
  )
  func literal() {
    let mine = settings(id: "46", secret: "t", printer: 7)
    let expected = Identity(
      connectorID: "46", secret: Secret("t"), printerID: 7, commandsSeconds: 3,
      snapshotsSeconds: 30)
    #expect(
      PairingDecision(settings: mine, stored: Self.stored) == .use(expected, spentToken: false))
    let other = settings(id: "47", secret: "t", printer: 7)
    #expect(
      PairingDecision(settings: other, stored: Self.stored)
        == .use(
          Identity(connectorID: "47", secret: Secret("t"), printerID: 7), spentToken: false))
  }

  @Test("What is stored is read back; what is incomplete is none")
  func roundTrip() {
    #expect(Identity(stored: Self.stored.stored) == Self.stored)
    for key in ["connector_id", "connector_secret", "printer_id"] {
      var object = Self.stored.stored
      object[key] = nil
      #expect(Identity(stored: object) == nil)
      object[key] = .null
      #expect(Identity(stored: object) == nil)
    }
    #expect(Self.stored.stored["token_sha256"]?.string?.count == 64)
    #expect(!"\(Self.stored)".contains("\"s\""))
  }
}

@Suite("Pairing answer") struct PairingAnswerTests {
  private func identity(_ text: String) throws -> Identity {
    let object = try #require(try JSONValue(parsing: Array(text.utf8)).object)
    return try PairingAnswer.identity(in: object, token: Secret("PAIR_dummy_1"))
  }

  @Test(
    "Ids may be strings or numbers",
    arguments: [
      (#"46"#, "262", "46", 262), (#""46""#, #""262""#, "46", 262), ("1.0", "262.0", "1.0", 262),
      (#""c-é/x""#.replacing("é", with: "e"), "1", "c-e/x", 1),
    ] as [(String, String, String, Int64)])
  func ids(connector: String, printer: String, text: String, number: Int64) throws {
    let identity = try identity(
      """
      {"connector":{"id":\(connector)},"credentials":{"secret":"s"},
       "printers":[{"id":\(printer),"name":"Sim"}],
       "polling":{"commands_seconds":3,"snapshots_seconds":30},"extra":[1]}
      """)
    #expect(identity.connectorID == text)
    #expect(identity.printerID == number)
    #expect(identity.secret.revealed == "s")
    #expect(identity.commandsSeconds == 3)
    #expect(identity.snapshotsSeconds == 30)
    #expect(identity.tokenDigest == PairingDecision.digest(of: Secret("PAIR_dummy_1")))
  }

  @Test(
    "Without `polling`, or with nonsense in it, our own intervals stay",
    arguments: [
      "", #","polling":null"#, #","polling":{"snapshots_seconds":0}"#,
      #","polling":{"snapshots_seconds":"30"}"#, #","polling":{"snapshots_seconds":-1}"#,
      #","polling":[]"#,
    ])
  func polling(text: String) throws {
    let identity = try identity(
      #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":1}]\#(text)}"#)
    #expect(identity.snapshotsSeconds == nil)
  }

  @Test("An interval beyond an hour is one hour")
  func longInterval() throws {
    let identity = try identity(
      #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":1}],"polling":{"snapshots_seconds":9e15}}"#
    )
    #expect(identity.snapshotsSeconds == 3_600)
  }

  @Test(
    "An answer that lacks what is needed is refused before anything is stored",
    arguments: [
      (#"{}"#, "no connector id"),
      (
        #"{"connector":{"id":null},"credentials":{"secret":"s"},"printers":[{"id":1}]}"#,
        "no connector id"
      ),
      (
        #"{"connector":{"id":""},"credentials":{"secret":"s"},"printers":[{"id":1}]}"#,
        "no connector id"
      ),
      (
        #"{"connector":{"id":"4\r\n6"},"credentials":{"secret":"s"},"printers":[{"id":1}]}"#,
        "no connector id"
      ),
      (#"{"connector":{"id":1},"printers":[{"id":1}]}"#, "no secret"),
      (#"{"connector":{"id":1},"credentials":{"secret":""},"printers":[{"id":1}]}"#, "no secret"),
      (#"{"connector":{"id":1},"credentials":{"secret":5},"printers":[{"id":1}]}"#, "no secret"),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"a b"},"printers":[{"id":1}]}"#, "no secret"
      ),
      (#"{"connector":{"id":1},"credentials":{"secret":"s"}}"#, "the one printer"),
      (#"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[]}"#, "the one printer"),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":1},{"id":2}]}"#,
        "the one printer"
      ),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":0}]}"#,
        "printer has no id"
      ),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":-4}]}"#,
        "printer has no id"
      ),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":1.5}]}"#,
        "printer has no id"
      ),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":"x"}]}"#,
        "printer has no id"
      ),
      (
        #"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[{"id":1e300}]}"#,
        "printer has no id"
      ),
      (#"{"connector":{"id":1},"credentials":{"secret":"s"},"printers":[7]}"#, "printer has no id"),
    ])
  func defects(text: String, problem: String) throws {
    let defect = #expect(throws: PairingAnswer.Defect.self) { try identity(text) }
    #expect(defect?.problem.contains(problem) == true)
  }
}

@Suite("Pairing request") struct PairingRequestTests {
  @Test("The body has the keys, types and values that the original sent")
  func transcript() throws {
    let recorded = try #require(try PrintDockFixture.exchanges("register").first?["body"])
    var request = PairingRequest(
      token: Secret("PAIR_dummy_1"),
      settings: PrintDockFixture.settings(extra: [
        "site_name": .string("Test Lab"), "ui_port": .integer(36_895),
      ]), printerName: "Sim")
    request.hostName = "voron-pi"
    request.machine = "x86_64"
    request.address = "192.0.2.2"
    #expect(try JSONValue(parsing: request.body) == recorded)
  }

  @Test("What is empty is left out, but for the printer's name")
  func empty() throws {
    var request = PairingRequest(
      token: Secret("t"), settings: PrintDockFixture.settings(), printerName: "")
    request.hostName = ""
    request.address = nil
    let body = try JSONValue(parsing: request.body)
    #expect(body.object?.keys == ["pairing_token", "device", "printers"])
    #expect(body["device"]?.object?.keys == ["arch", "os", "version", "ui_port"])
    #expect(body["printers"] == [["name": "", "ui_port": 80]])
  }

  @Test(
    "Processors have the names that PrintDock knows",
    arguments: [
      ("x86_64", "amd64"), ("aarch64", "arm64"), ("armv7l", "arm"), ("armv6l", "arm"),
      ("mips", "mipsle"), ("i686", "386"), ("riscv64", "riscv64"),
    ])
  func architectures(machine: String, name: String) {
    #expect(PairingRequest.architecture(of: machine) == name)
  }
}
