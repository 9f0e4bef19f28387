import ConnectorKit
import JSON
import Platform

/// Klippy's states, and the subscription.
extension LinkMachine {
  mutating func askServerInfo(_ actions: inout [Action]) {
    isInfoPending = true
    isInfoOutdated = false
    pollAt = nil
    actions.append(.call(.serverInfo))
  }

  mutating func answered(
    _ call: LinkCall, _ outcome: Result<JSONValue, RPCFailure>, at now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    switch call {
    case .identify(let name, let asAgent):
      identified(name: name, asAgent: asAgent, outcome, at: now, &actions)
    case .serverInfo: serverInfo(outcome, at: now, &actions)
    case .printerInfo: printerInfo(outcome, &actions)
    case .objectsList(let generation):
      guard generation == self.generation, subscription == .listing else { break }
      switch outcome {
      case .success(let result):
        available = (result["objects"]?.array ?? []).compactMap(\.string)
        subscribe(&actions)
      case .failure(let failure): subscriptionFailed(failure, at: now, &actions)
      }
    case .query(let generation, _):
      guard generation == self.generation, isOncePending else { break }
      isOncePending = false
      let values = (try? outcome.get())?["status"]?.object ?? JSONObject()
      if case .live = subscription {
        isResubscribing = false
        actions.append(.cache(.once(values)))
      } else {
        onceValues = values
      }
    case .subscribe(let generation, _):
      guard generation == self.generation, subscription == .subscribing else { break }
      subscribed(outcome, at: now, &actions)
    case .metadata(let filename):
      let found = (try? outcome.get())?.object?.withoutBulk
      if let shown = metadata.answered(filename, found, at: now) {
        actions.append(.cache(.metadata(filename: filename, shown)))
      }
    case .diskUsage:
      let usage = (try? outcome.get())?["disk_usage"]
      guard let total = usage?["total"]?.double, let used = usage?["used"]?.double, total > 0
      else { break }
      actions.append(.cache(.disk(percent: min(max(used / total * 100, 0), 100))))
    case .register(let method): registered(method, outcome, at: now, &actions)
    case .probe:
      if case .failure(.timedOut) = outcome {
        actions.append(.disconnect("Moonraker does not answer"))
      }
    }
  }

  private mutating func serverInfo(
    _ outcome: Result<JSONValue, RPCFailure>, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard phase == .connected, isInfoPending else { return }
    isInfoPending = false
    switch outcome {
    case .success(let info):
      guard let text = info["klippy_state"]?.string else {
        actions.append(.disconnect("the answer to server.info is none of Moonraker's"))
        return
      }
      tellMoonraker(info, &actions)
      linkIsUp(at: now, &actions)
      guard !isInfoOutdated else {
        if klippy != .ready, pollAt == nil { pollAt = now.advanced(by: Times.fastPoll) }
        return
      }
      klippyIs(KlippyState(rawValue: text) ?? .startup, at: now, &actions)
    case .failure(let failure) where failure.isUnauthorized: unauthorized(&actions)
    case .failure(.refused(_, let message)):
      actions.append(.log(.debug, "server.info failed: \(message)"))
      pollAt = now.advanced(by: Times.fastPoll)
    case .failure(let failure):
      actions.append(.disconnect("no answer to server.info: \(failure)"))
    }
  }

  private mutating func printerInfo(
    _ outcome: Result<JSONValue, RPCFailure>, _ actions: inout [Action]
  ) {
    let info = (try? outcome.get()) ?? nil
    let state = info["state"]?.string.flatMap(KlippyState.init(rawValue:))
    switch klippy {
    case .error, .shutdown:
      let words = state == klippy ? info["state_message"]?.string : nil
      actions.append(.cache(.klippy(klippy, message: words)))
    case .ready:
      guard state == .ready else { return }
      let app = info["app"]?.string ?? "Klipper"
      let version = info["software_version"]?.string ?? "of unknown version"
      actions.append(.log(.info, "Klippy is ready (\(app) \(version))"))
    case .startup, .disconnected: break
    }
  }

  mutating func klippyNotified(
    _ event: Event, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    isInfoOutdated = isInfoPending
    hasMetKlippy = true
    linkIsUp(at: now, &actions)
    switch event {
    case .klippyReady:
      // Whatever there was, Moonraker dropped it when Klippy went.
      dropSubscription()
      klippyIs(.ready, isNotified: true, at: now, &actions)
    case .klippyShutdown: klippyIs(.shutdown, isNotified: true, at: now, &actions)
    default: klippyIs(.disconnected, isNotified: true, at: now, &actions)
    }
  }

  private mutating func klippyIs(
    _ state: KlippyState, isNotified: Bool = false, at now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    if state != .disconnected { hasMetKlippy = true }
    let isNews = state != klippy
    klippy = state
    var shown = state
    if state == .disconnected, !hasMetKlippy, now < linkUpAt.advanced(by: Times.grace) {
      shown = .startup
    }
    shownKlippy = shown
    // What a poll finds out is told together with its words; a shutdown that we are notified of is urgent.
    let awaitsWords = isNews && !isNotified && (state == .error || state == .shutdown)
    if !awaitsWords { actions.append(.cache(.klippy(shown, message: nil))) }

    switch state {
    case .ready:
      pollAt = nil
      if subscription == .none { beginSubscription(&actions) }
    case .shutdown:
      pollAt = now.advanced(by: Times.slowPoll)
      if isNews {
        actions.append(.log(.warning, "Klippy has shut down"))
        actions.append(.call(.printerInfo))
      }
      if subscription == .none { beginSubscription(&actions) }
    case .error:
      pollAt = now.advanced(by: Times.slowPoll)
      dropSubscription()
      if isNews {
        actions.append(.log(.warning, "Klippy could not start"))
        actions.append(.call(.printerInfo))
      }
    case .startup, .disconnected:
      pollAt = now.advanced(by: Times.fastPoll)
      dropSubscription()
      if isNews {
        actions.append(.log(.info, state == .startup ? "Klippy is starting" : "Klippy is away"))
      }
    }
  }

  // MARK: The subscription

  mutating func dropSubscription() {
    subscription = .none
    isOncePending = false
    onceValues = nil
    isResubscribing = false
  }

  private mutating func beginSubscription(_ actions: inout [Action]) {
    generation += 1
    subscription = .listing
    isOncePending = false
    onceValues = nil
    if klippy == .ready { actions.append(.call(.printerInfo)) }
    actions.append(.call(.objectsList(generation: generation)))
  }

  private mutating func subscribe(_ actions: inout [Action]) {
    let plan = SubscriptionPlan(interest, available: available)
    subscription = .subscribing
    onceFields = plan.once
    onceValues = nil
    isOncePending = !plan.queried.isEmpty
    // Side by side: Klipper serves both in the same pass.
    if isOncePending {
      actions.append(.call(.query(generation: generation, plan.queried)))
    }
    actions.append(.call(.subscribe(generation: generation, plan.subscribed)))
  }

  private mutating func subscribed(
    _ outcome: Result<JSONValue, RPCFailure>, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    switch outcome {
    case .failure(let failure): subscriptionFailed(failure, at: now, &actions)
    case .success(let result):
      guard let objects = result["status"]?.object else {
        let failure = RPCFailure.refused(code: 0, message: "an answer without status")
        return subscriptionFailed(failure, at: now, &actions)
      }
      let eventtime = result["eventtime"]?.number
      subscription = .live(since: eventtime?.double)
      toldSubscriptionProblem = ""
      isResubscribing = isOncePending
      let isComplete = !isOncePending && onceValues == nil
      actions.append(
        .cache(
          .full(
            objects, eventtime: eventtime, kept: onceFields, isComplete: isComplete,
            covering: interest)))
      if let onceValues { actions.append(.cache(.once(onceValues))) }
      onceValues = nil
      observePrintStats(in: objects, &actions)
    }
  }

  private mutating func subscriptionFailed(
    _ failure: RPCFailure, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    dropSubscription()
    actions.append(.cache(.stale))
    pollAt = now.advanced(by: Times.fastPoll)
    // Klippy went in between; the poll finds out what became of it.
    let level: LogLevel =
      failure.isKlippyAway || toldSubscriptionProblem == failure.description ? .debug : .warning
    toldSubscriptionProblem = failure.description
    actions.append(.log(level, "cannot subscribe to the printer's status: \(failure)"))
  }

  mutating func statusUpdate(
    _ objects: JSONObject, eventtime: JSONNumber?, _ actions: inout [Action]
  ) {
    guard case .live(let since) = subscription else { return }
    if let since, let time = eventtime?.double, time < since { return }
    actions.append(.cache(.update(objects, eventtime: eventtime)))
    observePrintStats(in: objects, &actions)
  }

  mutating func setInterest(
    _ new: StatusInterest, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard new != interest else { return }
    interest = new
    switch subscription {
    case .none, .listing: break
    case .subscribing, .live:
      if case .live = subscription { isResubscribing = true }
      generation += 1
      subscribe(&actions)
    }
    if let due = diskAt, due <= now { tick(lastHeard: now, at: now, &actions) }
  }

  // MARK: The loaded file

  private mutating func observePrintStats(in objects: JSONObject, _ actions: inout [Action]) {
    guard let stats = objects["print_stats"] else { return }
    let filename = stats["filename"]?.string
    let state = stats["state"]?.string
    guard filename != nil || state != nil else { return }
    if let filename = metadata.observe(filename: filename, state: state) {
      actions.append(.call(.metadata(filename: filename)))
    }
  }

  mutating func fileListChanged(_ change: JSONValue, _ actions: inout [Action]) {
    guard isLinkUp else { return }
    for item in [change["item"], change["source_item"]] {
      guard let item, item["root"]?.string == "gcodes", let path = item["path"]?.string,
        let filename = metadata.fileChanged(path, size: item["size"]?.integer)
      else { continue }
      actions.append(.call(.metadata(filename: filename)))
      return
    }
  }
}
