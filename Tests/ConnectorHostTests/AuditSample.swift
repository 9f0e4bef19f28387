import ConnectorKit
import Platform

@testable import ConnectorHost

/// A record of the audit: what a test says, and plausible values for the rest.
func sampleRecord(
  _ id: String, _ outcome: CommandOutcome = .done(), backend: String = "printdock",
  action: String = "pause"
) -> AuditRecord {
  AuditRecord(
    at: WallTime(millisecondsSinceEpoch: 1_795_252_134_123), backend: backend, commandID: id,
    action: action, digest: String(repeating: "ab", count: 32), outcome: outcome,
    latency: .milliseconds(12))
}

/// A log that remembers.
final class RememberingSink: LogSink {
  private let lines = Guarded<[String]>([])
  var messages: [String] { lines.withLock { $0 } }
  func accepts(_ level: LogLevel, label: String) -> Bool { true }
  func write(_ level: LogLevel, label: String, message: String) {
    lines.withLock { $0.append("\(level.rawValue): \(message)") }
  }
}
