import Platform
import Testing

@testable import ConnectorHost

@Suite("The pace of the dashboard's events") struct EventPacerTests {
  private let start = MonotonicInstant(sinceOrigin: .seconds(100))

  private func at(_ milliseconds: Int) -> MonotonicInstant {
    start.advanced(by: .milliseconds(milliseconds))
  }

  @Test("The first change is told at once, whatever it weighs")
  func first() {
    for weight in [EventPacer.Weight.steady, .news] {
      var pacer = EventPacer(at: start)
      let early = pacer.take(at: start)
      #expect(early == nil)
      pacer.note(weight)
      let told = pacer.take(at: start)
      #expect(told?.weight == weight)
      #expect(pacer.pending == nil)
    }
  }

  @Test("Values that change all the time are told every two seconds, with one wake-up each")
  func steady() {
    var pacer = EventPacer(at: start)
    var told: [Int] = []
    for tick in stride(from: 0, to: 10_000, by: 250) {
      pacer.note(.steady)
      if pacer.take(at: at(tick)) != nil {
        told.append(tick)
        #expect(pacer.wake(at: at(tick)) == at(tick + 2_000))
      }
    }
    #expect(told == [0, 2_000, 4_000, 6_000, 8_000])
  }

  @Test("News do not wait for that, but for each other")
  func news() {
    var pacer = EventPacer(at: start)
    pacer.note(.steady)
    _ = pacer.take(at: start)
    pacer.note(.steady)
    pacer.note(.news)
    #expect(pacer.due == at(400))
    let weights = [399, 400].map { pacer.take(at: at($0))?.weight }
    #expect(weights == [nil, .news])
    pacer.note(.news)
    pacer.note(.steady)
    #expect(pacer.due == at(800))
    let later = [800, 801].map { pacer.take(at: at($0))?.weight }
    #expect(later == [.news, nil])
  }

  @Test("Where nothing happens, a beat after 15 seconds looks at everything")
  func beat() {
    var pacer = EventPacer(at: start)
    #expect(pacer.wake(at: start) == at(15_000))
    let beat = pacer.take(at: at(15_000))
    #expect(beat?.isBeat == true)
    #expect(beat?.weight == .news)
    #expect(pacer.due == at(30_000))
    #expect(pacer.wake(at: at(15_000)) == at(17_000))
    #expect(pacer.wake(at: at(17_000)) == at(30_000))
  }

  @Test("Steady changes do not put the beat off")
  func beatBetween() {
    var pacer = EventPacer(at: start)
    var beats = 0
    for tick in stride(from: 0, through: 60_000, by: 250) {
      pacer.note(.steady)
      if pacer.take(at: at(tick))?.isBeat == true { beats += 1 }
    }
    #expect(beats == 4)
  }
}
