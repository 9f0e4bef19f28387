internal import JSON
internal import Platform

/// Who waits for which acknowledgement. Safe from any thread.
final class PendingAcknowledgements: Sendable {
  typealias Outcome = Result<[JSONValue], SocketIOFailure>
  private enum Place {
    case reserved
    case settled(Outcome)
    case awaited(CheckedContinuation<Outcome, Never>)
  }
  private let places = Guarded<[UInt64: Place]>([:])

  /// Keeps a place for an acknowledgement that may be faster than the one who waits for it.
  func reserve(_ id: UInt64) { places.withLock { $0[id] = .reserved } }

  /// Gives up a place.
  func release(_ id: UInt64) { places.withLock { $0[id] = nil } }

  /// Gives the one who waits, or will wait, the outcome; a place that nobody keeps is left alone.
  func settle(_ id: UInt64, _ outcome: Outcome) {
    let waiting = places.withLock { places -> CheckedContinuation<Outcome, Never>? in
      switch places[id] {
      case .reserved: places[id] = .settled(outcome)
      case .awaited(let continuation):
        places[id] = .settled(outcome)
        return continuation
      case .settled, nil: break
      }
      return nil
    }
    waiting?.resume(returning: outcome)
  }

  /// Settles all places.
  func settleAll(_ outcome: Outcome) {
    for id in places.withLock({ Array($0.keys) }) { settle(id, outcome) }
  }

  /// Waits for the outcome of a place that is kept; the task's cancellation is one.
  func outcome(of id: UInt64) async -> Outcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = places.withLock { places -> Outcome? in
          if Task.isCancelled { return .failure(.cancelled) }
          switch places[id] {
          case .reserved:
            places[id] = .awaited(continuation)
            return nil
          case .settled(let outcome): return outcome
          case .awaited, nil: return .failure(.cancelled)
          }
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      settle(id, .failure(.cancelled))
    }
  }
}
