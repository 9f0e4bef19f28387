internal import Glibc

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

  /// RFC 3339 in UTC with whole seconds: `2026-11-20T08:17:29Z`. The fraction is cut off, not rounded.
  package var rfc3339Seconds: String { "\(CivilTime(self).stamp(separator: "T"))Z" }

  /// RFC 3339 in UTC with milliseconds: `2026-11-20T08:17:29.123Z`.
  package var rfc3339Milliseconds: String {
    let civil = CivilTime(self)
    return "\(civil.stamp(separator: "T")).\(padded(civil.millisecond, 3))Z"
  }

  /// This host's local time with milliseconds, for logs: `2026-11-21 09:08:54.123`.
  package var localStamp: String {
    let civil = CivilTime(self)
    let seconds = time_t(millisecondsSinceEpoch.flooredDivision(by: 1000))
    guard let local = CivilTime(localAt: seconds, millisecond: civil.millisecond) else {
      return "\(civil.stamp(separator: " ")).\(padded(civil.millisecond, 3))"
    }
    return "\(local.stamp(separator: " ")).\(padded(local.millisecond, 3))"
  }

  /// The time from this moment to `other`; negative when `other` is earlier.
  package func duration(to other: WallTime) -> Duration {
    .milliseconds(other.millisecondsSinceEpoch) - .milliseconds(millisecondsSinceEpoch)
  }

  /// The moment `duration` later, in whole milliseconds; clamped at the ends of what can be said.
  package func advanced(by duration: Duration) -> WallTime {
    let (seconds, attoseconds) = duration.components
    let (product, productOverflows) = seconds.multipliedReportingOverflow(by: 1000)
    let (sum, sumOverflows) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    let (result, overflows) = millisecondsSinceEpoch.addingReportingOverflow(sum)
    guard !productOverflows && !sumOverflows && !overflows else {
      return WallTime(millisecondsSinceEpoch: duration < .zero ? .min : .max)
    }
    return WallTime(millisecondsSinceEpoch: result)
  }
}
