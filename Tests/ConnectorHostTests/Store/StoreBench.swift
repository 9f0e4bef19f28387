import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

/// A folder for `commands.db`, a clock and a log.
final class StoreBench: Sendable {
  let time = ManualTime()
  let sink = RecordingSink()
  let folder: String

  init() throws {
    folder =
      FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("uplink-\(UUID().uuidString)").path
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var path: String { folder + "/commands.db" }
  var errors: [String] { sink.lines.filter { $0.hasPrefix("error") } }
  var warnings: [String] { sink.lines.filter { $0.hasPrefix("warning") } }
  /// The files in the folder.
  var names: [String] { (try? Files.names(in: folder)) ?? [] }

  func store(_ limits: StoreLimits = StoreLimits()) throws -> StoreDatabase {
    StoreDatabase(
      directory: try StateDirectory(opening: folder, configurationPath: "/nowhere"), time: time,
      log: Log(label: "host", sink: sink), limits: limits)
  }

  func deliveries(_ store: any OutboxStore) -> Deliveries {
    Deliveries(store: store, time: time, sink: sink)
  }

  func intent(
    _ id: String, of backend: String = "dock", digest: String = "d", owed: OwedItem? = nil
  ) -> CommandIntent {
    CommandIntent(
      id: CommandID(backend: backend, id: id), wireName: "pause_print", kind: .pause,
      digest: digest, at: time.wallTime, owedIfInterrupted: owed)
  }

  /// Writes `bytes` over what stands at `offset` of a file.
  func overwrite(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seek(toOffset: offset)
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }
}

func item(_ key: String, bytes: Int = 0, expendable: Bool = false) -> OwedItem {
  OwedItem(
    key: key, kind: "completion",
    body: ["id": .string(key), "text": .string(String(repeating: "x", count: bytes))],
    isExpendable: expendable)
}

/// A store that fails while it is told to.
final class FailingStore: OutboxStore {
  private let base: StoreDatabase
  private let failing = Guarded<(reads: Bool, writes: Bool)>((false, false))

  init(_ base: StoreDatabase) { self.base = base }

  func fail(reads: Bool = false, writes: Bool) {
    failing.withLock { $0 = (reads, writes) }
  }

  private func check(_ isFailing: Bool) throws(StoreFailure) {
    if isFailing { throw StoreFailure("the disk is full") }
  }

  func put(
    _ item: OwedItem, of backend: String, at: WallTime
  ) async throws(StoreFailure) -> Int {
    try check(failing.withLock { $0.writes })
    return try await base.put(item, of: backend, at: at)
  }
  func oldest(of backend: String, after number: Int64) async throws(StoreFailure) -> OutboxEntry? {
    try check(failing.withLock { $0.reads })
    return try await base.oldest(of: backend, after: number)
  }
  func remove(_ number: Int64) async throws(StoreFailure) {
    try check(failing.withLock { $0.writes })
    try await base.remove(number)
  }
  func countAttempt(_ number: Int64) async throws(StoreFailure) {
    try check(failing.withLock { $0.writes })
    try await base.countAttempt(number)
  }
  func counts() async throws(StoreFailure) -> [String: Int] {
    try check(failing.withLock { $0.reads })
    return try await base.counts()
  }
}
