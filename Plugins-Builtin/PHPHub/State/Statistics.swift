internal import ConnectorKit
internal import JSON
internal import Platform

/// What `printer_state.json` counts: the original's keys, all of them, and really counted.
struct Statistics: Sendable, Hashable {
  static let fileName = "printer_state.json"
  private static let mostCommands = 20

  /// The last accepted update.
  var lastUpdate: WallTime?
  var totalUpdates: Int64 = 0
  var failedUpdates: Int64 = 0
  /// The first start ever.
  var firstStart: WallTime
  /// The last commands, oldest first: what the hub is told of each.
  var lastCommands: [JSONValue] = []
  var commandsReceived: Int64 = 0
  var commandsExecuted: Int64 = 0
  var filesDownloaded: Int64 = 0
  var errors: Int64 = 0
  var reconnections: Int64 = 0

  /// Nothing yet.
  init(startedAt: WallTime) { firstStart = startedAt }

  /// What a former run, or the original, has counted.
  init?(_ bytes: [UInt8], startedAt: WallTime) {
    let limits = JSONLimits(bytes: 1 << 20, depth: 16)
    guard let root = (try? JSONValue(parsing: bytes, limits: limits))?.object else { return nil }
    func time(_ key: String) -> WallTime? {
      root[key]?.string.flatMap { text in
        // The original writes no zone.
        WallTime(rfc3339: text) ?? WallTime(rfc3339: text + "Z")
      }
    }
    func count(_ value: JSONValue?) -> Int64 { max(0, value?.integer ?? 0) }
    let counts = root["statistics"]
    lastUpdate = time("last_update")
    totalUpdates = count(root["total_updates"])
    failedUpdates = count(root["failed_updates"])
    firstStart = time("uptime_start") ?? startedAt
    lastCommands = Array((root["last_commands"]?.array ?? []).suffix(Self.mostCommands))
    commandsReceived = count(counts?["commands_received"])
    commandsExecuted = count(counts?["commands_executed"])
    filesDownloaded = count(counts?["files_downloaded"])
    errors = count(counts?["errors"])
    reconnections = count(counts?["reconnections"])
  }

  /// Notes an accepted update.
  mutating func updated(at now: WallTime, afterFailures failures: Int) {
    lastUpdate = now
    totalUpdates &+= 1
    if failures > 0 { reconnections &+= 1 }
  }

  /// Notes the end of a command.
  mutating func ended(_ report: JSONObject) {
    if report["status"] == "completed" { commandsExecuted &+= 1 } else { errors &+= 1 }
    lastCommands.append(.object(report))
    lastCommands.removeFirst(max(0, lastCommands.count - Self.mostCommands))
  }

  /// As it is written.
  var json: JSONObject {
    [
      "last_update": .string(orNull: lastUpdate?.rfc3339Milliseconds),
      "total_updates": .integer(totalUpdates), "failed_updates": .integer(failedUpdates),
      "uptime_start": .string(firstStart.rfc3339Milliseconds),
      "last_commands": .array(lastCommands),
      "statistics": [
        "updates_sent": .integer(totalUpdates), "commands_received": .integer(commandsReceived),
        "commands_executed": .integer(commandsExecuted),
        "files_downloaded": .integer(filesDownloaded), "errors": .integer(errors),
        "reconnections": .integer(reconnections),
      ],
    ]
  }
}
