/// What the network thread runs: an exchange, a connection, a client's pool.
///
/// Made on any thread, handed over through the `Mailbox`, and from then on touched by the network
/// thread alone; whatever it shares with callers lies in a `Guarded`.
protocol Activity: AnyObject, Sendable {
  /// Starts; called once, and only if the activity was not ended before.
  func begin(on loop: NetworkLoop)

  /// Ends without having finished: cancelled, or the network shuts down. Also called on an activity that never began.
  func end(with error: NetworkError, on loop: NetworkLoop?)

  /// Something changed in what it shares with callers.
  func look(on loop: NetworkLoop)

  /// The transfer that it gave to libcurl has ended.
  func transferEnded(_ result: CurlResult, on loop: NetworkLoop)

  /// The socket that the loop watches for it, if any.
  var watched: WatchedSocket? { get }

  /// The watched socket can be read or written, or has failed.
  func socketReady(on loop: NetworkLoop)

  /// When it wants to be called next, if nothing else happens.
  var deadline: ContinuousClock.Instant? { get }

  /// The deadline has passed.
  func deadlinePassed(now: ContinuousClock.Instant, on loop: NetworkLoop)
}

extension Activity {
  func look(on loop: NetworkLoop) {}
  func transferEnded(_ result: CurlResult, on loop: NetworkLoop) {}
  var watched: WatchedSocket? { nil }
  func socketReady(on loop: NetworkLoop) {}
  var deadline: ContinuousClock.Instant? { nil }
  func deadlinePassed(now: ContinuousClock.Instant, on loop: NetworkLoop) {}
}

/// A socket to watch beside libcurl's own.
struct WatchedSocket {
  var descriptor: Int32
  var forReading: Bool
  var forWriting: Bool
}
