internal import ConnectorKit
internal import JSON
internal import Moonraker
internal import Platform

/// What we are to Moonraker beside its client: an agent, whom macros call, whom other clients ask, and who tells them when a
/// cloud comes or goes.
final class AgentService: Sendable {
  /// A call that counts, or one that is to be said to count for nothing.
  private struct Arrival: Sendable {
    var method: MacroMethod
    var verdict: MacroDesk.Verdict
    /// Whether a cloud's command was unfinished when it came: the end of the command that called it follows at once.
    var wasBusy: Bool
    var at: MonotonicInstant
  }
  /// So long "the bed is clear" may wait for its turn.
  private static let bedPatience = Duration.seconds(2)
  /// So many calls wait; the desk lets no more through in a minute.
  private static let backlog = 64
  /// So long a document is given to all who ask.
  private static let freshness = Duration.milliseconds(250)
  /// So long an event may take to be taken.
  private static let eventPatience = Duration.seconds(10)
  private static let eternity = Duration.seconds(86_400)

  private let parts: RunningDaemon
  private let supervision: Supervision
  private let switchboard: BackendSwitchboard
  private let log: Log
  private let desk = Guarded(MacroDesk())
  private let calls = AsyncStream.makeStream(
    of: Arrival.self, bufferingPolicy: .bufferingOldest(backlog))
  private let nudge: Nudge
  private let kept = Guarded<(view: DaemonView, at: MonotonicInstant)?>(nil)

  /// An agent that has not begun.
  ///
  /// - Parameter nudge: sent when a backend's state is another.
  init(
    parts: RunningDaemon, supervision: Supervision, switchboard: BackendSwitchboard, nudge: Nudge
  ) {
    self.parts = parts
    self.supervision = supervision
    self.switchboard = switchboard
    self.nudge = nudge
    log = Log(label: "agent", sink: parts.writer)
  }

  /// Has the links to Moonraker that are started from now on bring what comes here.
  func attach() {
    var macros: [String: RemoteMethod] = [:]
    for method in MacroMethod.allCases {
      macros[method.remoteName] = { [weak self] params in self?.called(method, params) }
    }
    parts.moonraker.serve(macros: macros) { [weak self] method in
      await self?.answer(method) ?? .failure("\(Product.name) is ending")
    }
  }

  /// Works until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.obey() }
      group.addTask { await self.watchPrinter() }
      await self.tellNews()
      group.cancelAll()
    }
  }

  // MARK: Macros

  /// Decides about a call where the connection is read: nothing is kept of what does not count.
  private func called(_ method: MacroMethod, _ params: JSONValue) {
    let granted = parts.configuration.control.macros
    let now = parts.time.now
    let verdict = desk.withLock { $0.take(method, params, granted: granted, at: now) }
    if verdict == .ignore { return }
    calls.continuation.yield(
      Arrival(
        method: method, verdict: verdict, wasBusy: parts.services.gate.hasUnfinished, at: now))
  }

  private func obey() async {
    for await arrival in calls.stream {
      let method = arrival.method.remoteName
      switch arrival.verdict {
      case .ignore: break
      case .refuse(let why):
        log(.warning, "a macro called \(method), which does not count: \(why)")
        let isGranted = parts.configuration.control.macros.contains(arrival.method.grant)
        parts.services.note(
          "a macro called \(method): \(why)", as: arrival.method.rawValue,
          refusal: isGranted ? .invalid : .notPermitted)
      case .perform(.notify(let text)):
        parts.cache.apply(.message(text))
        log(.debug, "a macro says: \(text)")
        parts.services.note("a macro said: \(text)", as: arrival.method.rawValue)
      case .perform(.bedCleared): await clearBed(arrival)
      case .perform(.setEnabled(let isOn, let name)):
        await setEnabled(isOn, name, method: arrival.method)
      }
    }
  }

  private func clearBed(_ arrival: Arrival) async {
    // Meanwhile something may have been printed.
    guard arrival.at.duration(to: parts.time.now) < Self.bedPatience else {
      let why = "it could not be looked at in time"
      log(.warning, "a macro says that the bed is clear, which does not count: \(why)")
      parts.services.note(
        "a macro called \(arrival.method.remoteName): \(why)", as: arrival.method.rawValue,
        refusal: .stale)
      return
    }
    do throws(CommandFailure) {
      try await parts.services.gate.clearBed(
        by: Self.person(.bedCleared), isRemote: true, wasBusy: arrival.wasBusy)
    } catch {
      log(
        .warning, "a macro says that the bed is clear, which does not count: \(error.message)")
    }
  }

  private func setEnabled(_ isOn: Bool, _ name: String, method: MacroMethod) async {
    let result = await switchboard.setEnabled(
      isOn, name, by: Self.person(method), isByMacro: true)
    switch result {
    case .done(let text): log(.info, "a macro called \(method.remoteName): \(text)")
    case .refused(let text), .failed(let text):
      log(.warning, "a macro called \(method.remoteName), which does not count: \(text)")
      parts.services.note(
        "a macro called \(method.remoteName): \(text)", as: method.rawValue, refusal: .wrongState)
    }
  }

  private static func person(_ method: MacroMethod) -> String { "a macro (\(method.remoteName))" }

  // MARK: Requests

  private func answer(_ method: String) async -> AgentAnswer {
    switch method {
    case "status": .result(StatusDocument.status(forAgents: await view()))
    case "backends": .result(StatusDocument.backends(forAgents: await view()))
    default: .unknownMethod
    }
  }

  /// The daemon as it stands, for as many as ask at once.
  private func view() async -> DaemonView {
    let now = parts.time.now
    if let kept = kept.withLock({ $0 }), kept.at.duration(to: now) < Self.freshness {
      return kept.view
    }
    let view = await parts.view(of: supervision.members)
    kept.withLock { $0 = (view, parts.time.now) }
    return view
  }

  // MARK: News

  private var backends: [CloudNews.Backend] {
    supervision.members.map {
      CloudNews.Backend(
        name: $0.configuration.name, type: $0.configuration.connector.descriptor.type,
        state: $0.standing.state, since: $0.standing.since)
    }
  }

  private func ears(isLineUnderWay: Bool) -> CloudNews.Ears {
    let isConnected = parts.cache.current.link == .connected
    return CloudNews.Ears(
      moonraker: isConnected,
      console: parts.configuration.control.announcesParked && !isLineUnderWay
        && parts.services.gate.canTellConsole)
  }

  /// Wakes the news when Moonraker or Klipper can be told something again.
  private func watchPrinter() async {
    struct Ears: Equatable {
      var link: MoonrakerLinkState
      var klippy: KlippyState
      var isCurrent: Bool
    }
    let news = parts.cache.snapshots(changing: {
      Ears(link: $0.link, klippy: $0.klippy, isCurrent: $0.isCurrent)
    })
    for await _ in news { nudge.send() }
  }

  private func tellNews() async {
    let waiter = nudge.waiter(parts.time)
    let isLineUnderWay = Guarded(false)
    var news = CloudNews()
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        news.observe(backends)
        let ears = ears(isLineUnderWay: isLineUnderWay.withLock { $0 })
        for item in news.due(at: parts.time.now, ears) {
          switch item {
          case .connection: await send(item)
          case .parked(let backend):
            isLineUnderWay.withLock { $0 = true }
            // Klipper may be heating: nobody waits for that.
            group.addTask {
              await self.tellConsole(backend)
              isLineUnderWay.withLock { $0 = false }
              self.nudge.send()
            }
          }
        }
        let deadline = news.deadline(ears) ?? parts.time.now.advanced(by: Self.eternity)
        do { try await waiter.wait(until: deadline) } catch { break }
      }
      group.cancelAll()
    }
  }

  private func send(_ news: CloudNews.News) async {
    guard case .connection(let backend, let type, let isConnected, let state, let reason) = news
    else { return }
    do throws(RPCFailure) {
      _ = try await parts.moonraker.call(
        "connection.send_event",
        [
          "event": isConnected ? "cloud_connected" : "cloud_disconnected",
          "data": [
            "backend": .string(backend), "type": .string(type), "state": .string(state),
            "reason": .string(orNull: reason),
          ],
        ], timeout: Self.eventPatience)
    } catch {
      // An ordinary client, whose name is taken, may not tell anything; nobody depends on it.
      log(.debug, "no event for Moonraker's other clients: \(error)")
    }
  }

  private func tellConsole(_ backend: String) async {
    do throws(CommandFailure) {
      try await parts.services.gate.tellConsole(parked: backend)
      parts.services.note("the printer's console says that \(backend) is parked", as: "console")
    } catch {
      log(.info, "the printer's console does not say that \(backend) is parked: \(error.message)")
    }
  }
}
