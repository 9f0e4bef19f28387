/// A moment on the monotonic clock: for intervals and ages, never for display.
package struct MonotonicInstant: InstantProtocol, Hashable, Sendable {
  /// Time since the clock's own origin (boot on a real host, zero in tests).
  package var sinceOrigin: Duration

  /// A moment `sinceOrigin` after the clock's origin.
  package init(sinceOrigin: Duration) { self.sinceOrigin = sinceOrigin }

  /// The moment `duration` later.
  package func advanced(by duration: Duration) -> MonotonicInstant {
    MonotonicInstant(sinceOrigin: sinceOrigin + duration)
  }

  /// The time from this moment to `other`; negative when `other` is earlier.
  package func duration(to other: MonotonicInstant) -> Duration {
    other.sinceOrigin - sinceOrigin
  }

  /// Earlier moments are less.
  package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
    left.sinceOrigin < right.sinceOrigin
  }
}
