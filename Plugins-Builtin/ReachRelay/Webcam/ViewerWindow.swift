internal import Platform

/// For how long somebody watches, from the stamps that viewers leave. Pure.
///
/// A stamp is the wall time at which a viewer last said that it is there. How old it is is asked once, when it is first
/// seen; from then on the monotonic clock counts, so that neither a step of the wall clock nor a stamp from the future
/// keeps the camera on.
struct ViewerWindow: Sendable {
  /// How long after its stamp a viewer counts as there.
  let timeout: Duration
  /// Until when somebody watches; nil: nobody does.
  private(set) var end: MonotonicInstant?
  private var stamp: Int64?
  private var hasSeenOne = false

  /// A window that no viewer has opened.
  init(timeout: Duration) { self.timeout = timeout }

  /// Takes a stamp.
  ///
  /// - Parameter new: milliseconds since 1970; nil: there is none.
  mutating func take(_ new: Int64?, now: MonotonicInstant, wallTime: WallTime) {
    let isFirst = !hasSeenOne
    hasSeenOne = true
    guard isFirst || new != stamp else { return }
    stamp = new
    guard let new else {
      end = nil
      return
    }
    let age = WallTime(millisecondsSinceEpoch: new).duration(to: wallTime)
    // Of one that lay there already nobody knows when it was written. One that was written meanwhile is news, however
    // far the viewer's clock is ahead of ours.
    let isCredible = age < timeout && (!isFirst || age > .zero - timeout)
    end = isCredible ? now.advanced(by: timeout - max(.zero, age)) : nil
  }

  /// Nobody can tell any more.
  mutating func close() { end = nil }
}
