/// What a database file holds: a list of steps, each of which adds to what the ones before have made.
///
/// A file remembers how many steps it has seen (`user_version`). Steps only ever add, so that a file of the next
/// version can still be used and a release can be rolled back.
package struct Schema: Sendable {
  /// The SQL statements of each step.
  package var steps: [[String]]
  /// The version that all steps make.
  package var version: Int64 { Int64(steps.count) }
  /// The newest version that can still be used.
  package var newestUsable: Int64 { version + 1 }

  /// A schema of these steps.
  package init(_ steps: [[String]]) { self.steps = steps }
}
