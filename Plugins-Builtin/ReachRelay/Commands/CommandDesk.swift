internal import ConnectorKit

/// Which command may be handed to the gate when. A pure value: commands in, commands to start out.
///
/// What changes something goes one after the other, in the relay's order; reads go beside it, four at a time; pause, cancel
/// and emergency stop go at once. Behind a stop nothing is started any more that waited, behind a cancel no start and no resume.
struct CommandDesk: Sendable {
  /// The way that a command takes.
  enum Lane: Sendable, Hashable { case worker, reads, urgent }

  /// A command on its way.
  struct Job: Sendable {
    var command: RelayCommand
    var order: RelayOrder
    /// The answer of the relay in which it came.
    var contact: CommandContact

    /// Its place here: a stop acts under whatever id it comes, also under one that another command has.
    fileprivate var key: String {
      order == .printer(.emergencyStop) ? "\(command.id)#stop" : command.id
    }
  }

  /// What becomes of a command.
  enum Answer: Sendable, Hashable {
    /// Start it now.
    case start
    /// It waits for its turn.
    case wait
    /// It is here already, and will be answered once.
    case known
    /// Too many are unfinished.
    case busy
  }

  /// The most commands that are unfinished.
  static let limit = 32
  /// The most reads at a time.
  static let readLimit = 4

  private var unfinished: [String: Lane] = [:]
  private var waiting: [Job] = []
  private var running: [Lane: Int] = [:]
  /// How many stops are unfinished.
  private var stops = 0
  /// Stops and cancels that are under way: until they have ended nothing is started that they may overtake.
  private var overtaking: Set<String> = []

  /// A desk with nothing on it.
  init() {}

  /// Takes a command.
  mutating func take(_ job: Job) -> Answer {
    let lane = job.order.lane
    guard unfinished[job.key] == nil else { return .known }
    // Pause and cancel have places of their own, and so have stops: of these as many as no person presses, each of
    // which is on its way already.
    let isStop = job.order == .printer(.emergencyStop)
    let limit = lane == .urgent ? 2 * Self.limit : Self.limit
    guard isStop ? stops < Self.limit : unfinished.count - stops < limit else { return .busy }
    if isStop { stops += 1 }
    unfinished[job.key] = lane
    guard hasRoom(lane) else {
      waiting.append(job)
      return .wait
    }
    running[lane, default: 0] += 1
    if job.order.overtakesOthers { overtaking.insert(job.key) }
    return .start
  }

  /// What follows from a command's end.
  struct Aftermath: Sendable {
    /// What was waiting and is not started any more.
    var overtaken: [Job] = []
    /// The one whose turn it is now.
    var next: Job?
  }

  /// A command has ended.
  ///
  /// - Parameter acted: whether it counts: a stop that is not permitted overtakes nobody, a cancel that found no job does.
  mutating func ended(_ job: Job, acted: Bool) -> Aftermath {
    guard let lane = unfinished.removeValue(forKey: job.key) else { return Aftermath() }
    running[lane, default: 1] -= 1
    if job.order == .printer(.emergencyStop) { stops -= 1 }
    var aftermath = Aftermath()
    if overtaking.remove(job.key) != nil, acted {
      aftermath.overtaken = waiting.filter { job.order.overtakes($0.order) }
      waiting.removeAll { job.order.overtakes($0.order) }
      for job in aftermath.overtaken { unfinished[job.key] = nil }
    }
    // A stop or a cancel has kept those back that change something.
    let freed = lane == .urgent ? .worker : lane
    guard hasRoom(freed), let index = waiting.firstIndex(where: { $0.order.lane == freed }) else {
      return aftermath
    }
    running[freed, default: 0] += 1
    aftermath.next = waiting.remove(at: index)
    return aftermath
  }

  /// Whether a command with this id is under way or waits.
  func isUnfinished(_ id: String) -> Bool { unfinished[id] != nil }

  /// Takes out what still waits: it is not started any more.
  mutating func close() -> [Job] {
    defer { waiting = [] }
    return waiting
  }

  private func hasRoom(_ lane: Lane) -> Bool {
    switch lane {
    case .worker: running[lane, default: 0] == 0 && overtaking.isEmpty
    case .reads: running[lane, default: 0] < Self.readLimit
    case .urgent: true
    }
  }
}
