import Platform
import SocketIO
import Testing

@Suite("Engine.IO: a session") struct EngineIOSessionTests {
  private let start = MonotonicInstant(sinceOrigin: .seconds(100))

  private func session() -> EngineIOSession {
    EngineIOSession(at: start, openingTime: .seconds(10), messageLimit: 1_000)
  }

  private func opened(_ text: String = handshake) -> EngineIOSession {
    var session = session()
    #expect(session.receive(text: bytes(text), at: start) == [.opened])
    return session
  }

  @Test("The server opens it and says how often it pings")
  func opening() {
    let session = opened(
      #"0{"sid":"x","pingInterval":1000,"pingTimeout":500,"maxPayload":64,"upgrades":["polling"]}"#)
    #expect(session.handshake?.pingInterval == .seconds(1))
    #expect(session.handshake?.pingTimeout == .milliseconds(500))
    #expect(session.sendLimit == 64)
    #expect(session.deadline == start.advanced(by: .milliseconds(1_500)))
  }

  @Test(
    "What the handshake does not say, or says without sense, is as usual; numbers may be strings",
    arguments: [
      ("0{}", 45_000, 1_000_000),
      (#"0{"pingInterval":null,"pingTimeout":[],"maxPayload":{}}"#, 45_000, 1_000_000),
      (#"0{"pingInterval":"1000","pingTimeout":"2000","maxPayload":"77"}"#, 3_000, 77),
      (#"0{"pingInterval":0,"pingTimeout":-1,"maxPayload":0}"#, 45_000, 1_000_000),
      (#"0{"pingInterval":1,"pingTimeout":2.0,"maxPayload":1e3}"#, 200, 1_000),
      (#"0{"pingInterval":9e18,"pingTimeout":1e300,"maxPayload":-5}"#, 320_000, 1_000_000),
      (#"0{"pingInterval":25000.5,"pingTimeout":"soon","maxPayload":0.5}"#, 45_000, 1_000_000),
    ])
  func oddHandshakes(text: String, silence: Int, limit: Int) {
    let session = opened(text)
    #expect(session.deadline == start.advanced(by: .milliseconds(silence)))
    #expect(session.sendLimit == limit)
  }

  @Test(
    "A first packet that is no handshake ends it", arguments: ["0", "0[]", "0{", "0null", "0{}x"])
  func brokenHandshake(text: String) {
    var session = session()
    guard case .end(let closure)? = session.receive(text: bytes(text), at: start).first else {
      Issue.record("it goes on")
      return
    }
    #expect(closure.reason == .protocolViolation)
    #expect(session.hasEnded && session.deadline == nil)
  }

  @Test("What comes before the handshake is passed over", arguments: ["2", "3", "4x", "5", "6"])
  func beforeHandshake(text: String) {
    var session = session()
    #expect(session.receive(text: bytes(text), at: start) == [.notice(.packetBeforeHandshake)])
    #expect(session.receiveBinary(at: start) == [.notice(.packetBeforeHandshake)])
    #expect(session.receive(text: bytes(handshake), at: start) == [.opened])
  }

  @Test("Somebody who talks without opening it is given ten seconds, not more")
  func neverOpened() {
    var session = session()
    let late = start.advanced(by: .milliseconds(9_999))
    _ = session.receive(text: bytes("2"), at: late)
    #expect(session.timePassed(now: late) == [])
    guard case .end(let closure)? = session.timePassed(now: start.advanced(by: .seconds(10))).first
    else {
      Issue.record("it goes on")
      return
    }
    #expect(closure.reason == .handshakeTimeout)
  }

  @Test("A ping is answered with its own payload", arguments: ["", "probe", "0123"])
  func pong(payload: String) {
    var session = opened()
    #expect(
      session.receive(text: bytes("2" + payload), at: start) == [.send(bytes("3" + payload))])
  }

  @Test("A ping that is larger than what the server takes is not answered")
  func largePing() {
    var session = opened(#"0{"maxPayload":5}"#)
    #expect(session.receive(text: bytes("21234"), at: start) == [.send(bytes("31234"))])
    #expect(session.receive(text: bytes("212345"), at: start) == [.notice(.largePing)])
  }

  @Test("Whatever comes puts off the end; silence for interval and time-out brings it")
  func silence() {
    var session = opened()
    for (seconds, text) in [(44, "2"), (88, "4x"), (132, "6"), (176, "9")] {
      let now = start.advanced(by: .seconds(seconds))
      #expect(session.timePassed(now: now) == [])
      _ = session.receive(text: bytes(text), at: now)
    }
    let last = start.advanced(by: .seconds(200))
    _ = session.receiveBinary(at: last)
    #expect(session.timePassed(now: last.advanced(by: .milliseconds(44_999))) == [])
    let end = session.timePassed(now: last.advanced(by: .seconds(45)))
    guard case .end(let closure)? = end.first else {
      Issue.record("it goes on")
      return
    }
    #expect(closure.reason == .silent)
    #expect(session.timePassed(now: last.advanced(by: .seconds(99))) == [])
  }

  @Test(
    "Odd packets are passed over",
    arguments: [
      ("", SocketIOOddity.unknownPacket), ("7", .unknownPacket), ("b4AAA", .unknownPacket),
      ("é", .unknownPacket), (handshake, .secondHandshake), ("3", .unaskedPong),
      ("3probe", .unaskedPong),
    ])
  func odd(text: String, oddity: SocketIOOddity) {
    var session = opened()
    #expect(session.receive(text: bytes(text), at: start) == [.notice(oddity)])
    #expect(session.receive(text: bytes("2"), at: start) == [.send(bytes("3"))])
  }

  @Test(
    "The server may close it at any time, after which nothing counts", arguments: [true, false])
  func close(isOpened: Bool) {
    var session = isOpened ? opened() : session()
    guard case .end(let closure)? = session.receive(text: bytes("1"), at: start).first else {
      Issue.record("it goes on")
      return
    }
    #expect(closure.reason == .endedByServer)
    for text in [handshake, "2", "4x", "1"] {
      #expect(session.receive(text: bytes(text), at: start) == [])
    }
    #expect(session.receiveBinary(at: start) == [])
  }

  @Test("Fifty megabytes of text end it without being looked at")
  func large() {
    var session = opened()
    let text = [UInt8](repeating: UInt8(ascii: "4"), count: 50 << 20)
    let begin = ContinuousClock.now
    guard case .end(let closure)? = session.receive(text: text, at: start).first else {
      Issue.record("it goes on")
      return
    }
    #expect(closure.reason == .protocolViolation)
    #expect(begin.duration(to: .now) < .seconds(1))
  }
}
