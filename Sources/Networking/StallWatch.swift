internal import CCurl

/// Notices when nothing moves on a connection any more, in either direction.
///
/// A slow line takes long for what the system's send buffer holds, when libcurl has nothing left to give:
/// what the peer acknowledges meanwhile counts as movement. So it looks a few times within the limit.
struct StallWatch {
  /// When it wants to look next.
  private(set) var nextLook: ContinuousClock.Instant
  private let limit: Duration
  private let sockets: [Int32]
  private var lastMovement: ContinuousClock.Instant
  private var unacknowledged: [Int32] = []

  /// A watch that begins now.
  ///
  /// - Parameter sockets: the connection's, where it is known; one that is closed by now does no harm.
  init(limit: Duration, sockets: [Int32]) {
    self.limit = limit
    self.sockets = sockets
    lastMovement = .now
    nextLook = .now.advanced(by: limit / 4)
  }

  /// Bytes came or went.
  mutating func moved() { lastMovement = .now }

  /// Looks again.
  ///
  /// - Returns: whether nothing has moved for too long.
  mutating func isOver(now: ContinuousClock.Instant) -> Bool {
    let waiting = sockets.map { curl_shim_unacknowledged($0) }
    if waiting != unacknowledged, !unacknowledged.isEmpty { lastMovement = now }
    unacknowledged = waiting
    if lastMovement.duration(to: now) >= limit { return true }
    nextLook = min(now.advanced(by: limit / 4), lastMovement.advanced(by: limit))
    return false
  }
}
