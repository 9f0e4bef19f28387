internal import ConnectorKit
internal import YAML

/// Collects what is found in one file. Used from one thread.
final class FindingList {
  private var items: [(position: YAMLPosition, finding: Finding)] = []

  /// Notes a finding about the key path `key` at `position`.
  func add(
    _ severity: Finding.Severity, _ key: String, at position: YAMLPosition, _ problem: String,
    _ remedy: String
  ) {
    items.append((position, Finding(severity, key: key, problem, remedy: remedy)))
  }

  /// Whether the key path has an error already.
  func hasError(at key: String) -> Bool {
    items.contains { $0.finding.severity == .error && $0.finding.key == key }
  }

  /// Whether there is any error.
  var hasErrors: Bool { items.contains { $0.finding.severity == .error } }

  /// All findings by place; those at one place in the order in which they came.
  func located(in file: String) -> [LocatedFinding] {
    items.enumerated().sorted { left, right in
      let (a, b) = (left.element.position, right.element.position)
      return (a.line, a.column, left.offset) < (b.line, b.column, right.offset)
    }.map {
      LocatedFinding(
        file: file, line: $0.element.position.line, column: $0.element.position.column,
        finding: $0.element.finding)
    }
  }
}
