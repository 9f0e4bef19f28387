import ConnectorKit
import JSON
import Platform

/// Opening, identifying, losing and probing the connection.
extension LinkMachine {
  mutating func opened(at now: MonotonicInstant, _ actions: inout [Action]) {
    guard phase == .connecting else { return }
    probeAt = now.advanced(by: Times.probe)
    phase = .identifying
    let name = triesAgent ? agentName : "\(agentName)-client"
    actions.append(.call(.identify(name: name, asAgent: triesAgent)))
  }

  mutating func identified(
    name: String, asAgent: Bool, _ outcome: Result<JSONValue, RPCFailure>,
    at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard phase == .identifying else { return }
    switch outcome {
    case .success:
      if asAgent {
        isNameTaken = false
        nameAttempts = 0
        // Only an agent may; registrations go with the connection.
        actions += remoteMethods.map { .call(.register(method: $0)) }
      }
      // The next connection asks for the name again: its holder may have gone.
      triesAgent = true
      proceed(as: name, &actions)
    case .failure(let failure) where failure.isUnauthorized: unauthorized(&actions)
    case .failure(.refused(code: 400, let message)) where asAgent: nameIsTaken(message, &actions)
    case .failure(.refused(_, let message)):
      // Everything that matters works without a name.
      actions.append(.log(.warning, "Moonraker did not take our name: \(message)"))
      proceed(as: "", &actions)
    case .failure(let failure):
      actions.append(.disconnect("no answer to the identification: \(failure)"))
    }
  }

  /// Another client holds the agent's name, perhaps a lost connection of our own. A connection identifies once only,
  /// so each further attempt is a new connection.
  private mutating func nameIsTaken(_ message: String, _ actions: inout [Action]) {
    if !isNameTaken, nameAttempts < Times.namePauses.count {
      pauseBeforeReturn = Times.namePauses[nameAttempts]
      nameAttempts += 1
    } else {
      if !isNameTaken {
        actions.append(
          .log(
            .warning,
            "another client of Moonraker holds the agent name \(agentName): going on as an ordinary client; is there a second daemon?"
          ))
      }
      isNameTaken = true
      triesAgent = false
      pauseBeforeReturn = .zero
    }
    actions.append(.disconnect("the agent name is taken: \(message)"))
  }

  /// Moonraker has taken a method's name, or not: the first who asks for one gets it.
  mutating func registered(
    _ method: String, _ outcome: Result<JSONValue, RPCFailure>, at now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    guard case .failure(let failure) = outcome else {
      if takenMethods.remove(method) != nil {
        actions.append(.log(.info, "macros can call \(method) now"))
      }
      return
    }
    guard case .refused(code: 400, _) = failure else {
      actions.append(
        .log(.warning, "Moonraker did not register \(method), so macros cannot call it: \(failure)")
      )
      return
    }
    // Its holder may go: asked again, and said once.
    registerAt = now.advanced(by: Times.registering)
    guard takenMethods.insert(method).inserted else { return }
    actions.append(
      .log(
        .warning,
        "another client of Moonraker has \(method), so macros that call it do not reach us; is there a second daemon? (\(failure))"
      ))
  }

  private mutating func registerIfDue(at now: MonotonicInstant, _ actions: inout [Action]) {
    guard let due = registerAt, due <= now else { return }
    registerAt = nil
    actions += takenMethods.sorted().map { .call(.register(method: $0)) }
  }

  private mutating func proceed(as name: String, _ actions: inout [Action]) {
    identifiedName = name
    phase = .connected
    askServerInfo(&actions)
  }

  mutating func unauthorized(_ actions: inout [Action]) {
    isUnauthorized = true
    actions.append(
      .disconnect(hasKey ? "Moonraker does not take the API key" : "Moonraker wants an API key"))
  }

  private var keyRemedy: String {
    hasKey
      ? "compare printer.api_key_file with the key that Mainsail or Fluidd shows"
      : "give its API key in printer.api_key_file, or add this host to Moonraker's trusted_clients"
  }

  /// Moonraker has answered, or told us something: it knows us and works.
  mutating func linkIsUp(at now: MonotonicInstant, _ actions: inout [Action]) {
    failures = 0
    isUnauthorized = false
    problem = ""
    remedy = ""
    guard !isLinkUp else { return }
    isLinkUp = true
    linkUpAt = now
    actions.append(.cache(.link(isUp: true)))
    askDiskIfDue(at: now, &actions)
  }

  /// Says once per connection whom we have met.
  mutating func tellMoonraker(_ info: JSONValue, _ actions: inout [Action]) {
    guard !hasToldMoonraker else { return }
    hasToldMoonraker = true
    let version = info["moonraker_version"]?.string ?? "of unknown version"
    actions.append(.log(.info, "connected to Moonraker \(version)"))
    for missing in info["missing_klippy_requirements"]?.array ?? [] {
      guard let name = missing.string else { continue }
      actions.append(
        .log(
          .warning,
          "Klipper lacks [\(name)], without which it does not print; add it to printer.cfg"))
    }
  }

  mutating func closed(
    _ reason: String, jitter: Double, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    switch phase {
    case .stopped, .waiting: return
    case .connecting, .identifying, .connected: break
    }
    let level = levelOfNews(reason)
    problem = reason
    remedy = isUnauthorized ? keyRemedy : ""
    let advice = remedy.isEmpty ? "" : "; \(remedy)"
    actions.append(
      .log(level, isLinkUp ? "Moonraker is away: \(reason)" : "no Moonraker: \(reason)\(advice)"))
    if isLinkUp { actions.append(.cache(.link(isUp: false))) }

    isLinkUp = false
    hasToldMoonraker = false
    klippy = .disconnected
    hasMetKlippy = false
    isInfoPending = false
    isInfoOutdated = false
    pollAt = nil
    probeAt = nil
    registerAt = nil
    dropSubscription()
    metadata.connectionLost()

    if let pause = pauseBeforeReturn {
      pauseBeforeReturn = nil
      phase = .waiting(until: now.advanced(by: pause))
      return
    }
    var pause = Times.longestPause
    if !isUnauthorized, failures < 5 {
      pause = min(Times.firstPause * (1 << failures), Times.longestPause)
    }
    isUnauthorized = false
    failures += 1
    // Between a half and the whole of it, so that many clients do not come back in step.
    phase = .waiting(until: now.advanced(by: pause * (0.5 + 0.5 * min(max(jitter, 0), 1))))
  }

  /// How much the end of a connection, or of an attempt, matters: a loss is told once, and so is each further reason.
  private func levelOfNews(_ reason: String) -> LogLevel {
    // Numbers aside: "after 3 ms" is no news.
    let isSame = reason.utf8.filter(isNoDigit).elementsEqual(problem.utf8.filter(isNoDigit))
    if pauseBeforeReturn != nil || (isSame && !isLinkUp) { return .debug }
    return isLinkUp || isUnauthorized || problem.isEmpty ? .warning : .info
  }

  mutating func tick(
    lastHeard: MonotonicInstant?, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    switch phase {
    case .stopped, .connecting: break
    case .waiting(let until):
      guard until <= now else { break }
      phase = .connecting
      actions.append(.connect)
    case .identifying: probeIfDue(lastHeard: lastHeard, at: now, &actions)
    case .connected:
      if let pollAt, pollAt <= now, !isInfoPending { askServerInfo(&actions) }
      if isLinkUp, let filename = metadata.due(at: now) {
        actions.append(.call(.metadata(filename: filename)))
      }
      askDiskIfDue(at: now, &actions)
      registerIfDue(at: now, &actions)
      probeIfDue(lastHeard: lastHeard, at: now, &actions)
    }
  }

  /// A WebSocket is pinged every 20 s. A Unix socket has no pings and cannot be half-open, but its Moonraker can be
  /// frozen: it is asked when it has been silent for 15 s, while its statistics come every second.
  private mutating func probeIfDue(
    lastHeard: MonotonicInstant?, at now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard let due = probeAt, due <= now else { return }
    if usesPing {
      probeAt = now.advanced(by: Times.probe)
      actions.append(.ping)
      return
    }
    let silence = Duration.seconds(15)
    if let lastHeard, lastHeard.advanced(by: silence) > now {
      probeAt = lastHeard.advanced(by: silence)
    } else {
      probeAt = now.advanced(by: Times.probe)
      actions.append(.call(.probe))
    }
  }

  private mutating func askDiskIfDue(at now: MonotonicInstant, _ actions: inout [Action]) {
    guard let due = diskAt, due <= now else { return }
    lastDiskQuery = now
    actions.append(.call(.diskUsage))
  }
}

private func isNoDigit(_ byte: UInt8) -> Bool {
  !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
