internal import ConnectorKit
internal import Platform

/// Lets only so many commands of the cloud be under way at a time; whoever wants to stop always gets through. Safe from any
/// task.
final class CommandLimit: Sendable {
  private struct State {
    var count = 0
    var pauses = 0
    var throttle = OccurrenceThrottle<String>()
  }
  /// The most that are under way.
  private static let most = 32
  private let state = Guarded(State())

  /// A command is to begin; false: too many are under way. A session sends one cancel at a time.
  func begin(_ command: PolarCommand) -> Bool {
    state.withLock { state in
      let isFree = state.count < Self.most || command == .cancel
      guard isFree || (command == .pause && state.pauses == 0) else { return false }
      state.count += 1
      if command == .pause { state.pauses += 1 }
      return true
    }
  }

  /// It has ended.
  func end(_ command: PolarCommand) {
    state.withLock { state in
      state.count -= 1
      if command == .pause { state.pauses -= 1 }
    }
  }

  /// What is to be logged of one that may not begin; nil: it was said already.
  func refusal(of command: PolarCommand) -> String? {
    state.withLock { $0.throttle.note("flood") }.map { count in
      "\(command.name) is not obeyed: more than \(Self.most) commands are under way (\(count) times)"
    }
  }
}
