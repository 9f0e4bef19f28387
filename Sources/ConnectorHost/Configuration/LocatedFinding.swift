package import ConnectorKit

/// A finding with its place in the file; prints as `file:line:column: path: what is wrong; what to do`.
package struct LocatedFinding: Sendable, Hashable, CustomStringConvertible {
  /// The file, as given.
  package var file: String
  /// From 1; 0 where it is about the file as a whole.
  package var line: Int
  /// From 1; 0 where it is about the file as a whole.
  package var column: Int
  /// Severity, full key path (`backends[0].relay`), problem and remedy.
  package var finding: Finding

  /// `file:line:column: path: what is wrong; what to do`, or, without a key, `file:line:column: what…`.
  ///
  /// A finding about the file as a whole stands at 1:1. What is no error says so.
  package var description: String {
    let key = finding.key.isEmpty ? "" : "\(finding.key): "
    let severity = finding.severity == .error ? "" : "\(finding.severity.rawValue): "
    let remedy = finding.remedy.isEmpty ? "" : "; \(finding.remedy)"
    return
      "\(file):\(max(1, line)):\(max(1, column)): \(key)\(severity)\(finding.problem)\(remedy)"
  }
}
