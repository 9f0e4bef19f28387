import ConnectorKit
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("News of clouds for Moonraker's other clients") struct CloudNewsTests {
  /// Backends, the news about them, and a clock.
  final class Bench {
    let time = ManualTime()
    var news = CloudNews()
    var ears = CloudNews.Ears(moonraker: true, console: true)
    private var backends: [CloudNews.Backend] = []

    func set(_ state: BackendState, _ name: String = "a") {
      let backend = CloudNews.Backend(name: name, type: "reach", state: state, since: time.now)
      backends = backends.filter { $0.name != name } + [backend]
    }

    func remove(_ name: String = "a") { backends.removeAll { $0.name == name } }

    func told() -> [CloudNews.News] {
      news.observe(backends)
      return news.due(at: time.now, ears)
    }

    func told(after seconds: Int) -> [CloudNews.News] {
      news.observe(backends)
      time.advance(by: .seconds(seconds))
      return told()
    }
  }

  static func event(
    _ isConnected: Bool, _ state: String, _ reason: String? = nil
  ) -> CloudNews.News {
    .connection(
      backend: "a", type: "reach", isConnected: isConnected, state: state, reason: reason)
  }

  @Test("a cloud that comes is told once, after two seconds, and a new connection repeats nothing")
  func comes() {
    let bench = Bench()
    bench.set(.starting)
    #expect(bench.told(after: 60) == [])
    bench.set(.online)
    #expect(bench.told(after: 1) == [])
    #expect(bench.news.deadline(bench.ears) == bench.time.now.advanced(by: .seconds(1)))
    #expect(bench.told(after: 1) == [Self.event(true, "online")])
    #expect(bench.news.deadline(bench.ears) == nil)
    bench.ears.moonraker = false
    #expect(bench.told(after: 60) == [])
    bench.ears.moonraker = true
    #expect(bench.told(after: 60) == [])
  }

  @Test("a cloud that flaps is told of at most every ten seconds, and a short absence not at all")
  func flaps() {
    let bench = Bench()
    bench.set(.online)
    #expect(bench.told(after: 2).count == 1)
    bench.time.advance(by: .seconds(60))
    bench.set(.degraded(problem: "p", remedy: ""))
    #expect(bench.told(after: 1) == [])
    bench.set(.online)
    #expect(bench.told(after: 5) == [], "it is what was told last")
    var told = 0
    for step in 0..<200 {
      bench.set(step.isMultiple(of: 2) ? .online : .backingOff(problem: "p", until: bench.time.now))
      told += bench.told(after: 3).count
    }
    #expect(told > 10 && told <= 60, "\(told) events in ten minutes")
  }

  @Test("what happened while Moonraker was away is told when it is back, as it is then")
  func away() {
    let bench = Bench()
    bench.set(.online)
    #expect(bench.told(after: 2).count == 1)
    bench.ears.moonraker = false
    bench.set(
      .parked(problem: "revoked at https://relay.test/x?token=abc, see /etc/secret", remedy: "r"))
    bench.ears.console = false
    #expect(bench.told(after: 30) == [])
    #expect(bench.news.deadline(bench.ears) == nil)
    bench.ears.moonraker = true
    #expect(
      bench.told() == [Self.event(false, "parked", "revoked at (address), see (file)")])
  }

  @Test(
    "who was never there has not gone, unless something is wrong",
    arguments: [
      (BackendState.disabled, false), (.stopped, false), (.starting, false),
      (.degraded(problem: "p", remedy: ""), true),
      (.backingOff(problem: "p", until: MonotonicInstant(sinceOrigin: .zero)), true),
    ])
  func never(state: BackendState, isTold: Bool) {
    let bench = Bench()
    bench.set(state)
    #expect(bench.told(after: 20).isEmpty != isTold)
    #expect(bench.told(after: 600) == [])
  }

  @Test("an entry that leaves the file goes, and is forgotten")
  func removed() {
    let bench = Bench()
    bench.set(.online)
    #expect(bench.told(after: 2).count == 1)
    bench.remove()
    #expect(bench.told(after: 10) == [Self.event(false, "removed")])
    #expect(bench.told(after: 60) == [])
    bench.set(.online)
    #expect(bench.told(after: 2) == [Self.event(true, "online")])
  }

  @Test("the console is told once per parking, and not again within a minute")
  func console() {
    let bench = Bench()
    bench.ears.moonraker = false
    let parked = BackendState.parked(problem: "p", remedy: "r")
    bench.set(parked)
    #expect(bench.told(after: 1) == [])
    #expect(bench.told(after: 1) == [.parked(backend: "a")])
    #expect(bench.told(after: 600) == [])
    bench.set(.starting)
    #expect(bench.told(after: 1) == [])
    bench.set(parked)
    #expect(bench.told(after: 2) == [.parked(backend: "a")])
    bench.set(.starting)
    _ = bench.told(after: 1)
    bench.set(parked)
    #expect(bench.told(after: 30) == [])
    #expect(bench.told(after: 30) == [.parked(backend: "a")])
  }

  @Test("a parking while Klipper takes no G-code is told when it does, if it still waits")
  func later() {
    let bench = Bench()
    bench.ears = CloudNews.Ears(moonraker: false, console: false)
    bench.set(.parked(problem: "p", remedy: "r"))
    bench.set(.parked(problem: "p", remedy: "r"), "b")
    #expect(bench.told(after: 60) == [])
    bench.set(.online, "b")
    bench.ears.console = true
    #expect(bench.told(after: 60) == [.parked(backend: "a")])
  }
}
