internal import Platform

/// Tells the service manager how the daemon stands: systemd's datagram protocol, without its library.
///
/// Does nothing where no service manager asked for it.
struct ServiceNotifier: Sendable {
  private let socket: String?
  private let time: any TimeSource
  /// How often the service manager wants a sign of life; nil: not at all.
  let watchdogInterval: Duration?

  /// - Parameters:
  ///   - environment: read are `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
  ///   - process: our pid.
  init(environment: [String: String], process: Int32, time: any TimeSource) {
    socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
    self.time = time
    let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(process)" } ?? true
    // Half the time, as systemd advises.
    watchdogInterval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { microseconds in
      isForUs && microseconds > 0 ? .microseconds(microseconds / 2) : nil
    }
  }

  /// The daemon serves.
  func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

  /// The daemon reads its configuration again; ends with ``ready(_:)``.
  func reloading() {
    // systemd compares with CLOCK_MONOTONIC, which stands still while the host sleeps; ours does not.
    let parts = HostInformation.awakeTime.components
    let microseconds = parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
    send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
  }

  /// The daemon ends.
  func stopping() { send("STOPPING=1\nSTATUS=stopping") }

  /// Sends signs of life until cancelled; returns at once where nobody wants any.
  func keepWatchdogQuiet() async {
    guard let watchdogInterval, socket != nil else { return }
    while true {
      send("WATCHDOG=1")
      do { try await time.sleep(for: watchdogInterval) } catch { return }
    }
  }

  private func send(_ message: String) {
    guard let socket else { return }
    // A service manager that does not listen is not our trouble.
    try? LocalDatagram.send(Array(message.utf8), to: socket)
  }
}
