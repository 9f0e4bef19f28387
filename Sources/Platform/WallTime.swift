/// A moment on the wall clock: for stamps that people and clouds read, never for intervals.
package struct WallTime: Hashable, Comparable, Sendable {
  /// Whole milliseconds since 1970-01-01T00:00:00Z.
  package var millisecondsSinceEpoch: Int64

  /// A moment `millisecondsSinceEpoch` ms after 1970-01-01T00:00:00Z.
  package init(millisecondsSinceEpoch: Int64) {
    self.millisecondsSinceEpoch = millisecondsSinceEpoch
  }

  /// Earlier moments are less.
  package static func < (left: WallTime, right: WallTime) -> Bool {
    left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
  }

  /// RFC 3339 in UTC with whole seconds: `2026-11-20T08:17:29Z`.
  package var rfc3339Seconds: String { "" }

  /// RFC 3339 in UTC with milliseconds: `2026-11-20T08:17:29.123Z`.
  package var rfc3339Milliseconds: String { "" }
}
