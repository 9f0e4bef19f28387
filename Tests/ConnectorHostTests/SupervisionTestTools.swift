import ConnectorHost
import ConnectorKit
import Platform
import Testing

/// A log that keeps its lines as `level label text`.
final class RecordingSink: LogSink {
  private let kept = Guarded<[String]>([])
  var lines: [String] { kept.withLock { $0 } }
  func accepts(_ level: LogLevel, label: String) -> Bool { true }
  func write(_ level: LogLevel, label: String, message: String) {
    kept.withLock { $0.append("\(level.rawValue) \(label) \(message)") }
  }
}

/// Counts up, from any thread.
final class Counter: Sendable {
  private let count = Guarded(0)
  var value: Int { count.withLock { $0 } }
  @discardableResult
  func increment() -> Int {
    count.withLock {
      $0 += 1
      return $0
    }
  }
}

/// Lets pass when it is opened; a cancellation does not open it.
final class Gate: Sendable {
  private let state = Guarded<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>(
    (false, []))
  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for waiter in waiting { waiter.resume() }
  }
  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}

/// Suspends until cancelled, then throws.
func forever() async throws {
  let gate = Gate()
  await withTaskCancellationHandler {
    await gate.wait()
  } onCancel: {
    gate.open()
  }
  throw CancellationError()
}

/// Yields until `condition` holds; records an issue when it never does.
func until(
  _ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async {
  for _ in 0..<200_000 {
    if condition() { return }
    await Task.yield()
  }
  Issue.record("what was waited for never came", sourceLocation: sourceLocation)
}
