import JSON
import Platform
import SocketIO
import Testing

@Suite("Socket.IO: a connection as a value") struct SocketIOSessionTests {
  private let start = MonotonicInstant(sinceOrigin: .seconds(100))

  private func opened(_ options: SocketIOOptions = SocketIOOptions()) -> SocketIOSession {
    var session = SocketIOSession(at: start, options: options)
    let connect = options.namespace == "/" ? "40{}" : "40\(options.namespace),{\"token\":\"t\"}"
    #expect(session.receive(text: bytes(handshake), at: start) == [.send(bytes(connect))])
    return session
  }

  private func connected() -> SocketIOSession {
    var session = opened()
    #expect(session.receive(text: bytes(#"40{"sid":"n"}"#), at: start) == [.connected])
    return session
  }

  private func receive(_ text: String, _ session: inout SocketIOSession) -> [SocketIOSession.Action]
  {
    session.receive(text: bytes(text), at: start)
  }

  @Test("It asks for its namespace as soon as the session below is open")
  func connecting() {
    var session = opened()
    #expect(!session.isConnected)
    #expect(throws: SocketIOFailure.self) { try session.emit("hello", [[:]]) }
    #expect(receive(#"40{"sid":"n"}"#, &session) == [.connected])
    #expect(session.isConnected)
    #expect(session.silenceLimit == .seconds(45))
  }

  @Test("Another namespace is asked for with its authentication, and kept apart")
  func namespaces() throws {
    var options = SocketIOOptions()
    options.namespace = "/chat"
    options.authentication = ["token": "t"]
    var session = opened(options)
    #expect(receive(#"40{"sid":"n"}"#, &session) == [.notice(.otherNamespace)])
    #expect(receive(#"40/chat,{"sid":"n"}"#, &session) == [.connected])
    #expect(receive(#"42["x"]"#, &session) == [.notice(.otherNamespace)])
    #expect(receive("41", &session) == [.notice(.otherNamespace)])
    #expect(receive(#"42/chat,["x"]"#, &session) == [.event(SocketIOEvent("x"))])
    #expect(try session.emit("y", []).text == bytes(#"42/chat,["y"]"#))
    #expect(session.leave() == [bytes("41/chat,"), bytes("1")])
  }

  @Test("Events come in order, also those that are faster than the answer to the connect packet")
  func early() {
    var session = opened()
    #expect(
      receive(#"42["welcome",{"challenge":"a"}]"#, &session)
        == [.event(SocketIOEvent("welcome", [["challenge": "a"]]))])
    #expect(!session.isConnected)
    #expect(receive(#"40{"sid":"n"}"#, &session) == [.connected])
    #expect(receive(#"42["delete"]"#, &session).first?.event?.payload == [:])
    #expect(receive(#"42["x",1,2]"#, &session).first?.event?.payload == 1)
  }

  @Test(
    "An error for an answer ends it, with the server's words on one line",
    arguments: [
      (#"44{"message":"not\nyou"}"#, "not you"), (#"44"no""#, "no"), ("44", "no reason given"),
      (#"44{"message":5}"#, "no reason given"), (#"44{"message":""}"#, "no reason given"),
    ])
  func connectError(text: String, words: String) {
    var session = opened()
    let closure = receive(text, &session).first?.closure
    #expect(closure?.reason == .connectError)
    #expect(closure?.problem == "the server refused the connection: \(words)")
    #expect(session.hasEnded)
  }

  @Test(
    "A server that names no session is too old",
    arguments: ["40", "40{}", #"40{"sid":null}"#])
  func oldServer(text: String) {
    var session = opened()
    #expect(receive(text, &session).first?.closure?.reason == .protocolViolation)
  }

  @Test("Without an answer to the connect packet it ends after ten seconds, whatever else comes")
  func connectTimeout() {
    var session = opened()
    let late = start.advanced(by: .milliseconds(9_999))
    _ = session.receive(text: bytes("2"), at: late)
    #expect(session.deadline == start.advanced(by: .seconds(10)))
    #expect(session.timePassed(now: late) == [])
    let end = session.timePassed(now: start.advanced(by: .seconds(10)))
    #expect(end.first?.closure?.reason == .handshakeTimeout)
  }

  @Test("The server's ends are ends", arguments: ["41", "1"])
  func ends(text: String) {
    var session = connected()
    #expect(receive(text, &session).first?.closure?.reason == .endedByServer)
    #expect(session.hasEnded && !session.isConnected && session.deadline == nil)
    #expect(receive(#"42["x"]"#, &session) == [])
    #expect(session.leave() == [])
    #expect(throws: SocketIOFailure.self) { try session.emit("x", []) }
  }

  @Test("It leaves with good manners, as far as it has come")
  func leaving() {
    var unopened = SocketIOSession(at: start)
    #expect(unopened.leave() == [])
    var opened = opened()
    #expect(opened.leave() == [bytes("1")])
    var connected = connected()
    #expect(connected.leave() == [bytes("41"), bytes("1")])
    #expect(connected.leave() == [])
  }

  @Test("Acknowledgements find the event that they belong to, once")
  func acknowledgements() throws {
    var session = connected()
    #expect(try session.emit("a", [1], isAcknowledged: true) == (bytes(#"420["a",1]"#), 0))
    #expect(try session.emit("b", [], isAcknowledged: true) == (bytes(#"421["b"]"#), 1))
    #expect(receive(#"431["ok"]"#, &session) == [.acknowledged(id: 1, arguments: ["ok"])])
    #expect(receive("430[]", &session) == [.acknowledged(id: 0, arguments: [])])
    #expect(receive("430[]", &session) == [.notice(.unaskedAcknowledgement)])
  }

  @Test(
    "Acknowledgements that nobody asked for, or waits for any more, are passed over",
    arguments: [
      "430[]", "4317[]", "4318446744073709551615[]",
    ])
  func unasked(text: String) throws {
    var session = connected()
    #expect(receive(text, &session) == [.notice(.unaskedAcknowledgement)])
    let id = try #require(try session.emit("a", [], isAcknowledged: true).id)
    session.abandonAcknowledgement(id)
    #expect(receive("43\(id)[]", &session) == [.notice(.unaskedAcknowledgement)])
  }

  @Test("The server's own wishes for an acknowledgement can be granted")
  func acknowledging() throws {
    var session = connected()
    let event = receive(#"4217["pause",{}]"#, &session).first?.event
    #expect(event?.acknowledgementID == 17)
    #expect(try session.acknowledge(17, with: []) == bytes("4317[]"))
    #expect(try session.acknowledge(17, with: ["ok", 1]) == bytes(#"4317["ok",1]"#))
  }

  @Test("Events with attachments are dropped together with them")
  func binary() {
    var session = connected()
    #expect(
      receive(#"452-["x",{"_placeholder":true,"num":0}]"#, &session) == [.notice(.binaryEvent)])
    #expect(session.receiveBinary(at: start) == [])
    #expect(receive("2", &session) == [.send(bytes("3"))])
    #expect(session.receiveBinary(at: start) == [])
    #expect(session.receiveBinary(at: start) == [.notice(.strayAttachment)])
    #expect(receive(#"42["y"]"#, &session) == [.event(SocketIOEvent("y"))])
  }

  @Test("A text is never an attachment: an event that comes too early is still an event")
  func missingAttachment() {
    var session = connected()
    _ = receive(#"451-["x"]"#, &session)
    #expect(
      receive(#"42["y"]"#, &session)
        == [.notice(.missingAttachment), .event(SocketIOEvent("y"))])
    #expect(session.receiveBinary(at: start) == [.notice(.strayAttachment)])
  }

  @Test("Attachments for another namespace are dropped too")
  func otherAttachments() {
    var session = connected()
    #expect(receive(#"451-/c,["x"]"#, &session) == [.notice(.otherNamespace)])
    #expect(session.receiveBinary(at: start) == [])
  }

  @Test(
    "A packet that cannot be read is passed over, and the next one is read",
    arguments: [
      "4", "42", "42[", "42{}", "42[1]", "435", "45[]", "47", "4\u{0}", "42[\"x\",01]", "4242",
    ])
  func malformed(text: String) {
    var session = connected()
    #expect(receive(text, &session) == [.notice(.malformedPacket)])
    #expect(receive(#"42["x"]"#, &session) == [.event(SocketIOEvent("x"))])
  }

  @Test("A second answer to the connect packet changes nothing")
  func secondConnect() {
    var session = connected()
    #expect(receive(#"40{"sid":"other"}"#, &session) == [.notice(.secondConnect)])
    #expect(receive("40", &session) == [.notice(.secondConnect)])
    #expect(session.isConnected)
  }

  @Test("Numbers stay numbers and strings strings, whatever they spell")
  func types() {
    var session = connected()
    let event = receive(
      #"42["temperature",{"tool0":"210.5","bed":60,"jobId":5,"huge":123456789012345678901234567890}]"#,
      &session
    ).first?.event
    #expect(event?.payload["tool0"] == "210.5")
    #expect(event?.payload["bed"] == 60)
    #expect(event?.payload["jobId"]?.string == nil)
    #expect(event?.payload["huge"]?.integer == nil)
  }

  @Test("What the server would not take is not sent, and the connection lives")
  func sendLimit() throws {
    var session = SocketIOSession(at: start)
    _ = receive(#"0{"maxPayload":20}"#, &session)
    _ = receive(#"40{"sid":"n"}"#, &session)
    #expect(try session.emit("x", ["0123456789"]).text.count == 20)
    #expect(throws: SocketIOFailure.tooLarge(bytes: 22, limit: 20)) {
      try session.emit("x", ["0123456789a"], isAcknowledged: true)
    }
    #expect(throws: SocketIOFailure.self) {
      try session.acknowledge(1, with: ["01234567890123456789"])
    }
    #expect(try session.emit("y", [], isAcknowledged: true).id == 0)
  }
}
