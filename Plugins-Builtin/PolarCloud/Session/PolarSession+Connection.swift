internal import ConnectorKit
internal import JSON
internal import Platform
internal import SocketIO

// How connections begin and end, and what the cloud says about this printer as such.

extension PolarSession {
  /// Ends the connection from this side.
  mutating func close(_ farewell: Farewell, _ actions: inout [Action]) {
    phase = .leaving(farewell)
    if rules.isOnce, case .comeBack(let pause) = farewell, pause > Self.afterRegistration {
      // Who wants one round wants to hear of it.
      phase = .leaving(.park(problem: lastError ?? "the Polar Cloud refuses", remedy: ""))
    }
    actions.append(.close)
  }

  /// The connection has ended, or did not come about.
  mutating func ended(
    _ closure: SocketIOClosure, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    let former = phase
    images.disconnected()
    settleByEnd(closure, &actions)
    switch former {
    case .leaving(.comeBack(let pause)): phase = .waiting(until: now.advanced(by: pause))
    case .leaving(.park(let problem, let remedy)):
      actions.append(.park(problem: problem, remedy: remedy))
    case .leaving(.finish):
      // What was reported is to be known for it next time.
      hasClosed = true
      if delivery != .settling { actions.append(.finish) }
    case .unregistering:
      givenBack("the connection was lost meanwhile", &actions)
      if case .leaving(.park(let problem, let remedy)) = phase {
        actions.append(.park(problem: problem, remedy: remedy))
      }
    default:
      var served: Duration?
      if case .online(let since) = former { served = since.duration(to: now) }
      // The number counts, and is on its way to the disk: another one must not be asked for.
      if case .keeping(let serial, _) = former { serialNumber = serial }
      let wait = reconnect.wait(
        after: closure, served: served, at: rules.wallTime(), random: rules.random())
      phase = .waiting(until: now.advanced(by: wait))
      let problem = "\(rules.host): \(closure.problem)"
      if rules.isOnce {
        actions.append(.park(problem: problem, remedy: closure.remedy))
      } else if served == nil || reconnect.failures > 1 {
        fail(problem, "\(closure.reason)", remedy: closure.remedy, now, &actions)
      } else {
        actions.append(.log(.info, "\(problem); connecting again"))
      }
    }
  }

  /// Gives the printer back, as a person wishes.
  mutating func unregister(_ now: MonotonicInstant, _ actions: inout [Action]) {
    if case .keeping(let serial, _) = phase { serialNumber = serial }
    guard let serialNumber else { return }
    guard case .online = phase else {
      givenBack("there is no connection, so the cloud is not told", &actions)
      return
    }
    phase = .unregistering(since: now)
    actions.append(.emit("unregister", ["serialNumber": .string(serialNumber)]))
  }

  /// The number is forgotten, whatever the cloud said.
  mutating func givenBack(_ remark: String?, _ actions: inout [Action]) {
    forgetRegistration(&actions)
    actions.append(.store(.unregistered(credentials: rules.credentials)))
    if let remark { actions.append(.log(.warning, "unregistered: \(remark)")) }
    let farewell = Farewell.park(problem: Self.wasGivenBack, remedy: Self.register)
    switch phase {
    case .waiting: actions.append(.park(problem: Self.wasGivenBack, remedy: Self.register))
    case .leaving: phase = .leaving(farewell)
    default: close(farewell, &actions)
    }
  }

  /// What prints goes on; what is only fetched is not begun, and nobody is told of either any more.
  private mutating func forgetRegistration(_ actions: inout [Action]) {
    serialNumber = nil
    images.forget()
    if let job = tracker.job { reported.append(job.id) }
    tracker = JobTracker(nil, now: MonotonicInstant(sinceOrigin: .zero))
    lateCancel = nil
    actions.append(.abortDownload)
  }

  // MARK: What the cloud says

  mutating func received(
    _ event: CloudEvent, _ contact: CommandContact?, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    switch event {
    case .welcome(let challenge): welcomed(challenge, now, &actions)
    case .registered(let answer): registered(answer, now, &actions)
    case .greeted(let answer): greeted(answer, now, &actions)
    case .unregistered(let answer):
      guard case .unregistering = phase else { return }
      let refusal = "\(rules.host) refuses it (\(answer.message)), and is forgotten all the same"
      givenBack(answer.isAccepted ? nil : refusal, &actions)
    case .foreign(let name, let serial):
      log("\(name) is meant for printer \(serial), which this is not", "foreign", &actions)
    case .ignored(_, let reason?): log(reason, reason, &actions)
    case .ignored(let name, nil): actions.append(.log(.debug, "\(name) is not known here"))
    default:
      guard case .online = phase, let contact else { return }
      obey(event, contact, now, &actions)
    }
  }

  private mutating func welcomed(
    _ challenge: String?, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard case .welcoming = phase, let challenge else { return }
    if serialNumber != nil {
      phase = .greeting(since: now)
      actions.append(.greet(challenge: challenge))
    } else if rules.canRegister {
      phase = .registering(since: now)
      actions.append(.register)
    } else {
      close(.park(problem: Self.notRegistered, remedy: Self.register), &actions)
    }
  }

  private mutating func registered(
    _ answer: RegisterAnswer, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard case .registering = phase else { return }
    switch answer {
    case .accepted(let serial):
      // On the disk before it is used.
      phase = .keeping(serialNumber: serial, retryAt: nil)
      actions.append(.store(.registered(serialNumber: serial, as: rules.username)))
    case .refused(let reason):
      switch RegistrationRefusal(reason) {
      case .final(let problem, let remedy): block(problem, remedy: remedy, forgets: false, &actions)
      case .key where !hasRenewedKey:
        hasRenewedKey = true
        actions.append(.log(.warning, "\(rules.host) does not take our key; a new one is made"))
        actions.append(.renewKey)
        close(.comeBack(after: Self.afterRegistration), &actions)
      case .key:
        block(
          "\(rules.host) does not take our key (INVALID_KEY)",
          remedy: "ask the Polar Cloud's support, then register again on the page",
          forgets: false, &actions)
      case .passing(let word):
        fail(
          "\(rules.host) cannot register this printer now (\(word))", "registration", now, &actions)
        close(.comeBack(after: refusals.failed(random: rules.random())), &actions)
      }
    }
  }

  private mutating func greeted(
    _ answer: HelloAnswer, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard case .greeting = phase else { return }
    switch answer {
    case .accepted:
      phase = .online(since: now)
      refusals.succeeded()
      occurrences.resetAll()
      // The cloud knows nothing of what was told on another connection.
      schedule.forget()
      saidVersion = false
      if delivery != .settling { delivery = .due }
      note(error: nil, &actions)
      actions.append(.log(.info, "connected with \(rules.host) as \(serialNumber ?? "")"))
    case .deleted: deleted(&actions)
    case .refused(let message):
      let words = message.isEmpty ? "" : " (\(message))"
      fail(
        "\(rules.host) refuses this printer's greeting\(words)", "greeting",
        remedy: "it is tried again; if that goes on, unregister and register on the page", now,
        &actions)
      close(.comeBack(after: refusals.failed(random: rules.random())), &actions)
    }
  }

  /// The owner has deleted this printer in the cloud. What it prints goes on.
  mutating func deleted(_ actions: inout [Action]) {
    block(
      "this printer was deleted in the Polar Cloud",
      remedy: "register it again on the page at /polar-cloud/ if that was not meant",
      forgets: true, &actions)
    forgetRegistration(&actions)
  }

  private mutating func block(
    _ problem: String, remedy: String, forgets: Bool, _ actions: inout [Action]
  ) {
    let block = PolarRecord.Block(
      problem: problem, remedy: remedy, credentials: rules.credentials)
    actions.append(.store(.blocked(block, forgets: forgets)))
    note(error: problem, &actions)
    close(.park(problem: problem, remedy: remedy), &actions)
  }

  // MARK: The record

  mutating func stored(
    _ change: PolarRecord.Change, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard case .registered(let serial, _) = change, case .keeping(serial, _) = phase else { return }
    serialNumber = serial
    refusals.succeeded()
    actions.append(.log(.info, "registered with \(rules.host) as \(serial)"))
    close(.comeBack(after: Self.afterRegistration), &actions)
  }

  mutating func notStored(
    _ change: PolarRecord.Change, _ reason: String, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    // To note that as well would fail as well, for ever.
    log("\(Self.notStored): \(reason)", "storing", &actions)
    if case .error = change { return }
    fail(Self.notStored, "not stored", remedy: "make room in it", now, &actions)
    guard case .registered(let serial, _) = change, case .keeping = phase else { return }
    phase = .keeping(serialNumber: serial, retryAt: now.advanced(by: .seconds(5)))
  }

  /// Always the same words: what differs each time would be noted each time.
  private static let notStored = "the state directory does not take what must be kept"

  mutating func log(_ line: String, _ kind: String, _ actions: inout [Action]) {
    guard let count = occurrences.note(kind) else { return }
    actions.append(.log(.warning, count > 1 ? "\(line) (\(count) times)" : line))
  }
}

/// What the cloud's word about a refused registration means.
enum RegistrationRefusal: Sendable, Hashable {
  /// Nothing changes by itself.
  case final(problem: String, remedy: String)
  /// It does not like the key.
  case key
  /// Later perhaps.
  case passing(String)

  init(_ reason: String) {
    switch reason {
    case "EMAIL_PIN_ERROR":
      self = .final(
        problem: "the Polar Cloud refuses e-mail and PIN (EMAIL_PIN_ERROR)",
        remedy: "check both in your account's settings there, and enter them again")
    case "FORBIDDEN":
      self = .final(
        problem: "this printer belongs to another account of the Polar Cloud (FORBIDDEN)",
        remedy: "delete it in that account, then register it again")
    case "MFG_MISSING", "MFG_UNKNOWN":
      self = .final(
        problem: "the Polar Cloud does not know the manufacturer (\(reason))",
        remedy: "set manufacturer to kl, then register again")
    case "INVALID_KEY": self = .key
    default: self = .passing(reason.isEmpty ? "no reason given" : reason)
    }
  }
}

extension SocketIOClosure {
  /// What the owner can do about it.
  var remedy: String {
    switch reason {
    case .network(let kind): kind.remedy(address: "server_url")
    case .refused(let status) where (300..<500).contains(status) && status != 429:
      "check that server_url is the Polar Cloud's own address"
    case .protocolViolation, .connectError: "check that server_url is the Polar Cloud's own address"
    default: "it is tried again by itself"
    }
  }
}
