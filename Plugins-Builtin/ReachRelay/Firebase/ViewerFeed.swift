internal import ConnectorKit
internal import Platform

/// What has come on one stream: read on the network thread, fetched by the loop. However much comes, no more than the
/// newest stamp lies here.
final class ViewerFeed: Sendable {
  private struct State {
    var parser = EventStreamParser()
    /// The newest stamp (nil within: there is none); nil: nothing new.
    var news: Int64??
    var isAnnounced = false
    var lastHeard: MonotonicInstant?
    var end: StreamEnd?
  }

  private let time: any TimeSource
  private let announce: @Sendable (ViewerFeed) -> Void
  private let state = Guarded(State())
  /// Wakes who waits for the end.
  let closing = Nudge()

  /// A feed in which nothing lies.
  ///
  /// - Parameter announce: called when there is news, once until that is collected; it must not block.
  init(time: any TimeSource, announce: @escaping @Sendable (ViewerFeed) -> Void) {
    self.time = time
    self.announce = announce
  }

  /// When an event came last; nil: none has.
  var lastHeard: MonotonicInstant? { state.withLock { $0.lastHeard } }

  /// Why the stream was ended from this side; nil: it was not.
  var end: StreamEnd? { state.withLock { $0.end } }

  /// Ends it from this side, however long the stream is silent.
  func close() {
    state.withLock { $0.end = $0.end ?? .closed }
    closing.send()
  }

  /// Takes a piece of the stream; on the network thread.
  ///
  /// - Returns: whether more is wanted.
  func take(_ piece: [UInt8]) -> Bool {
    let now = time.now
    let (isWanted, isNews) = state.withLock { state -> (Bool, Bool) in
      guard state.end == nil else { return (false, false) }
      do throws(EventStreamParser.Defect) {
        for event in try state.parser.take(piece) where state.end == nil {
          Self.take(DatabaseEvent(event), &state, now)
        }
      } catch {
        state.end = .defective(error == .lineTooLong ? "a line too long" : "an event too large")
      }
      let isNews = state.news != nil && !state.isAnnounced
      if isNews { state.isAnnounced = true }
      return (state.end == nil, isNews)
    }
    if isNews { announce(self) }
    return isWanted
  }

  private static func take(_ event: DatabaseEvent, _ state: inout State, _ now: MonotonicInstant) {
    switch event {
    case .stamp(let stamp): state.news = .some(stamp)
    case .alive: break
    case .cancelled: state.end = .cancelled
    case .revoked: state.end = .revoked
    case .unreadable: state.end = .defective("an event that cannot be read")
    }
    state.lastHeard = now
  }

  /// Takes the news away: the newest stamp (nil within: there is none); nil: nothing new.
  func collect() -> Int64?? {
    state.withLock { state in
      defer {
        state.news = nil
        state.isAnnounced = false
      }
      return state.news
    }
  }
}
