import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach tokens") struct RelaySessionTokenTests {
  private static let refused = RelayAnswer.unauthorised("status 401")

  /// A session whose heartbeat has just been answered with a new token, which is stored.
  private static func rotated() -> SessionHarness {
    var harness = SessionHarness(.ready("printing"))
    harness.happen()
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t2"]))
    if let saved = harness.saves.last { harness.happen(.saved(saved)) }
    harness.answer(.telemetry, .accepted([:]))
    return harness
  }

  @Test("A new token is used only when it is on the disk")
  func rotation() {
    var harness = SessionHarness(.ready("printing"))
    harness.happen()
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t2"]))
    #expect(harness.saves.map(\.token) == [Secret("t2")])
    #expect(harness.open.map(\.token) == [Secret("t1")])
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 10)
    #expect(harness.open.map(\.token) == [Secret("t1")])
    harness.happen(.saved(harness.saves[0]))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 20)
    #expect(harness.open.map(\.token) == [Secret("t2")])
    #expect(!harness.lines.contains { $0.contains("t2") })
  }

  @Test("A new token that cannot be stored is not used, and stored again with the next heartbeat")
  func unsaved() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t2"]))
    harness.happen(.saveFailed(harness.saves[0], "the disk is full"))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 30)
    #expect(harness.open.map(\.token) == [Secret("t1"), Secret("t1")])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.saves.map(\.token) == [Secret("t2"), Secret("t2")])
    #expect(
      harness.lines.contains(
        "the new token cannot be stored, so the former stays in use: the disk is full"))
  }

  @Test(
    "A new token that cannot be stored is used when the former is refused, and stored when it can be"
  )
  func unsavedInNeed() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t2"]))
    harness.happen(.saveFailed(harness.saves[0], "the disk is full"))
    harness.answer(.telemetry, Self.refused)
    #expect(harness.open.map(\.token) == [Secret("t2")])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.saves.map(\.token) == [Secret("t2"), Secret("t2")])
    harness.happen(.saved(harness.saves[1]))
    // There is no way back to the former, and none is tried.
    while harness.parked == nil, harness.seconds < 300 {
      if let call = harness.open.first {
        #expect(call.token == Secret("t2"))
        harness.answer(call.endpoint, Self.refused)
      } else {
        harness.moveToNextDue()
      }
    }
    #expect(harness.parked != nil)
  }

  @Test("A check that is answered with another fault is no reason to hammer")
  func otherFaultAtCheck() {
    var harness = SessionHarness()
    let calls = harness.run(until: 60) { call in
      call.seconds == 0
        ? Self.refused : .refused(status: 400, "status 400")
    }
    #expect(calls.count { $0.endpoint == .heartbeat } <= 4)
  }

  @Test("The token in use, an empty one and one of another type are no rotation")
  func noRotation() {
    for token: JSONValue in ["t1", "", 5, nil, "t2\r\nHost: other", "t 2", "tö"] {
      var harness = SessionHarness()
      harness.happen()
      harness.answer(.heartbeat, .accepted(["rotatedToken": token]))
      #expect(harness.saves.isEmpty)
    }
  }

  @Test("A new token that is refused before its first success gives way to the former, once")
  func fallback() {
    var harness = Self.rotated()
    harness.move(to: 10)
    #expect(harness.answer(.telemetry, Self.refused)?.token == Secret("t2"))
    #expect(
      harness.open == [
        RelayCall(endpoint: .heartbeat, token: Secret("t1"), startedAt: harness.now)
      ])
    // Until one of them has been accepted, the disk keeps both.
    #expect(harness.saves.map(\.token) == [Secret("t2")])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.parked == nil)
    #expect(harness.saves.last == ReachIdentity(token: Secret("t1"), printerID: "p"))
    #expect(harness.session.identity.token == Secret("t1"))
  }

  @Test("The former token stays on the disk until the new one has had a success")
  func formerStays() {
    var harness = Self.rotated()
    #expect(harness.saves.last?.previousToken == Secret("t1"))
    harness.move(to: 10)
    harness.answer(.telemetry, .failed(status: 500))
    #expect(harness.saves.count == 1)
    harness.moveToNextDue()
    harness.answer(.telemetry, .accepted([:]))
    #expect(harness.saves.count == 2)
    #expect(harness.saves.last == ReachIdentity(token: Secret("t2"), printerID: "p"))
    if let last = harness.saves.last { harness.happen(.saved(last)) }
    harness.move(to: 30)
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.saves.count == 2)
  }

  @Test("A token that was stored just before a crash gives way to the former one after it")
  func fallbackAfterCrash() {
    var identity = ReachIdentity(token: Secret("t2"), printerID: "p")
    identity.previousToken = Secret("t1")
    var harness = SessionHarness(identity: identity)
    harness.happen()
    #expect(harness.answer(.heartbeat, Self.refused)?.token == Secret("t2"))
    #expect(harness.open.map(\.token) == [Secret("t1")])
    #expect(harness.saves.isEmpty)
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.saves == [ReachIdentity(token: Secret("t1"), printerID: "p")])
    #expect(harness.parked == nil)
  }

  @Test("A new token that comes while another is being stored is stored behind it, at once")
  func twoRotations() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t2"]))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 30)
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t3"]))
    #expect(harness.saves.map(\.token) == [Secret("t2")])
    harness.happen(.saved(harness.saves[0]))
    #expect(harness.saves.map(\.token) == [Secret("t2"), Secret("t3")])
    #expect(harness.saves.last?.previousToken == Secret("t1"))
    #expect(harness.session.identity.token == Secret("t1"))
    harness.happen(.saved(harness.saves[1]))
    #expect(harness.session.identity.token == Secret("t3"))
  }

  @Test("A relay that gives ever new tokens and takes none of them is not hammered")
  func everNew() {
    var harness = SessionHarness(.ready("printing"))
    var (calls, number, told) = (0, 1, 0)
    harness.happen()
    while harness.seconds < 600, calls < 2_000 {
      if told < harness.saves.count {
        told += 1
        harness.happen(.saved(harness.saves[told - 1]))
      } else if let call = harness.open.first {
        calls += 1
        number += 1
        let answer: RelayAnswer =
          call.endpoint == .heartbeat
          ? .accepted(["rotatedToken": .string("t\(number)")])
          : .accepted([:])
        harness.answer(call.endpoint, call.token == Secret("t1") ? answer : Self.refused)
      } else if let pull = harness.pulls.last {
        calls += 1
        harness.answerPull(pull.token == Secret("t1") ? .accepted([:]) : Self.refused)
      } else {
        harness.moveToNextDue()
      }
    }
    #expect(harness.parked == nil)
    #expect(calls < 250)
    #expect(harness.session.stored.previousToken ?? harness.session.stored.token == Secret("t1"))
  }

  @Test("Each accepted heartbeat counts for three intervals, a refused one and a report for none")
  func confirmations() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted(["nextCheckIn": 50]))
    harness.answer(.telemetry, .accepted([:]))
    #expect(harness.confirmations == [.seconds(150)])
    harness.move(to: 50)
    harness.answer(.heartbeat, .failed(status: 500))
    #expect(harness.confirmations == [.seconds(150)])
  }

  @Test("Once the new token has had a success there is no way back to the former")
  func noFallback() {
    var harness = Self.rotated()
    harness.move(to: 10)
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 20)
    harness.answer(.telemetry, Self.refused)
    #expect(harness.open.isEmpty)
    harness.moveToNextDue()
    #expect(harness.seconds == 25)
    #expect(harness.open.map(\.token) == [Secret("t2")])
  }

  @Test("A refused token is checked by one heartbeat after 5 s, and nothing else is sent meanwhile")
  func check() {
    var harness = SessionHarness(.ready("printing"))
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, Self.refused)
    #expect(harness.open.isEmpty)
    harness.status = .ready("paused")
    harness.move(to: 4.9)
    #expect(harness.open.isEmpty)
    harness.moveToNextDue()
    #expect(harness.seconds == 5)
    #expect(harness.openEndpoints == [.heartbeat])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.parked == nil)
    #expect(harness.openEndpoints == [.telemetry])
  }

  @Test("A heartbeat that was under way when the token was refused is no check")
  func underWay() {
    var harness = SessionHarness(.ready("printing"))
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 30)
    #expect(harness.openEndpoints == [.heartbeat, .telemetry])
    harness.answer(.telemetry, Self.refused)
    harness.answer(.heartbeat, Self.refused)
    #expect(harness.parked == nil)
    harness.moveToNextDue()
    #expect(harness.seconds == 35)
    #expect(harness.openEndpoints == [.heartbeat])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.parked == nil)
  }

  @Test("A token that is refused again is revoked, after four calls at most")
  func revoked() {
    for isRotated in [false, true] {
      var harness = isRotated ? Self.rotated() : SessionHarness(.ready("printing"))
      var refusals = 0
      if isRotated { harness.move(to: 30) } else { harness.happen() }
      while harness.parked == nil, refusals < 10 {
        if let call = harness.open.first {
          refusals += 1
          harness.answer(call.endpoint, Self.refused)
        } else {
          harness.moveToNextDue()
        }
      }
      #expect(harness.parked == "relay has revoked this printer's token")
      #expect(refusals <= 4)
    }
  }

  @Test("A check that does not reach the relay decides nothing")
  func unreachableCheck() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, Self.refused)
    harness.moveToNextDue()
    #expect(harness.seconds == 5)
    harness.answer(.heartbeat, .unreachable(.timeout, "too slow"))
    #expect(harness.parked == nil)
    harness.moveToNextDue()
    #expect(harness.seconds == 6)
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.parked == nil)
    #expect(harness.openEndpoints == [.telemetry])
  }

  @Test("A late refusal of a token that is out of use says nothing about the new one")
  func lateRefusal() {
    var harness = SessionHarness(.ready("printing"))
    harness.happen()
    harness.answer(.heartbeat, .accepted(["rotatedToken": "t2"]))
    harness.happen(.saved(harness.saves[0]))
    harness.answer(.telemetry, Self.refused)
    #expect(harness.saves.count == 1)
    harness.move(to: 10)
    #expect(harness.open.map(\.token) == [Secret("t2")])
    #expect(harness.parked == nil)
  }
}
