import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Store: journal") struct StoreJournalTests {
  private let bench: StoreBench
  private let id = CommandID(backend: "dock", id: "1")

  init() throws { bench = try StoreBench() }

  private func begins(_ store: StoreDatabase, _ intent: CommandIntent) async -> Bool {
    do {
      try await store.begin(intent)
      return true
    } catch {
      return false
    }
  }

  @Test("A command is unknown, then begun, then ended with what it yielded, also after a restart")
  func life() async throws {
    let store = try bench.store()
    #expect(try await store.command(id) == nil)
    try await store.begin(bench.intent("1"))
    #expect(try await store.command(id) == StoredCommand(digest: "d", outcome: nil))
    let outcome = CommandOutcome.done(["files": [1, "é", nil, 1.50]])
    try await store.end(id, outcome, owed: item("r1"))
    await store.close()
    let again = try bench.store()
    #expect(try await again.recoverInterrupted() == [])
    #expect(try await again.command(id) == StoredCommand(digest: "d", outcome: outcome))
    #expect(try await again.oldest(of: "dock")?.item == item("r1"))
    #expect(try await again.command(CommandID(backend: "other", id: "1")) == nil)
  }

  @Test("Every outcome comes back as it was", arguments: CommandOutcome.Reason.allCases)
  func outcomes(reason: CommandOutcome.Reason) async throws {
    let store = try bench.store()
    for status in CommandOutcome.Status.allCases {
      let outcome = CommandOutcome(status, reason, "why\n\"so\"")
      try await store.begin(bench.intent(status.rawValue))
      let id = CommandID(backend: "dock", id: status.rawValue)
      try await store.end(id, outcome, owed: nil)
      #expect(try await store.command(id)?.outcome == outcome)
    }
  }

  @Test("An early answer is owed at once, and a kill behind it owes nothing more")
  func earlyAnswer() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1", owed: item("unknown")))
    try await store.answerEarly(id, item("accepted"))
    #expect(try await store.oldest(of: "dock")?.item == item("accepted"))
    if let entry = try await store.oldest(of: "dock") { try await store.remove(entry.number) }
    await store.close()
    let again = try bench.store()
    #expect(try await again.recoverInterrupted().map(\.id) == [id])
    #expect(try await again.oldest(of: "dock") == nil)
    #expect(try await again.command(id)?.outcome == .interrupted)
  }

  @Test("Details that are too large for the journal are left out, the outcome stays")
  func largeDetails() async throws {
    let store = try bench.store()
    for (id, size, isKept) in [("1", 60_000, true), ("2", 70_000, false)] {
      try await store.begin(bench.intent(id))
      let details = JSONValue.string(String(repeating: "x", count: size))
      let outcome = CommandOutcome(.done, .ok, "m", details: details)
      try await store.end(CommandID(backend: "dock", id: id), outcome, owed: nil)
      let found = try await store.command(CommandID(backend: "dock", id: id))?.outcome
      #expect(found?.message == "m")
      #expect(found?.details == (isKept ? Optional(details) : .none))
    }
  }

  @Test(
    "The same intent may be written twice; a known id is not begun by another, nor after its end")
  func beginTwice() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1"))
    try await store.begin(bench.intent("1"))
    #expect(await begins(store, bench.intent("1", digest: "other")) == false)
    try await store.end(id, .done(), owed: nil)
    #expect(await begins(store, bench.intent("1")) == false)
    #expect(try await store.command(id) == StoredCommand(digest: "d", outcome: .done()))
    #expect(bench.sink.lines == [])
  }

  @Test("A command whose intent could not be written is known from its end on")
  func endWithoutIntent() async throws {
    let store = try bench.store()
    try await store.end(id, .done(), owed: item("r"))
    #expect(try await store.command(id) == StoredCommand(digest: "", outcome: .done()))
    #expect(try await store.oldest(of: "dock")?.item.key == "r")
    await store.close()
    #expect(try await bench.store().recoverInterrupted() == [])
  }

  @Test(
    "A command that ends once more is owed what it was owed the first time, also after a restart",
    arguments: [false, true])
  func owedAgain(hasIntent: Bool) async throws {
    var store = try bench.store()
    if hasIntent { try await store.begin(bench.intent("1", owed: item("never"))) }
    try await store.end(id, .done(), owed: item("r", bytes: 10))
    for _ in 0..<2 {
      let entry = try #require(try await store.oldest(of: "dock"))
      #expect(entry.item == item("r", bytes: 10))
      try await store.remove(entry.number)
      await store.close()
      store = try bench.store()
      try await store.end(id, .done(), owed: item("r", bytes: 11))
    }
    #expect(try await store.oldest(of: "dock")?.item == item("r", bytes: 10))
  }

  @Test("What is owed for an interrupted command is owed again in the same words")
  func interruptedAgain() async throws {
    let first = try bench.store()
    try await first.begin(bench.intent("1", owed: item("r", bytes: 10)))
    await first.close()
    let store = try bench.store()
    #expect(try await store.recoverInterrupted().count == 1)
    let entry = try #require(try await store.oldest(of: "dock"))
    try await store.remove(entry.number)
    try await store.end(id, .interrupted, owed: item("r", bytes: 11))
    #expect(try await store.oldest(of: "dock")?.item == item("r", bytes: 10))
  }

  @Test("Too large a result is not remembered: what is owed is the newest")
  func largeOwed() async throws {
    let store = try bench.store()
    try await store.end(id, .done(), owed: item("r", bytes: 70_000))
    try await store.end(id, .done(), owed: item("r", bytes: 70_001))
    #expect(try await store.oldest(of: "dock")?.item == item("r", bytes: 70_001))
  }

  @Test("What was sent before its intent could be written is recorded with its outcome")
  func record() async throws {
    let store = try bench.store()
    try await store.record(bench.intent("1"), .done(), owed: item("r"))
    #expect(try await store.command(id)?.outcome == .done())
    #expect(try await store.oldest(of: "dock")?.item.key == "r")
  }

  @Test("The newest thousand of each backend are remembered, and one that runs is never forgotten")
  func count() async throws {
    var limits = StoreLimits()
    limits.journalCount = 10
    let store = try bench.store(limits)
    try await store.begin(bench.intent("running"))
    try await store.begin(bench.intent("1", of: "other"))
    try await store.end(CommandID(backend: "other", id: "1"), .done(), owed: nil)
    for number in 1...30 {
      try await store.begin(bench.intent("\(number)"))
      try await store.end(CommandID(backend: "dock", id: "\(number)"), .done(), owed: nil)
    }
    var known: [Int] = []
    for number in 1...30
    where try await store.command(CommandID(backend: "dock", id: "\(number)")) != nil {
      known.append(number)
    }
    #expect(known == Array(21...30))
    #expect(try await store.command(CommandID(backend: "dock", id: "running")) != nil)
    #expect(try await store.command(CommandID(backend: "other", id: "1")) != nil)
  }

  @Test("Refusals that were never begun push out no command that ran")
  func refusals() async throws {
    var limits = StoreLimits()
    limits.journalCount = 10
    let store = try bench.store(limits)
    try await store.begin(bench.intent("1"))
    try await store.end(id, .done(), owed: nil)
    for number in 2...40 {
      let refused = CommandID(backend: "dock", id: "\(number)")
      try await store.end(refused, CommandOutcome(.refused, .tooMany), owed: nil)
    }
    #expect(try await store.command(id)?.outcome == .done())
    #expect(try await store.command(CommandID(backend: "dock", id: "30")) == nil)
    #expect(try await store.command(CommandID(backend: "dock", id: "31")) != nil)
  }

  @Test("After thirty days a command is forgotten")
  func age() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1"))
    try await store.end(id, .done(), owed: nil)
    bench.time.advance(by: .seconds(29 * 86_400))
    try await store.begin(bench.intent("2"))
    #expect(try await store.command(id) != nil)
    bench.time.advance(by: .seconds(2 * 86_400))
    try await store.begin(bench.intent("3"))
    #expect(try await store.command(id) == nil)
    #expect(try await store.command(CommandID(backend: "dock", id: "2")) != nil)
  }

  @Test(
    "What was under way when the daemon ended has an unknown outcome, and its result is owed once")
  func interrupted() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1", owed: item("r1", bytes: 10)))
    try await store.begin(bench.intent("2"))
    try await store.begin(bench.intent("3", of: "other", owed: item("r3", expendable: true)))
    try await store.begin(bench.intent("4", owed: item("never")))
    try await store.end(CommandID(backend: "dock", id: "4"), .done(), owed: item("r4"))
    await store.close()

    let again = try bench.store()
    let found = try await again.recoverInterrupted()
    #expect(found.map(\.id.id) == ["1", "2", "3"])
    #expect(found.first?.wireName == "pause_print")
    #expect(found.first?.digest == "d")
    #expect(found.first?.at == bench.time.wallTime)
    #expect(try await again.recoverInterrupted() == [])
    #expect(try await again.command(id)?.outcome == .interrupted)
    let first = try #require(try await again.oldest(of: "dock"))
    #expect(first.item.key == "r4")
    #expect(!first.isFresh)
    let second = try #require(try await again.oldest(of: "dock", after: first.number))
    #expect(second.item == item("r1", bytes: 10))
    #expect(!second.isFresh)
    #expect(try await again.oldest(of: "other")?.item == item("r3", expendable: true))
    #expect(try await again.counts() == ["dock": 2, "other": 1])
    await again.close()

    let third = try bench.store()
    #expect(try await third.recoverInterrupted() == [])
    #expect(try await third.counts() == ["dock": 2, "other": 1])
  }

  @Test("The first call recovers what was interrupted, even where nobody asked for it")
  func recoversUnasked() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1", owed: item("r1")))
    await store.close()
    let again = try bench.store()
    #expect(try await again.command(id)?.outcome == .interrupted)
    try await again.begin(bench.intent("2"))
    #expect(try await again.recoverInterrupted().map(\.id.id) == ["1"])
    #expect(try await again.command(CommandID(backend: "dock", id: "2"))?.outcome == nil)
  }

  @Test("Values and own files are kept, replaced and forgotten")
  func valuesAndFiles() async throws {
    let store = try bench.store()
    #expect(try await store.value("bed") == nil)
    try await store.setValue("bed", ["state": "occupied"])
    try await store.setValue("bed", ["state": "clear"])
    let path = try #require(GCodePath("dir/a é.gcode"))
    let file = OwnFile(
      path: path, backend: "dock", size: 1 << 40, modified: 1_795_162_973.123456, sha256: "ab",
      at: bench.time.wallTime)
    try await store.note(file)
    var newer = file
    newer.size = 7
    try await store.note(newer)
    await store.close()
    let again = try bench.store()
    #expect(try await again.value("bed") == ["state": "clear"])
    #expect(try await again.ownFile(path) == newer)
    try await again.forget(path)
    #expect(try await again.ownFile(path) == nil)
  }

  @Test(
    "A command that is handed out for ever is known for ever, and costs a write now and then only")
  func renewed() async throws {
    var limits = StoreLimits()
    limits.journalCount = 10
    let store = try bench.store(limits)
    try await store.begin(bench.intent("again"))
    let again = CommandID(backend: "dock", id: "again")
    try await store.end(again, .done(), owed: nil)
    for number in 0..<50 {
      let id = CommandID(backend: "dock", id: "n\(number)")
      try await store.begin(bench.intent("n\(number)"))
      try await store.end(id, .done(), owed: nil)
      try await store.renew(again)
    }
    #expect(try await store.command(again)?.outcome == .done())
    #expect(try await store.command(CommandID(backend: "dock", id: "n0")) == nil)
    for _ in 0..<40 {
      bench.time.advance(by: .seconds(86_400))
      try await store.renew(again)
    }
    try await store.begin(bench.intent("last"))
    #expect(try await store.command(again)?.outcome == .done())
  }

  @Test("A backend's own files, the oldest first, and nobody else's")
  func ownFiles() async throws {
    let store = try bench.store()
    for (name, backend) in [("b", "hub"), ("a", "hub"), ("c", "dock")] {
      try await store.note(
        OwnFile(
          path: try #require(GCodePath("\(name).gcode")), backend: backend, size: 1, modified: 1,
          sha256: "", at: bench.time.wallTime))
      bench.time.advance(by: .seconds(1))
    }
    #expect(try await store.ownFiles(of: "hub").map(\.path.text) == ["b.gcode", "a.gcode"])
    #expect(try await store.ownFiles(of: "none").isEmpty)
  }

  @Test("Of too many own files the oldest are forgotten")
  func manyFiles() async throws {
    var limits = StoreLimits()
    limits.ownFiles = 3
    let store = try bench.store(limits)
    var paths: [GCodePath] = []
    for number in 1...5 {
      let path = try #require(GCodePath("\(number).gcode"))
      paths.append(path)
      try await store.note(
        OwnFile(
          path: path, backend: "b", size: 1, modified: 1, sha256: "", at: bench.time.wallTime))
      bench.time.advance(by: .seconds(1))
    }
    #expect(try await store.ownFile(paths[1]) == nil)
    #expect(try await store.ownFile(paths[2]) != nil)
  }
}
