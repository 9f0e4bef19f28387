internal import ConnectorKit
internal import Database
internal import Platform

/// The file behind the store, in whatever condition: opens it, sets a damaged one aside, tries again where it is out of
/// reach, and says each of these once. Lives on the store's thread.
final class StoreFile {
  private let directory: StateDirectory
  private let name: String
  private let limits: StoreLimits
  private let time: any TimeSource
  private let log: Log
  private var connection: Connection?
  private var retryAt: MonotonicInstant?
  private var setAsideAt: MonotonicInstant?
  /// What is wrong now, as it was logged.
  private var problem: StoreFailure?
  private var isClosed = false
  /// The numbers of this run's entries begin here; nil before the first opening.
  private var freshFrom: Int64?
  private var lastNumber: Int64 = 0
  /// What the first opening found, until somebody asks for it.
  private var interrupted: [InterruptedCommand] = []
  private let drops: StoreDrops

  init(
    directory: StateDirectory, name: String, limits: StoreLimits, time: any TimeSource, log: Log,
    drops: StoreDrops
  ) {
    self.directory = directory
    self.name = name
    self.limits = limits
    self.time = time
    self.log = log
    self.drops = drops
  }

  private var path: String { directory.path(of: name) }

  /// Runs `body` on the open tables; where the file turns out to be damaged, once more on a new one.
  ///
  /// - Throws: `StoreFailure`.
  func perform<Result>(
    _ body: (StoreTables) throws -> Result
  ) throws(StoreFailure) -> Result {
    do {
      do {
        return try attempt(body)
      } catch let error as DatabaseError where error.kind == .damaged && maySetAside {
        let kept = rescued()
        try setAside(error)
        if let kept { try attempt { try $0.setValue(Self.rescuedName, kept) } }
        return try attempt(body)
      }
    } catch let error as StoreFailure {
      throw error
    } catch let error as DatabaseError {
      throw failed(error)
    } catch {
      throw failed(DatabaseError(.inaccessible, "\(error)"))
    }
  }

  /// What the last run left without an end, once.
  func takeInterrupted() -> [InterruptedCommand] {
    defer { interrupted = [] }
    return interrupted
  }

  /// The number from which entries are this run's.
  var firstFresh: Int64 { freshFrom ?? 0 }

  /// Closes it for good.
  func close() {
    connection?.close()
    connection = nil
    isClosed = true
  }

  private func attempt<Result>(_ body: (StoreTables) throws -> Result) throws -> Result {
    guard !isClosed else { throw StoreFailure("the daemon ends: \(path) is closed") }
    if let retryAt, time.now < retryAt {
      throw problem ?? StoreFailure("\(path) cannot be opened")
    }
    let connection = try self.connection ?? open()
    self.connection = connection
    (retryAt, problem) = (nil, nil)
    return try body(tables(connection))
  }

  private func tables(_ connection: Connection) -> StoreTables {
    StoreTables(connection: connection, limits: limits, now: time.wallTime)
  }

  private func open() throws -> Connection {
    // Made by the folder's rules of ownership.
    switch try Files.information(path)?.kind {
    case nil: try directory.replace(name, with: [])
    case .file: break
    case .folder, .other: throw DatabaseError(.damaged, "it is no file")
    }
    let connection = try Connection(
      opening: path, schema: .store, byteLimit: limits.fileBytes)
    let tables = tables(connection)
    if freshFrom == nil {
      let (found, dropped) = try tables.recover()
      interrupted = found
      for (backend, count) in dropped { drops.note(count, of: backend) }
      lastNumber = try tables.outbox.lastNumber()
      freshFrom = lastNumber + 1
    } else {
      try tables.outbox.continueNumbers(after: lastNumber)
    }
    return connection
  }

  /// Remembers the last number, for the case that the file has to be replaced.
  func noteNumber(_ number: Int64) { lastNumber = max(lastNumber, number) }

  /// Notes what happened, and decides when it is tried again. The journal and the outboxes say what it means to them.
  private func failed(_ error: DatabaseError) -> StoreFailure {
    let remedy =
      switch error.kind {
      case .full: "; free some space on that disk"
      case .inaccessible, .damaged:
        "; check the folder's owner and mode, and that the disk is not read-only"
      case .tooNew, .other: ""
      }
    let failure = StoreFailure("\(path): \(error)\(remedy)")
    let staysOpen = error.kind == .full || error.kind == .other
    if !staysOpen || connection == nil {
      connection?.close()
      connection = nil
      retryAt = time.now.advanced(by: limits.retryAfter)
    }
    problem = failure
    return failure
  }

  /// What a person has switched off for all clouds stays off, where the damage has left it.
  private static let rescuedName = "read_only"

  private func rescued() -> [UInt8]? {
    if let connection, let kept = try? tables(connection).value(Self.rescuedName) { return kept }
    connection?.close()
    connection = nil
    let left = try? Connection(opening: path, schema: .store, isChecked: false)
    defer { left?.close() }
    return left.flatMap { try? tables($0).value(Self.rescuedName) }
  }

  /// Not over and over, on a disk that damages whatever it is given.
  private var maySetAside: Bool {
    guard let setAsideAt else { return true }
    return time.now >= setAsideAt.advanced(by: limits.retryAfter)
  }

  private func setAside(_ error: DatabaseError) throws {
    setAsideAt = time.now
    connection?.close()
    connection = nil
    let stem = "\(path).damaged-\(Self.stamp(time.wallTime))"
    var target = stem
    var number = 2
    while try Files.information(target) != nil {
      target = "\(stem)-\(number)"
      number += 1
    }
    for suffix in ["-wal", "-shm", ""] {
      try Files.move(path + suffix, to: target + suffix)
    }
    log(
      .error,
      "\(path) is damaged (\(error)); it lies now at \(target), and a new one was begun: earlier commands and results are forgotten, and the bed counts as occupied"
    )
    removeOldest()
  }

  /// A moment as it can stand in a file's name: `20261121T131500Z`.
  private static func stamp(_ moment: WallTime) -> String {
    String(moment.rfc3339Seconds.filter { $0 != "-" && $0 != ":" })
  }

  private func removeOldest() {
    let prefix = "\(name).damaged-"
    guard let names = try? Files.names(in: directory.path) else { return }
    let damaged = names.filter {
      $0.hasPrefix(prefix) && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
    }
    for old in damaged.dropLast(limits.damagedFiles) {
      for suffix in ["-wal", "-shm", ""] { try? Files.remove(directory.path(of: old + suffix)) }
    }
  }
}
