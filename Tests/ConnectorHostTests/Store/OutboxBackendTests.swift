import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Outbox of a backend") struct OutboxBackendTests {
  private let bench: StoreBench
  private let store: StoreDatabase
  private let failing: FailingStore
  private let deliveries: Deliveries
  private let outbox: BackendOutbox

  init() throws {
    bench = try StoreBench()
    store = try bench.store()
    failing = FailingStore(store)
    deliveries = bench.deliveries(failing)
    outbox = deliveries.outbox(of: "dock")
  }

  /// Delivers all there is; the keys in the order in which they came.
  private func drain() async -> [String] {
    var keys: [String] = []
    while let entry = await outbox.peek() {
      keys.append(entry.item.key)
      await outbox.settle(entry, .accept)
    }
    return keys
  }

  @Test("Whoever waits for an entry is woken by it")
  func wakes() async throws {
    let waiting = Task { [outbox] in try await outbox.oldest() }
    await bench.time.sleepers(atLeast: 1)
    await outbox.put(item("1"))
    #expect(try await waiting.value.item.key == "1")
  }

  @Test("Whoever waits for an entry is woken by the end of a command")
  func wakesByEnd() async throws {
    let waiting = Task { [outbox] in try await outbox.oldest() }
    await bench.time.sleepers(atLeast: 1)
    try await store.begin(bench.intent("1"))
    try await store.end(CommandID(backend: "dock", id: "1"), .done(), owed: item("r"))
    deliveries.noteNew(backend: "dock")
    #expect(try await waiting.value.item.key == "r")
    deliveries.noteNew(backend: "nobody")
  }

  @Test("A wait ends with its task")
  func cancelled() async throws {
    let waiting = Task { [outbox] in try await outbox.oldest() }
    await bench.time.sleepers(atLeast: 1)
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }

  @Test("What arrived or is refused leaves; what is kept comes again with its attempts counted")
  func verdicts() async throws {
    for key in ["1", "2", "3"] { await outbox.put(item(key)) }
    let first = try await outbox.oldest()
    await outbox.settle(first, .keep)
    let again = try await outbox.oldest()
    #expect(again.number == first.number)
    #expect(again.attempts == 1)
    await outbox.settle(again, .accept)
    let second = try await outbox.oldest()
    #expect(second.item.key == "2")
    await outbox.settle(second, .reject("too old for them"))
    #expect(bench.warnings.count == 1)
    #expect(bench.warnings.first?.contains("too old for them") == true)
    #expect(await drain() == ["3"])
    #expect(await deliveries.states()["dock"]?.owed == 0)
  }

  @Test("It is half full with 250 items on the disk, or 50 in memory", arguments: [true, false])
  func halfFull(isStored: Bool) async throws {
    failing.fail(writes: !isStored)
    let half = isStored ? 250 : 50
    for number in 1..<half { await outbox.put(item("\(number)")) }
    #expect(await outbox.isHalfFull == false)
    await outbox.put(item("last"))
    #expect(await outbox.isHalfFull)
    await outbox.settle(try #require(await outbox.peek()), .accept)
    #expect(await outbox.isHalfFull == false)
  }

  @Test("A backend that starts again has its outbox again; others have their own")
  func sameObject() async throws {
    await outbox.put(item("1"))
    #expect(deliveries.outbox(of: "dock") === outbox)
    #expect(await deliveries.outbox(of: "other").peek() == nil)
    #expect(await deliveries.outbox(of: "dock").peek()?.item.key == "1")
  }

  @Test("What cannot be stored is kept in memory, delivered in order, and said once")
  func memory() async throws {
    await outbox.put(item("1"))
    failing.fail(writes: true)
    for key in ["2", "3"] { await outbox.put(item(key)) }
    await outbox.put(item("2", bytes: 4))
    let state = await deliveries.states()["dock"]
    #expect(state?.owed == 3)
    #expect(state?.inMemory == 2)
    #expect(state?.problem == "the disk is full")
    #expect(await drain() == ["1", "2", "3"])
    #expect(await deliveries.states()["dock"]?.owed == 0)
    #expect(bench.warnings.count == 1)
  }

  @Test("What was kept in memory is stored as soon as that works, before anything newer")
  func storedLater() async throws {
    failing.fail(reads: true, writes: true)
    for key in ["1", "2"] { await outbox.put(item(key)) }
    #expect(try await store.counts() == [:])
    failing.fail(writes: false)
    await outbox.put(item("3"))
    #expect(try await store.counts() == ["dock": 3])
    #expect(await drain() == ["1", "2", "3"])
    let state = await deliveries.states()["dock"]
    #expect(state?.inMemory == 0)
    #expect(state?.problem == nil)
    #expect(bench.sink.lines.count == 2)
  }

  @Test("While the store is away, a waiting backend looks again every ten seconds")
  func looksAgain() async throws {
    _ = try await store.put(item("1"), of: "dock", at: bench.time.wallTime)
    failing.fail(reads: true, writes: true)
    let waiting = Task { [outbox] in try await outbox.oldest() }
    await bench.time.sleepers(atLeast: 1)
    #expect(bench.time.deadlines == [bench.time.now.advanced(by: .seconds(10))])
    failing.fail(writes: false)
    bench.time.advance(by: .seconds(10))
    #expect(try await waiting.value.item.key == "1")
  }

  @Test("An entry that arrived while the disk was full is not delivered again")
  func settledWhileFull() async throws {
    for key in ["1", "2", "3"] { await outbox.put(item(key)) }
    failing.fail(writes: true)
    let first = try await outbox.oldest()
    await outbox.settle(first, .accept)
    let second = try await outbox.oldest()
    #expect(second.item.key == "2")
    await outbox.settle(second, .accept)
    #expect(await deliveries.states()["dock"]?.owed == 1)
    failing.fail(writes: false)
    #expect(await drain() == ["3"])
    #expect(try await store.counts() == [:])
  }

  @Test("An entry that is being delivered from memory is not stored meanwhile, and arrives once")
  func handedOut() async throws {
    failing.fail(writes: true)
    await outbox.put(item("1"))
    let first = try await outbox.oldest()
    failing.fail(writes: false)
    await outbox.put(item("2"))
    await outbox.settle(first, .accept)
    #expect(await drain() == ["2"])
    #expect(try await store.counts() == [:])
  }

  @Test("Memory is bounded too, and what was lost is counted since when")
  func bounded() async throws {
    failing.fail(writes: true)
    let since = bench.time.wallTime
    await outbox.put(item("e", expendable: true))
    for number in 0..<102 { await outbox.put(item("\(number)")) }
    let state = try #require(await deliveries.states()["dock"])
    #expect(state.owed == 100)
    #expect(state.dropped == 3)
    #expect(state.droppedSince == since)
    #expect(await drain().first == "2")
  }

  @Test("A backend that is being stopped leaves its result on the disk, and nobody is alarmed")
  func stopping() async throws {
    let task = Task { [outbox] in
      withUnsafeCurrentTask { $0?.cancel() }
      await outbox.put(item("1"))
    }
    await task.value
    #expect(try await store.counts() == ["dock": 1])
    #expect(await deliveries.states()["dock"]?.inMemory == 0)
    #expect(bench.sink.lines == [])
  }

  @Test("What a backend of an earlier configuration is owed is shown as well")
  func formerBackend() async throws {
    _ = try await store.put(item("1"), of: "former", at: bench.time.wallTime)
    #expect(await deliveries.states()["former"]?.owed == 1)
  }

  @Test("A replacement while the older one is being stored is not lost")
  func memoryRevision() {
    var memory = OutboxMemory()
    let time = WallTime(millisecondsSinceEpoch: 0)
    _ = memory.put(item("1"), since: time)
    let seen = memory.kept[0]
    _ = memory.put(item("1", bytes: 3), since: time)
    memory.remove(seen)
    #expect(memory.kept.map(\.item) == [item("1", bytes: 3)])
  }
}
