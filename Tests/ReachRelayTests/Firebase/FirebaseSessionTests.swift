import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

/// A session with the database on a clock of its own.
private struct Desk {
  static let noon: Int64 = 1_795_162_973_000
  static let host = "db.test"

  var session: FirebaseSession
  var seconds = 0.0
  /// What was to be done and has not been looked at.
  var actions: [FirebaseSession.Action] = []

  init(watchesViewer: Bool = true, random: Double = 1) {
    session = FirebaseSession(
      FirebaseSession.Rules(
        watchesViewer: watchesViewer, pollInterval: .seconds(5), viewerTimeout: .seconds(60),
        host: Self.host, random: { random }))
  }

  func at(_ seconds: Double) -> MonotonicInstant {
    MonotonicInstant(sinceOrigin: .seconds(1_000 + seconds))
  }

  mutating func happen(_ event: FirebaseSession.Event = .tick) {
    actions += session.handle(
      event, now: at(seconds),
      wallTime: WallTime(millisecondsSinceEpoch: Self.noon + Int64(seconds * 1_000)))
  }

  mutating func happen(_ event: FirebaseSession.Event = .tick, at seconds: Double) {
    self.seconds = seconds
    happen(event)
  }

  /// When something is due, in seconds.
  var due: Double? {
    session.nextDue.map {
      (($0.sinceOrigin - .seconds(1_000)) / .milliseconds(1)).rounded() / 1_000
    }
  }

  /// What was to be done since the last look.
  mutating func take() -> [FirebaseSession.Action] {
    defer { actions = [] }
    return actions
  }

  /// The same, without what was logged.
  mutating func deeds() -> [FirebaseSession.Action] {
    take().filter { if case .log = $0 { false } else { true } }
  }
}

@Suite("Reach: the session with Firebase") struct FirebaseSessionTests {
  private let off =
    "Firebase: db.test does not accept firebase.token; Firebase is off until the configuration changes, everything else goes on"

  @Test("A report goes out at once; one that comes meanwhile is left out, the next goes again")
  func reports() {
    var desk = Desk(watchesViewer: false)
    desk.happen(.report(["state": "idle"]))
    desk.happen(.report(["state": "printing"]), at: 1)
    #expect(desk.take() == [.patch(["state": "idle"])])
    desk.happen(.patched(.accepted(.null)), at: 2)
    desk.happen(.report(["state": "paused"]), at: 3)
    #expect(desk.take() == [.patch(["state": "paused"])])
    #expect(desk.due == nil)
  }

  @Test("Failed reports are followed by a growing pause, in which none goes out")
  func reportFailures() {
    var desk = Desk(watchesViewer: false)
    var sent: [Double] = []
    for second in 0..<200 {
      desk.happen(.report([:]), at: Double(second))
      if desk.deeds().contains(.patch([:])) {
        sent.append(desk.seconds)
        desk.happen(.patched(.unreachable(.connect, "no connection")))
      }
    }
    #expect(sent == [0, 1, 3, 7, 15, 31, 63, 123, 183])
  }

  @Test("Where no viewer is wanted, none is asked for")
  func noViewer() {
    var desk = Desk(watchesViewer: false)
    desk.happen()
    desk.happen(at: 100)
    #expect(desk.take() == [])
    #expect(desk.due == nil)
  }

  @Test("A viewer is seen by the stream alone, while it is there nothing is asked")
  func stream() {
    var desk = Desk()
    desk.happen()
    #expect(desk.take() == [.openStream])
    desk.happen(.heard(nil), at: 0.1)
    #expect(desk.take() == [])
    desk.happen(.heard(Desk.noon + 10_000), at: 10)
    #expect(desk.take() == [.viewer(until: desk.at(70))])
    desk.happen(.heard(Desk.noon + 40_000), at: 41)
    #expect(desk.take() == [.viewer(until: desk.at(100))])
    desk.happen(.heard(nil), at: 45)
    #expect(desk.take() == [.viewer(until: nil)])
    #expect(desk.due == nil)
  }

  @Test("A stream that has lived a while and ends is opened again, without a word or a question")
  func reopens() {
    var desk = Desk()
    desk.happen()
    for turn in 1...5 {
      let start = Double(turn) * 3_600
      desk.happen(.heard(nil), at: start)
      desk.happen(.streamEnded(.closed), at: start + 100)
      #expect(desk.due == start + 101)
      desk.happen(at: start + 101)
      let expected: [FirebaseSession.Action] =
        turn == 1 ? [.openStream, .openStream] : [.openStream]
      #expect(desk.take() == expected)
    }
  }

  @Test("After two failed streams the stamp is asked for at the interval, until a stream is there")
  func polls() {
    var desk = Desk()
    desk.happen()
    desk.happen(.streamEnded(.refused(.refused(status: 406))), at: 1)
    #expect(desk.deeds() == [.openStream])
    #expect(desk.due == 2)
    desk.happen(at: 2)
    #expect(desk.deeds() == [.openStream])
    desk.happen(.streamEnded(.silent), at: 17)
    #expect(desk.deeds() == [.poll])
    desk.happen(.polled(.accepted(.integer(Desk.noon + 17_000))), at: 17.5)
    #expect(desk.deeds() == [.viewer(until: desk.at(77))])
    #expect(desk.due == 19)
    desk.happen(at: 19)
    #expect(desk.deeds() == [.openStream])
    desk.happen(at: 22)
    #expect(desk.deeds() == [.poll])
    // The stream is there before the answer: the stream counts.
    desk.happen(.heard(Desk.noon + 20_000), at: 22.5)
    #expect(desk.deeds() == [.viewer(until: desk.at(80))])
    desk.happen(.polled(.accepted(.null)), at: 22.75)
    #expect(desk.deeds() == [])
    #expect(desk.due == nil)
  }

  @Test("Streams that fail are tried ever less, up to once in five minutes")
  func streamBackoff() {
    var desk = Desk()
    desk.happen()
    var opened: [Double] = []
    var last = 0.0
    for _ in 0..<12 {
      opened.append(desk.seconds - last)
      last = desk.seconds
      desk.happen(.streamEnded(.defective("a line too long")))
      _ = desk.deeds()
      while let due = desk.due {
        desk.happen(at: due)
        let deeds = desk.deeds()
        if deeds.contains(.poll) { desk.happen(.polled(.accepted(.null))) }
        if deeds.contains(.openStream) { break }
      }
    }
    #expect(opened == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  }

  @Test(
    "A token that is not accepted turns all of it off, with one line",
    arguments: [
      [.patched(.unauthorised)], [.streamEnded(.revoked)],
      [.streamEnded(.refused(.unauthorised))],
      [.streamEnded(.closed), .streamEnded(.closed), .polled(.unauthorised)],
      [.patched(.unauthorised), .streamEnded(.revoked), .polled(.unauthorised)],
    ] as [[FirebaseSession.Event]])
  func refused(events: [FirebaseSession.Event]) {
    var desk = Desk()
    desk.happen(.report([:]))
    desk.happen(.heard(Desk.noon))
    #expect(desk.take() == [.patch([:]), .openStream, .viewer(until: desk.at(60))])
    for event in events { desk.happen(event, at: desk.seconds + 4) }
    let actions = desk.take()
    #expect(actions.contains(.viewer(until: nil)))
    #expect(actions.filter { $0 == .log(.warning, off) }.count == 1)
    // It is ended where it has not ended already.
    let hasEnded = events.first { if case .streamEnded = $0 { true } else { false } } != nil
    let isLast = if case .patched = events[0] { false } else { hasEnded }
    #expect(actions.contains(.closeStream) != isLast)
    desk.happen(.report([:]), at: 1_000)
    desk.happen(.heard(Desk.noon + 1_000_000), at: 1_001)
    desk.happen(.streamEnded(.closed), at: 1_002)
    desk.happen(at: 100_000)
    #expect(desk.take() == [])
    #expect(desk.due == nil)
  }

  @Test("A request to wait holds back all of it")
  func waits() {
    var desk = Desk()
    desk.happen(.report([:]))
    desk.happen(.streamEnded(.closed), at: 1)
    _ = desk.take()
    desk.happen(.patched(.wait(status: 429, .seconds(60))), at: 1)
    #expect(desk.due == 61)
    desk.happen(.report([:]), at: 60)
    #expect(desk.deeds() == [])
    desk.happen(.report([:]), at: 62)
    #expect(desk.deeds() == [.patch([:]), .openStream])
  }

  @Test("The same trouble is logged at its 1st, 2nd, 4th, 8th time, without a word of the far side")
  func lines() {
    var desk = Desk(watchesViewer: false)
    var lines: [String] = []
    for turn in 0..<8 {
      desk.happen(.report([:]), at: Double(turn) * 100)
      desk.happen(.patched(.refused(status: 500)))
      lines += desk.take().compactMap { if case .log(_, let line) = $0 { line } else { nil } }
    }
    let line = "Firebase: db.test answers with status 500"
    #expect(lines == [line, "\(line) (2 times)", "\(line) (4 times)", "\(line) (8 times)"])
  }

  @Test("What the database is told is a part of the report, and nothing while the state is unknown")
  func status() throws {
    let status = PrinterStatus.ready("printing")
    let report = TelemetryBody(printerID: "p", token: Secret("secret"), chamber: nil, errors: [])
    let body = try #require(FirebaseStatus.body(report.json(status, at: status.updatedWallTime)))
    #expect(
      body.keys == [
        "lastHeartbeat", "state", "temperatureSensors", "currentJob", "systemHealth",
      ])
    #expect(body["lastHeartbeat"]?.integer == status.updatedWallTime.millisecondsSinceEpoch)
    #expect(body["state"] == "printing")
    #expect(body["temperatureSensors"]?["nozzle"] == 22.01)
    #expect(body["currentJob"]?["filename"] == "a.gcode")
    #expect(!JSONValue.object(body).serialized().contains(text: "secret"))
    let away = PrinterStatus.away()
    #expect(FirebaseStatus.body(report.json(away, at: away.updatedWallTime)) == nil)
  }
}

extension [UInt8] {
  fileprivate func contains(text: String) -> Bool {
    String(decoding: self, as: UTF8.self).contains(text)
  }
}
