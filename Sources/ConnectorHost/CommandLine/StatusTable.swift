internal import ConnectorKit
internal import JSON
internal import Platform

/// The body of `/api/status` as text for a person. Pure; what comes from outside stays on its line.
struct StatusTable {
  private let document: JSONValue

  /// A table of `document`; what it lacks is left out.
  init(_ document: JSONValue) { self.document = document }

  /// The whole text, with a line end.
  var text: String {
    (TextBlock.columns(printer + safety) + [""] + backends + waiting + widened + program).map {
      $0 + "\n"
    }
    .joined()
  }

  // MARK: The printer

  private var printer: [[String]] {
    let printer = document["printer"]
    let job = printer?["job"]
    var doing = [Self.words(printer?["condition"])]
    if let file = job?["file"]?.string { doing.append(file.onOneLine) }
    if let progress = job?["progress"]?.double {
      doing.append("\(Int((max(0, min(progress, 1)) * 100).rounded(.down))) %")
    }
    if let layer = job?["layer"]?.integer, let layers = job?["layers"]?.integer {
      doing.append("layer \(layer) of \(layers)")
    }
    if let seconds = job?["print_seconds"]?.double, seconds > 0 {
      doing.append("\(Self.time(seconds)) printed")
    }
    var rows = [[Self.words(printer?["name"]), doing.joined(separator: ", ")]]
    var link = [Self.words(printer?["moonraker"]?["condition"])]
    if let heard = printer?["moonraker"]?["heard_seconds_ago"]?.double {
      link.append("heard \(Self.ago(heard))")
    }
    rows.append(["Moonraker", Self.joined(link)])
    let klippy = printer?["klippy"]
    let message = klippy?["state"]?.string == "ready" ? nil : klippy?["message"]
    rows.append(["Klipper", Self.joined([Self.words(klippy?["state"]), Self.words(message)])])
    let readings = (printer?["temperatures"]?.array ?? []).map(Self.temperature)
    if !readings.isEmpty { rows.append(["Heat", Self.joined(readings)]) }
    if printer?["is_current"]?.bool == false, let age = printer?["updated_seconds_ago"]?.double {
      rows.append(["", "these are the last known values, \(Self.ago(age))"])
    }
    return rows
  }

  private static func temperature(_ reading: JSONValue) -> String {
    let title = words(reading["title"])
    guard let celsius = reading["celsius"]?.double else { return "\(title) –" }
    let target = reading["target"]?.double ?? 0
    return "\(title) \(tenths(celsius)) °C" + (target > 0 ? " of \(tenths(target))" : "")
  }

  // MARK: Safety

  private var safety: [[String]] {
    guard let commands = document["commands"], commands != .null else { return [] }
    let isClear = commands["bed"]?["is_clear"]?.bool ?? false
    let isReadOnly = commands["read_only"]?["is_on"]?.bool ?? false
    var rows = [
      ["Bed", (isClear ? "empty" : "counts as occupied") + Self.origin(commands["bed"])],
      ["Read-only", (isReadOnly ? "on" : "off") + Self.origin(commands["read_only"])],
    ]
    if let busy = commands["busy"], let backend = busy["backend"]?.string {
      rows.append(["Busy", "\(backend.onOneLine) holds it: \(Self.words(busy["action"]))"])
    }
    for key in ["journal_problem", "audit_problem"] {
      if let problem = commands[key]?.string { rows.append(["Problem", problem.onOneLine]) }
    }
    return rows
  }

  private static func origin(_ value: JSONValue?) -> String {
    let parts = joined([words(value?["by"]), words(value?["since"])])
    return parts.isEmpty ? "" : " (\(parts))"
  }

  // MARK: The backends

  private var backends: [String] {
    let all = document["backends"]?.array ?? []
    guard !all.isEmpty else { return ["The configuration names no clouds."] }
    let head = ["BACKEND", "TYPE", "STATE", "FOR", "PERMISSIONS", "OWED", ""]
    var lines = TextBlock.columns([head] + all.map(Self.row))
    let notes = all.flatMap { backend in
      (backend["notes"]?.array ?? []).map { "\(Self.words(backend["name"])): \(Self.words($0))" }
    }
    if !notes.isEmpty { lines += [""] + notes }
    return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
  }

  private static func row(_ backend: JSONValue) -> [String] {
    let dropped = backend["owed_dropped"]?.integer ?? 0
    let owed = backend["owed"]?.integer.map { "\($0)" + (dropped > 0 ? ", \(dropped) gone" : "") }
    var remarks = [words(backend["problem"]), words(backend["remedy"])]
    if let retry = backend["retry_in_seconds"]?.double {
      remarks.append("next try in \(time(retry))")
    }
    if backend["is_insecure"]?.bool == true { remarks.append("no TLS") }
    remarks.append(words(backend["owed_problem"]))
    return [
      words(backend["name"]), words(backend["type"]), words(backend["state"]),
      backend["since_seconds"]?.double.map(time) ?? "", words(backend["permissions"]), owed ?? "–",
      joined(remarks, by: "; "),
    ]
  }

  // MARK: The rest

  private var widened: [String] {
    let notices = document["widened"]?.array ?? []
    guard !notices.isEmpty else { return [] }
    let title =
      "The configuration allows more than before (until the page is told that it was seen):"
    return ["", title] + notices.map { "  \(Self.words($0["at"]))  \(Self.words($0["text"]))" }
  }

  private var waiting: [String] {
    let waiting = document["program"]?["waiting"]
    let changes = waiting?["changes"]?.array ?? []
    guard !changes.isEmpty else { return [] }
    let title =
      "The configuration file would allow more than what is in force ('\(Product.name) reload' accepts it), since \(Self.words(waiting?["since"])):"
    return ["", title] + changes.map { "  \(Self.words($0))" }
  }

  private var program: [String] {
    let program = document["program"]
    var lines = [""]
    if let problem = program?["reload_problem"]?.string {
      lines.append("The configuration file was not taken over: \(problem.onOneLine)")
    }
    let uptime = program?["uptime_seconds"]?.double.map { "up \(Self.time($0))" } ?? ""
    let name = "\(Self.words(program?["name"])) \(Self.words(program?["version"]))"
    lines.append(Self.joined([name, uptime, Self.words(program?["configuration"])]))
    return lines
  }

  // MARK: Words

  private static func words(_ value: JSONValue?) -> String { value?.string?.onOneLine ?? "" }

  private static func joined(_ parts: [String], by separator: String = ", ") -> String {
    parts.filter { !$0.isEmpty }.joined(separator: separator)
  }

  private static func ago(_ seconds: Double) -> String {
    seconds < 2 ? "just now" : "\(time(seconds)) ago"
  }

  /// The two largest units: `3 h 12 min`.
  private static func time(_ seconds: Double) -> String {
    let whole = Int(exactly: max(0, min(seconds, 1e9)).rounded()) ?? 0
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
    guard let first = units.firstIndex(where: { whole >= $0.0 }) else { return "0 s" }
    let (size, unit) = units[first]
    var text = "\(whole / size) \(unit)"
    if first < 2 {
      let (small, name) = units[first + 1]
      let rest = whole % size / small
      if rest > 0 { text += " \(rest) \(name)" }
    }
    return text
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int(exactly: (max(-1e6, min(value, 1e6)) * 10).rounded()) ?? 0
    let sign = tenths < 0 ? "-" : ""
    return "\(sign)\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
