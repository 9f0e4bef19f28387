import Networking
import Platform
import SocketIO
import Testing

@Suite("Socket.IO: waits between connections") struct ReconnectScheduleTests {
  private static let noon = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)
  private static let lost = SocketIOClosure(.network(.closed), "lost")

  @Test("Waits double from a second to a minute")
  func doubling() {
    var schedule = ReconnectSchedule()
    let waits = (0..<9).map { _ in
      schedule.wait(after: Self.lost, served: nil, at: Self.noon, random: 0.5)
    }
    #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
  }

  @Test("Waits are spread from half to one and a half", arguments: [(0.0, 500), (0.999, 1_499)])
  func spread(random: Double, milliseconds: Int) {
    var schedule = ReconnectSchedule()
    let wait = schedule.wait(after: Self.lost, served: nil, at: Self.noon, random: random)
    #expect(wait == .milliseconds(milliseconds))
  }

  @Test("A connection that served for a minute starts them anew, a shorter one does not")
  func reset() {
    var schedule = ReconnectSchedule()
    for _ in 0..<5 { _ = schedule.wait(after: Self.lost, served: nil, at: Self.noon, random: 0.5) }
    let short = schedule.wait(after: Self.lost, served: .seconds(59), at: Self.noon, random: 0.5)
    #expect(short == .seconds(32))
    let long = schedule.wait(after: Self.lost, served: .seconds(60), at: Self.noon, random: 0.5)
    #expect(long == .seconds(1))
  }

  @Test("A server that ended in an orderly way is left alone for five seconds")
  func orderly() {
    var schedule = ReconnectSchedule()
    let closure = SocketIOClosure(.endedByServer, "closed")
    let waits = (0..<5).map { _ in
      schedule.wait(after: closure, served: nil, at: Self.noon, random: 0.5)
    }
    #expect(waits == [5, 5, 5, 8, 16].map { .seconds($0) })
  }

  @Test(
    "A busy server is given the time that it asks for",
    arguments: [
      (429, " 120", 120), (503, "7", 7), (503, "0", 1), (503, "never", 1), (503, "86400", 900),
      (503, "99999999999999999999", 900), (503, nil, 1),
    ] as [(Int, String?, Int)])
  func retryAfter(status: Int, field: String?, seconds: Int) {
    var schedule = ReconnectSchedule()
    let closure = SocketIOClosure(.refused(status: status), "busy", retryAfter: field)
    let wait = schedule.wait(after: closure, served: nil, at: Self.noon, random: 0.5)
    #expect(wait == .seconds(seconds))
  }

  @Test(
    "A server that refuses for good is asked seldom, one in trouble as usual",
    arguments: [(401, 60), (404, 60), (302, 60), (500, 1), (502, 1), (200, 1)])
  func refusals(status: Int, seconds: Int) {
    var schedule = ReconnectSchedule()
    let closure = SocketIOClosure(.refused(status: status), "no")
    let wait = schedule.wait(after: closure, served: nil, at: Self.noon, random: 0.5)
    #expect(wait == .seconds(seconds))
  }
}
