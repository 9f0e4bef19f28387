import ConnectorKit
import Testing

@Suite("Occurrence throttle") struct OccurrenceThrottleTests {
  @Test("The 1st, 2nd, 4th, 8th… time is worth a line")
  func powersOfTwo() {
    var throttle = OccurrenceThrottle<String>()
    let logged = (0..<1_000).compactMap { _ in throttle.note("timeout") }
    #expect(logged == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  }

  @Test("Keys are counted apart")
  func keys() {
    var throttle = OccurrenceThrottle<Int>()
    #expect(throttle.note(500) == 1)
    #expect(throttle.note(502) == 1)
    #expect(throttle.note(500) == 2)
    #expect(throttle.note(500) == nil)
    #expect(throttle.note(502) == 2)
  }

  @Test("Keys that are over are forgotten together, and the others kept")
  func resetWhere() {
    var throttle = OccurrenceThrottle<String>()
    for key in ["heartbeat 500", "heartbeat 502", "telemetry 500"] { _ = throttle.note(key) }
    throttle.reset { $0.hasPrefix("heartbeat") }
    #expect(throttle.note("heartbeat 500") == 1)
    #expect(throttle.note("heartbeat 502") == 1)
    #expect(throttle.note("telemetry 500") == 2)
  }

  @Test("After a reset the next time is the first again, and the reset says how many there were")
  func reset() {
    var throttle = OccurrenceThrottle<String>()
    for _ in 0..<7 { _ = throttle.note("a") }
    for _ in 0..<3 { _ = throttle.note("b") }
    #expect(throttle.reset("a") == 7)
    #expect(throttle.reset("a") == 0)
    #expect(throttle.note("a") == 1)
    #expect(throttle.note("b") == 4)
    #expect(throttle.resetAll() == 5)
    #expect(throttle.note("b") == 1)
    #expect(throttle.reset("never seen") == 0)
  }

  @Test("Beyond the limit all further keys share one count")
  func limit() {
    var throttle = OccurrenceThrottle<Int>(limit: 2)
    let logged = (0..<1_000).compactMap { throttle.note($0) }
    #expect(logged == [1, 1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    #expect(throttle.note(0) == 2)
    #expect(throttle.resetAll() == 1_001)
    #expect(throttle.note(999) == 1)
  }

  @Test("A limit below one counts as one", arguments: [0, -5, Int.min])
  func smallLimit(_ limit: Int) {
    var throttle = OccurrenceThrottle<String>(limit: limit)
    #expect(throttle.note("a") == 1)
    #expect(throttle.note("a") == 2)
  }
}
