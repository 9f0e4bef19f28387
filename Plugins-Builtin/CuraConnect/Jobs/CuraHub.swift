internal import ConnectorKit
internal import JSON
internal import Platform

/// What all requests share: the jobs, the printer as it was seen last, and the answers made of both.
///
/// Its state is one value under a lock that is never held across a suspension: a request is answered from memory, on the
/// server's own thread.
final class CuraHub: Sendable {
  private struct State: Sendable {
    var book: JobBook
    var reading = PrinterReading()
    var seen: UInt64?
    var trusted = false
    var printer: PrinterView
    var documents = PolledDocuments()
    var authority: DigestAuthority
    /// Names that uploads on their way have taken.
    var reserved: Set<String> = []
  }
  let configuration: CuraConfiguration
  let context: BackendContext
  let identity: CuraIdentity
  let keeper: IdentityKeeper
  let work: SideWork
  let materials: MaterialShelf
  /// Where jobs wait for their turn to be started or queued.
  let line = UploadSlots(1, waiting: 2 * QueueStatus.most)
  /// Wakes the loop that starts what waits.
  let changed = Nudge()
  private let state: Guarded<State>

  /// A hub of a printer of which nothing is known yet.
  init(
    configuration: CuraConfiguration, context: BackendContext, identity: CuraIdentity,
    keeper: IdentityKeeper
  ) {
    self.configuration = configuration
    self.context = context
    self.identity = identity
    self.keeper = keeper
    work = SideWork(time: context.time)
    materials = MaterialShelf(keeper["materials"])
    var book = JobBook(printerUUID: identity.printerUUID)
    book.load(JobStorage.jobs(keeper["jobs"]), spent: JobStorage.tickets(keeper["spent"]))
    let shelf = materials
    let printer = PrinterView(
      uuid: identity.printerUUID, instance: configuration.instance ?? identity.instance,
      name: configuration.name, variant: configuration.machineVariant,
      firmware: configuration.firmwareVersion, bom: configuration.bom,
      configuration: PrinterView.configuration(
        cores: configuration.printCores, materials: shelf.named(configuration.materials)),
      word: "unreachable")
    state = Guarded(
      State(book: book, printer: printer, authority: DigestAuthority(keeper["clients"])))
  }

  // MARK: Reading

  /// The printer as it is now.
  var reading: PrinterReading { state.withLock { look(&$0).reading } }

  /// The printer's entry.
  var printer: PrinterView { state.withLock { look(&$0).printer } }

  /// The jobs, and the printer that they wait for.
  var jobs: [CuraJob] { state.withLock { look(&$0).book.listed } }

  /// A job; nil where it is gone.
  func job(_ uuid: String) -> CuraJob? { state.withLock { look(&$0).book.job(uuid) } }

  /// The jobs of Moonraker's queue.
  var queue: [CuraJob] { state.withLock { look(&$0).book.queue } }

  /// Whether Moonraker's queue has been seen since Moonraker was connected.
  var isQueueSeen: Bool { state.withLock { look(&$0).book.isQueueSeen } }

  /// Whether a job's start is on its way.
  var isStarting: Bool {
    state.withLock { state in
      if case .starting = look(&state).book.active?.phase { true } else { false }
    }
  }

  /// Places in the queue that must be taken out of it; none while it may yet turn out otherwise.
  var spentTickets: [QueueTicket] {
    state.withLock { state in
      let book = look(&state).book
      if case .starting = book.active?.phase { return [] }
      return book.spent
    }
  }

  /// How many jobs wait.
  var waitingCount: Int { state.withLock { look(&$0).book.waitingCount } }

  /// Whether a job of somebody else's runs that has no UUID yet.
  var wantsIdentity: Bool { state.withLock { look(&$0).book.wantsIdentity } }

  /// The answer to `GET printers`.
  func printersBody(address: String) -> [UInt8] {
    state.withLock { state in
      let printer = look(&state).printer
      return state.documents.printers(printer, address: address)
    }
  }

  /// The answer to `GET print_jobs`.
  var jobsBody: [UInt8] {
    state.withLock { state in
      look(&state)
      return state.documents.jobs(state.book.listed, state.reading, state.printer)
    }
  }

  /// How many of the two answers have been made.
  var documentBuilds: Int { state.withLock { $0.documents.builds } }

  // MARK: Changing

  /// Changes the jobs, and keeps what must outlive us.
  @discardableResult
  func change<Result: Sendable>(_ body: (inout JobBook) -> Result) -> Result {
    let result = state.withLock { state -> Result in
      look(&state)
      let former = state.book.revision
      let result = body(&state.book)
      if state.book.revision != former { keep(state.book) }
      return result
    }
    changed.send()
    return result
  }

  /// Asks or changes who may call; what a person has approved is kept.
  func authorize<Result: Sendable>(_ body: (inout DigestAuthority) -> Result) -> Result {
    state.withLock { state in
      let result = body(&state.authority)
      keeper.keep(state.authority.stored, as: "clients")
      return result
    }
  }

  /// The printer is called otherwise in the network from now on.
  func rename(_ instance: String) {
    state.withLock { $0.printer.instance = instance }
    if configuration.instance == nil { keeper.keep(.string(instance), as: "instance") }
  }

  /// A profile has come that may be the one of a loaded material.
  func nameMaterials() {
    let new = PrinterView.configuration(
      cores: configuration.printCores, materials: materials.named(configuration.materials))
    state.withLock { $0.printer.configuration = new }
  }

  /// Takes a name for an upload; nil where none of its numbers is free.
  func reserve(_ name: UploadName, besides taken: Set<String>) -> Int? {
    state.withLock { state in
      (0..<1_000).first { number in
        let kept = name.keptName(number)
        return !taken.contains(kept) && !taken.contains(name.fileName(number))
          && state.reserved.insert(kept).inserted
      }
    }
  }

  /// Lets a name go.
  func release(_ name: String) { state.withLock { _ = $0.reserved.remove(name) } }

  // MARK: Inside

  private func keep(_ book: JobBook) {
    keeper.keep(JobStorage.stored(book), as: "jobs")
    keeper.keep(JobStorage.storedTickets(book), as: "spent")
  }

  /// Takes in what is new.
  @discardableResult
  private func look(_ state: inout State) -> State {
    let now = context.time.now
    let status = context.status.trusted(at: now)
    if state.seen != status.version || state.trusted != status.isCurrent {
      state.seen = status.version
      state.trusted = status.isCurrent
      state.reading = PrinterReading(status)
    }
    let former = state.book.revision
    state.book.observe(state.reading, at: now, wallTime: context.time.wallTime)
    state.book.expire(at: now)
    if state.book.revision != former { keep(state.book) }
    state.printer.word = PrinterView.word(state.reading, isBedClear: context.isBedClear())
    return state
  }
}
