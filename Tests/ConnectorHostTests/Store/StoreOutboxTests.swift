import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Store: outbox") struct StoreOutboxTests {
  private let bench: StoreBench
  init() throws { bench = try StoreBench() }

  private func put(_ store: StoreDatabase, _ item: OwedItem, of name: String = "a") async throws
    -> Int
  {
    try await store.put(item, of: name, at: bench.time.wallTime)
  }

  private func keys(_ store: StoreDatabase, of name: String = "a") async throws -> [String] {
    var keys: [String] = []
    var number: Int64 = 0
    while let entry = try await store.oldest(of: name, after: number) {
      keys.append(entry.item.key)
      number = entry.number
    }
    return keys
  }

  @Test("Entries come in order, each backend its own; the same key stays one entry in its place")
  func order() async throws {
    let store = try bench.store()
    for key in ["1", "2", "3"] { _ = try await put(store, item(key)) }
    _ = try await put(store, item("1"), of: "b")
    let since = bench.time.wallTime
    bench.time.advance(by: .seconds(60))
    _ = try await put(store, item("1", bytes: 5))
    #expect(try await keys(store) == ["1", "2", "3"])
    let first = try #require(try await store.oldest(of: "a"))
    #expect(first.item == item("1", bytes: 5))
    #expect(first.since == since)
    #expect(first.isFresh)
    #expect(try await store.counts() == ["a": 3, "b": 1])
    try await store.countAttempt(first.number)
    #expect(try await store.oldest(of: "a")?.attempts == 1)
    try await store.remove(first.number)
    #expect(try await keys(store) == ["2", "3"])
    await store.close()
    let again = try bench.store()
    #expect(try await keys(again) == ["2", "3"])
    #expect(try await again.oldest(of: "a")?.isFresh == false)
    _ = try await put(again, item("4"), of: "c")
    #expect(try await again.oldest(of: "c")?.isFresh == true)
  }

  @Test(
    "A number is never given out twice, even when the newest entry was removed before a restart")
  func numbers() async throws {
    let store = try bench.store()
    _ = try await put(store, item("1"))
    let number = try #require(try await store.oldest(of: "a")).number
    try await store.remove(number)
    await store.close()
    let again = try bench.store()
    _ = try await put(again, item("2"))
    let entry = try #require(try await again.oldest(of: "a"))
    #expect(entry.number > number)
    #expect(entry.isFresh)
  }

  @Test("A refusal takes no result's place")
  func refusal() async throws {
    let store = try bench.store()
    _ = try await put(store, item("1", bytes: 3))
    _ = try await put(store, item("1", expendable: true))
    #expect(try await store.oldest(of: "a")?.item == item("1", bytes: 3))
    _ = try await put(store, item("2", expendable: true))
    _ = try await put(store, item("2"))
    #expect(try await keys(store) == ["1", "2"])
    #expect(try await store.counts() == ["a": 2])
    var memory = OutboxMemory()
    _ = memory.put(item("1", bytes: 3), since: bench.time.wallTime)
    _ = memory.put(item("1", expendable: true), since: bench.time.wallTime)
    #expect(memory.kept.map(\.item) == [item("1", bytes: 3)])
  }

  @Test("A full outbox lets go of expendable entries first, then of the oldest")
  func count() async throws {
    var limits = StoreLimits()
    limits.outboxCount = 4
    let store = try bench.store(limits)
    _ = try await put(store, item("1"))
    _ = try await put(store, item("e1", expendable: true))
    _ = try await put(store, item("2"))
    _ = try await put(store, item("e2", expendable: true))
    #expect(try await put(store, item("e3", expendable: true)) == 1)
    #expect(try await keys(store) == ["1", "2", "e2", "e3"])
    #expect(try await put(store, item("3")) == 1)
    #expect(try await put(store, item("4")) == 1)
    #expect(try await keys(store) == ["1", "2", "3", "4"])
    #expect(try await put(store, item("e4", expendable: true)) == 1)
    #expect(try await keys(store) == ["1", "2", "3", "4"])
    #expect(try await put(store, item("5")) == 1)
    #expect(try await keys(store) == ["2", "3", "4", "5"])
    #expect(try await put(store, item("3", bytes: 9)) == 0)
    #expect(try await put(store, item("x"), of: "b") == 0)
  }

  @Test("Bytes are bounded for each backend; one item that is too large is dropped by itself")
  func bytes() async throws {
    var limits = StoreLimits()
    limits.outboxBytes = 10_000
    limits.itemBytes = 9_000
    let store = try bench.store(limits)
    for key in ["1", "2", "3"] { #expect(try await put(store, item(key, bytes: 3_000)) == 0) }
    #expect(try await put(store, item("4", bytes: 6_000)) == 2)
    #expect(try await keys(store) == ["3", "4"])
    #expect(try await put(store, item("huge", bytes: 9_001)) == 1)
    #expect(try await keys(store) == ["3", "4"])
  }

  @Test("After seven days an entry is not delivered any more, and counts as dropped")
  func age() async throws {
    let store = try bench.store()
    _ = try await put(store, item("1"))
    _ = try await put(store, item("2"))
    bench.time.advance(by: .seconds(4 * 86_400))
    _ = try await put(store, item("3"))
    #expect(store.takeDrops(of: "a") == 0)
    bench.time.advance(by: .seconds(4 * 86_400))
    #expect(try await keys(store) == ["3"])
    #expect(store.takeDrops(of: "a") == 2)
    #expect(store.takeDrops(of: "a") == 0)
    bench.time.advance(by: .seconds(4 * 86_400))
    #expect(try await put(store, item("4")) == 1)
  }

  @Test("What a command's end pushes out is counted too")
  func end() async throws {
    var limits = StoreLimits()
    limits.outboxCount = 1
    let store = try bench.store(limits)
    for id in ["1", "2"] {
      try await store.begin(bench.intent(id, of: "a"))
      try await store.end(CommandID(backend: "a", id: id), .done(), owed: item(id))
    }
    #expect(try await keys(store) == ["2"])
    #expect(store.takeDrops(of: "a") == 1)
  }

  @Test("Everything fits through: odd keys, deep and large bodies")
  func bodies() async throws {
    let store = try bench.store()
    var deep: JSONValue = ["x": "é\u{0}\u{1F5A8}"]
    for _ in 0..<400 { deep = ["d": deep] }
    let odd = OwedItem(
      key: "k\u{0}\"'é", kind: "",
      body: ["deep": deep, "big": .string(String(repeating: "y", count: 3 << 20))])
    _ = try await put(store, odd)
    await store.close()
    let again = try bench.store()
    #expect(try await again.oldest(of: "a")?.item == odd)
  }
}
