import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

/// What follows from which answer to which call: the table of `docs/connectors/reach.md`, row by row.
@Suite("Reach: the table of answers") struct FailureTableTests {
  /// What is to be seen of one answer.
  enum Effect: Sendable, Hashable {
    /// The same call is due again after so many seconds, the others go their way.
    case again(after: Double)
    /// It goes on as if all were well, the same call in its turn.
    case inTurn
    /// The next one is out already.
    case atOnce
    /// All calls wait for so many seconds.
    case all(Double)
    /// Nothing but one heartbeat, after 5 s.
    case check
  }
  struct Row: Sendable, CustomTestStringConvertible {
    var status: Int
    var body = ""
    var retryAfter: String?
    /// By heartbeat, report and pull; pushes are below.
    var effects: [Effect]
    var testDescription: String { "\(status) \(body) \(retryAfter ?? "")" }
  }
  static let rows = [
    Row(status: 200, effects: [.inTurn, .inTurn, .atOnce]),
    Row(status: 204, effects: [.inTurn, .inTurn, .atOnce]),
    Row(status: 200, body: "<html>", effects: [.inTurn, .inTurn, .again(after: 1)]),
    Row(status: 200, body: "[1]", effects: [.inTurn, .inTurn, .again(after: 1)]),
    Row(status: 301, effects: [.again(after: 1), .again(after: 1), .again(after: 1)]),
    Row(status: 307, effects: [.again(after: 1), .again(after: 1), .again(after: 1)]),
    Row(status: 401, effects: [.check, .check, .check]),
    Row(status: 403, effects: [.all(10), .all(10), .all(10)]),
    Row(status: 404, effects: [.all(10), .all(10), .all(10)]),
    Row(status: 400, effects: [.inTurn, .inTurn, .again(after: 1)]),
    Row(status: 409, effects: [.inTurn, .inTurn, .again(after: 1)]),
    Row(status: 413, effects: [.inTurn, .inTurn, .again(after: 1)]),
    Row(status: 429, effects: [.again(after: 1), .again(after: 1), .again(after: 1)]),
    Row(status: 429, retryAfter: "20", effects: [.all(20), .all(20), .all(20)]),
    Row(status: 503, retryAfter: "5000", effects: [.all(900), .all(900), .all(900)]),
    Row(status: 500, effects: [.again(after: 1), .again(after: 1), .again(after: 1)]),
    Row(status: 503, effects: [.again(after: 1), .again(after: 1), .again(after: 1)]),
  ]

  private static func answer(_ row: Row, to endpoint: RelayEndpoint) -> RelayAnswer {
    RelayAnswer(
      HTTPResponse(
        status: row.status, fields: row.retryAfter.map { [HTTPField("Retry-After", $0)] } ?? [],
        body: Array(row.body.utf8)),
      at: WallTime(millisecondsSinceEpoch: 1_795_162_973_000), needsObject: endpoint == .pull)
  }

  /// When each endpoint is due, in seconds from now; nil while it waits for something else.
  private static func due(_ harness: SessionHarness, _ endpoint: RelayEndpoint) -> Double? {
    guard harness.session.lane(endpoint).inFlight == nil else { return nil }
    let due = harness.session.due(endpoint, harness.now)
    guard due < .never else { return nil }
    return max(0, (due.sinceOrigin - harness.now.sinceOrigin) / .seconds(1))
  }

  @Test(
    "Each answer to a heartbeat, a report and a pull has its effect on that call and on the others",
    arguments: FailureTableTests.rows)
  func table(row: Row) {
    for (endpoint, effect) in zip([RelayEndpoint.heartbeat, .telemetry, .pull], row.effects) {
      var harness = SessionHarness()
      harness.happen()
      harness.answer(.heartbeat, .accepted([:]))
      harness.answer(.telemetry, .accepted([:]))
      harness.move(to: 30)
      // All three are open now; the others are answered well.
      let answer = Self.answer(row, to: endpoint)
      for other in [RelayEndpoint.heartbeat, .telemetry] where other != endpoint {
        harness.answer(other, .accepted([:]))
      }
      if endpoint == .pull { harness.answerPull(answer) } else { harness.answer(endpoint, answer) }
      #expect(harness.parked == nil)
      let problem = answer.problem(host: "relay")
      #expect(problem.map { text in harness.lines.contains { $0.contains(text) } } ?? true)
      check(effect, of: endpoint, harness, "\(endpoint) \(row.testDescription)")
    }
  }

  private func check(
    _ effect: Effect, of endpoint: RelayEndpoint, _ harness: SessionHarness, _ comment: Comment
  ) {
    switch effect {
    case .again(let seconds):
      #expect(Self.due(harness, endpoint) == seconds, comment)
      if endpoint != .heartbeat { #expect(Self.due(harness, .heartbeat) == 30, comment) }
    case .inTurn:
      #expect(Self.due(harness, endpoint) == 30, comment)
    case .atOnce:
      #expect(harness.session.lane(endpoint).inFlight?.seconds == 30, comment)
    case .all(let seconds):
      for each in RelayEndpoint.allCases where each != .push {
        // One that was open goes on being open, or waits for a heartbeat's answer.
        let due = Self.due(harness, each)
        #expect(due.map { $0 >= seconds } ?? true, comment)
      }
      #expect(Self.due(harness, endpoint) == seconds, comment)
    case .check:
      #expect(Self.due(harness, .heartbeat) == 5, comment)
      #expect(Self.due(harness, .telemetry) == nil, comment)
      #expect(Self.due(harness, .pull) == nil, comment)
    }
  }

  @Test(
    "The pauses grow to five minutes after refusals, to one after failures",
    arguments: [
      (403, RelayEndpoint.heartbeat, 300.0), (404, .telemetry, 300), (500, .heartbeat, 60),
      (500, .telemetry, 60), (500, .pull, 60),
    ])
  func caps(status: Int, endpoint: RelayEndpoint, cap: Double) {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 30)
    harness.answer(endpoint == .heartbeat ? .telemetry : .heartbeat, .accepted([:]))
    if endpoint == .pull { harness.answer(.telemetry, .accepted([:])) }
    let answer = Self.answer(Row(status: status, effects: []), to: endpoint)
    var longest = 0.0
    for _ in 0..<12 {
      if endpoint == .pull { harness.answerPull(answer) } else { harness.answer(endpoint, answer) }
      guard let due = Self.due(harness, endpoint) else { break }
      longest = max(longest, due)
      harness.now = harness.now.advanced(by: .seconds(due))
      harness.happen()
      if endpoint != .heartbeat { harness.answer(.heartbeat, .accepted([:])) }
    }
    #expect(longest == cap)
  }
}
