internal import ConnectorKit
internal import JSON
internal import Platform

/// An update: all that the hub is told, every time, because it replaces what is missing by defaults.
struct UpdateBody: Sendable {
  let token: Secret
  let rules: HubConfiguration
  let generation: Generation
  /// How long this connector runs.
  var uptime: Duration
  /// What the hub's page was last edited to; nil: our own values.
  var edits: HubEdits?
  var listing: FileListing
  var lastCompleted: CompletedJob?
  /// The address or the bytes of the last picture; nil: not told.
  var image: String?
  var results: [JSONValue]

  /// The body for this status; a status that is not current is told as absence.
  func json(_ status: PrinterStatus, at now: WallTime) -> JSONObject {
    let reading = UpdateReading(status, rules, generation)
    var body: JSONObject = [
      "action": "update_printer", "token": .string(token.revealed),
      "name": .string(rules.card.name), "client_version": .string(Product.version),
      "uptime": .string(Self.uptime(uptime)), "timestamp": .string(now.rfc3339Milliseconds),
      "status": .string(reading.status), "temp_hotend": .double(reading.hotend),
      "temp_bed": .double(reading.bed), "temp_hotend_target": .double(reading.hotendTarget),
      "temp_bed_target": .double(reading.bedTarget),
      "print_speed": .integer(reading.speedPercent), "fan_speed": .integer(reading.fanPercent),
    ]
    if let job = reading.job {
      body["progress"] = .integer(job.percent)
      body["current_file"] = .string(cleaned(job.filename))
      body["time_remaining"] = job.remaining.map { .integer($0) }
    }
    body["last_completed"] = lastCompleted.map { .string(cleaned($0.told)) }
    body["system"] = .object(Self.system(status.host))
    body["files"] = .array(listing.told.map { $0.json(name: cleaned($0.path)) })
    addCard(to: &body)
    body["image"] = image.map { .string($0) }
    if rules.reportsResults, !results.isEmpty { body["command_results"] = .array(results) }
    return body
  }

  /// What of a body tells of the printer: two that differ in nothing else say the same. The host's load is another each
  /// second, and no hub shows it.
  static func content(_ body: JSONObject) -> JSONObject {
    var content = body
    content["uptime"] = nil
    content["timestamp"] = nil
    content["system"] = nil
    return content
  }

  /// Whether two contents say the same to people: a temperature that is held is never twice the same to a tenth of a
  /// degree.
  static func isSame(_ content: JSONObject, as other: JSONObject) -> Bool {
    var content = content
    for name in ["temp_hotend", "temp_bed"] {
      guard let now = content[name]?.double, let then = other[name]?.double, abs(now - then) < 1
      else { continue }
      content[name] = other[name]
    }
    return content == other
  }

  private func addCard(to body: inout JSONObject) {
    let card = rules.card
    // The first hub keeps the tags that it has where it is told none.
    body["tags"] = .array(edits == nil ? card.tags.map { .string($0) } : [])
    body["filament"] =
      edits?.filament
      ?? [
        "material": .string(card.material), "color": .string(card.color),
        "remaining": Int64(exactly: card.remaining).map { .integer($0) } ?? .double(card.remaining),
      ]
    body["bed_status"] = .string(edits?.bedStatus ?? card.bedStatus)
    body["location"] = .string(card.location)
  }

  /// A file's name as the hub may show it.
  private func cleaned(_ name: String) -> String {
    rules.sanitizesNames ? FileListing.sanitized(name) : name
  }

  private static func uptime(_ duration: Duration) -> String {
    let minutes = max(0, duration.components.seconds) / 60
    return "\(minutes / 60)h \(minutes % 60)m"
  }

  /// What is not known is left out.
  private static func system(_ host: HostLoad) -> JSONObject {
    var system = JSONObject()
    system["cpu_usage"] = host.cpuPercent.map { .double(oneDecimal($0)) }
    system["memory_usage"] = host.memoryUsed.map { .double(oneDecimal($0 / 1_024)) }
    system["cpu_temp"] = host.cpuTemperature.map { .double(oneDecimal($0)) }
    return system
  }

  static func oneDecimal(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}

/// What a person has changed on the hub's page, and what we leave as it is.
struct HubEdits: Sendable, Hashable {
  var bedStatus: String?
  var filament: JSONValue?

  /// Nothing is known of it yet.
  init() {}

  /// Reads the hub's answer about this printer; nil where it tells nothing of it.
  init?(_ reply: JSONObject) {
    guard let printer = reply["printer"]?.object else { return nil }
    bedStatus = printer["bed_status"]?.string.map { $0.printable(100) }
    guard let filament = printer["filament"]?.object else { return }
    // Nothing but what we would send ourselves.
    var kept = JSONObject()
    for key in ["material", "color"] {
      kept[key] = filament[key]?.string.map { .string($0.printable(100)) }
    }
    kept["remaining"] = HubNumber.double(filament["remaining"]).map { remaining in
      Int64(exactly: remaining).map { .integer($0) } ?? .double(remaining)
    }
    // A `nil` beside a JSON value would be JSON's null.
    if !kept.isEmpty { self.filament = .object(kept) }
  }
}
