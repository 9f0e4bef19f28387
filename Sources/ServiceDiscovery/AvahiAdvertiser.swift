internal import Platform

/// Shows services through the host's Avahi. The library is opened at the first use, and each service has a thread of its
/// own for as long as it is shown.
package struct AvahiAdvertiser: Sendable {
  private let library: @Sendable () throws(AdvertisingFailure) -> AvahiLibrary

  /// An advertiser; opens nothing.
  package init() { library = { () throws(AdvertisingFailure) in try AvahiLibrary.opened() } }

  /// An advertiser that opens the library of this name each time.
  init(libraryNamed name: String) {
    library = { () throws(AdvertisingFailure) in try AvahiLibrary(opening: name) }
  }

  /// Shows `service` on all interfaces, by IPv4, until the task is cancelled; it has been withdrawn when this returns.
  ///
  /// Where Avahi or its bus is away, comes late or is started again, this waits and registers again.
  ///
  /// - Parameter report: how it stands, each time that changes; called on the service's thread, must not block.
  /// - Throws: `AdvertisingFailure` where only the caller can go on; `CancellationError`.
  package func advertise(
    _ service: DiscoverableService,
    report: @escaping @Sendable (AdvertisementState) -> Void
  ) async throws {
    try Task.checkCancellation()
    let session = AvahiSession(service, library: try library(), report: report)
    let thread = SerialThread(name: "avahi", idleSeconds: 0)
    let failure = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isTaken = thread.run { continuation.resume(returning: session.serve()) }
        guard !isTaken else { return }
        continuation.resume(
          returning: AdvertisingFailure(
            .refused, "no thread can be had for Avahi", remedy: "restart the daemon"))
      }
    } onCancel: {
      session.end()
    }
    try Task.checkCancellation()
    if let failure { throw failure }
  }
}
