/// Who sleeps until when: a heap of deadlines, out of which sleepers can be cancelled. A value, no clock inside.
struct SleeperQueue<Sleeper> {
  private struct Entry {
    var deadline: MonotonicInstant
    var id: UInt64
  }

  /// Sleepers by id; a heap entry whose id is not here was cancelled and is dropped when it comes up.
  private var sleepers: [UInt64: Sleeper] = [:]
  private var heap: [Entry] = []

  /// How many sleep.
  var count: Int { sleepers.count }

  /// The earliest deadline that somebody sleeps for.
  var earliest: MonotonicInstant? { heap.first?.deadline }

  /// Adds a sleeper under an id that was never used before.
  mutating func insert(_ sleeper: Sleeper, id: UInt64, deadline: MonotonicInstant) {
    sleepers[id] = sleeper
    heap.append(Entry(deadline: deadline, id: id))
    siftUp(heap.count - 1)
  }

  /// Takes the sleeper `id` out; nil when it is not (or no longer) there.
  mutating func remove(id: UInt64) -> Sleeper? {
    guard let sleeper = sleepers.removeValue(forKey: id) else { return nil }
    // Cancelled entries inside the heap may pile up only so far.
    if heap.count > 2 * sleepers.count + 32 {
      heap = heap.filter { sleepers[$0.id] != nil }.sorted { $0.deadline < $1.deadline }
    }
    dropCancelled()
    return sleeper
  }

  /// Takes out all whose deadline is `now` or earlier, earliest first.
  mutating func takeDue(at now: MonotonicInstant) -> [Sleeper] {
    var due: [Sleeper] = []
    while let first = heap.first, first.deadline <= now {
      if let sleeper = sleepers.removeValue(forKey: first.id) { due.append(sleeper) }
      dropFirst()
    }
    dropCancelled()
    return due
  }

  private mutating func dropCancelled() {
    while let first = heap.first, sleepers[first.id] == nil { dropFirst() }
  }

  private mutating func dropFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown(0)
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].deadline < heap[parent].deadline else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var index = start
    while true {
      let left = 2 * index + 1
      guard left < heap.count else { return }
      let right = left + 1
      let child =
        right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
      guard heap[child].deadline < heap[index].deadline else { return }
      heap.swapAt(child, index)
      index = child
    }
  }
}
