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
