internal import ConnectorKit
internal import JSON
internal import Platform

/// What the connector must not lose, in one small file: commands whose turn has not come (the hub has forgotten them),
/// results that are being told, what is known of its own files.
final class HubMemory: Sendable {
  static let fileName = "memory.json"
  /// What is known of a file that this connector has brought.
  struct KnownFile: Sendable, Hashable {
    var md5: String
    var sha256: String
    /// Of its last print, seconds since 1970; nil: none that we know of.
    var printedAt: Int64?
  }

  /// All that is remembered.
  struct Contents: Sendable {
    var waiting: [HubCommand] = []
    var board = ResultBoard()
    /// Commands that have ended, and emergency stops that were passed on.
    var known = KnownCommands()
    /// By path in root `gcodes`.
    var files: [String: KnownFile] = [:]
    var lastCompleted: CompletedJob?
    /// Folders of timelapses that were made here, oldest first.
    var timelapses: [String] = []
  }
  private struct State {
    var contents = Contents()
    var isWriting = false
    var isDirty = false
    var waiters: [CheckedContinuation<Void, Never>] = []
    var hasToldOfFailure = false
  }
  private let files: any StateFiles
  private let log: Log
  private let state = Guarded(State())

  /// A memory in `files`; nothing is read yet.
  init(files: any StateFiles, log: Log) {
    self.files = files
    self.log = log
  }

  var contents: Contents { state.withLock { $0.contents } }

  /// Reads what a former run wrote. A damaged file is set aside.
  func load() async {
    do {
      guard let bytes = try await files.read(Self.fileName) else { return }
      let limits = JSONLimits(bytes: 4 << 20, depth: 32)
      if let root = (try? JSONValue(parsing: bytes, limits: limits))?.object {
        state.withLock { $0.contents = Contents(stored: root) }
        return
      }
      try await files.replace("\(Self.fileName).bad", with: bytes)
      log(.error, "\(Self.fileName) is damaged; it is kept as \(Self.fileName).bad")
    } catch {
      log(.error, "\(Self.fileName) cannot be read: \(error)")
    }
  }

  /// Changes what is remembered; ``save()`` writes it.
  func change<Result>(_ body: (inout Contents) -> Result) -> Result {
    state.withLock { body(&$0.contents) }
  }

  /// Writes what is remembered by now; on the disk when this returns, or said in the log.
  func save() async {
    let isMine = state.withLock { state in
      if state.isWriting { return false }
      state.isWriting = true
      return true
    }
    guard isMine else {
      var hasEnded = false
      await withCheckedContinuation { continuation in
        hasEnded = state.withLock { state in
          guard state.isWriting else { return true }
          state.isDirty = true
          state.waiters.append(continuation)
          return false
        }
        if hasEnded { continuation.resume() }
      }
      // The other one had ended already, perhaps without our change.
      if hasEnded { await save() }
      return
    }
    while true {
      let (bytes, waiters) = state.withLock { state in
        state.isDirty = false
        defer { state.waiters = [] }
        return (JSONValue.object(state.contents.stored).serialized(), state.waiters)
      }
      await write(bytes)
      for waiter in waiters { waiter.resume() }
      let isDone = state.withLock { state in
        if state.isDirty { return false }
        state.isWriting = false
        return true
      }
      if isDone { return }
    }
  }

  private func write(_ bytes: [UInt8]) async {
    do {
      try await files.replace(Self.fileName, with: bytes)
      state.withLock { $0.hasToldOfFailure = false }
    } catch {
      let isFirst = state.withLock { state in
        defer { state.hasToldOfFailure = true }
        return !state.hasToldOfFailure
      }
      if isFirst {
        log(.error, "\(Self.fileName) cannot be written: \(error); check the disk of this host")
      }
    }
  }

  /// Whether a command has ended, or is a stop that was passed on: a hub that repeats itself for ever is not obeyed for
  /// ever, and what it repeats takes no turn of what is new.
  func isKnown(_ command: HubCommand) -> Bool { change { $0.known.recognize(command.key) } }

  /// Remembers a command.
  func noteKnown(_ command: HubCommand) { change { $0.known.note(command.key) } }
}

extension HubMemory.Contents {
  /// As it lies on the disk.
  var stored: JSONObject {
    var files = JSONObject()
    for (path, file) in self.files.sorted(by: { $0.key < $1.key }) {
      var stored: JSONObject = ["md5": .string(file.md5), "sha256": .string(file.sha256)]
      stored["printed_at"] = file.printedAt.map { .integer($0) }
      files[path] = .object(stored)
    }
    var stored: JSONObject = [
      "waiting": .array(waiting.map(\.stored)), "results": board.stored,
      "known": known.stored, "files": .object(files),
      "timelapses": .array(timelapses.map { .string($0) }),
    ]
    stored["last_completed"] = lastCompleted.map {
      ["filename": .string($0.filename), "ended_at": .double($0.endedAt)]
    }
    return stored
  }

  init(stored: JSONObject) {
    waiting = (stored["waiting"]?.array ?? []).prefix(100).compactMap { HubCommand(stored: $0) }
    board = ResultBoard(stored: stored["results"])
    known = KnownCommands(stored: stored["known"])
    timelapses = (stored["timelapses"]?.array ?? []).compactMap(\.string)
    if let job = stored["last_completed"], let filename = job["filename"]?.string,
      let end = job["ended_at"]?.double
    {
      lastCompleted = CompletedJob(filename: filename, endedAt: end)
    }
    for (path, file) in stored["files"]?.object ?? [:] {
      guard let md5 = file["md5"]?.string, let sha256 = file["sha256"]?.string else { continue }
      files[path] = HubMemory.KnownFile(
        md5: md5, sha256: sha256,
        printedAt: file["printed_at"]?.integer.map { min(max($0, 0), 1 << 40) })
    }
  }
}
