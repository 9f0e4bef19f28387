package import ConnectorKit
package import JSON
package import Platform

/// The life of the connection to Moonraker as a pure value: events in, actions out, no I/O and no clock.
///
/// The way: connect (back-off 1, 2, 4 … 30 s) → identify → `server.info` → by Klippy's state either poll or
/// subscribe. Each subscription carries a generation number; what belongs to an older one is ignored, so `ready` may be
/// heard before or after the answer that says the same.
package struct LinkMachine: Sendable {
  /// What happened.
  package enum Event: Sendable {
    /// The link shall work from now on.
    case start
    /// The connection is open.
    case opened
    /// The connection ended, or did not come about: why, and a random number in 0..<1 for the back-off.
    case closed(String, jitter: Double)
    /// A call was answered or failed.
    case answer(LinkCall, Result<JSONValue, RPCFailure>)
    /// `notify_klippy_ready`
    case klippyReady
    /// `notify_klippy_shutdown`
    case klippyShutdown
    /// `notify_klippy_disconnected`
    case klippyDisconnected
    /// `notify_status_update`
    case statusUpdate(JSONObject, eventtime: JSONNumber?)
    /// `notify_filelist_changed`: its one parameter.
    case fileListChanged(JSONValue)
    /// `notify_webcams_changed`
    case webcamsChanged
    /// `notify_job_queue_changed`
    case jobQueueChanged
    /// The backends need something else from now on.
    case interest(StatusInterest)
    /// A ping was answered.
    case pingAnswered
    /// A ping was not answered: why.
    case pingFailed(String)
    /// Time has passed; when a frame came last.
    case tick(lastHeard: MonotonicInstant?)
  }

  /// What to do.
  package enum Action: Sendable, Hashable {
    /// Open a connection; ends in `opened` and later `closed`, or in `closed` alone.
    case connect
    /// Close the connection; `closed` follows.
    case disconnect(String)
    /// Make a call; `answer` follows, unless the connection ends before.
    case call(LinkCall)
    /// Send a ping; `pingAnswered` or `pingFailed` follows.
    case ping
    /// Tell the cache.
    case cache(StatusChange)
    /// Write a line.
    case log(LogLevel, String)
  }

  enum Phase: Sendable, Hashable {
    case stopped
    case waiting(until: MonotonicInstant)
    case connecting
    case identifying
    case connected
  }

  enum SubscriptionStage: Sendable, Hashable {
    case none
    case listing
    case subscribing
    /// Updates count from this time of Klipper's clock on.
    case live(since: Double?)
  }

  /// Times of the link.
  package enum Times {
    /// The first pause between two attempts to connect; it doubles up to ``longestPause``.
    static let firstPause = Duration.seconds(1)
    /// The longest pause between two attempts.
    static let longestPause = Duration.seconds(30)
    /// How often a Klippy that is away or starting is asked about.
    static let fastPoll = Duration.seconds(2)
    /// How often a Klippy in error or shutdown is asked about.
    static let slowPoll = Duration.seconds(5)
    /// How often the connection itself is tried.
    static let probe = Duration.seconds(20)
    /// How long after a connection a missing Klippy counts as starting: Moonraker meets it only after its own start.
    static let grace = Duration.seconds(10)
    /// How often the disk is asked about.
    static let disk = Duration.seconds(300)
    /// How often a method's name is asked for again that another client holds.
    static let registering = Duration.seconds(60)
    /// Pauses between attempts to get the agent's name: a lost connection of ours may hold it for some seconds.
    static let namePauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]
  }

  let agentName: String
  let hasKey: Bool
  let usesPing: Bool
  let remoteMethods: [String]
  var interest: StatusInterest
  var phase = Phase.stopped
  /// Failed attempts since the last working connection.
  var failures = 0
  /// Why there is no connection.
  var problem = ""
  /// What the owner can do about it.
  var remedy = ""
  var isUnauthorized = false

  /// Whether the next connection asks for the agent's name.
  var triesAgent = true
  var nameAttempts = 0
  /// A pause before the next connection that is no back-off.
  var pauseBeforeReturn: Duration?
  /// The agent's name was taken all the time: later connections try it once only.
  var isNameTaken = false
  var identifiedName = ""

  /// Methods whose names another client holds, so that macros reach that one.
  var takenMethods: Set<String> = []
  /// When they are asked for again.
  var registerAt: MonotonicInstant?

  var isLinkUp = false
  var hasToldMoonraker = false
  var linkUpAt = MonotonicInstant(sinceOrigin: .zero)
  /// Klippy as Moonraker says, without grace.
  var klippy = KlippyState.disconnected
  /// Klippy as we tell it, with grace.
  var shownKlippy = KlippyState.disconnected
  var hasMetKlippy = false
  var isInfoPending = false
  /// A notification overtook the pending `server.info`: its answer is of yesterday.
  var isInfoOutdated = false
  var pollAt: MonotonicInstant?
  var probeAt: MonotonicInstant?

  var generation = 0
  var subscription = SubscriptionStage.none
  var available: [String] = []
  var onceFields: [String: Set<String>] = [:]
  var isOncePending = false
  var onceValues: JSONObject?
  /// Whether the values that are shown are those of a former interest: the answer to the newest is awaited.
  var isResubscribing = false

  var metadata = MetadataTracker()
  var lastDiskQuery: MonotonicInstant?
  /// What was said last about a kind of problem, so that it is said once.
  var toldSubscriptionProblem = ""

  /// A machine that has not started.
  ///
  /// - Parameters:
  ///   - agentName: the name to identify with.
  ///   - hasKey: whether there is an API key, for what we tell when Moonraker refuses us.
  ///   - usesPing: whether the connection has pings (a WebSocket); else a small call takes their place.
  ///   - interest: what the backends need.
  ///   - remoteMethods: what Klipper's macros may call of us; registered on every connection of the agent.
  package init(
    agentName: String, hasKey: Bool, usesPing: Bool, interest: StatusInterest = StatusInterest(),
    remoteMethods: [String] = []
  ) {
    self.agentName = agentName
    self.hasKey = hasKey
    self.usesPing = usesPing
    self.remoteMethods = remoteMethods
    self.interest = interest
  }

  /// The same machine before its start.
  var unstarted: LinkMachine {
    LinkMachine(
      agentName: agentName, hasKey: hasKey, usesPing: usesPing, interest: interest,
      remoteMethods: remoteMethods)
  }

  /// When the next `tick` is due; nil when only other events can move the machine.
  package var deadline: MonotonicInstant? {
    var earliest: MonotonicInstant?
    func consider(_ instant: MonotonicInstant?) {
      guard let instant else { return }
      earliest = earliest.map { min($0, instant) } ?? instant
    }
    switch phase {
    case .stopped: break
    case .waiting(let until): consider(until)
    case .connecting: break
    case .identifying: consider(probeAt)
    case .connected:
      consider(probeAt)
      consider(registerAt)
      if !isInfoPending { consider(pollAt) }
      if isLinkUp { consider(metadata.deadline) }
      consider(diskAt)
    }
    return earliest
  }

  var diskAt: MonotonicInstant? {
    guard interest.wantsDiskUsage, isLinkUp else { return nil }
    return lastDiskQuery?.advanced(by: Times.disk) ?? linkUpAt
  }

  /// Takes one event in, at `now`, and says what to do, in order.
  package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .start:
      guard phase == .stopped else { break }
      phase = .connecting
      actions.append(.connect)
    case .opened: opened(at: now, &actions)
    case .closed(let reason, let jitter): closed(reason, jitter: jitter, at: now, &actions)
    case .answer(let call, let outcome):
      guard phase != .stopped else { break }
      answered(call, outcome, at: now, &actions)
    case .statusUpdate(let objects, let eventtime):
      statusUpdate(objects, eventtime: eventtime, &actions)
    case .klippyReady, .klippyShutdown, .klippyDisconnected:
      guard phase == .connected else { break }
      klippyNotified(event, at: now, &actions)
    case .fileListChanged(let change): fileListChanged(change, &actions)
    case .webcamsChanged: actions.append(.cache(.webcams))
    case .jobQueueChanged: actions.append(.cache(.jobQueue))
    case .interest(let interest): setInterest(interest, at: now, &actions)
    case .pingAnswered: break
    case .pingFailed(let reason):
      actions.append(.disconnect("Moonraker does not answer pings: \(reason)"))
    case .tick(let lastHeard): tick(lastHeard: lastHeard, at: now, &actions)
    }
    return actions
  }
}
