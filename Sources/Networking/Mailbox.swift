internal import CCurl
internal import Platform

/// What other threads ask of the network thread.
enum NetworkCommand: Sendable {
  /// Run this.
  case begin(any Activity)
  /// Stop this, if it still runs.
  case end(any Activity, NetworkError)
  /// Something changed in what this shares with its callers.
  case look(any Activity)
  /// End everything, then the thread.
  case stop
}

/// The way into the network thread: a locked queue and libcurl's wake-up.
@safe final class Mailbox: Sendable {
  @safe private struct State: @unchecked Sendable {
    /// libcurl's multi handle, for `curl_multi_wakeup` only; nil once the thread has gone.
    var multi: UnsafeMutableRawPointer?
    var commands: [NetworkCommand] = []
  }
  private let state: Guarded<State>

  init(multi: UnsafeMutableRawPointer) {
    state = unsafe Guarded(State(multi: multi))
  }

  /// Hands `command` over and wakes the thread.
  ///
  /// - Returns: false when the thread has gone; nothing will come of the command.
  @discardableResult
  func post(_ command: NetworkCommand) -> Bool {
    state.withLock { state in
      guard let multi = unsafe state.multi else { return false }
      state.commands.append(command)
      // The thread takes all there is at once, so the first command's wake-up serves those behind it.
      if state.commands.count == 1 { unsafe curl_multi_wakeup(multi) }
      return true
    }
  }

  /// All commands so far, in order.
  func take() -> [NetworkCommand] {
    state.withLock { state in
      let commands = state.commands
      state.commands = []
      return commands
    }
  }

  /// Takes nothing more; returns what was still waiting. After this the multi handle may go.
  func close() -> [NetworkCommand] {
    state.withLock { state in
      unsafe state.multi = nil
      let commands = state.commands
      state.commands = []
      return commands
    }
  }
}
