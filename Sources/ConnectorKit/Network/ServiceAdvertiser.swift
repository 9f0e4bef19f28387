/// Makes services of ours known on the local network.
package protocol ServiceAdvertiser: Sendable {
  /// Publishes `service` on all interfaces, by IPv4, until the task is cancelled; on return it is withdrawn (goodbye sent).
  ///
  /// What is missing (the library, the responder, its bus) is waited for, and said by `onChange`; a responder that comes
  /// back gets the service again. No other instance name is ever taken silently: on a collision it withdraws and returns.
  ///
  /// - Parameters:
  ///   - service: what is published.
  ///   - onChange: told of each change of how it stands; must be quick.
  /// - Returns: why it ended.
  func advertise(
    _ service: AdvertisedService, onChange: @escaping @Sendable (AdvertisingState) -> Void
  ) async -> AdvertisingEnd

  /// Writes a static service file of the responder (Avahi's XML) into the state directory, for a person to put into its
  /// folder. Replaces a former one of the same backend.
  ///
  /// - Returns: the file's path.
  /// - Throws: `BackendFailure` where it cannot be written.
  func writeServiceFile(_ service: AdvertisedService) async throws -> String
}

/// How an advertised service stands.
package enum AdvertisingState: Sendable, Hashable {
  /// Others on the network find it.
  case published
  /// Nobody finds it now: what is missing, and what the owner can do. It is tried again.
  case waiting(problem: String, remedy: String)
}

/// Why a service is not advertised any more.
package enum AdvertisingEnd: Sendable, Hashable {
  /// The task was cancelled.
  case cancelled
  /// Another host of the network holds the instance's name: advertise under another one.
  case collision
}

/// A host that advertises nothing.
package struct UnavailableAdvertiser: ServiceAdvertiser {
  private static let problem = "this host advertises no services"

  /// Advertises nothing.
  package init() {}

  /// Waits for its cancellation.
  package func advertise(
    _ service: AdvertisedService, onChange: @escaping @Sendable (AdvertisingState) -> Void
  ) async -> AdvertisingEnd {
    onChange(.waiting(problem: Self.problem, remedy: "add the printer by its address"))
    let never = Broadcast<Bool>(.newest).subscribe()
    _ = await never.next()
    return .cancelled
  }

  /// Always throws.
  package func writeServiceFile(_ service: AdvertisedService) async throws -> String {
    throw BackendFailure(.reject, Self.problem)
  }
}
