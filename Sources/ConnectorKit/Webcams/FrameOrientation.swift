/// How a camera's picture is turned and flipped before it is shown.
package struct FrameOrientation: Sendable, Hashable {
  /// Clockwise, degrees: 0, 90, 180 or 270.
  package var rotation: Int
  /// Whether left and right are exchanged, after the turn.
  package var flipsHorizontally: Bool
  /// Whether top and bottom are exchanged, after the turn.
  package var flipsVertically: Bool

  /// An orientation; upright unless said otherwise. What is no quarter turn turns nothing.
  package init(
    rotation: Int = 0, flipsHorizontally: Bool = false, flipsVertically: Bool = false
  ) {
    self.rotation = [90, 180, 270].contains(rotation) ? rotation : 0
    self.flipsHorizontally = flipsHorizontally
    self.flipsVertically = flipsVertically
  }
}
