internal import Platform

// When what is due.

extension RelaySession {
  func lane(_ endpoint: RelayEndpoint) -> Lane { lanes[endpoint] ?? Lane() }

  mutating func change(_ endpoint: RelayEndpoint, _ body: (inout Lane) -> Void) {
    body(&lanes[endpoint, default: Lane()])
  }

  func due(_ endpoint: RelayEndpoint, _ now: MonotonicInstant) -> MonotonicInstant {
    let lane = lane(endpoint)
    var due: MonotonicInstant
    if lane.failures > 0 {
      due = lane.retryAt
    } else if let lastStart = lane.lastStart {
      switch endpoint {
      case .heartbeat: due = lastStart.advanced(by: heartbeatInterval)
      case .telemetry: due = reportDue(after: lastStart)
      // One after the other; an answer that came too early has set a pause.
      case .pull: due = lane.retryAt
      case .push: due = now
      }
    } else {
      due = now
    }
    switch (standing, endpoint) {
    case (.good, _): break
    // What answers here decides; a failed attempt at it waits its back-off all the same.
    case (.fallenBack(let at), .heartbeat), (.checking(let at), .heartbeat):
      due = lane.failures > 0 ? max(at, lane.retryAt) : at
    case (_, .telemetry), (_, .pull), (_, .push): due = .never
    }
    // A heartbeat goes first, then a report.
    if endpoint == .pull, awaitsHeartbeatSince != nil || ending != nil { return .never }
    if endpoint == .push, owed == nil || isSettling { return .never }
    if endpoint == .telemetry {
      if awaitsHeartbeatSince != nil {
        due = isProbeDue ? now : .never
      } else if lane.failures > 0, self.lane(.heartbeat).inFlight != nil {
        due = .never
      }
    }
    return max(due, heldUntil)
  }

  func reportDue(after last: MonotonicInstant) -> MonotonicInstant {
    let interval =
      dataInterval ?? (reading.isBusy ? rules.telemetryInterval : rules.telemetryIdleInterval)
    let regular = last.advanced(by: interval)
    guard reading.jobState != reportedState || reading.lastMessage != reportedMessage else {
      return regular
    }
    let news = last.advanced(by: dataInterval ?? Self.breath)
    return min(regular, max(news, graceUntil ?? news))
  }

  mutating func observe(_ new: PrinterReading, _ now: MonotonicInstant) {
    if new.link != reading.link {
      // Klippy is commonly away for a moment just after Moonraker is back.
      graceUntil = now.advanced(by: Self.grace)
    }
    if new.jobState != .unknown { graceUntil = nil }
    reading = new
  }
}

extension MonotonicInstant {
  /// Later than anything that is waited for.
  static let never = MonotonicInstant(sinceOrigin: .seconds(1_000_000_000_000))
}
