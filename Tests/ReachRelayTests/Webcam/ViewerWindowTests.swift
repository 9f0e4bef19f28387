import Platform
import Testing

@testable import ReachRelay

@Suite("Reach: who watches") struct ViewerWindowTests {
  private let start = MonotonicInstant(sinceOrigin: .seconds(100))
  private let noon = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)
  private let timeout = Duration.seconds(60)

  /// A stamp so many seconds before noon.
  private func stamp(_ age: Int64) -> Int64 { noon.millisecondsSinceEpoch - age * 1_000 }

  /// How long the window stays open after the first stamp, in seconds.
  private func open(_ stamp: Int64?) -> Duration? {
    var window = ViewerWindow(timeout: timeout)
    window.take(stamp, now: start, wallTime: noon)
    return window.end.map { start.duration(to: $0) }
  }

  @Test(
    "A stamp that lies there opens the window for the rest of its time",
    arguments: [
      (0, 60), (10, 50), (59, 1), (60, nil), (86_400, nil), (-5, 60), (-59, 60), (-60, nil),
      (-86_400, nil),
    ] as [(Int64, Int64?)])
  func first(age: Int64, seconds: Int64?) {
    #expect(open(stamp(age)) == seconds.map { Duration.seconds($0) })
  }

  @Test("Without a stamp, and with one of no time at all, nobody watches")
  func absurd() {
    #expect(open(nil) == nil)
    #expect(open(Int64.min) == nil)
    #expect(open(Int64.max) == nil)
    #expect(open(0) == nil)
  }

  @Test("A stamp that is written while we look is news, however far the viewer's clock is ahead")
  func ahead() {
    var window = ViewerWindow(timeout: timeout)
    window.take(nil, now: start, wallTime: noon)
    window.take(stamp(-3_600), now: start, wallTime: noon)
    #expect(window.end == start.advanced(by: timeout))
    let later = start.advanced(by: .seconds(50))
    window.take(
      stamp(-3_600), now: later, wallTime: noon.advanced(by: .seconds(50)))
    #expect(window.end == start.advanced(by: timeout), "the same stamp again says nothing new")
  }

  @Test("A step of the wall clock keeps nobody watching")
  func step() {
    var window = ViewerWindow(timeout: timeout)
    window.take(stamp(0), now: start, wallTime: noon)
    window.take(
      stamp(0), now: start.advanced(by: .seconds(30)), wallTime: noon.advanced(by: .seconds(-900)))
    #expect(window.end == start.advanced(by: timeout))
  }

  @Test("A new stamp extends the window, an old one or none closes it")
  func changes() {
    var window = ViewerWindow(timeout: timeout)
    window.take(stamp(0), now: start, wallTime: noon)
    let later = start.advanced(by: .seconds(20))
    let wallTime = noon.advanced(by: .seconds(20))
    window.take(stamp(-20), now: later, wallTime: wallTime)
    #expect(window.end == later.advanced(by: timeout))
    window.take(stamp(300), now: later, wallTime: wallTime)
    #expect(window.end == nil)
    window.take(stamp(-20), now: later, wallTime: wallTime)
    #expect(window.end != nil)
    window.take(nil, now: later, wallTime: wallTime)
    #expect(window.end == nil)
  }
}
