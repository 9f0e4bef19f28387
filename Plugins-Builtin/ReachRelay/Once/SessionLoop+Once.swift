internal import ConnectorKit

extension SessionLoop {
  /// Sends one heartbeat and one report, takes one command, and pushes what is owed.
  ///
  /// - Throws: `BackendFailure` of the first call that is not accepted; park where the relay deleted the printer.
  func runOnce(as identity: ReachIdentity) async throws {
    var round = SingleRound(self, as: identity)
    try await round.heartbeat()
    try await round.report()
    let runner = CommandRunner(context: context)
    let pulled = try await round.pull()
    let ending = try await execute(pulled, runner)
    guard ending?.forgets == true else {
      try await round.push(runner)
      return context.report(.online)
    }
    // Forgotten whether or not the relay takes the answer.
    try? await round.push(runner)
    try await context.identity.remove()
    throw BackendFailure(
      .park, RelaySession.forgotten(by: client.relay.host), remedy: RelaySession.afterForgetting)
  }

  /// Has what a pull brought executed; its result is owed when this returns.
  ///
  /// - Returns: the relay's wish that this connector ends, where the command was that.
  private func execute(
    _ pulled: PulledCommand, _ runner: CommandRunner
  ) async throws -> RelaySession.Ending? {
    let contact = context.commands.contact()
    if case .unanswerable(let problem) = pulled {
      context.log(.warning, "something that came as a command is dropped: \(problem)")
    }
    let (events, mailbox) = AsyncStream.makeStream(of: RelaySession.Event.self)
    let commands = CommandCounter(mailbox: mailbox, runner: runner)
    try await withThrowingDiscardingTaskGroup { group in
      commands.take(pulled, contact, &group)
    }
    mailbox.finish()
    for await case .end(let ending) in events { return ending }
    return nil
  }
}
