internal import ConnectorKit
internal import Platform

/// What the loops of a paired connector share.
struct Session: Sendable {
  let identity: Identity
  let client: CloudClient
  let context: BackendContext
  let standing: Standing
  /// Wakes the loops that wait for being let in again.
  let admission = Nudge()

  /// Waits for as long as PrintDock refuses us; the heartbeat finds out when that is over.
  ///
  /// - Parameter waiter: the loop's own, of ``admission``.
  /// - Throws: `CancellationError`.
  func admitted(_ waiter: Nudge.Waiter) async throws {
    while standing.probe != nil {
      try await waiter.wait(until: context.time.now.advanced(by: .seconds(3_600)))
    }
  }

  /// A call of a loop has ended; a refusal stops all loops but for one heartbeat a minute.
  func ended(_ call: Standing.Call, _ error: CloudError?) {
    let probe = CallSchedule.probeInterval.jittered(context.random())
    standing.ended(call, error: error, probe: context.time.now.advanced(by: probe))
  }

  /// The cloud's error of `call`, nil when it went well.
  ///
  /// - Throws: `CancellationError`.
  func failure(_ call: () async throws -> Void) async throws -> CloudError? {
    do {
      try await call()
      return nil
    } catch let error as CloudError {
      try Task.checkCancellation()
      return error
    }
  }

  // MARK: The printer

  var isReachable: Bool {
    Reachability.isReachable(
      context.status.current, lastHeard: context.status.lastHeard, at: context.time.now)
  }

  /// The printer's status, when it shows the printer as it is now.
  var reportable: PrinterStatus? {
    let status = context.status.current
    return Reachability.isReportable(
      status, lastHeard: context.status.lastHeard, at: context.time.now) ? status : nil
  }

  /// Why the printer cannot be reported.
  var absence: String {
    let status = context.status.current
    if status.link != .connected { return "Moonraker is not connected" }
    if !isReachable { return "Klippy is not connected to Moonraker" }
    return "Klippy has not told its state yet"
  }
}
