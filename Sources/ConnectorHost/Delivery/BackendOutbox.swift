internal import ConnectorKit
internal import Platform

/// One backend's outbox: in order, over the store of all of them; what cannot be stored is kept in memory until it can.
///
/// One for each name, for as long as the daemon lives: a backend that starts again finds its own. One consumer at a time.
actor BackendOutbox: Outbox {
  /// How long after a failure the store is tried again, while somebody waits for an entry.
  static let retryAfter: Duration = .seconds(10)
  /// How long an item is worth delivering.
  static let age: Duration = StoreLimits().outboxAge
  /// How many items it holds on the disk.
  static let size = Int(clamping: StoreLimits().outboxCount)

  private let name: String
  private let store: any OutboxStore
  private let time: any TimeSource
  private let log: Log
  private let news = Nudge()
  private var memory = OutboxMemory()
  /// The last entry that went out of memory: it stays there until it is settled or asked for again.
  private var handedOut: Int64?
  /// Stored entries that are settled, and that the store could not remove yet; nothing older is left to deliver.
  private var settled: [Int64] = []
  private var problem: StoreFailure?
  private var dropped = 0
  private var droppedSince: WallTime?

  init(name: String, store: any OutboxStore, time: any TimeSource, log: Log) {
    self.name = name
    self.store = store
    self.time = time
    self.log = log
  }

  @discardableResult
  func put(_ item: OwedItem) async -> Bool {
    defer { news.send() }
    let now = time.wallTime
    guard await storeMemory() else {
      keep(item, since: now)
      return false
    }
    do throws(StoreFailure) {
      noteDropped(try await store.put(item, of: name, at: now))
      worked()
      return true
    } catch {
      if !error.isAbandoned { keep(item, since: now) }
      failed(error)
      return false
    }
  }

  /// Of the disk or of the memory; while the disk hangs, it waits too.
  var isHalfFull: Bool {
    get async {
      var count = 0
      do throws(StoreFailure) {
        count = try await store.counts()[name] ?? 0
      } catch {
        failed(error)
      }
      return count - settled.count + memory.kept.count >= Self.size / 2
        || memory.kept.count >= OutboxMemory.limit / 2
    }
  }

  func oldest() async throws -> OutboxEntry {
    let waiter = news.waiter(time)
    while true {
      try Task.checkCancellation()
      if let entry = await peek() { return entry }
      let patience = problem == nil ? Duration.seconds(86_400) : Self.retryAfter
      try await waiter.wait(until: time.now.advanced(by: patience))
    }
  }

  func peek() async -> OutboxEntry? {
    handedOut = nil
    await removeSettled()
    _ = await storeMemory()
    do throws(StoreFailure) {
      if let entry = try await store.oldest(of: name, after: settled.max() ?? 0) { return entry }
    } catch {
      failed(error)
    }
    // What lies in the store is older; but where it cannot be read, that is no reason to withhold the rest.
    handedOut = memory.kept.first?.number
    return memory.kept.first?.entry
  }

  func settle(_ entry: OutboxEntry, _ verdict: OutboxVerdict) async {
    if case .reject(let reason) = verdict {
      log(
        .warning,
        "\(entry.item.kind) \(entry.item.key) was not taken by the far side and is given up: \(reason)"
      )
    }
    guard entry.number > 0 else { return settleInMemory(entry.number, verdict) }
    do throws(StoreFailure) {
      if verdict == .keep {
        try await store.countAttempt(entry.number)
      } else {
        settled.append(entry.number)
        try await store.remove(entry.number)
        settled.removeAll { $0 == entry.number }
      }
      worked()
    } catch {
      failed(error)
    }
  }

  /// Says that something was put in beside this object: with a command's end.
  nonisolated func noteNew() { news.send() }

  /// For the dashboard.
  ///
  /// - Parameter stored: how many entries the store holds; nil where it does not say.
  func state(stored: Int?) -> OutboxState {
    noteDropped(store.takeDrops(of: name))
    let left = max(0, (stored ?? 0) - settled.count)
    return OutboxState(
      owed: left + memory.kept.count, inMemory: memory.kept.count, dropped: dropped,
      droppedSince: droppedSince, problem: problem?.description)
  }
}

extension BackendOutbox {
  private func settleInMemory(_ number: Int64, _ verdict: OutboxVerdict) {
    if verdict == .keep { memory.countAttempt(number) } else { memory.remove(number) }
    if handedOut == number { handedOut = nil }
  }

  /// Stores what is in memory, in order, as far as that works and nobody is delivering it.
  ///
  /// - Returns: whether nothing is left there.
  private func storeMemory() async -> Bool {
    noteDropped(store.takeDrops(of: name))
    noteDropped(memory.expire(before: time.wallTime.advanced(by: .zero - Self.age)))
    while let kept = memory.kept.first {
      guard kept.number != handedOut else { return false }
      do throws(StoreFailure) {
        noteDropped(try await store.put(kept.item, of: name, at: kept.since))
        memory.remove(kept)
      } catch {
        failed(error)
        return false
      }
    }
    return true
  }

  private func removeSettled() async {
    for number in settled {
      do throws(StoreFailure) {
        try await store.remove(number)
        settled.removeAll { $0 == number }
      } catch {
        return failed(error)
      }
    }
  }

  private func keep(_ item: OwedItem, since: WallTime) {
    noteDropped(memory.put(item, since: since))
  }

  private func noteDropped(_ count: Int) {
    guard count > 0 else { return }
    if droppedSince == nil { droppedSince = time.wallTime }
    let before = dropped
    dropped += count
    // The 1st, 2nd, 4th, 8th…: a night of it is a few lines.
    guard before == 0 || before.leadingZeroBitCount != dropped.leadingZeroBitCount else { return }
    log(
      .warning,
      "\(dropped) results that could not be delivered were dropped so far: more than 500 or 16 MB waited, or they were older than 7 days"
    )
  }

  private func failed(_ error: StoreFailure) {
    guard !error.isAbandoned else { return }
    if problem == nil {
      log(.warning, "results are kept in memory for now, and lost if the daemon ends: \(error)")
    }
    problem = error
  }

  private func worked() {
    guard problem != nil else { return }
    problem = nil
    log(.info, "results are stored again")
  }
}
