/// Finds, in few tries, the best quality at which a picture is small enough. A value; the caller compresses.
struct QualitySearch {
  /// Worse than this nobody can see anything: the picture is made smaller instead.
  static let lowest = 30
  private static let highest = 90

  private let maximumBytes: Int
  /// The search goes on between these.
  private var open = Self.lowest...Self.highest
  private var tries = 0
  /// The quality to try next; nil at the end.
  private(set) var next: Int? = 75
  /// The best that was small enough.
  private(set) var best: [UInt8]?
  /// The least that a try yielded.
  private(set) var smallest = Int.max

  /// A search for at most `maximumBytes`.
  init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

  /// Takes what ``next`` yielded.
  mutating func take(_ bytes: [UInt8]) {
    guard let quality = next else { return }
    tries += 1
    smallest = min(smallest, bytes.count)
    if bytes.count <= maximumBytes {
      best = bytes
      open = min(quality + 1, Self.highest)...Self.highest
    } else {
      open = open.lowerBound...max(quality - 1, open.lowerBound)
    }
    let isSettled = open.count < 8 || tries >= 4 || quality == Self.lowest
    let isHopeless = best == nil && bytes.count / 4 > maximumBytes
    if isSettled || isHopeless {
      // The last resort, if nothing has fitted yet.
      next = best == nil && quality != Self.lowest ? Self.lowest : nil
    } else {
      next = (open.lowerBound + open.upperBound) / 2
    }
  }
}
