package import ConnectorKit
import JSON
package import Platform

/// The printer's status as a pure value: changes in, the newest snapshot and events out.
///
/// Merging: a field that comes replaces the field as a whole, a field that is absent did not change, `null` is a value,
/// nothing is deleted; a subscription's answer replaces everything. When Klippy goes, the last values stay for display
/// with ``PrinterStatus/isCurrent`` false, and every `target` and `power` becomes `null`: a printer that has lost its
/// host heats nothing that we know of.
package struct StatusState: Sendable {
  /// The newest snapshot, without the host's load (see ``host``).
  package private(set) var status: PrinterStatus
  /// The host's load: kept beside the snapshots, because it changes every second and nobody waits for it.
  package private(set) var host = HostLoad()

  /// What one change did.
  package struct Effects: Sendable {
    /// Whether a new snapshot came into being.
    package var isNewSnapshot = false
    /// What happened, in order.
    package var events: [PrinterEvent] = []
  }

  private var jobs = JobTracker()
  private var toldKlippy = KlippyState.disconnected
  private var toldMessage = ""
  private var toldPrintState: String?
  private var metadataFilename = ""
  /// What the newest subscription has asked for.
  private var asked: StatusInterest?

  /// The status before anything is known.
  package init(startedAt now: MonotonicInstant, wallTime: WallTime) {
    status = PrinterStatus(startedAt: now, wallTime: wallTime)
  }

  /// Takes one change in, which arrived at `now`.
  package mutating func apply(
    _ change: StatusChange, at now: MonotonicInstant, wallTime: WallTime
  ) -> Effects {
    var effects = Effects()
    switch change {
    case .link(let isUp): applyLink(isUp: isUp, at: now, &effects)
    case .klippy(let state, let message):
      setKlippy(state, message: message ?? (state == status.klippy ? nil : ""), &effects)
    case .full(let objects, let eventtime, let kept, let isComplete, let covering):
      replaceObjects(objects, kept: kept)
      asked = covering
      if isComplete {
        status.isCurrent = true
        status.covered = asked
      }
      stamp(eventtime, at: now, wallTime)
      effects.isNewSnapshot = true
      readWebhooks(&effects)
    case .update(let objects, let eventtime):
      effects.isNewSnapshot = merge(objects)
      stamp(eventtime, at: now, wallTime)
      if objects["webhooks"] != nil { readWebhooks(&effects) }
    case .once(let objects):
      if merge(objects) { effects.isNewSnapshot = true }
      status.covered = asked
      if !status.isCurrent, status.objects["webhooks"] != nil {
        status.isCurrent = true
        effects.isNewSnapshot = true
      }
    case .stale: becomeStale(&effects)
    case .metadata(let filename, let metadata):
      guard filename == status.field("print_stats", "filename")?.string,
        status.fileMetadata != metadata
      else { return effects }
      status.fileMetadata = metadata
      metadataFilename = filename
      effects.isNewSnapshot = true
    case .load(let cpu, let memory):
      host.cpuPercent = cpu
      host.memoryPercent = memory
      return effects
    case .machine(let memory, let temperature):
      host.memoryUsed = memory
      host.cpuTemperature = temperature
      return effects
    case .files:
      status.filesRevision &+= 1
      effects.isNewSnapshot = true
    case .disk(let percent):
      host.diskPercent = percent
      return effects
    case .message(let text):
      status.messages.append(
        PrinterMessage(
          number: (status.messages.last?.number ?? 0) &+ 1, at: now, wallTime: wallTime, text: text)
      )
      let surplus = status.messages.count - PrinterMessage.most
      if surplus > 0 { status.messages.removeFirst(surplus) }
      effects.isNewSnapshot = true
    case .webcams: effects.events.append(.webcams)
    case .jobQueue:
      status.queueRevision &+= 1
      effects.isNewSnapshot = true
    }
    tellPrintState(&effects)
    if status.isCurrent { followJob(&effects) }
    if effects.isNewSnapshot { status.version &+= 1 }
    return effects
  }

  private mutating func applyLink(
    isUp: Bool, at now: MonotonicInstant, _ effects: inout Effects
  ) {
    guard isUp != (status.link == .connected) else { return }
    effects.isNewSnapshot = true
    effects.events.append(.link(isUp: isUp))
    if isUp {
      status.link = .connected
      status.queueRevision &+= 1
    } else {
      status.link = .away(since: now)
      // Moonraker's absence says nothing about Klippy, so it is no event of Klippy's, and a job may go on.
      status.klippy = .disconnected
      status.klippyMessage = ""
      status.isCurrent = false
      host.cpuPercent = nil
      host.memoryPercent = nil
      host.memoryUsed = nil
      host.cpuTemperature = nil
    }
  }

  private mutating func setKlippy(
    _ state: KlippyState, message: String?, _ effects: inout Effects
  ) {
    if state != status.klippy {
      status.klippy = state
      effects.isNewSnapshot = true
    }
    if let message, message != status.klippyMessage {
      status.klippyMessage = message
      effects.isNewSnapshot = true
    }
    switch state {
    case .disconnected, .error:
      if status.isCurrent { becomeStale(&effects) }
      forgetHeat(&effects)
    case .startup: becomeStale(&effects)
    case .ready, .shutdown: break
    }
    if toldKlippy != state || (toldMessage != status.klippyMessage && state != .ready) {
      toldKlippy = state
      toldMessage = status.klippyMessage
      effects.events.append(.klippy(state, message: status.klippyMessage))
    }
    jobs.klippyChanged(state, &effects.events)
  }

  private mutating func becomeStale(_ effects: inout Effects) {
    guard status.isCurrent else { return }
    status.isCurrent = false
    effects.isNewSnapshot = true
  }

  private mutating func forgetHeat(_ effects: inout Effects) {
    for (name, object) in status.objects {
      for key in ["target", "power"] {
        guard let value = object[key], !value.isNull else { continue }
        status.objects[name]?[key] = .null
        effects.isNewSnapshot = true
      }
    }
  }

  private mutating func stamp(
    _ eventtime: JSONNumber?, at now: MonotonicInstant, _ wallTime: WallTime
  ) {
    if let eventtime { status.eventtime = eventtime }
    status.updatedAt = now
    status.updatedWallTime = wallTime
  }

  private mutating func replaceObjects(_ objects: JSONObject, kept: [String: Set<String>]) {
    var replaced: [String: JSONObject] = [:]
    replaced.reserveCapacity(objects.count)
    for (name, value) in objects {
      guard let object = value.object else { continue }
      replaced[name] = object
    }
    for (name, fields) in kept {
      guard let former = status.objects[name] else { continue }
      for field in fields where replaced[name]?[field] == nil {
        if let value = former[field] { replaced[name, default: JSONObject()][field] = value }
      }
    }
    status.objects = replaced
    dropForeignMetadata()
  }

  /// Merges fields into the objects; untouched objects stay shared with the snapshots that are out.
  private mutating func merge(_ objects: JSONObject) -> Bool {
    var isChanged = false
    for (name, value) in objects {
      guard let fields = value.object else { continue }
      for (key, value) in fields where status.objects[name]?[key] != value {
        status.objects[name, default: JSONObject()][key] = value
        isChanged = true
      }
    }
    if isChanged { dropForeignMetadata() }
    return isChanged
  }

  private mutating func dropForeignMetadata() {
    guard !status.fileMetadata.isEmpty,
      status.field("print_stats", "filename")?.string != metadataFilename
    else { return }
    status.fileMetadata = JSONObject()
  }

  /// What Klippy says about itself; read only when it has just come, because Moonraker's notification of a shutdown is
  /// faster than Klippy's own update.
  private mutating func readWebhooks(_ effects: inout Effects) {
    guard let webhooks = status.objects["webhooks"], let text = webhooks["state"]?.string,
      let state = KlippyState(rawValue: text)
    else { return }
    setKlippy(state, message: webhooks["state_message"]?.string, &effects)
  }

  private mutating func followJob(_ effects: inout Effects) {
    guard let stats = status.objects["print_stats"], let state = stats["state"]?.string else {
      return
    }
    jobs.observe(
      state: state, filename: stats["filename"]?.string ?? "",
      totalDuration: stats["total_duration"]?.double, &effects.events)
  }

  private mutating func tellPrintState(_ effects: inout Effects) {
    let known = status.isCurrent ? status.printState : nil
    guard known != toldPrintState else { return }
    effects.events.append(.printState(from: toldPrintState, to: known))
    toldPrintState = known
  }
}
