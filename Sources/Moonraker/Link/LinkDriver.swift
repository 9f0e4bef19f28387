import ConnectorKit
import JSON
import Networking
import Platform

/// Drives a ``LinkMachine``: turns what comes from Moonraker into its events and does what it says.
///
/// Everything runs on this actor in one order, so a status update is merged where it was read, without a further hop.
actor LinkDriver {
  /// Opens one connection to Moonraker.
  typealias Opener = @Sendable () async throws(NetworkError) -> any MessageConnection

  private enum Work: Sendable {
    case connect
    case call(LinkCall, RPCConnection)
    case ping(RPCConnection)
    case refuse(Request, code: Int64, String)
    case sleep(until: MonotonicInstant)
  }

  /// What somebody asks of us through Moonraker.
  private struct Request: Sendable {
    var connection: RPCConnection
    var id: JSONValue
    var method: String
  }
  /// So many requests wait for their answer; further ones are refused at once.
  private static let requestLimit = 128
  /// So many refusals may be under way. Whoever causes more has filled Moonraker's own buffers before.
  private static let refusalLimit = 1_000

  private let settings: MoonrakerSettings
  private let cache: StatusCache
  private let open: Opener
  private let time: any TimeSource
  private let log: Log
  private let random: @Sendable () -> Double
  private let condition: Guarded<String>
  private let present: Guarded<RPCConnection?>
  private let remoteMethods: [String: RemoteMethod]
  private let answering: AgentRequests?

  private var machine: LinkMachine
  private var connection: RPCConnection?
  private var work: AsyncStream<Work>.Continuation?
  /// The deadlines that are slept for; a later one does no harm when it comes too early.
  private var sleeping: Set<MonotonicInstant> = []
  private var requests: AsyncStream<Request>.Continuation?
  /// Requests of others that are being refused; bounded, so that nobody fills our memory with them.
  private var refusals = 0
  private var hasToldOrphan = false
  /// Those who wait for what the newest interest asks for.
  private var waiters: [AsyncStream<Never>.Continuation] = []

  /// A driver of one machine; nothing is started.
  init(
    settings: MoonrakerSettings, usesPing: Bool, cache: StatusCache, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double, condition: Guarded<String>,
    present: Guarded<RPCConnection?>, remoteMethods: [String: RemoteMethod],
    requests: AgentRequests?, open: @escaping Opener
  ) {
    self.settings = settings
    self.cache = cache
    self.open = open
    self.time = time
    self.log = log
    self.random = random
    self.condition = condition
    self.present = present
    self.remoteMethods = remoteMethods
    answering = requests
    machine = LinkMachine(
      agentName: settings.agentName, hasKey: settings.apiKey != nil, usesPing: usesPing,
      remoteMethods: remoteMethods.keys.sorted())
  }

  /// Works until cancelled; all that it started has ended when it returns.
  func run() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Work.self)
    let (asked, questions) = AsyncStream.makeStream(
      of: Request.self, bufferingPolicy: .bufferingOldest(Self.requestLimit))
    work = continuation
    requests = questions
    sleeping = []
    machine = machine.unstarted
    handle(.start)
    await withDiscardingTaskGroup { group in
      group.addTask { await self.answer(asked) }
      for await item in stream {
        group.addTask { await self.perform(item) }
      }
      group.cancelAll()
      connection?.close(because: "the link ends")
    }
    work = nil
    requests = nil
    connection = nil
    present.withLock { $0 = nil }
    machine = machine.unstarted
    release()
    cache.apply(.link(isUp: false))
    condition.withLock { $0 = "stopped" }
  }

  func setInterest(_ interest: StatusInterest) { handle(.interest(interest)) }

  /// Returns when the values that are shown are those of the newest interest, or when its task is cancelled.
  func subscribed() async {
    guard machine.isResubscribing else { return }
    let (answer, waiter) = AsyncStream.makeStream(of: Never.self)
    waiters.append(waiter)
    for await _ in answer {}
  }

  private func release() {
    for waiter in waiters { waiter.finish() }
    waiters = []
  }

  // MARK: Events in, actions out

  private func handle(_ event: LinkMachine.Event) {
    for action in machine.handle(event, at: time.now) { perform(action) }
    if case .statusUpdate = event { return }
    let usable = machine.phase == .connected ? connection : nil
    present.withLock { $0 = usable }
    let text = machine.condition
    condition.withLock { if $0 != text { $0 = text } }
    if !machine.isResubscribing { release() }
    sleepForDeadline()
  }

  private func perform(_ action: LinkMachine.Action) {
    switch action {
    case .connect: work?.yield(.connect)
    case .disconnect(let reason): connection?.close(because: reason)
    case .call(let call):
      if let connection { work?.yield(.call(call, connection)) }
    case .ping:
      if let connection { work?.yield(.ping(connection)) }
    case .cache(let change): cache.apply(change)
    case .log(let level, let text): log(level, text)
    }
  }

  private func sleepForDeadline() {
    guard let deadline = machine.deadline, work != nil,
      !sleeping.contains(where: { $0 <= deadline })
    else { return }
    sleeping.insert(deadline)
    work?.yield(.sleep(until: deadline))
  }

  // MARK: Work, each in a task of its own

  private func perform(_ work: Work) async {
    switch work {
    case .connect: await connect()
    case .call(let call, let connection): await perform(call, on: connection)
    case .ping(let connection):
      do throws(NetworkError) {
        try await connection.ping(timeout: .seconds(10))
        guard connection === self.connection else { return }
        cache.heard()
        handle(.pingAnswered)
      } catch {
        guard connection === self.connection, error.kind != .cancelled else { return }
        handle(.pingFailed(error.message))
      }
    case .refuse(let request, let code, let message):
      await request.connection.refuse(id: request.id, code: code, message: message)
      refusals -= 1
    case .sleep(let deadline):
      do { try await time.sleep(until: deadline) } catch { return }
      sleeping.remove(deadline)
      handle(.tick(lastHeard: cache.lastHeard))
    }
  }

  private func perform(_ call: LinkCall, on connection: RPCConnection) async {
    let outcome: Result<JSONValue, RPCFailure>
    do throws(RPCFailure) {
      outcome = .success(try await connection.call(call.method, call.parameters(settings)))
    } catch {
      outcome = .failure(error)
    }
    // The end of the connection is told by its reader, once, and not by each of its calls.
    guard connection === self.connection else { return }
    switch outcome {
    case .failure(.notSent), .failure(.connectionLost), .failure(.cancelled): return
    case .failure(.refused), .failure(.timedOut), .success: handle(.answer(call, outcome))
    }
  }

  private func connect() async {
    let opened: any MessageConnection
    do throws(NetworkError) { opened = try await openInTime() } catch {
      if error.kind != .cancelled || !Task.isCancelled {
        handle(.closed(error.message, jitter: random()))
      }
      return
    }
    let connection = RPCConnection(opened, time: time)
    self.connection = connection
    handle(.opened)
    do throws(NetworkError) {
      while true {
        let messages = try await connection.receive()
        cache.heard()
        for message in messages { handle(message, from: connection) }
      }
    } catch {
      self.connection = nil
      connection.close(because: error.message)
      guard !Task.isCancelled else { return }
      handle(.closed(connection.end ?? error.message, jitter: random()))
    }
  }

  /// Opens a connection within 15 s: a frozen Moonraker still accepts.
  private func openInTime() async throws(NetworkError) -> any MessageConnection {
    typealias Outcome = Result<any MessageConnection, NetworkError>
    let deadline = time.now.advanced(by: .seconds(15))
    let outcome = await withTaskGroup(of: Outcome?.self) { [open, time] group in
      group.addTask {
        do throws(NetworkError) { return .success(try await open()) } catch {
          return .failure(error)
        }
      }
      group.addTask {
        do { try await time.sleep(until: deadline) } catch { return nil }
        return .failure(NetworkError(.timeout, "no connection within 15 s"))
      }
      var first: Outcome?
      while let finished = await group.next() {
        guard let finished else { continue }
        if first == nil {
          first = finished
          group.cancelAll()
        } else if case .success(let late) = finished {
          late.close()
        }
      }
      return first ?? .failure(NetworkError(.cancelled, "cancelled"))
    }
    return try outcome.get()
  }

  // MARK: What Moonraker tells

  private func handle(_ message: RPCMessage, from connection: RPCConnection) {
    switch message {
    case .notification(let method, let params): notified(method, params)
    case .request(let id, let method, _):
      take(
        Request(
          connection: connection, id: id,
          method: String(decoding: method.utf8.prefix(AgentAnswer.methodLimit), as: UTF8.self)))
    case .orphan(let failure):
      log(hasToldOrphan ? .debug : .warning, "Moonraker did not understand us: \(failure)")
      hasToldOrphan = true
    case .response: break
    }
  }

  // MARK: What others ask of us

  /// Has a request answered, whatever it is: who asked waits for it without an end.
  private func take(_ request: Request) {
    guard answering != nil else { return refuse(request, code: -32601, unknown(request)) }
    switch requests?.yield(request) {
    case .dropped: refuse(request, code: -32000, "too many requests at once; ask again later")
    default: break
    }
  }

  private func refuse(_ request: Request, code: Int64, _ message: String) {
    guard refusals < Self.refusalLimit else { return }
    refusals += 1
    work?.yield(.refuse(request, code: code, message))
  }

  private func unknown(_ request: Request) -> String { "Method not found: \(request.method)" }

  private func answer(_ requests: AsyncStream<Request>) async {
    guard let answering else { return }
    for await request in requests where request.connection === connection {
      let connection = request.connection
      switch await answering(request.method) {
      case .result(let result): await connection.answer(id: request.id, result)
      case .unknownMethod:
        await connection.refuse(id: request.id, code: -32601, message: unknown(request))
      case .failure(let message):
        await connection.refuse(id: request.id, code: -32603, message: message)
      }
    }
  }

  private func notified(_ method: String, _ params: JSONValue) {
    switch method {
    case "notify_status_update":
      guard let array = params.array, let objects = array.first?.object else { return }
      handle(.statusUpdate(objects, eventtime: array.count > 1 ? array[1].number : nil))
    case "notify_proc_stat_update":
      if let statistics = params.array?.first {
        cache.apply(.load(from: statistics))
        cache.apply(.machine(from: statistics))
      }
    case "notify_klippy_ready": handle(.klippyReady)
    case "notify_klippy_shutdown": handle(.klippyShutdown)
    case "notify_klippy_disconnected": handle(.klippyDisconnected)
    case "notify_filelist_changed":
      if let change = params.array?.first {
        handle(.fileListChanged(change))
        if change.object != nil { cache.apply(.files) }
      }
    case "notify_webcams_changed": handle(.webcamsChanged)
    case "notify_job_queue_changed": handle(.jobQueueChanged)
    default:
      if let remoteMethod = remoteMethods[method] {
        remoteMethod(params)
      } else {
        log(.trace, "ignored \(method)")
      }
    }
  }
}

extension StatusChange {
  /// What else of the host's state stands in one of Moonraker's statistics.
  static func machine(from statistics: JSONValue) -> StatusChange {
    let temperature = statistics["cpu_temp"]?.double.flatMap {
      (-100...300).contains($0) ? $0 : nil
    }
    let used = statistics["system_memory"]?["used"]?.double.flatMap { $0 >= 0 ? $0 : nil }
    return .machine(memoryUsed: used, cpuTemperature: temperature)
  }

  /// The host's load in one of Moonraker's statistics.
  static func load(from statistics: JSONValue) -> StatusChange {
    let memory = statistics["system_memory"]
    var memoryPercent: Double?
    if let total = memory?["total"]?.double, let used = memory?["used"]?.double, total > 0 {
      memoryPercent = min(max(used / total * 100, 0), 100)
    }
    let cpu = statistics["system_cpu_usage"]?["cpu"]?.double
    return .load(cpuPercent: cpu.map { min(max($0, 0), 100) }, memoryPercent: memoryPercent)
  }
}
