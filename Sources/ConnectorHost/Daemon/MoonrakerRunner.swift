internal import ConnectorKit
internal import Moonraker
internal import Networking
internal import Platform

/// Keeps the one Moonraker link running, and exchanges it when its settings change. The cache stays the same.
final class MoonrakerRunner: Sendable {
  private struct Running {
    var link: MoonrakerLink
    var task: Task<Void, Never>
  }
  private let running = Guarded<Running?>(nil)
  private let cache: StatusCache
  private let network: Network
  private let time: any TimeSource
  private let log: Log

  init(cache: StatusCache, network: Network, time: any TimeSource, log: Log) {
    self.cache = cache
    self.network = network
    self.time = time
    self.log = log
  }

  /// What the link says of itself.
  var condition: String { running.withLock { $0?.link }?.condition ?? "not started" }

  /// Starts a link with these settings; a former one is ended first.
  func start(
    _ settings: MoonrakerSettings, networkSettings: NetworkSettings, interest: StatusInterest
  ) async {
    await stop()
    let link = MoonrakerLink(
      settings: settings, cache: cache, network: network, networkSettings: networkSettings,
      time: time, log: log, random: { Double.random(in: 0..<1) })
    await link.setInterest(interest)
    let task = Task { [time, log] in
      while !Task.isCancelled {
        do {
          try await link.run()
        } catch {
          guard !Task.isCancelled else { return }
          log(.error, "the link ended: \(error)")
        }
        try? await time.sleep(for: .seconds(1))
      }
    }
    running.withLock { $0 = Running(link: link, task: task) }
  }

  /// Hands on what the enabled backends need.
  func setInterest(_ interest: StatusInterest) async {
    await running.withLock { $0?.link }?.setInterest(interest)
  }

  /// Ends the link; returns when it has ended.
  func stop() async {
    let former = running.withLock { running -> Running? in
      defer { running = nil }
      return running
    }
    former?.task.cancel()
    await former?.task.value
  }
}
