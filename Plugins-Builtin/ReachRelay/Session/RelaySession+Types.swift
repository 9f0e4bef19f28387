internal import ConnectorKit
internal import JSON
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
    /// This is the oldest result that is owed.
    case owed(OwedResult)
    /// The result that was owed is out of the outbox.
    case settled
    /// The relay wants this connector to end, once this command's result has gone.
    case end(Ending)
    /// The answer to a picture asks that all calls wait so long.
    case asked(toWait: Duration)
  }

  /// A result that is owed.
  struct OwedResult: Sendable, Hashable {
    /// The relay's id of the command.
    var id: String
    /// The body of the push, but for the printer's id.
    var body: JSONObject
    /// From then on it is not worth sending.
    var expiresAt: MonotonicInstant
    /// Whether it has been replaced by a short failure, because the relay found it too large.
    var isShortened = false
  }

  /// That the relay wants this connector to end.
  struct Ending: Sendable, Hashable {
    /// The command that said so.
    var id: String
    /// Whether the pairing is to be forgotten.
    var forgets: Bool
    /// Then it ends whether or not the result has gone.
    var deadline: MonotonicInstant
  }

  /// What a session wants done.
  enum Action: Sendable, Hashable {
    /// Call the relay.
    case send(RelayCall)
    /// Store this identity, and say when that is done.
    case save(ReachIdentity)
    /// Tell the host how things stand.
    case report(BackendHealth)
    /// Tell the host that a heartbeat was accepted, and how long that counts.
    case confirm(Duration)
    /// Write a line.
    case log(LogLevel, String)
    /// Look at what a pull brought.
    case pulled(PulledCommand)
    /// Say in the outbox what became of the owed result.
    case settle(OutboxVerdict)
    /// Give up until a person acts.
    case park(problem: String, remedy: String)
    /// Forget the pairing, then give up until a person acts.
    case forget(problem: String, remedy: String)
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
    /// The token was refused and another one is being tried, by a heartbeat at this moment.
    case fallenBack(at: MonotonicInstant)
    /// The token was refused: a heartbeat at this moment decides.
    case checking(at: MonotonicInstant)
  }
}
