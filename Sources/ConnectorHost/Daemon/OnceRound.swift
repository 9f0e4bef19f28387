internal import ConnectorKit
internal import Moonraker
internal import Networking
internal import Platform

/// `run --once`: every enabled backend does one full round beside the others, one line each.
struct OnceRound: Sendable {
  /// How long the round waits for the printer's first status.
  private static let statusPatience = Duration.seconds(10)
  /// How long one backend's round may take.
  private static let roundPatience = Duration.seconds(60)

  let parts: RunningDaemon

  /// Runs the round.
  ///
  /// - Returns: the exit status: 0, or 1 where something failed.
  func run() async -> Int32 {
    let configuration = parts.configuration
    await parts.services.start()
    await parts.startMoonraker(configuration)
    var failures = 0
    if await !hasCurrentStatus() {
      failures += 1
      Console.say(
        "moonraker: failed: no status within \(Self.statusPatience.components.seconds) s: "
          + parts.moonraker.condition)
    }
    let assembly = parts.assembly(configuration)
    failures += await withTaskGroup(of: Bool.self) { group in
      for entry in configuration.backends where entry.isEnabled {
        guard !entry.connector.descriptor.isInbound else {
          Console.say("\(entry.name): skipped: its far side comes to us")
          continue
        }
        group.addTask { await succeeds(entry, assembly) }
      }
      return await group.reduce(0) { $0 + ($1 ? 0 : 1) }
    }
    if !configuration.backends.contains(where: \.isEnabled) {
      Console.say("no backend is enabled in \(configuration.path)")
    }
    await parts.services.finish()
    await parts.services.close()
    await parts.moonraker.stop()
    parts.network.shutdown()
    return failures == 0 ? 0 : 1
  }

  private func succeeds(_ entry: BackendConfiguration, _ assembly: BackendAssembly) async -> Bool {
    let end = await bounded(by: Self.roundPatience, time: parts.time) {
      try await assembly.round(of: entry)
    }
    switch end {
    case .success:
      Console.say("\(entry.name): ok")
      return true
    case .failure(let error):
      Console.say("\(entry.name): failed: \(error)")
    case nil:
      Console.say(
        "\(entry.name): failed: not done within \(Self.roundPatience.components.seconds) s")
    }
    return false
  }

  private func hasCurrentStatus() async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { [cache = parts.cache] in
        for await status in cache.snapshots() where status.isCurrent { return true }
        return false
      }
      group.addTask { [time = parts.time] in
        try? await time.sleep(for: Self.statusPatience)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }
}
