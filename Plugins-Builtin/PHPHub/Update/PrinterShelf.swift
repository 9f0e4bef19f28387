internal import ConnectorKit
internal import JSON
internal import Platform

/// What updates tell beside the printer's status: its files and its last completed print. Read when something has
/// changed, never by the clock.
final class PrinterShelf: Sendable {
  /// So long changes are collected before they are read.
  static let breath = Duration.seconds(1)
  /// So long after an answer that failed it is tried again.
  static let patience = Duration.seconds(30)
  private static let jobs = 20

  /// What is known.
  struct Contents: Sendable, Hashable {
    var listing = FileListing()
    var lastCompleted: CompletedJob?
  }
  private struct State {
    var contents = Contents()
    var questions = 0
  }
  private let context: BackendContext
  private let state: Guarded<State>
  private let onChange: @Sendable () -> Void

  /// A shelf.
  ///
  /// - Parameters:
  ///   - lastCompleted: what a former run knew.
  ///   - onChange: told when something else is on it.
  init(
    context: BackendContext, lastCompleted: CompletedJob?,
    onChange: @escaping @Sendable () -> Void = {}
  ) {
    self.context = context
    self.onChange = onChange
    state = Guarded(
      State(contents: Contents(listing: FileListing(), lastCompleted: lastCompleted)))
  }

  var contents: Contents { state.withLock { $0.contents } }

  /// Keeps the shelf as the printer is, until cancelled. What cannot be read stays as it was.
  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { try await self.followFiles() }
      group.addTask { try await self.followJobs() }
    }
  }

  /// Reads both once.
  func readOnce() async {
    guard context.status.current.link == .connected else { return }
    _ = await readFiles()
    _ = await readHistory()
  }

  /// Reads the list of files anew.
  ///
  /// - Returns: nil where Moonraker does not give it.
  func readFiles() async -> FileListing? {
    guard let answer = await ask(.listFiles) else { return nil }
    let listing = FileListing(answer)
    put { $0.listing = listing }
    return listing
  }

  // MARK: Following

  private struct FilesKey: Equatable {
    var link: MoonrakerLinkState
    var revision: UInt64
  }

  private func followFiles() async throws {
    let news = context.status.snapshots(changing: {
      FilesKey(link: $0.link, revision: $0.filesRevision)
    })
    while let status = await news.next() {
      guard status.link == .connected else { continue }
      try await context.time.sleep(for: Self.breath)
      while await readFiles() == nil, context.status.current.link == .connected {
        try await context.time.sleep(for: Self.patience)
      }
    }
    throw CancellationError()
  }

  private func followJobs() async throws {
    let events = context.status.events()
    if context.status.current.link == .connected { _ = await readHistory() }
    while let event = await events.next() {
      switch event {
      case .link(isUp: true), .job(.finished, _, _): break
      default: continue
      }
      // Moonraker writes a job down a moment after it has ended.
      try await context.time.sleep(for: Self.breath)
      if await !readHistory() {
        try await context.time.sleep(for: Self.patience)
        _ = await readHistory()
      }
    }
    throw CancellationError()
  }

  private func readHistory() async -> Bool {
    guard let answer = await ask(.history(limit: Self.jobs)) else { return false }
    // A history that was cleared says nothing about the last print.
    if let job = CompletedJob(answer) { put { $0.lastCompleted = job } }
    return true
  }

  private func put(_ change: (inout Contents) -> Void) {
    let isNew = state.withLock { state in
      let former = state.contents
      change(&state.contents)
      return state.contents != former
    }
    if isNew { onChange() }
  }

  /// Looks at something through the gate; nil where it cannot be had.
  private func ask(_ command: PrinterCommand) async -> JSONValue? {
    let number = state.withLock { state in
      state.questions &+= 1
      return state.questions
    }
    // Of no answer of the hub's: its gaps say nothing about the hub.
    let contact = CommandContact(backend: context.name, at: context.time.now, previous: nil)
    let outcome = await context.commands.submit(
      CommandRequest(
        id: "own-\(command.kind.rawValue)-\(number)", wireName: command.kind.rawValue,
        command: command), in: contact, work: nil, owing: { _ in nil })
    // What is not permitted now is not asked for again and again: the hub is told of nothing then.
    if outcome.status == .refused, outcome.reason == .notPermitted { return .array([]) }
    return outcome.status == .done ? outcome.details : nil
  }
}
