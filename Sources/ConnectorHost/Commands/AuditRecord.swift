internal import ConnectorKit
internal import JSON
internal import Platform

/// One line of the audit: what a far side wanted, what was decided, what came of it. No secrets, no parameters.
struct AuditRecord: Sendable, Hashable {
  var at: WallTime
  /// The backend's name; `host` for what a person did here.
  var backend: String
  /// The far side's id; empty for what a person did here.
  var commandID: String
  /// The wire's name: `start_print`; or `bed_cleared`, `read_only`, `widened`, `widenings_seen`.
  var action: String
  /// SHA-256 of the command with its parameters.
  var digest: String
  var outcome: CommandOutcome
  /// From its arrival to its outcome.
  var latency: Duration
}

/// Where audit records go: appended, never changed. Never blocks.
protocol AuditSink: Sendable {
  func write(_ record: AuditRecord)
}
