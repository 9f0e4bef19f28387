internal import Platform

/// Finds what somebody probably meant.
enum NearestName {
  /// The candidate nearest to `name`, or nil when none is near.
  static func of(_ name: String, among candidates: [String]) -> String? {
    let wanted = normalized(name)
    let allowed = max(1, min(3, wanted.count / 3))
    let ranked = candidates.map { (name: $0, distance: distance(wanted, normalized($0))) }
    if let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= allowed {
      return best.name
    }
    // A part of a longer name: `snapshots` for `push_snapshots_seconds`.
    guard wanted.count >= 4 else { return nil }
    let text = String(decoding: wanted, as: UTF8.self)
    let holding = candidates.filter {
      String(decoding: normalized($0), as: UTF8.self).contains(text: text)
    }
    return holding.count == 1 ? holding.first : nil
  }

  /// The number of letters to insert, delete, change or swap with their neighbour.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for (row, leftByte) in left.enumerated() {
      var current = [row + 1]
      for (column, rightByte) in right.enumerated() {
        var cost = min(
          previous[column] + (leftByte == rightByte ? 0 : 1), previous[column + 1] + 1,
          current[column] + 1)
        if row > 0, column > 0, leftByte == right[column - 1], left[row - 1] == rightByte {
          cost = min(cost, beforePrevious[column - 1] + 1)
        }
        current.append(cost)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[right.count]
  }

  /// Case and the choice between `-` and `_` are no difference; what is very long is near nothing.
  private static func normalized(_ name: String) -> [UInt8] {
    name.utf8.prefix(64).map { byte in
      switch byte {
      case UInt8(ascii: "-"): UInt8(ascii: "_")
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      default: byte
      }
    }
  }
}
