import Database
import Foundation
import Platform
import TestSupport
import Testing

@Suite("Database thread") struct DatabaseThreadTests {
  private final class Journal {
    var numbers: [Int] = []
  }

  @Test("Calls of many tasks are carried out one at a time, none is lost")
  func concurrent() async throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(
      opening: folder + "/a.db", schema: Schema([["CREATE TABLE t(n INTEGER)"]]))
    let thread = DatabaseThread(name: "test", owner: connection)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          try await thread.run { connection in
            try connection.transaction {
              let count = try connection.number("SELECT COUNT(*) FROM t")
              try connection.run("INSERT INTO t VALUES(?)", .integer(count))
            }
          }
          _ = number
        }
      }
      try await group.waitForAll()
    }
    let numbers = try await thread.run { connection in
      try connection.rows("SELECT n FROM t") { $0.integer(0) }
    }
    #expect(numbers == Array(0..<200))
  }

  @Test("Whoever gives up on a hanging disk goes on at once; what was asked is done in its order")
  func givingUp() async throws {
    let thread = DatabaseThread(name: "test", owner: Journal())
    let hanging = DispatchSemaphore(value: 0)
    let began = Counter()
    let first = Task {
      try await thread.run { journal in
        began.increment()
        hanging.wait()
        journal.numbers.append(1)
      }
    }
    await until { began.value == 1 }
    let second = Task { try await thread.run { $0.numbers.append(2) } }
    first.cancel()
    second.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    await #expect(throws: CancellationError.self) { try await second.value }
    hanging.signal()
    let numbers = try await thread.run { $0.numbers }
    #expect(numbers.contains(1))
    #expect(numbers == numbers.sorted())
  }

  @Test("A hanging disk takes a thousand calls, and refuses more at once")
  func bounded() async throws {
    let thread = DatabaseThread(name: "test", owner: Journal())
    let hanging = DispatchSemaphore(value: 0)
    let began = Counter()
    let refused = Counter()
    let done = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await thread.run { _ in
          began.increment()
          hanging.wait()
        }
      }
      await until { began.value == 1 }
      for number in 0..<1_100 {
        group.addTask {
          do {
            try await thread.run { $0.numbers.append(number) }
            done.increment()
          } catch is DatabaseError {
            refused.increment()
          }
        }
      }
      await until { refused.value == 100 }
      hanging.signal()
      try await group.waitForAll()
    }
    #expect(done.value == 1_000)
    #expect(refused.value == 100)
  }

  @Test("What waits when the database is closed is told so, and nothing traps")
  func closing() async throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(
      opening: folder + "/a.db", schema: Schema([["CREATE TABLE t(n INTEGER)"]]))
    let thread = DatabaseThread(name: "test", owner: connection)
    let hanging = DispatchSemaphore(value: 0)
    let began = Counter()
    let blocked = Task {
      try await thread.run { connection in
        began.increment()
        hanging.wait()
        connection.close()
      }
    }
    await until { began.value == 1 }
    let pending = (0..<20).map { number in
      Task {
        try await thread.run { try $0.run("INSERT INTO t VALUES(?)", .integer(number)) }
      }
    }
    hanging.signal()
    try await blocked.value
    for task in pending {
      await #expect(throws: DatabaseError.self) { try await task.value }
    }
  }
}
