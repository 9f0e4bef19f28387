internal import ConnectorKit
internal import Moonraker
internal import Networking
internal import Platform

/// Asks the printer once, over a connection of its own; a daemon that runs beside is not disturbed.
struct PrinterQuestion: Sendable {
  private struct Silence: LogSink {
    func accepts(_ level: LogLevel, label: String) -> Bool { false }
    func write(_ level: LogLevel, label: String, message: String) {}
  }
  /// How long to wait for the whole answer.
  static let patience = Duration.seconds(8)

  let configuration: Configuration

  /// The status with these objects; nil where Moonraker or Klippy does not answer in time.
  func answer(to interest: StatusInterest) async -> PrinterStatus? {
    guard let network = try? Network() else { return nil }
    defer { network.shutdown() }
    let time = SystemTime.shared
    let cache = StatusCache(time: time)
    var settings = configuration.moonrakerSettings
    // The daemon's own name belongs to the daemon.
    settings.agentName += "-question"
    let link = MoonrakerLink(
      settings: settings, cache: cache, network: network,
      networkSettings: configuration.network, time: time,
      log: Log(label: "moonraker", sink: Silence()), random: { Double.random(in: 0..<1) })
    await link.setInterest(interest)
    return await withTaskGroup(of: PrinterStatus?.self) { group in
      group.addTask {
        for await status in cache.snapshots() where status.isCurrent { return status }
        return nil
      }
      group.addTask {
        try? await time.sleep(for: Self.patience)
        return nil
      }
      group.addTask {
        try? await link.run()
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
