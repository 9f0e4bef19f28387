import Testing

@testable import Platform

@Suite("Sleeper queue") struct SleeperQueueTests {
  @Test("It agrees with a sorted list through ten thousand random steps")
  func model() {
    var generator = SystemRandomNumberGenerator()
    var queue = SleeperQueue<UInt64>()
    var model: [UInt64: Int64] = [:]
    var nextID: UInt64 = 0
    var now: Int64 = 0
    for _ in 0..<10_000 {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<5:
        nextID += 1
        let deadline = now + Int64.random(in: 0..<500, using: &generator)
        queue.insert(
          nextID, id: nextID, deadline: MonotonicInstant(sinceOrigin: .seconds(deadline)))
        model[nextID] = deadline
      case 5..<9:
        guard let id = model.keys.randomElement(using: &generator) else { continue }
        #expect(queue.remove(id: id) == id)
        #expect(queue.remove(id: id) == nil)
        model[id] = nil
      default:
        now += Int64.random(in: 0..<30, using: &generator)
        let due = queue.takeDue(at: MonotonicInstant(sinceOrigin: .seconds(now)))
        let deadlines = due.compactMap { model[$0] }
        #expect(deadlines == deadlines.sorted())
        #expect(Set(due) == Set(model.filter { $0.value <= now }.keys))
        for id in due { model[id] = nil }
      }
      #expect(queue.count == model.count)
      #expect(
        queue.earliest == model.values.min().map { MonotonicInstant(sinceOrigin: .seconds($0)) })
    }
  }

  @Test("Deadlines a second away share a grid of 20 ms and never come early")
  func coalescing() {
    let now = MonotonicInstant(sinceOrigin: .milliseconds(5_003))
    let near = now.advanced(by: .milliseconds(999))
    #expect(near.coalesced(seenFrom: now) == near)
    for milliseconds in stride(from: 1_000, to: 3_000, by: 7) {
      let deadline = now.advanced(by: .milliseconds(milliseconds))
      let moved = deadline.coalesced(seenFrom: now)
      #expect(moved >= deadline)
      #expect(deadline.duration(to: moved) < .milliseconds(20))
      #expect(moved.sinceOrigin.components.attoseconds % 20_000_000_000_000_000 == 0)
    }
  }
}
