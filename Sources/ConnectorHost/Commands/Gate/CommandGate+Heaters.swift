internal import ConnectorKit
internal import Platform

// What the gate asks Klipper for: its heaters' limits, which the cache does not hold because they come with the whole of
// a large and constant configuration.

extension CommandGate {
  /// So long a command waits for them.
  private static let heaterPatience = Duration.seconds(2)

  /// Asks for the limits, once for each start of Klippy, where a command depends on them.
  ///
  /// - Returns: ``HeaterLimits/unknown`` where Klipper does not tell; the next command asks again.
  func heaterLimits(for reading: CommandReading) async -> HeaterLimits {
    let (known, revision) = state.withLock { ($0.heaterLimits, $0.heaterRevision) }
    let seen = status.current
    guard reading.dependsOnHeaters, !known.isKnown, seen.link == .connected, seen.klippy == .ready
    else { return known }
    let answer = Promise<HeaterLimits>()
    let asking = Task(executorPreference: executor) { [printer] in
      do throws(CommandFailure) {
        answer.resolve(HeaterLimits(try await printer.heaterLimits()))
      } catch {
        answer.resolve(.unknown)
      }
    }
    guard let limits = await answer.value(within: Self.heaterPatience, time: time) else {
      asking.cancel()
      return .unknown
    }
    state.withLock { state in
      // Klippy may have gone meanwhile, and come with another configuration.
      if state.heaterRevision == revision { state.heaterLimits = limits }
    }
    return limits
  }
}
