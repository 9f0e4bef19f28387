internal import ConnectorKit

extension ExponentialBackoff.Policy {
  /// PrintDock's: 1, 2, 4, … 60 s, each times a random factor in [0.75, 1.25).
  static let printDock = Self(factors: 0.75...1.25)
}
