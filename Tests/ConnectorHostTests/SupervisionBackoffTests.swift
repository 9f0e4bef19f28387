import ConnectorHost
import Testing

@Suite("Back-off") struct SupervisionBackoffTests {
  @Test("The span doubles from one second up to a minute")
  func spanDoubles() {
    var backoff = Backoff()
    var spans: [Duration] = []
    for _ in 0..<9 {
      spans.append(backoff.span)
      _ = backoff.failed(wanted: nil, random: 0.5)
    }
    #expect(spans == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
  }

  @Test("The wait is a random part of the span", arguments: [0, 0.25, 0.999])
  func waitIsJittered(random: Double) {
    var backoff = Backoff()
    _ = backoff.failed(wanted: nil, random: random)
    _ = backoff.failed(wanted: nil, random: random)
    #expect(backoff.failed(wanted: nil, random: random) == .seconds(4) * random)
  }

  @Test("What the far side asks for is kept, unless it would be a busy loop")
  func wishes() {
    var backoff = Backoff()
    #expect(backoff.failed(wanted: .seconds(90), random: 0.5) == .seconds(90))
    #expect(backoff.failed(wanted: .zero, random: 0.5) == .seconds(1))
    #expect(backoff.failed(wanted: .seconds(-5), random: 0.5) == .seconds(2))
  }

  @Test("A thousand failures keep the cap, and a healthy period forgets them all")
  func recovers() {
    var backoff = Backoff()
    for _ in 0..<2_000 { _ = backoff.failed(wanted: nil, random: 1) }
    #expect(backoff.failed(wanted: nil, random: 7) == Backoff.cap)
    backoff.recovered()
    #expect(backoff.span == Backoff.base)
  }
}
