/// How a camera's picture is to be turned: first clockwise, then mirrored, as the web interfaces show it.
package struct Orientation: Sendable, Hashable {
  /// The eight ways to turn and mirror a picture.
  enum Step: CaseIterable {
    case none, turn90, turn180, turn270
    case mirror, mirrorVertically, transpose, transverse

    /// Whether width and height change places.
    var swapsSides: Bool {
      switch self {
      case .turn90, .turn270, .transpose, .transverse: true
      case .none, .turn180, .mirror, .mirrorVertically: false
      }
    }
  }
  /// The one step that has the same effect.
  let step: Step

  /// As it is.
  package static let upright = Orientation(clockwise: 0)

  /// An orientation.
  ///
  /// - Parameters:
  ///   - degrees: 0, 90, 180 or 270, or the same with full turns more or less; anything else counts as 0.
  ///   - mirrored: whether left and right change places, after the turn.
  ///   - upsideDown: whether top and bottom change places, after the turn.
  package init(clockwise degrees: Int, mirrored: Bool = false, upsideDown: Bool = false) {
    // Top and bottom change places: half a turn, then mirrored.
    let turn = (degrees % 360 + 360 + (upsideDown ? 180 : 0)) % 360
    let isMirrored = mirrored != upsideDown
    switch degrees % 90 == 0 ? turn : (upsideDown ? 180 : 0) {
    case 90: step = isMirrored ? .transpose : .turn90
    case 180: step = isMirrored ? .mirrorVertically : .turn180
    case 270: step = isMirrored ? .transverse : .turn270
    default: step = isMirrored ? .mirror : .none
    }
  }

  /// Whether nothing changes.
  package var isUpright: Bool { step == .none }
}
