internal import ConnectorKit
internal import JSON
internal import Platform

/// Keeps `printer_state.json`: written at most once a minute, and at the end.
final class StatisticsKeeper: Sendable {
  /// The least time between two writings.
  static let interval = Duration.seconds(60)

  private let context: BackendContext
  /// The owner's file; nil: in the backend's own folder.
  private let path: String?
  private let state: Guarded<(statistics: Statistics, written: Statistics?)>

  init(context: BackendContext, path: String?) {
    self.context = context
    self.path = path
    state = Guarded((Statistics(startedAt: context.time.wallTime), nil))
  }

  var statistics: Statistics { state.withLock { $0.statistics } }

  /// Counts.
  func count(_ change: (inout Statistics) -> Void) { state.withLock { change(&$0.statistics) } }

  /// Reads what has been counted before; a damaged file is set aside.
  func load() async {
    do {
      guard let bytes = try await read() else { return }
      if let stored = Statistics(bytes, startedAt: context.time.wallTime) {
        state.withLock { $0 = (stored, stored) }
        return
      }
      try await write(bytes, suffix: ".bad")
      context.log(
        .warning, "\(Statistics.fileName) is damaged: it is kept as .bad, and counting begins anew")
    } catch {
      context.log(.warning, "\(Statistics.fileName) cannot be read: \(error)")
    }
  }

  /// Until cancelled.
  func run() async throws {
    var hasFailed = false
    while true {
      try await context.time.sleep(for: Self.interval)
      hasFailed = await save(isQuiet: hasFailed)
    }
  }

  /// Writes it where something has been counted since.
  ///
  /// - Returns: whether that failed.
  @discardableResult
  func save(isQuiet: Bool = false) async -> Bool {
    let statistics = state.withLock { state in
      state.statistics == state.written ? nil : state.statistics
    }
    guard let statistics else { return false }
    do {
      try await write(JSONValue.object(statistics.json).serialized() + [0x0A])
      state.withLock { $0.written = statistics }
      return false
    } catch {
      if !isQuiet { context.log(.warning, "\(Statistics.fileName) cannot be written: \(error)") }
      return true
    }
  }

  private func read() async throws -> [UInt8]? {
    guard let path else { return try await context.stateFiles.read(Statistics.fileName) }
    return try await offload {
      try Files.information(path) == nil ? nil : try Files.read(path, limit: 1 << 20)
    }
  }

  private func write(_ bytes: [UInt8], suffix: String = "") async throws {
    guard let path else {
      return try await context.stateFiles.replace(Statistics.fileName + suffix, with: bytes)
    }
    try await offload { try Files.replace(path + suffix, with: bytes, mode: 0o644) }
  }
}
