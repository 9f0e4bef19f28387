internal import ConnectorKit
internal import Platform

/// Deletes what the hub has sent when it is old: only files of this connector's own, and through the gate, which looks once
/// more whether each is as it was brought, not queued and not being printed.
struct CleanUp: Sendable {
  /// The time between two looks; the first comes that long after the start.
  static let interval = Duration.seconds(3_600)

  let context: BackendContext
  let rules: FileRules
  let memory: HubMemory

  /// Until cancelled.
  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { try await self.followPrints() }
      group.addTask {
        while true {
          try await self.context.time.sleep(for: Self.interval)
          await self.look()
        }
      }
    }
  }

  /// Deletes what is too old by now, where that is wanted, and forgets what is not its own any more.
  func look() async {
    guard let own = await context.commands.ownFiles() else { return }
    let now = context.time.wallTime.millisecondsSinceEpoch / 1_000
    let known = memory.contents.files
    let limit = rules.maxAge.components.seconds
    for file in own where rules.cleansUp {
      let brought = file.broughtAt.millisecondsSinceEpoch / 1_000
      let age = now - max(brought, known[file.path.text]?.printedAt ?? 0)
      guard age > limit else { continue }
      let lastPrint = max(brought, known[file.path.text]?.printedAt ?? 0)
      guard await !file.isPrintedByOthers(since: lastPrint, context) else {
        context.log(.debug, "\(file.path): not deleted: it was printed by somebody else")
        continue
      }
      await delete(file.path, at: now)
    }
    let left = Set(own.map(\.path.text))
    let isNew = memory.change { contents in
      let before = contents.files.count
      contents.files = contents.files.filter { left.contains($0.key) }
      return contents.files.count != before
    }
    if isNew { await memory.save() }
  }

  private func delete(_ path: GCodePath, at now: Int64) async {
    let contact = CommandContact(backend: context.name, at: context.time.now, previous: nil)
    var request = CommandRequest(
      id: "cleanup-\(now)-\(path.text.utf8.count)-\(path.text.utf8.fingerprint)",
      wireName: "auto_cleanup", command: .deleteFile(path))
    request.deletesOwnOnly = true
    let outcome = await context.commands.submit(
      request, in: contact, work: nil, owing: { _ in nil })
    if outcome.status == .done {
      context.log(
        .info, "\(path): deleted, older than \(rules.maxAge.components.seconds / 86_400) days")
    } else {
      context.log(.debug, "\(path): not deleted: \(outcome.message)")
    }
  }

  /// A print makes a file younger.
  private func followPrints() async throws {
    let events = context.status.events()
    while let event = await events.next() {
      guard case .job(let what, _, let filename) = event, what != .paused, what != .resumed else {
        continue
      }
      let now = context.time.wallTime.millisecondsSinceEpoch / 1_000
      let isOwn = memory.change { contents in
        guard contents.files[filename] != nil else { return false }
        contents.files[filename]?.printedAt = now
        return true
      }
      if isOwn { await memory.save() }
    }
    throw CancellationError()
  }
}
