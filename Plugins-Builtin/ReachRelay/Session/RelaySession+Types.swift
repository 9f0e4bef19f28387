internal import ConnectorKit
internal import Platform

/// A call to a paired relay.
struct RelayCall: Sendable, Hashable {
  /// What is called.
  var endpoint: RelayEndpoint
  /// The token it goes out with.
  var token: Secret
  /// When it was begun.
  var startedAt: MonotonicInstant
}

extension RelaySession {
  /// What happens to a session.
  enum Event: Sendable {
    /// Time has passed, or the printer's reading has changed.
    case tick
    /// A call has been answered, or has failed.
    case answered(RelayCall, RelayAnswer)
    /// This identity is on the disk.
    case saved(ReachIdentity)
    /// This identity could not be stored: why.
    case saveFailed(ReachIdentity, String)
  }

  /// What a session wants done.
  enum Action: Sendable, Hashable {
    /// Call the relay.
    case send(RelayCall)
    /// Store this identity, and say when that is done.
    case save(ReachIdentity)
    /// Tell the host how things stand.
    case report(BackendHealth)
    /// Write a line.
    case log(LogLevel, String)
    /// Give up until a person acts.
    case park(problem: String, remedy: String)
  }

  /// What the session goes by.
  struct Rules: Sendable {
    var heartbeatInterval: Duration
    var telemetryInterval: Duration
    var telemetryIdleInterval: Duration
    /// The relay's host, for messages.
    var host: String
    /// A random number in 0..<1.
    var random: @Sendable () -> Double
  }

  /// One endpoint's schedule.
  struct Lane {
    /// When the newest call was begun.
    var lastStart: MonotonicInstant?
    var inFlight: RelayCall?
    /// Failures in a row that ask for another attempt.
    var failures = 0
    /// 403 and 404 in a row.
    var refusals = 0
    /// After a failure: not before this.
    var retryAt = MonotonicInstant(sinceOrigin: .zero)
    /// What the owner should know.
    var problem: BackendHealth?
  }

  /// Whether the relay still takes our token.
  enum Standing: Equatable {
    case good
    /// The new token was refused and the one before is being tried, by a heartbeat at once.
    case fallenBack
    /// The token was refused: a heartbeat at this moment decides.
    case checking(at: MonotonicInstant)
  }
}
