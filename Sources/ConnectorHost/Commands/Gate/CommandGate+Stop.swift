internal import ConnectorKit
internal import Platform

// The emergency stop: sent first, written down after.

extension CommandGate {
  /// So long an emergency stop may go without an answer.
  private static let stopLimit = Duration.seconds(60)

  /// Stops everything. Looks at nothing but its permission, and waits for nothing.
  func stop(_ run: CommandRun) async {
    guard run.policy.allowsEmergencyStop else {
      let outcome = CommandOutcome(
        .refused, .notPermitted, "its permissions do not hold emergency_stop")
      conclude(run, outcome)
      run.outcome.resolve(outcome)
      return
    }
    let turns = state.withLock { state in
      _ = state.supersede(before: run.ticket) { _ in true }
      return state.takeTurns(state.arbiter.beginStop())
    }
    for turn in turns { turn.resolve(.superseded) }
    var outcome: CommandOutcome
    do throws(CommandFailure) {
      outcome = .done(try await perform(.emergencyStop, within: Self.stopLimit))
    } catch {
      outcome = CommandOutcome(
        error.mayHaveHappened ? .unknown : .failed, error.reason, error.message)
    }
    state.withLock { $0.arbiter.endStop() }
    _ = run.contact.takePlace()
    conclude(run, outcome)
    run.outcome.resolve(outcome)
  }
}
