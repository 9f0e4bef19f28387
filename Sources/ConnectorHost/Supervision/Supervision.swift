package import ConnectorKit
package import Platform

/// All backends under supervision, by name. None of them ever waits for another.
///
/// Safe from any thread.
package final class Supervision: Sendable {
  /// One entry of the file with where its backend stands.
  package struct Member: Sendable {
    /// The entry that is in force.
    package var configuration: BackendConfiguration
    /// Where its backend stands.
    package var standing: BackendSupervisor.Standing
  }

  /// What a new configuration did, by the entries' names.
  package struct Changes: Sendable, Hashable, CustomStringConvertible {
    /// New entries.
    package var added: [String] = []
    /// Entries that left the file.
    package var removed: [String] = []
    /// Entries whose backend is made anew.
    package var restarted: [String] = []
    /// Entries of which something changed while their backend goes on.
    package var live: [String] = []
    /// Whether nothing changed.
    package var isEmpty: Bool { self == Changes() }
    /// One line for the log: `restarted reach; added cura`.
    package var description: String {
      let parts = [
        ("added", added), ("removed", removed), ("restarted", restarted), ("live", live),
      ]
      .filter { !$0.1.isEmpty }
      return parts.isEmpty
        ? "no backend is concerned"
        : parts.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
    }
    /// Nothing changed yet.
    package init() {}
  }

  private struct State {
    var members: [(configuration: BackendConfiguration, supervisor: BackendSupervisor)] = []
    /// Backends that left the file and may not have ended yet; a new one of the same name waits for them.
    var leaving: [String: BackendSupervisor] = [:]
    var isStopping = false
  }

  private let state = Guarded(State())
  private let time: any TimeSource
  private let sink: any LogSink
  private let random: @Sendable () -> Double
  private let onChange: @Sendable () -> Void
  private let body: @Sendable (BackendConfiguration) -> BackendSupervisor.Body

  /// A supervision without members.
  ///
  /// - Parameters:
  ///   - sink: where each backend's changes are logged, under its name.
  ///   - random: a uniform number in 0..<1, for jitter.
  ///   - onChange: told whenever a backend comes into another state; must be quick.
  ///   - body: what makes and runs the backend of an entry; called once per entry and change.
  package init(
    time: any TimeSource, sink: any LogSink, random: @escaping @Sendable () -> Double,
    onChange: @escaping @Sendable () -> Void = {},
    body: @escaping @Sendable (BackendConfiguration) -> BackendSupervisor.Body
  ) {
    self.time = time
    self.sink = sink
    self.random = random
    self.onChange = onChange
    self.body = body
  }

  /// The entries in the file's order, with where each stands.
  package var members: [Member] {
    let members = state.withLock { $0.members }
    return members.map { Member(configuration: $0.configuration, standing: $0.supervisor.standing) }
  }

  /// Brings the backends in line with `entries`: starts new ones, ends those that are gone, makes changed ones anew.
  ///
  /// Returns at once: ends and starts go on by themselves.
  ///
  /// - Parameters:
  ///   - restartingAll: whether something changed that every backend is made with.
  ///   - retired: keys of one-time secrets that the backend of this name has spent.
  @discardableResult
  package func reconcile(
    with entries: [BackendConfiguration], restartingAll: Bool = false,
    retired: (_ name: String) -> Set<String> = { _ in [] }
  ) -> Changes {
    let retired = Dictionary(
      entries.map { ($0.name, retired($0.name)) }, uniquingKeysWith: { first, _ in first })
    var changes = Changes()
    var starting: [BackendSupervisor] = []
    var ending: [BackendSupervisor] = []
    state.withLock { state in
      guard !state.isStopping else { return }
      var former = Dictionary(
        state.members.map { ($0.configuration.name, $0) }, uniquingKeysWith: { first, _ in first })
      state.leaving = state.leaving.filter { !$0.value.isGone }
      state.members = entries.map { entry in
        guard let old = former.removeValue(forKey: entry.name) else {
          changes.added.append(entry.name)
          let new = supervisor(
            for: entry, predecessor: state.leaving.removeValue(forKey: entry.name))
          if entry.isEnabled { starting.append(new) }
          return (entry, new)
        }
        let change = entry.change(
          from: old.configuration, retired: retired[entry.name] ?? [])
        if change == .restart || restartingAll && entry.isEnabled {
          changes.restarted.append(entry.name)
          ending.append(old.supervisor)
          let new = supervisor(for: entry, predecessor: old.supervisor)
          if entry.isEnabled { starting.append(new) }
          return (entry, new)
        }
        if change == .live { changes.live.append(entry.name) }
        return (entry, old.supervisor)
      }
      for (name, old) in former.sorted(by: { $0.key < $1.key }) {
        changes.removed.append(name)
        ending.append(old.supervisor)
        state.leaving[name] = old.supervisor
      }
    }
    for supervisor in ending { supervisor.requestStop() }
    for supervisor in starting { supervisor.start() }
    return changes
  }

  /// Starts the backend of this name again where it is parked. Returns at once.
  package func start(_ name: String) {
    let supervisor = state.withLock { state in
      state.isStopping
        ? nil : state.members.first { $0.configuration.name == name }?.supervisor
    }
    supervisor?.start()
  }

  /// Returns when what ran under this name before its entry changed last has ended, however long that takes.
  package func settled(_ name: String) async {
    let supervisor = state.withLock { state in
      state.members.first { $0.configuration.name == name }?.supervisor
    }
    await supervisor?.waitUntilPredecessorsAreGone()
  }

  /// Ends all backends at once; returns when they have ended or when `grace` is over. Nothing starts afterwards.
  package func stop(grace: Duration) async {
    let all = state.withLock { state in
      state.isStopping = true
      return state.members.map(\.supervisor) + state.leaving.map(\.value)
    }
    for supervisor in all { supervisor.requestStop(grace: grace) }
    for supervisor in all { await supervisor.stop(grace: grace) }
  }

  private func supervisor(
    for entry: BackendConfiguration, predecessor: BackendSupervisor?
  ) -> BackendSupervisor {
    BackendSupervisor(
      time: time, log: Log(label: entry.name, sink: sink), random: random,
      isEnabled: entry.isEnabled, predecessor: predecessor, onChange: onChange, body: body(entry))
  }
}
