import JSON
import Networking
import Platform
import SocketIO
import TestSupport
import Testing

@Suite("Socket.IO: the client") struct SocketIOClientTests {
  private let bench = SocketIOBench()

  @Test("It opens a WebSocket at the server's fixed path, and keeps the address's query")
  func opening() async throws {
    var options = SocketIOOptions()
    options.fields = [HTTPField("User-Agent", "test")]
    let task = bench.takeEvents(of: try bench.client(options))
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    let request = try #require(bench.sockets.requests.first)
    #expect(request.url == "ws://cloud.test:3000/socket.io/?a=b&transport=websocket&EIO=4")
    #expect(request.fields == [HTTPField("User-Agent", "test")])
    #expect(request.timeout == .seconds(15))
    #expect(request.messageLimit == 1 << 20)
    task.cancel()
    #expect(await bench.end(of: task) == .cancelled)
  }

  @Test("Events are taken in order, pings answered, events emitted, and it leaves in order")
  func conversation() async throws {
    let task = bench.takeEvents(of: try bench.client()) { event, connection in
      switch event.name {
      case "welcome":
        try await connection.emit("hello", ["challenge": event.payload["challenge"] ?? .null])
      case "pause": try await connection.acknowledge(event)
      case "end": throw SocketIOFailure.unacknowledged
      default: break
      }
    }
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    socket.sayEvent("welcome", #"{"challenge":"a"}"#)
    _ = try await socket.sent(atLeast: 2)
    socket.say("2")
    _ = try await socket.sent(atLeast: 3)
    socket.say(#"4217["pause",{}]"#)
    _ = try await socket.sent(atLeast: 4)
    socket.sayEvent("end")
    #expect(await bench.end(of: task) == .unacknowledged)
    #expect(socket.sent == ["40{}", #"42["hello",{"challenge":"a"}]"#, "3", "4317[]", "41", "1"])
    #expect(bench.events == ["welcome", "pause", "end"])
  }

  @Test("While an event is handled slowly, pings are answered and events wait")
  func slowHandler() async throws {
    let gate = Gate()
    let task = bench.takeEvents(of: try bench.client()) { _, _ in await gate.wait() }
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    socket.sayEvent("print")
    await until { bench.events == ["print"] }
    for _ in 0..<10 {
      await bench.executor.idle()
      bench.time.advance(by: .seconds(25))
      socket.say("2")
      socket.sayEvent("pause")
    }
    #expect(try await socket.sent(atLeast: 11).filter { $0 == "3" }.count == 10)
    #expect(bench.events == ["print"])
    gate.open()
    await until { bench.events.count == 11 }
    socket.drop()
    #expect(await bench.end(of: task)?.reason == .network(.closed))
  }

  @Test("Events that came before the end are still taken")
  func eventsBeforeTheEnd() async throws {
    let gate = Gate()
    let task = bench.takeEvents(of: try bench.client()) { _, _ in await gate.wait() }
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    for name in ["a", "b", "c"] { socket.sayEvent(name) }
    socket.say("41")
    await bench.executor.idle()
    gate.open()
    #expect(await bench.end(of: task)?.reason == .endedByServer)
    #expect(bench.events == ["a", "b", "c"])
  }

  @Test("Silence for interval and time-out ends it; any packet puts that off")
  func silence() async throws {
    let task = bench.takeEvents(of: try bench.client())
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    await bench.executor.idle()
    for _ in 0..<3 {
      bench.time.advance(by: .seconds(44))
      socket.sayEvent("x")
      await bench.executor.idle()
    }
    bench.time.advance(by: .milliseconds(44_999))
    await bench.executor.idle()
    #expect(!socket.isClosed)
    bench.time.advance(by: .milliseconds(1))
    #expect(await bench.end(of: task)?.reason == .silent)
  }

  @Test("A server that takes nothing any more is noticed in the middle of an answer")
  func stuck() async throws {
    let task = bench.takeEvents(of: try bench.client())
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    await bench.executor.idle()
    socket.stopReading()
    socket.say("2")
    await bench.executor.idle()
    bench.time.advance(by: .seconds(45))
    #expect(await bench.end(of: task)?.reason == .silent)
  }

  @Test(
    "A server that does not open the session, or lets nobody in, is given ten seconds",
    arguments: [
      [], [handshake], ["2"], [handshake, "2", #"42["welcome"]"#],
    ])
  func handshakeTimeout(said: [String]) async throws {
    let task = bench.takeEvents(of: try bench.client())
    let socket = try await bench.sockets.socket(1)
    for text in said { socket.say(text) }
    await bench.executor.idle()
    bench.time.advance(by: .milliseconds(9_999))
    await bench.executor.idle()
    #expect(!socket.isClosed)
    bench.time.advance(by: .milliseconds(1))
    #expect(await bench.end(of: task)?.reason == .handshakeTimeout)
    #expect(bench.events.isEmpty)
  }

  @Test("A refusal carries the status and what the server asks for")
  func refused() async throws {
    bench.sockets.refuse(
      NetworkError(.protocolViolation, "refused", httpStatus: 503, retryAfter: "30"))
    let task = bench.takeEvents(of: try bench.client())
    guard case .closed(let closure)? = await bench.end(of: task) else {
      Issue.record("it came about")
      return
    }
    #expect(closure.reason == .refused(status: 503))
    #expect(closure.retryAfter == "30")
  }

  @Test(
    "What the network says is told apart",
    arguments: [
      (NetworkError(.closed, "gone"), SocketIOClosure.Reason.network(.closed)),
      (NetworkError(.closed, "bye", closeCode: 1001), .endedByServer),
      (NetworkError(.tooLarge, "50 MB"), .network(.tooLarge)),
      (NetworkError(.protocolViolation, "nonsense"), .network(.protocolViolation)),
    ])
  func ends(error: NetworkError, reason: SocketIOClosure.Reason) async throws {
    let task = bench.takeEvents(of: try bench.client())
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    await bench.executor.idle()
    socket.drop(error)
    #expect(await bench.end(of: task)?.reason == reason)
  }

  @Test(
    "Cancelled while it connects, shakes hands or serves, it leaves nothing behind",
    arguments: 0..<4)
  func cancellation(stage: Int) async throws {
    if stage == 0 { bench.sockets.beSilent() }
    let task = bench.takeEvents(of: try bench.client())
    if stage > 0 {
      let socket = try await bench.sockets.socket(1)
      if stage == 2 { socket.say(handshake) }
      if stage == 3 { try await socket.letIn() }
    }
    await bench.executor.idle()
    task.cancel()
    #expect(await bench.end(of: task) == .cancelled)
    let farewells = [[], [], ["40{}", "1"], ["40{}", "41", "1"]]
    #expect(bench.sockets.sockets.first?.sent ?? [] == farewells[stage])
  }

  @Test("More events than are taken end it")
  func flood() async throws {
    let gate = Gate()
    var options = SocketIOOptions()
    options.eventLimit = 3
    let task = bench.takeEvents(of: try bench.client(options)) { _, _ in await gate.wait() }
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    socket.sayEvent("first")
    await until { bench.events == ["first"] }
    for number in 0..<4 { socket.sayEvent("e\(number)") }
    await until { socket.isClosed }
    gate.open()
    #expect(await bench.end(of: task)?.reason == .overflow)
    #expect(bench.events == ["first", "e0", "e1", "e2"])
  }

  @Test("Large events that wait count by their size")
  func largeFlood() async throws {
    let gate = Gate()
    var options = SocketIOOptions()
    options.eventByteLimit = 2_500
    let task = bench.takeEvents(of: try bench.client(options)) { _, _ in await gate.wait() }
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    socket.sayEvent("first")
    await until { bench.events == ["first"] }
    let large = #""\#(String(repeating: "x", count: 1_000))""#
    for number in 0..<3 { socket.sayEvent("e\(number)", large) }
    await until { socket.isClosed }
    gate.open()
    #expect(await bench.end(of: task)?.reason == .overflow)
    #expect(bench.events == ["first", "e0", "e1"])
  }

  @Test("What the server does wrong is told once per kind and connection")
  func oddities() async throws {
    let task = bench.takeEvents(of: try bench.client())
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    for _ in 0..<3 {
      for text in ["9", "42[", "4399[]", "3"] { socket.say(text) }
      socket.sayBinary([1, 2, 3])
    }
    socket.sayEvent("x")
    await until { bench.events == ["x"] }
    #expect(
      bench.oddities == [
        .unknownPacket, .malformedPacket, .unaskedAcknowledgement, .unaskedPong, .strayAttachment,
      ])
    socket.closeInOrder()
    #expect(await bench.end(of: task)?.reason == .endedByServer)
  }

  // MARK: Acknowledgements

  /// A client that asks for an acknowledgement within ten seconds, and has just done so.
  private func asked(
    _ outcome: Guarded<[Result<[JSONValue], SocketIOFailure>]>
  ) async throws -> (task: Task<Void, any Error>, socket: ScriptedWebSocket) {
    let task = try emitting(outcome)
    let socket = try await bench.sockets.socket(1)
    try await socket.letIn()
    socket.sayEvent("go")
    #expect(try await socket.sent(atLeast: 2).last == #"420["ask",[1]]"#)
    return (task, socket)
  }

  private func emitting(
    _ outcome: Guarded<[Result<[JSONValue], SocketIOFailure>]>
  ) throws -> Task<Void, any Error> {
    bench.takeEvents(of: try bench.client()) { _, connection in
      do throws(SocketIOFailure) {
        let answer = try await connection.emit("ask", [1], acknowledgedWithin: .seconds(10))
        outcome.withLock { $0.append(.success(answer)) }
      } catch {
        outcome.withLock { $0.append(.failure(error)) }
      }
    }
  }

  @Test("An acknowledgement comes back to the one who waits for it")
  func acknowledged() async throws {
    let outcome = Guarded<[Result<[JSONValue], SocketIOFailure>]>([])
    let (task, socket) = try await asked(outcome)
    socket.say("431[]")
    socket.say(#"430["yes"]"#)
    await until { !outcome.withLock(\.isEmpty) }
    #expect(outcome.withLock { $0 } == [.success(["yes"])])
    socket.drop()
    _ = await bench.end(of: task)
  }

  @Test("Without one in time there is none, and a late one is passed over")
  func unacknowledged() async throws {
    let outcome = Guarded<[Result<[JSONValue], SocketIOFailure>]>([])
    let (task, socket) = try await asked(outcome)
    await bench.executor.idle()
    bench.time.advance(by: .seconds(10))
    await until { !outcome.withLock(\.isEmpty) }
    #expect(outcome.withLock { $0 } == [.failure(.unacknowledged)])
    socket.say("430[]")
    await until { bench.oddities == [.unaskedAcknowledgement] }
    socket.drop()
    _ = await bench.end(of: task)
  }

  @Test("The connection's end is the end of the waiting")
  func lostAcknowledgement() async throws {
    let outcome = Guarded<[Result<[JSONValue], SocketIOFailure>]>([])
    let (task, socket) = try await asked(outcome)
    socket.say("41")
    #expect(await bench.end(of: task)?.reason == .endedByServer)
    guard case .failure(let failure)? = outcome.withLock({ $0.first }) else {
      Issue.record("an acknowledgement out of nothing")
      return
    }
    #expect(failure.reason == .endedByServer)
  }

  // MARK: The connection breaks

  /// What a server says in a session, and what the client has sent by then.
  private static let conversation: [(said: String, sent: Int)] = [
    (handshake, 1), (#"40{"sid":"n"}"#, 1), (#"42["welcome",{"challenge":"a"}]"#, 2), ("2", 3),
    (#"42["helloResponse",{"status":"SUCCESS"}]"#, 4), (#"451-["x"]"#, 4), ("\u{0}", 4),
    (#"4217["print",{"jobId":"j"}]"#, 5), ("2", 6), (#"42["cancel"]"#, 7), ("41", 7),
  ]

  @Test(
    "Broken at every packet, it tells so, loses no event that came and is there again at once",
    arguments: 0...11)
  func breaks(after count: Int) async throws {
    let client = try bench.client()
    let task = bench.takeEvents(of: client, answer)
    let socket = try await bench.sockets.socket(1)
    for (said, sent) in Self.conversation.prefix(count) {
      if said == "\u{0}" { socket.sayBinary([0]) } else { socket.say(said) }
      _ = try await socket.sent(atLeast: sent)
      await bench.executor.idle()
    }
    socket.drop()
    let reason = await bench.end(of: task)?.reason
    try #require(Self.conversation.count == 11)
    #expect(reason == (count == Self.conversation.count ? .endedByServer : .network(.closed)))
    let names = Self.conversation.prefix(count).compactMap { name(of: $0.said) }
    // What came before the server let us in is lost with the connection; nothing here does.
    #expect(bench.events == names)
    try await wholeConversation(with: client)
  }

  @Test("Broken while it sends, at every message, it is there again at once", arguments: 1...7)
  func breaksSending(count: Int) async throws {
    let client = try bench.client()
    let task = bench.takeEvents(of: client, answer)
    let socket = try await bench.sockets.socket(1)
    socket.breakAfter(sent: count)
    for (said, _) in Self.conversation {
      if said == "\u{0}" { socket.sayBinary([0]) } else { socket.say(said) }
      await bench.executor.idle()
    }
    #expect(await bench.end(of: task)?.reason == .network(.closed))
    #expect(socket.sent.count == count)
    try await wholeConversation(with: client)
  }

  private func wholeConversation(with client: SocketIOClient) async throws {
    let before = bench.events.count
    let task = bench.takeEvents(of: client, answer)
    let socket = try await bench.sockets.socket(2)
    for (said, sent) in Self.conversation {
      if said == "\u{0}" { socket.sayBinary([0]) } else { socket.say(said) }
      _ = try await socket.sent(atLeast: sent)
    }
    #expect(await bench.end(of: task)?.reason == .endedByServer)
    #expect(
      Array(bench.events.dropFirst(before)) == ["welcome", "helloResponse", "print", "cancel"])
  }

  /// What a program of the cloud does with an event, roughly.
  private var answer: @Sendable (SocketIOEvent, SocketIOConnection) async throws -> Void {
    { event, connection in
      try await connection.acknowledge(event)
      let emitted = ["welcome": "hello", "helloResponse": "status", "cancel": "job"][event.name]
      if let emitted { try await connection.emit(emitted, [:]) }
    }
  }

  private func name(of said: String) -> String? {
    guard said.hasPrefix("42") else { return nil }
    return said.split(separator: "\"").dropFirst().first.map(String.init)
  }
}

@Suite("Socket.IO: addresses") struct SocketIOAddressTests {
  @Test(
    "Scheme, host, port and query count, the path does not",
    arguments: [
      (
        "https://printer4.polar3d.com",
        "wss://printer4.polar3d.com/socket.io/?transport=websocket&EIO=4"
      ),
      (
        "HTTPS://Printer4.polar3d.com:443/x/",
        "wss://printer4.polar3d.com/socket.io/?transport=websocket&EIO=4"
      ),
      ("http://[::1]:8080/?k=v", "ws://[::1]:8080/socket.io/?k=v&transport=websocket&EIO=4"),
      ("ws://h:1/?", "ws://h:1/socket.io/?transport=websocket&EIO=4"),
      ("http://h#f", "ws://h/socket.io/?transport=websocket&EIO=4"),
    ])
  func addresses(server: String, url: String) {
    #expect(SocketIOAddress(server)?.webSocketURL == url)
  }

  @Test(
    "What is no address of a server is refused",
    arguments: [
      "", "printer4.polar3d.com", "ftp://h", "https://", "https://user:pass@h/", "https://user@h",
    ])
  func refused(server: String) {
    #expect(SocketIOAddress(server) == nil)
  }
}
