import Platform
import Testing

@testable import ConnectorHost

@Suite("Health") struct ControlHealthTests {
  private let later = MonotonicInstant(sinceOrigin: .seconds(10_060))

  @Test(
    "All is well where nothing fails: a short start, what is off and what has ended count for nothing"
  )
  func well() {
    let report = HealthReport(
      sampleView(backends: [
        sampleBackend("a", .online), sampleBackend("b", .disabled), sampleBackend("c", .stopped),
        sampleBackend("d", .starting, forSeconds: 60),
      ]))
    #expect(report.status == 200)
    #expect(report.text == "OK")
    #expect(HealthReport(sampleView()).text == "OK")
  }

  @Test("Each failing backend has its line")
  func failing() {
    let report = HealthReport(
      sampleView(backends: [
        sampleBackend("a", .degraded(problem: "slow", remedy: "wait")),
        sampleBackend("b", .online),
        sampleBackend("c", .backingOff(problem: "no route", until: later)),
        sampleBackend("d", .parked(problem: "revoked", remedy: "pair again")),
        sampleBackend("e", .starting, forSeconds: 75),
      ]))
    #expect(report.status == 503)
    #expect(
      report.text.split(separator: "\n") == [
        "a: degraded: slow", "c: backing off: no route", "d: parked: revoked",
        "e: has not reached its cloud for 75 s",
      ])
  }

  private func confirmed(
    _ state: BackendState, secondsAgo: Int, countingFor seconds: Int = 90
  ) -> DaemonView.Backend {
    var backend = sampleBackend("a", state, forSeconds: 500)
    let at = MonotonicInstant(sinceOrigin: .seconds(10_000 - secondsAgo))
    backend.confirmation = DaemonView.Confirmation(
      at: at, until: at.advanced(by: .seconds(seconds)))
    return backend
  }

  @Test(
    "What its cloud confirms is well as long as the confirmation counts, and no longer",
    arguments: [
      (.online, 89, "OK"), (.online, 90, "a: not confirmed by its cloud for 90 s"),
      (.degraded(problem: "reports fail", remedy: ""), 10, "OK"),
      (.degraded(problem: "no route", remedy: ""), 100, "a: degraded: no route"),
      (.starting, 10, "OK"), (.starting, 95, "a: not confirmed by its cloud for 95 s"),
      (.parked(problem: "revoked", remedy: ""), 1, "a: parked: revoked"), (.stopped, 200, "OK"),
      (.disabled, 200, "OK"),
    ] as [(BackendState, Int, String)])
  func confirmations(_ state: BackendState, _ secondsAgo: Int, _ text: String) {
    let view = sampleView(backends: [confirmed(state, secondsAgo: secondsAgo)])
    #expect(HealthReport(view).text == text)
    #expect(HealthReport(view).status == (text == "OK" ? 200 : 503))
  }

  @Test("A confirmation counts for its backend alone, and not for that one's next run")
  func confirmationLedger() {
    let confirmations = Confirmations()
    confirmations.note("a", at: later, for: .seconds(90))
    #expect(
      confirmations.newest(of: "a")
        == DaemonView.Confirmation(at: later, until: later.advanced(by: .seconds(90))))
    #expect(confirmations.newest(of: "b") == nil)
    confirmations.forget("a")
    #expect(confirmations.newest(of: "a") == nil)
  }

  @Test("What a backend tells the owner is its own, once, and not its next run's")
  func remarkLedger() {
    let remarks = BackendRemarks()
    for line in ["a", "b", "a"] { remarks.note("hub", line) }
    #expect(remarks.of("hub") == ["a", "b"] && remarks.of("other").isEmpty)
    for number in 0..<20 { remarks.note("hub", "\(number)") }
    #expect(remarks.of("hub").count == BackendRemarks.limit)
    remarks.forget("hub")
    #expect(remarks.of("hub").isEmpty)
  }

  @Test("A hostile reason stays on its line")
  func hostile() {
    let report = HealthReport(
      sampleView(backends: [
        sampleBackend("a", .parked(problem: "x\nb: fine", remedy: "")),
        sampleBackend(hostileText, .parked(problem: hostileText, remedy: "")),
      ]))
    #expect(report.text.split(whereSeparator: \.isNewline).count == 2)
    #expect(!report.text.contains("\u{1B}"))
  }
}
