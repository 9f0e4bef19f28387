import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Store: condition of the file") struct StoreConditionTests {
  private let bench: StoreBench
  private let id = CommandID(backend: "dock", id: "1")
  init() throws { bench = try StoreBench() }

  /// Whether a call fails.
  private func failure(_ store: StoreDatabase) async -> String? {
    do {
      try await store.setValue("x", 1)
      return nil
    } catch {
      return error.description
    }
  }

  @Test("The files are for this user alone")
  func mode() async throws {
    let store = try bench.store()
    try await store.setValue("x", 1)
    #expect(bench.names == ["commands.db", "commands.db-wal"])
    for name in bench.names {
      #expect(try Files.information(bench.folder + "/" + name)?.mode == 0o600)
    }
  }

  @Test("A damaged file is set aside, said once, and a new one begun")
  func damaged() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1", owed: item("r")))
    await store.close()
    try bench.overwrite(bench.path, at: 0, [UInt8](repeating: 65, count: 3_000))
    let again = try bench.store()
    #expect(try await again.recoverInterrupted() == [])
    #expect(try await again.command(id) == nil)
    try await again.begin(bench.intent("1"))
    let aside = bench.names.filter { $0.hasPrefix("commands.db.damaged-") }
    #expect(aside.count == 1)
    #expect(aside.first?.hasSuffix("Z") == true)
    #expect(bench.sink.lines.count == 1)
    #expect(bench.errors.first?.contains(aside.first ?? "?") == true)
  }

  @Test("A folder in the file's place is set aside like a damaged file")
  func folder() async throws {
    try Files.makeFolder(bench.path)
    let store = try bench.store()
    try await store.setValue("x", 1)
    #expect(try await store.value("x") == 1)
    #expect(bench.names.contains { $0.hasPrefix("commands.db.damaged-") })
    #expect(bench.errors.count == 1)
  }

  @Test("Damage that is met later is set aside as well; the call is carried out on the new file")
  func damagedLater() async throws {
    let store = try bench.store()
    for number in 0..<400 {
      _ = try await store.put(item("\(number)", bytes: 2_000), of: "a", at: bench.time.wallTime)
    }
    let last = try #require(try await store.oldest(of: "a")).number + 399
    await store.close()
    let again = try bench.store()
    #expect(try await again.counts() == ["a": 400])
    let size = try #require(try Files.information(bench.path)).size
    try bench.overwrite(bench.path, at: 4_096, [UInt8](repeating: 0xEE, count: Int(size) - 4_096))
    _ = try await again.put(item("new"), of: "a", at: bench.time.wallTime)
    let entry = try #require(try await again.oldest(of: "a"))
    #expect(entry.item.key == "new")
    #expect(entry.isFresh)
    #expect(entry.number > last, "an entry of the old file must not be taken for this one")
    #expect(bench.errors.count == 1)
    #expect(bench.names.count { $0.hasPrefix("commands.db.damaged-") && $0.hasSuffix("Z") } == 1)
  }

  @Test("What a person has switched is taken along from a damaged file, where it can be read")
  func switchSurvives() async throws {
    let store = try bench.store()
    let isOn: JSONValue = ["on": true, "by": "page", "since_ms": 1]
    try await store.setValue("read_only", isOn)
    try await store.setValue("bed", ["state": "clear", "by": "page", "since_ms": 1])
    for number in 0..<400 {
      _ = try await store.put(item("\(number)", bytes: 2_000), of: "a", at: bench.time.wallTime)
    }
    await store.close()
    // The last page is one of the outbox's.
    let size = try #require(try Files.information(bench.path)).size
    try bench.overwrite(
      bench.path, at: UInt64(size) - 400_000, [UInt8](repeating: 0xEE, count: 400_000))
    let again = try bench.store()
    #expect(try await again.counts() == [:])
    #expect(bench.names.contains { $0.hasPrefix("commands.db.damaged-") })
    #expect(try await again.value("read_only") == isOn)
    #expect(try await again.value("bed") == nil)
  }

  @Test("A value that is there and cannot be read is not one that was never set")
  func unreadableValue() async throws {
    let store = try bench.store()
    try await store.write { tables, _ in try tables.setValue("read_only", [0x7B]) }
    #expect(ReadOnlySwitch(try await store.value("read_only")).isOn)
    #expect(try await store.value("never") == nil)
  }

  @Test("At most three damaged files are kept, the newest")
  func manyDamaged() async throws {
    for _ in 0..<5 {
      try bench.overwriteWhole()
      let store = try bench.store()
      try await store.setValue("x", 1)
      await store.close()
      bench.time.advance(by: .seconds(20))
    }
    #expect(bench.names.count { $0.hasPrefix("commands.db.damaged-") } == 3)
    #expect(bench.errors.count == 5)
  }

  @Test(
    "A folder that is out of reach fails calls quickly, and is tried every ten seconds"
  )
  func outOfReach() async throws {
    let store = try bench.store()
    try FileManager.default.removeItem(atPath: bench.folder)
    let problem = try #require(await failure(store))
    #expect(problem.contains(bench.folder))
    #expect(await failure(store) == problem)
    try Files.makeFolder(bench.folder)
    #expect(await failure(store) == problem, "not yet: it was tried a moment ago")
    bench.time.advance(by: .seconds(11))
    #expect(await failure(store) == nil)
  }

  @Test("What was interrupted is recovered when the file can be opened at last")
  func lateRecovery() async throws {
    let store = try bench.store()
    try await store.begin(bench.intent("1", owed: item("r")))
    await store.close()
    try Files.move(bench.folder, to: bench.folder + "-away")
    let again = StoreDatabase(
      directory: try StateDirectory(opening: bench.folder, configurationPath: "/nowhere"),
      time: bench.time, log: Log(label: "host", sink: bench.sink))
    try FileManager.default.removeItem(atPath: bench.folder)
    #expect(await failure(again) != nil)
    try Files.move(bench.folder + "-away", to: bench.folder)
    bench.time.advance(by: .seconds(11))
    #expect(try await again.recoverInterrupted().map(\.id.id) == ["1"])
    #expect(try await again.oldest(of: "dock")?.item.key == "r")
  }

  @Test("A file of a much newer program stays as it is, and says what to do")
  func newer() async throws {
    let store = try bench.store()
    try await store.setValue("x", 1)
    await store.close()
    // The header's user version, big-endian.
    try bench.overwrite(bench.path, at: 60, [0, 0, 0, 9])
    let again = try bench.store()
    #expect(await failure(again)?.contains("newer program") == true)
    #expect(bench.names == ["commands.db"])
    try bench.overwrite(bench.path, at: 60, [0, 0, 0, 2])
    bench.time.advance(by: .seconds(11))
    #expect(try await again.value("x") == 1)
  }

  @Test("A full disk refuses what is new, still answers, and takes more when there is room")
  func full() async throws {
    var limits = StoreLimits()
    limits.fileBytes = 256 << 10
    let store = try bench.store(limits)
    var failure: StoreFailure?
    var count = 0
    var failures = 0
    while failures < 2, count < 100 {
      do {
        _ = try await store.put(item("\(count)", bytes: 20_000), of: "a", at: bench.time.wallTime)
        count += 1
      } catch {
        failure = error
        failures += 1
      }
    }
    #expect(failure?.description.contains("full") == true)
    #expect(count > 5)
    let first = try #require(try await store.oldest(of: "a"))
    #expect(first.item.key == "0")
    #expect(try await store.counts() == ["a": count])
    try await store.remove(first.number)
    _ = try await store.put(item("z", bytes: 20_000), of: "a", at: bench.time.wallTime)
    #expect(bench.names.count { $0.contains("damaged") } == 0)
  }

  @Test("After closing, calls fail at once")
  func closed() async throws {
    let store = try bench.store()
    try await store.setValue("x", 1)
    await store.close()
    #expect(await failure(store) != nil)
    #expect(bench.sink.lines == [])
  }

  @Test("A caller that gives up is told so, and what it asked for is done")
  func givingUp() async throws {
    let store = try bench.store()
    let task = Task { [bench] in
      withUnsafeCurrentTask { $0?.cancel() }
      try await store.begin(bench.intent("1"))
    }
    await #expect(throws: StoreFailure.self) { try await task.value }
    #expect(try await store.command(id) != nil)
  }
}

extension StoreBench {
  /// Puts rubbish in the place of the file.
  fileprivate func overwriteWhole() throws {
    try Files.makeFolder(folder)
    for name in ["-wal", ""] { try Files.remove(path + name) }
    try Files.replace(path, with: [UInt8](repeating: 66, count: 5_000))
  }
}
