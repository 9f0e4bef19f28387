/// How an advertisement stands.
package enum AdvertisementState: Sendable, Hashable {
  /// Avahi or its bus is away: what, and what the owner can do. It is tried again.
  case waiting(problem: String, remedy: String)
  /// The name is being claimed.
  case registering
  /// Others on the network see it.
  case shown
}
