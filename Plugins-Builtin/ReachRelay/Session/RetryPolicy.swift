internal import ConnectorKit

extension ExponentialBackoff.Policy {
  /// After failures: full jitter, anything up to 1 s · 2ⁿ⁻¹ after the n-th in a row, at most a minute.
  static let failure = Self()

  /// After failed pushes: the same, at most 30 s.
  static let push = Self(cap: .seconds(30))

  /// After refusals of this printer (403, 404): 5 s to 10 s, then more, up to five minutes.
  static let refusal = Self(first: .seconds(10), cap: .seconds(300), factors: 0.5...1)
}
