internal import ConnectorKit
internal import JSON
internal import Platform

/// What is wrong with the printer, each condition with the moment when it began.
struct ErrorLedger {
  private struct Condition: Hashable {
    var type: String
    var severity: String
    var message: String
    /// How long it has lasted when it is first seen.
    var age: Duration = .zero
    /// By what it is the same condition as before, whatever its text.
    var key: String
  }

  /// So long may Moonraker or Klippy be away before that is an error worth a line.
  private static let patience = Duration.seconds(30)

  private var begun: [String: WallTime] = [:]
  private var klippyMissingSince: MonotonicInstant?

  /// The entries for `status`; conditions that have ended are forgotten.
  mutating func entries(
    _ status: PrinterStatus, now: MonotonicInstant, wallTime: WallTime
  ) -> [JSONValue] {
    let conditions = conditions(status, now: now)
    begun = begun.filter { entry in conditions.contains { $0.key == entry.key } }
    return conditions.map { condition in
      let began =
        begun[condition.key]
        ?? WallTime(
          millisecondsSinceEpoch: wallTime.millisecondsSinceEpoch
            - condition.age.components.seconds * 1_000)
      begun[condition.key] = began
      return [
        "type": .string(condition.type),
        "message": .string(
          String(String.UnicodeScalarView(condition.message.unicodeScalars.prefix(500)))),
        "timestamp": .integer(began.millisecondsSinceEpoch),
        "severity": .string(condition.severity),
      ]
    }
  }

  private mutating func conditions(
    _ status: PrinterStatus, now: MonotonicInstant
  ) -> [Condition] {
    if case .away(let since) = status.link {
      klippyMissingSince = nil
      let age = since.duration(to: now)
      guard age > Self.patience else { return [] }
      return [
        Condition(
          type: "moonraker", severity: "error", message: "Moonraker is not reachable", age: age,
          key: "moonraker")
      ]
    }
    var conditions: [Condition] = []
    switch status.klippy {
    case .ready: klippyMissingSince = nil
    case .error, .shutdown:
      klippyMissingSince = nil
      let text = status.klippyMessage.isEmpty ? "Klipper has stopped" : status.klippyMessage
      conditions.append(
        Condition(type: "klippy", severity: "error", message: text, key: status.klippy.rawValue))
    case .disconnected, .startup:
      let since = klippyMissingSince ?? now
      klippyMissingSince = since
      let age = since.duration(to: now)
      if age > Self.patience {
        conditions.append(
          Condition(
            type: "klippy", severity: "warning",
            message: status.klippy == .startup
              ? "Klipper is still starting" : "Klipper is not running",
            age: age, key: "missing"))
      }
    }
    if status.isCurrent, status.printState == "error" {
      let text = status.field("print_stats", "message")?.string ?? ""
      conditions.append(
        Condition(
          type: "print", severity: "error", message: text.isEmpty ? "The print failed" : text,
          key: "print"))
    }
    return conditions
  }
}
