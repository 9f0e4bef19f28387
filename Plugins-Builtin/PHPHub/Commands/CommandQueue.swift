internal import ConnectorKit
internal import Platform

/// Which command starts when. A pure value: commands in, what to do with them out.
///
/// One at a time, with the least distance that the owner wants between two starts; stops, pauses and cancels go at once. A
/// stop takes all out that waits, a cancel what would begin a job; a pause waits behind what it may be about.
struct CommandQueue: Sendable {
  /// The most that wait.
  static let limit = 32

  /// A command on its way.
  struct Job: Sendable {
    var command: HubCommand
    var order: HubOrder
    /// The answer in which it came.
    var contact: CommandContact
    /// Why it is not wanted any more, while it is found out which file it means.
    let withdrawal = Guarded<CommandFailure?>(nil)
  }

  /// What is to be done with what came.
  struct Intake: Sendable {
    /// To be started now, in order.
    var atOnce: [Job] = []
    /// Not to be started any more, and why.
    var refused: [(job: Job, reason: CommandFailure)] = []
  }

  /// What comes next.
  enum Next: Sendable {
    case start(Job)
    case wait(until: MonotonicInstant)
    case nothing
  }

  private(set) var waiting: [Job] = []
  private(set) var running: Job?
  private var lastStart: MonotonicInstant?
  private let distance: Duration

  /// An empty queue.
  ///
  /// - Parameter distance: the least time between two starts.
  init(distance: Duration) { self.distance = distance }

  /// Takes what came in one answer.
  mutating func take(_ batch: [Job]) -> Intake {
    var intake = Intake()
    let stops = batch.filter(\.order.isStop)
    if !stops.isEmpty {
      withdraw(Self.superseded)
      intake.atOnce = stops
      let others = waiting + batch.filter { !$0.order.isStop }
      waiting = []
      intake.refused = others.map { ($0, Self.superseded) }
      return intake
    }
    for job in batch {
      switch job.order {
      case .printer([.cancel]):
        withdraw(Self.cancelled)
        let ended = waiting.filter(\.order.begins)
        waiting.removeAll(where: \.order.begins)
        intake.refused += ended.map { ($0, Self.cancelled) }
        intake.atOnce.append(job)
      case .printer([.pause]) where !(waiting.contains(where: \.order.begins)):
        intake.atOnce.append(job)
      default:
        if waiting.contains(where: { $0.command.id == job.command.id })
          || running?.command.id == job.command.id
        {
          // It came again; the first one is told what became of it.
          continue
        }
        guard waiting.count < Self.limit else {
          intake.refused.append((job, Self.full))
          continue
        }
        waiting.append(job)
      }
    }
    return intake
  }

  /// What runs and begins a job does so only if it has got to the gate already.
  private func withdraw(_ reason: CommandFailure) {
    guard let running, running.order.begins else { return }
    running.withdrawal.withLock { $0 = reason }
  }

  /// What starts now; it counts as running then.
  mutating func next(at now: MonotonicInstant) -> Next {
    guard running == nil, let job = waiting.first else { return .nothing }
    if let lastStart, !job.order.isUrgent {
      let earliest = lastStart.advanced(by: distance)
      if earliest > now { return .wait(until: earliest) }
    }
    waiting.removeFirst()
    running = job
    lastStart = now
    return .start(job)
  }

  /// The running one has ended.
  mutating func ended() { running = nil }

  static let superseded = CommandFailure(.superseded, "superseded by emergency_stop")
  private static let cancelled = CommandFailure(.superseded, "a cancel came before its turn")
  private static let full = CommandFailure(.tooMany, "more than \(limit) commands wait")
}
