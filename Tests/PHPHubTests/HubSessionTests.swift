import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import PHPHub

@Suite("PHP hub: schedule") struct HubSessionTests {
  /// A session with a clock and a hub that takes its time, on paper.
  private struct Life {
    var session: HubSession
    var now = instant(100)
    var calls: [(call: HubSession.Call, at: Double)] = []
    var actions: [HubSession.Action] = []
    var content: JSONObject = ["a": 1]
    var answers: (HubSession.Call, Int) -> HubAnswer = { _, _ in .accepted(["success": true]) }
    /// How long the hub takes for an answer, s.
    var delay = 0.01

    init(_ change: (inout HubSession.Rules) -> Void = { _ in }) {
      var rules = HubSession.Rules(
        statusInterval: .seconds(5), commandInterval: .seconds(3),
        backoff: RetryPolicy(base: .seconds(2), doubles: true), maxAttempts: 5,
        skipsUnchanged: false, asksForEdits: false, fullBatch: nil, host: "hub.test",
        random: { 0.5 })
      change(&rules)
      session = HubSession(rules, now: instant(100))
    }

    mutating func tell(_ event: HubSession.Event) -> HubSession.Call? {
      let content = content
      let new = session.handle(event, now: now) { content }
      actions += new
      var sent: HubSession.Call?
      for case .send(let call) in new {
        #expect(sent == nil, "two calls at once")
        sent = call
        calls.append((call, seconds))
      }
      return sent
    }

    var seconds: Double {
      let (seconds, attoseconds) = (now.sinceOrigin - .seconds(100)).components
      return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// Lets the session live for so many seconds.
    mutating func live(_ duration: Double) {
      let end = now.advanced(by: .milliseconds(Int64(duration * 1_000)))
      var call = tell(.tick)
      while now <= end {
        if let sent = call {
          now = now.advanced(by: .milliseconds(Int64(delay * 1_000)))
          let answer = answers(sent, calls.count)
          call = tell(.answered(sent, HubClient.Reply(answer: answer)))
        } else if let due = session.nextDue() {
          now = max(now, due)
          guard now <= end else { return }
          call = tell(.tick)
        } else {
          Issue.record("nothing is due, and nothing is under way")
          return
        }
      }
    }

    func times(_ call: HubSession.Call) -> [Double] { calls.filter { $0.call == call }.map(\.at) }

    func gaps(_ call: HubSession.Call) -> [Double] {
      zip(times(call), times(call).dropFirst()).map { $1 - $0 }
    }
  }

  @Test("An update every 5 s and a question every 3 s, the first update before the first question")
  func regular() {
    var life = Life()
    life.live(120)
    #expect(life.calls.first?.call == .update)
    #expect(life.times(.update).count == 25 && life.times(.commands).count == 41)
    #expect(life.gaps(.update).allSatisfy { abs($0 - 5) <= 0.25 })
    #expect(life.gaps(.commands).dropFirst().allSatisfy { abs($0 - 3) <= 0.15 })
  }

  @Test(
    "At a hub that takes 8 s for each answer the two alternate, and no update is later than 20 s")
  func slow() {
    var life = Life()
    life.delay = 8
    life.live(400)
    let calls = life.calls.map(\.call)
    #expect(zip(calls, calls.dropFirst()).allSatisfy { $0 != $1 })
    #expect(life.gaps(.update).allSatisfy { $0 <= 20 })
    // Without a pause.
    #expect(zip(life.calls, life.calls.dropFirst()).allSatisfy { abs($1.at - $0.at - 8) < 0.01 })
  }

  @Test("Nothing but an update goes out before the hub has accepted one")
  func first() {
    var life = Life()
    life.answers = { _, count in count < 4 ? .refused("Token inválido") : .accepted([:]) }
    life.live(30)
    #expect(life.calls.prefix(4).allSatisfy { $0.call == .update })
    #expect(life.times(.commands).count > 2)
  }

  @Test("After failures it is tried at 2, 4, 8, 16 s and then every 20 s, for ever, and said once")
  func backoff() {
    var life = Life()
    life.answers = { _, _ in .unreachable(.connect, "connection refused") }
    life.live(600)
    #expect(life.gaps(.update).prefix(4).map { $0.rounded() } == [2, 4, 8, 16])
    #expect(life.gaps(.update).dropFirst(4).allSatisfy { abs($0 - 20) < 0.1 })
    let degraded = life.actions.filter {
      if case .log(.warning, let text) = $0 { text.hasPrefix("degraded") } else { false }
    }
    #expect(degraded.count == 1)
  }

  @Test("A constant wait where the owner wants it")
  func constant() {
    var life = Life { $0.backoff = RetryPolicy(base: .seconds(3), doubles: false) }
    life.answers = { _, _ in .unusable("status 500") }
    life.live(60)
    #expect(life.gaps(.update).allSatisfy { abs($0 - 3) < 0.1 })
  }

  @Test("The jitter is a fifth to either side", arguments: [(0.0, 1.6), (0.5, 2.0), (0.999, 2.4)])
  func jitter(random: Double, wait: Double) {
    let policy = RetryPolicy(base: .seconds(2), doubles: true)
    let found = policy.wait(afterFailure: 1, random: random)
    #expect(
      abs(Double(found.components.attoseconds) / 1e18 + Double(found.components.seconds) - wait)
        < 0.01)
    #expect(policy.wait(afterFailure: 90, random: 0.999) <= .seconds(60))
  }

  @Test("When the hub is back, its commands are asked for at once")
  func back() {
    var life = Life()
    life.live(10)
    life.answers = { _, _ in .unreachable(.timeout, "no answer") }
    life.live(120)
    life.answers = { _, _ in .accepted([:]) }
    let before = life.calls.count
    life.live(25)
    let later = life.calls.dropFirst(before).map { $0 }
    let update = later.first { $0.call == .update }?.at ?? 0
    #expect(later.contains { $0.call == .commands && $0.at >= update && $0.at < update + 1 })
  }

  @Test("A refusal is not repeated at once, and its words are logged once per change")
  func refusal() {
    var life = Life()
    life.answers = { _, count in .refused(count < 8 ? "Token inválido" : "Otra cosa") }
    life.live(60)
    #expect(life.gaps(.update).allSatisfy { abs($0 - 5) <= 0.25 })
    let lines = life.actions.filter { if case .log(.warning, _) = $0 { true } else { false } }
    #expect(lines.count == 2)
  }

  @Test("Where the hub asks to wait, everything waits")
  func wait() {
    var life = Life()
    life.live(10)
    let count = life.calls.count
    life.answers = { _, _ in .wait(status: 503, .seconds(90)) }
    life.live(80)
    #expect(life.calls.count == count + 1)
  }

  @Test(
    "An update that says nothing new is left out, but for one in 20 s, where the owner wants it")
  func unchanged() {
    var life = Life { $0.skipsUnchanged = true }
    life.live(100)
    #expect(life.gaps(.update).allSatisfy { $0 > 14 && $0 <= 20.1 })
    life.content = ["a": 2]
    let changedAt = life.seconds
    life.live(6)
    #expect(life.times(.update).contains { $0 > changedAt && $0 <= changedAt + 5.1 })
    var always = Life()
    always.live(100)
    #expect(always.times(.update).count == 21)
  }

  @Test("A temperature that is held counts as unchanged, one that moves does not")
  func heldTemperature() {
    var life = Life { $0.skipsUnchanged = true }
    life.content = ["temp_hotend": 205, "temp_bed": 60, "status": "idle"]
    life.live(40)
    for step in 0..<30 {
      let noise = Double(step % 3 - 1) * 0.3
      life.content["temp_hotend"] = .double(205 + noise)
      life.content["temp_bed"] = .double(60 - noise)
      life.live(2)
    }
    #expect(life.gaps(.update).allSatisfy { $0 > 14 && $0 <= 20.1 })
    // Slowly, but away from what the hub was told.
    let movesAt = life.seconds
    for step in 1...30 {
      life.content["temp_bed"] = .double(60 + Double(step) * 0.2)
      life.live(1)
    }
    #expect(life.times(.update).filter { $0 > movesAt }.count >= 4)
    life.content["status"] = "printing"
    let changedAt = life.seconds
    life.live(6)
    #expect(life.times(.update).contains { $0 > changedAt && $0 <= changedAt + 5.1 })
  }

  @Test("Ten commands of the second hub mean that more wait")
  func full() {
    var life = Life { $0.fullBatch = 10 }
    life.answers = { call, count in
      .accepted(call == .commands && count < 5 ? Self.ten(count) : ["commands": []])
    }
    life.live(2.5)
    #expect(life.times(.commands).count == 4)
  }

  /// A full answer, another one for each number.
  private static func ten(_ number: Int) -> JSONObject {
    let command: JSONValue = ["id": .integer(Int64(number)), "type": "basic", "command": "PAUSE"]
    return ["commands": .array(Array(repeating: command, count: 10))]
  }

  @Test(
    "A hub that hands out ten for ever, the same or others, is not asked without a pause",
    arguments: [true, false])
  func fullForEver(isSame: Bool) {
    var life = Life { $0.fullBatch = 10 }
    life.answers = { call, count in
      .accepted(call == .commands ? Self.ten(isSame ? 0 : count) : [:])
    }
    life.live(60)
    // Every 3 s; and at the most four more each time.
    #expect(life.times(.commands).count <= (isSame ? 22 : 110))
    #expect(life.gaps(.update).allSatisfy { abs($0 - 5) <= 0.25 })
  }

  @Test("What is to be told at once goes out at once, and the schedule stays")
  func hurry() {
    var life = Life()
    life.live(11)
    let call = life.tell(.hurry)
    #expect(call == .update)
    life.now = life.now.advanced(by: .milliseconds(10))
    var next = life.tell(.answered(.update, HubClient.Reply(answer: .accepted([:]))))
    while let call = next {
      next = life.tell(.answered(call, HubClient.Reply(answer: .accepted([:]))))
    }
    life.live(20)
    #expect(life.times(.update).contains { abs($0 - 15) < 0.1 })
  }

  @Test("The hub's page is read right before each update, where its edits are to be kept")
  func edits() {
    var life = Life { $0.asksForEdits = true }
    life.live(184)
    #expect(life.times(.edits).count == life.times(.update).count)
    let calls = life.calls.map(\.call)
    #expect(calls.prefix(3) == [.edits, .update, .commands])
    #expect(zip(calls, calls.dropFirst()).allSatisfy { ($0 == .edits) == ($1 == .update) })
    #expect(life.gaps(.update).allSatisfy { abs($0 - 5) <= 0.25 })
    var unknown = Life { $0.asksForEdits = true }
    unknown.answers = { call, _ in call == .edits ? .refused("no") : .accepted([:]) }
    unknown.live(20)
    #expect(unknown.times(.update).count == 5)
  }

  @Test("At a slow hub the page is read once a minute, and no update is later than 20 s for it")
  func editsOfASlowHub() {
    var life = Life { $0.asksForEdits = true }
    life.delay = 8
    life.live(600)
    #expect(life.gaps(.update).allSatisfy { $0 <= 20 })
    #expect((8...11).contains(life.times(.edits).count))
    #expect(life.gaps(.commands).allSatisfy { $0 <= 40 })
  }

  @Test("A hub that comes back is asked for its page before an update writes over it")
  func pageOfAHubThatWasAway() {
    for start in [0, 40] {
      var life = Life { $0.asksForEdits = true }
      life.answers = { _, count in
        (start + 1...start + 20).contains(count) ? .unreachable(.connect, "away") : .accepted([:])
      }
      life.live(300)
      let first = life.calls.dropFirst(start + 20).prefix(2).map(\.call)
      #expect(first == [.edits, .update] || first == [.update, .commands], "\(first)")
      let calls = life.calls.dropFirst(start + 21).map(\.call)
      #expect(zip(calls, calls.dropFirst()).allSatisfy { $1 != .update || $0 == .edits })
    }
  }

  @Test("A page that cannot be read holds no update up")
  func unreadable() {
    var life = Life { $0.asksForEdits = true }
    life.answers = { call, _ in call == .edits ? .unusable("status 500") : .accepted([:]) }
    life.live(60)
    #expect(life.gaps(.update).allSatisfy { abs($0 - 5) <= 0.25 })
    #expect(life.times(.edits).count <= 6)
  }

  @Test("PHP warnings are told of once")
  func warnings() {
    var life = Life()
    for _ in 0..<3 {
      _ = life.tell(.tick)
      _ = life.tell(.answered(.update, HubClient.Reply(answer: .accepted([:]), hasWarnings: true)))
    }
    let told = life.actions.filter {
      if case .log(.warning, let text) = $0 { text.contains("PHP warnings") } else { false }
    }
    #expect(told.count == 1)
  }

  @Test(
    "Health: online after an accepted update, not at a captive portal, degraded after two failures")
  func health() {
    var life = Life()
    life.answers = { _, _ in .unusable("an HTML page") }
    life.live(30)
    var told: [BackendHealth] = life.actions.compactMap {
      if case .report(let health) = $0 { health } else { nil }
    }
    #expect(!told.contains(.online) && !told.isEmpty)
    life.answers = { _, _ in .accepted([:]) }
    life.live(60)
    told = life.actions.compactMap { if case .report(let health) = $0 { health } else { nil } }
    #expect(told.last == .online)
  }
}
