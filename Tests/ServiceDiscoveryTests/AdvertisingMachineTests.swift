import Testing

@testable import ServiceDiscovery

@Suite("The advertisement's state machine")
struct AdvertisingMachineTests {
  private static let gone = AvahiProblem(kind: .other, words: "Daemon not running")

  /// A machine that has been through `events`, and what the last of them asked for.
  private func after(_ events: [AdvertisingMachine.Event]) -> [AdvertisingMachine.Action] {
    var machine = AdvertisingMachine(instance: "ultimakersystem-1")
    return events.reduce([]) { _, event in machine.handle(event) }
  }

  private func isWaiting(_ action: AdvertisingMachine.Action?) -> Bool {
    if case .report(.waiting) = action { true } else { false }
  }

  @Test("It registers when Avahi is ready, and says so when others see the service")
  func registers() {
    #expect(after([.due]) == [.connect])
    #expect(after([.due, .client(.running)]) == [.report(.registering), .register])
    #expect(
      after([.due, .client(.running), .group(.registering), .group(.established)])
        == [.report(.shown)])
  }

  @Test("It waits for an Avahi that is started after us")
  func lateStart() {
    let waiting = after([.due, .client(.connecting)])
    #expect(waiting.count == 1 && isWaiting(waiting.first))
    #expect(
      after([.due, .client(.connecting), .client(.running)]) == [.report(.registering), .register])
  }

  @Test("Without D-Bus it tries again every ten seconds, and says so once")
  func noBus() {
    let first = after([.due, .noClient(Self.gone)])
    #expect(isWaiting(first.first) && first.last == .wait(.seconds(10)))
    #expect(
      after([.due, .noClient(Self.gone), .due, .noClient(Self.gone)]) == [.wait(.seconds(10))])
  }

  @Test("A lost connection is dropped, made anew and registered on")
  func restart() {
    let shown: [AdvertisingMachine.Event] = [.due, .client(.running), .group(.established)]
    let lost = after(shown + [.client(.lost(Self.gone))])
    #expect(lost.first == .disconnect)
    #expect(lost.last == .wait(AdvertisingMachine.reconnectDelay))
    #expect(lost.count == 3 && isWaiting(lost[1]))
    let again = shown + [.client(.lost(Self.gone)), .due]
    #expect(after(again) == [.connect])
    #expect(after(again + [.client(.running)]) == [.report(.registering), .register])
  }

  @Test("A new host name of Avahi's takes the service back, then registers it once more")
  func hostNameTaken() {
    let shown: [AdvertisingMachine.Event] = [.due, .client(.running), .group(.established)]
    #expect(after(shown + [.client(.hostNameTaken)]) == [.withdraw, .report(.registering)])
    #expect(after(shown + [.client(.hostNameTaken), .client(.registering)]) == [])
    #expect(
      after(shown + [.client(.hostNameTaken), .client(.registering), .client(.running)])
        == [.register])
  }

  @Test("Running twice registers once")
  func runningTwice() {
    #expect(after([.due, .client(.running), .client(.running)]) == [])
  }

  @Test(
    "A taken name ends it, and is never renamed in silence",
    arguments: [
      AdvertisingMachine.Event.group(.nameTaken),
      .group(.failed(AvahiProblem(kind: .collision, words: "Local name collision"))),
    ])
  func nameTaken(event: AdvertisingMachine.Event) {
    let actions = after([.due, .client(.running), event])
    #expect(actions.first == .disconnect)
    guard case .fail(let failure) = actions.last else {
      Issue.record("it does not end: \(actions)")
      return
    }
    #expect(failure.kind == .nameTaken)
    #expect(failure.problem.contains("ultimakersystem-1"))
  }

  @Test("What Avahi will never take ends it; what may pass is tried again")
  func failures() {
    let refused = after([
      .due, .client(.running),
      .group(.failed(AvahiProblem(kind: .refusal, words: "Invalid service name"))),
    ])
    guard case .fail(let failure) = refused.last else {
      Issue.record("it does not end: \(refused)")
      return
    }
    #expect(failure.kind == .refused)
    let passing = after([
      .due, .client(.running),
      .group(.failed(AvahiProblem(kind: .other, words: "Too many entries"))),
    ])
    #expect(passing.first == .disconnect && passing.last == .wait(.seconds(10)))
  }
}
