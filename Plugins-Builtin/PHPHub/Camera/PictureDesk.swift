internal import Platform

/// The picture that the next update tells of.
final class PictureDesk: Sendable {
  /// Whether the hub forgets a picture that an update does not name.
  let isKept: Bool
  private let state = Guarded<String?>(nil)

  /// No picture yet.
  ///
  /// - Parameter isKept: whether each update names it, not only the one after it was taken.
  init(isKept: Bool) { self.isKept = isKept }

  /// What an update names now.
  var told: String? { state.withLock { $0 } }

  /// There is a new picture.
  func put(_ picture: String) { state.withLock { $0 = picture } }

  /// An update that named `told` has been accepted.
  func accepted(_ told: String?) {
    guard !isKept, let told else { return }
    state.withLock { if $0 == told { $0 = nil } }
  }
}
