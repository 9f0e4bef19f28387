internal import Platform

/// What Moonraker's other clients and the printer's console are told of the backends, sparingly. A pure state machine.
///
/// A backend counts as connected while it is `online`. What it is counts when it has been so for a while, and is told when
/// it is something else than what was told last: a backend that comes and goes all the time is told of now and then, and a
/// connection to Moonraker that is made anew repeats nothing.
struct CloudNews: Sendable {
  /// A backend as it stands.
  struct Backend: Sendable, Hashable {
    var name: String
    var type: String
    var state: BackendState
    /// Since when.
    var since: MonotonicInstant
  }
  /// What is to be told.
  enum News: Sendable, Hashable {
    /// Its cloud is connected, or is not any more: to Moonraker's other clients.
    case connection(
      backend: String, type: String, isConnected: Bool, state: String, reason: String?)
    /// It waits for a person: to the printer's console.
    case parked(backend: String)
  }
  /// Who can be told something now.
  struct Ears: Sendable, Hashable {
    /// Whether Moonraker takes events.
    var moonraker: Bool
    /// Whether the console is wanted, and Klipper takes G-code.
    var console: Bool
  }
  /// So long something must have been so.
  static let settling = Duration.seconds(2)
  /// The least time between two events of one backend.
  static let eventPause = Duration.seconds(10)
  /// The least time between two lines of one backend on the console.
  static let linePause = Duration.seconds(60)

  private struct Memory: Sendable {
    var backend: Backend
    /// Since when it has been connected, or not.
    var connectionSince: MonotonicInstant
    /// What was told last; nil: nothing.
    var told: Bool?
    var toldAt: MonotonicInstant?
    /// The parking that was told.
    var toldParking: MonotonicInstant?
    var lineAt: MonotonicInstant?
    /// It has left the file.
    var isGone = false
  }
  private var memories: [String: Memory] = [:]
  private var order: [String] = []

  /// Nothing is known, and nobody was told anything.
  init() {}

  /// Takes in how the backends stand.
  mutating func observe(_ backends: [Backend]) {
    order = backends.map(\.name) + order.filter { name in !backends.contains { $0.name == name } }
    for backend in backends {
      guard var memory = memories[backend.name] else {
        memories[backend.name] = Memory(backend: backend, connectionSince: backend.since)
        continue
      }
      if Self.connection(memory.backend.state) != Self.connection(backend.state) {
        memory.connectionSince = backend.since
      }
      memory.backend = backend
      memory.isGone = false
      memories[backend.name] = memory
    }
    for name in order where !backends.contains(where: { $0.name == name }) {
      memories[name]?.isGone = true
    }
  }

  /// What is to be told now. It counts as told: who does not hear it is not told again.
  mutating func due(at now: MonotonicInstant, _ ears: Ears) -> [News] {
    var news: [News] = []
    for name in order {
      guard var memory = memories[name] else { continue }
      if ears.moonraker, let at = eventDue(memory), at <= now {
        news.append(Self.event(memory))
        memory.told = memory.isGone ? false : Self.connection(memory.backend.state)
        memory.toldAt = now
      }
      if ears.console, let at = lineDue(memory), at <= now {
        news.append(.parked(backend: name))
        memory.toldParking = memory.backend.since
        memory.lineAt = now
      }
      memories[name] = memory
      if memory.isGone, memory.told != true {
        memories[name] = nil
        order.removeAll { $0 == name }
      }
    }
    return news
  }

  /// When something may be due that is not now; nil: only another state can bring something.
  func deadline(_ ears: Ears) -> MonotonicInstant? {
    memories.values.flatMap { memory in
      [ears.moonraker ? eventDue(memory) : nil, ears.console ? lineDue(memory) : nil]
        .compactMap(\.self)
    }.min()
  }

  private func eventDue(_ memory: Memory) -> MonotonicInstant? {
    let pause = memory.toldAt?.advanced(by: Self.eventPause)
    if memory.isGone {
      return memory.told == true ? pause ?? memory.connectionSince : nil
    }
    guard let isConnected = Self.connection(memory.backend.state), isConnected != memory.told else {
      return nil
    }
    // What was never there has not gone: nobody waits for a backend that is switched off.
    if memory.told == nil, !isConnected, memory.backend.state.problem == nil { return nil }
    let settled = memory.connectionSince.advanced(by: Self.settling)
    return pause.map { max($0, settled) } ?? settled
  }

  private func lineDue(_ memory: Memory) -> MonotonicInstant? {
    guard !memory.isGone, case .parked = memory.backend.state,
      memory.toldParking != memory.backend.since
    else { return nil }
    let settled = memory.backend.since.advanced(by: Self.settling)
    return memory.lineAt.map { max($0.advanced(by: Self.linePause), settled) } ?? settled
  }

  private static func event(_ memory: Memory) -> News {
    let backend = memory.backend
    return .connection(
      backend: backend.name, type: backend.type,
      isConnected: !memory.isGone && connection(backend.state) == true,
      state: memory.isGone ? "removed" : backend.state.name,
      reason: memory.isGone ? nil : backend.state.problem.map { PublicText.of($0) })
  }

  /// Whether the cloud is connected; nil while that is about to turn out.
  private static func connection(_ state: BackendState) -> Bool? {
    switch state {
    case .online: true
    case .starting: nil
    case .disabled, .degraded, .backingOff, .parked, .stopped: false
    }
  }
}
