/// Decides when to connect to Avahi, register and withdraw. A value: events in, actions out; knows no library and no clock.
struct AdvertisingMachine {
  /// What Avahi says of itself.
  enum ClientState: Hashable {
    /// The daemon is away; it registers by itself when it comes.
    case connecting
    /// The daemon claims its host name.
    case registering
    /// The daemon is ready.
    case running
    /// Another host has its host name; it takes another one.
    case hostNameTaken
    /// The connection is lost.
    case lost(AvahiProblem)
  }
  /// What Avahi says of our service.
  enum GroupState: Hashable {
    case registering
    case established
    case nameTaken
    case failed(AvahiProblem)
  }
  enum Event: Hashable {
    /// Begin, or the wait is over.
    case due
    /// No connection could be made.
    case noClient(AvahiProblem)
    case client(ClientState)
    case group(GroupState)
  }
  enum Action: Hashable {
    /// Make a connection; its states come as events.
    case connect
    /// Drop the connection with all that was registered over it.
    case disconnect
    /// Register the service; its states come as events.
    case register
    /// Take the service back; the connection stays.
    case withdraw
    /// Send `due` after this time.
    case wait(Duration)
    case report(AdvertisementState)
    /// End with this.
    case fail(AdvertisingFailure)
  }

  /// How long to wait before a lost or refused connection is tried again.
  static let retryDelay = Duration.seconds(10)
  /// After a loss, the daemon is usually just being restarted.
  static let reconnectDelay = Duration.milliseconds(100)

  private let instance: String
  private var isRegistered = false
  private var reported: AdvertisementState?

  /// - Parameter instance: the service's name, for what is said.
  init(instance: String) { self.instance = instance }

  /// The actions that `event` asks for, in order.
  mutating func handle(_ event: Event) -> [Action] {
    switch event {
    case .due: return [.connect]
    case .noClient(let problem): return away(problem, for: Self.retryDelay)
    case .client(let state): return client(state)
    case .group(let state): return group(state)
    }
  }

  private mutating func client(_ state: ClientState) -> [Action] {
    switch state {
    case .connecting:
      isRegistered = false
      return report(Self.waiting("Avahi does not run"))
    case .registering, .hostNameTaken:
      // What is registered carries the old host name; `running` registers it again.
      defer { isRegistered = false }
      return (isRegistered ? [.withdraw] : []) + report(.registering)
    case .running:
      guard !isRegistered else { return [] }
      isRegistered = true
      return report(.registering) + [.register]
    case .lost(let problem):
      return [.disconnect] + away(problem, for: Self.reconnectDelay)
    }
  }

  private mutating func group(_ state: GroupState) -> [Action] {
    switch state {
    case .registering: return report(.registering)
    case .established: return report(.shown)
    case .nameTaken:
      return [.disconnect, .fail(nameTaken)]
    case .failed(let problem):
      switch problem.kind {
      case .collision: return [.disconnect, .fail(nameTaken)]
      case .refusal:
        return [
          .disconnect,
          .fail(
            AdvertisingFailure(
              .refused, "Avahi does not take the service '\(instance)': \(problem.words)",
              remedy: "correct the name, or write 'advertise: off'")),
        ]
      case .other: return [.disconnect] + away(problem, for: Self.retryDelay)
      }
    }
  }

  private mutating func away(_ problem: AvahiProblem, for delay: Duration) -> [Action] {
    isRegistered = false
    return report(Self.waiting("Avahi cannot be reached (\(problem.words))")) + [.wait(delay)]
  }

  private mutating func report(_ state: AdvertisementState) -> [Action] {
    guard state != reported else { return [] }
    reported = state
    return [.report(state)]
  }

  private static func waiting(_ problem: String) -> AdvertisementState {
    .waiting(
      problem: problem,
      remedy:
        "install and start it: sudo apt install avahi-daemon; until then add the printer by its address"
    )
  }

  private var nameTaken: AdvertisingFailure {
    AdvertisingFailure(
      .nameTaken, "another device on this network is called '\(instance)' already",
      remedy: "give this one another 'instance'")
  }
}

/// What went wrong in the Avahi library.
struct AvahiProblem: Error, Hashable {
  /// What that means for us.
  enum Kind: Hashable {
    /// The name is taken.
    case collision
    /// The service itself is at fault; the same again will fail again.
    case refusal
    /// Anything that may pass.
    case other
  }
  /// What it means.
  var kind: Kind
  /// Avahi's words.
  var words: String
}
