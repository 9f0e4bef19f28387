package import JSON

// What a request to Moonraker does: by its path. Moonraker registers Klipper's endpoints for GET and POST alike, so that a
// method never makes a command harmless.

extension MoonrakerRequest {
  /// What a request does, as far as a rule depends on it.
  package enum Effect: Sendable, Hashable {
    /// It is taken from no cloud at any level.
    case never
    /// It only looks.
    case read(Permission)
    /// It moves, heats, starts, stops or deletes: it has a command of its own (``PrinterCommand/init(_:)``) and is never
    /// sent as it came.
    case named
    /// It works on these files of root `gcodes`; a folder is a file here. Not while a job is on.
    case files([GCodePath])
    /// It switches power in a way that no command of its own says: several devices, or the other way round.
    case power
    /// It restarts or starts a service.
    case restart
    /// It stops a service.
    case stop
    /// Something else that no job should run beside: an update, what Klipper offers by itself, and all that is not known.
    case disturbing
    /// Something else that does no harm to a job: a lamp, the spool, the camera's settings.
    case calm
  }

  /// The reads, each with the one method that makes it one. A name that is missing here is no read, whatever it sounds like:
  /// over JSON-RPC `server.history.reset_totals` has no method that could protect from it.
  private static let reads: [String: Permission] = [
    "printer.info": .status, "printer.objects.list": .status, "printer.objects.query": .status,
    "printer.query_endstops.status": .status, "printer.gcode.help": .status,
    "server.info": .status, "server.temperature_store": .status, "server.gcode_store": .status,
    "server.files.list": .filesList, "server.files.metadata": .filesList,
    "server.files.thumbnails": .filesList, "server.files.directory": .filesList,
    "server.files.roots": .filesList,
    "server.history.list": .history, "server.history.totals": .history,
    "server.history.job": .history,
    "server.job_queue.status": .status,
    "server.webcams.list": .camera, "server.webcams.item": .camera,
    "server.spoolman.status": .status, "server.spoolman.spool_id": .status,
    "server.sensors.list": .status, "server.sensors.info": .status,
    "server.sensors.measurements": .status,
    "server.announcements.list": .status, "server.announcements.feeds": .status,
    "machine.system_info": .status, "machine.proc_stats": .status,
    "machine.device_power.devices": .status, "machine.device_power.status": .status,
    "machine.wled.strips": .status, "machine.wled.status": .status, "machine.wled.strip": .status,
    "machine.peripherals.serial": .status, "machine.peripherals.usb": .status,
    "machine.peripherals.video": .status, "machine.peripherals.canbus": .status,
    "machine.update.status": .status,
  ]

  /// Of these only the JSON-RPC name with the method exists: `server.webcams.get_item`.
  private static let withMethodInName: Set<String> = [
    "server.files.directory", "server.history.job", "server.webcams.item",
    "server.spoolman.spool_id", "machine.wled.strip", "machine.device_power.device",
    "server.job_queue.job", "server.announcements.feed", "server.database.item",
  ]

  private static let named: Set<String> = [
    "printer.print.pause", "printer.print.resume", "printer.print.cancel", "printer.print.start",
    "printer.pause_resume.pause", "printer.pause_resume.resume", "printer.pause_resume.cancel",
    "printer.emergency_stop", "printer.gcode.script", "printer.restart",
    "printer.firmware_restart", "printer.gcode.restart", "printer.gcode.firmware_restart",
    "machine.reboot", "machine.shutdown", "server.job_queue.job", "server.job_queue.pause",
    "server.job_queue.start", "server.job_queue.jump", "server.job_queue.status",
  ]

  /// What is never taken, with all that is below it: users and keys, what wraps other methods, other agents and this
  /// program's own switches, what would take the place of our subscription, files outside of `gcodes`.
  private static let never: [[String]] = [
    ["access"], ["server", "jsonrpc"], ["server", "extensions"], ["connection"],
    ["server", "connection"], ["server", "websocket"], ["server", "config"],
    ["server", "mqtt"], ["machine", "sudo"], ["debug"],
    ["printer", "objects", "subscribe"], ["printer", "gcode", "subscribe_output"],
    ["printer", "register_remote_method"], ["printer", "list_endpoints"],
    ["server", "analysis", "dump_config"],
  ]

  private static let calm: Set<String> = [
    "webcams", "spoolman", "announcements", "sensors", "history", "logs", "notifiers", "wled",
    "peripherals", "database",
  ]

  /// What it does.
  package var effect: Effect {
    let names = parts.map { $0.lowercased() }
    guard !Self.never.contains(where: { names.starts(with: $0) }) else { return .never }
    if names.starts(with: ["server", "files"]) { return fileEffect }
    guard parts.allSatisfy(Self.isName), !hasMethodInName else { return .never }
    if let permission = Self.reads[path], method == .get || path == "printer.objects.query" {
      return method == .delete ? .disturbing : .read(permission)
    }
    if Self.named.contains(path) { return .named }
    if names.starts(with: ["server", "database"]) {
      return method == .get && ["server.database.item", "server.database.list"].contains(path)
        ? .calm : .never
    }
    if names.starts(with: ["machine", "device_power"]) { return .power }
    switch path {
    case "machine.services.restart", "machine.services.start": return .restart
    case "machine.services.stop": return .stop
    case "server.analysis.estimate", "server.analysis.process":
      // Moonraker takes `../` here; and a configuration of the estimator's lies outside of gcodes.
      guard arguments["estimator_config"] == nil, let path = filePath("filename") else {
        return .never
      }
      return .files([path])
    default: break
    }
    return names.count > 2 && names[0] != "printer" && Self.calm.contains(names[1])
      ? .calm : .disturbing
  }

  /// The names that the request may have as a JSON-RPC method, the likelier first: where Moonraker registers an endpoint
  /// for several methods, each is a name of its own.
  package var rpcMethods: [String] {
    guard let last = parts.last, parts.first != "printer" else { return [path] }
    let prefixed =
      (parts.dropLast() + ["\(method.rawValue.lowercased())_\(last)"]).joined(separator: ".")
    return Self.withMethodInName.contains(path) ? [prefixed] : [path, prefixed]
  }

  /// The arguments as they are sent. A look never makes Moonraker look for updates anew.
  package var sentArguments: JSONObject? {
    var sent = arguments
    if path == "machine.update.status" { sent["refresh"] = nil }
    return sent.isEmpty ? nil : sent
  }

  /// Whether the name is one that only JSON-RPC has: `server.files.delete_file`, `server.database.post_item`. As a path
  /// there is no such endpoint, and as a name it would be another one than it looks like.
  private var hasMethodInName: Bool {
    guard let last = parts.last?.lowercased() else { return true }
    return ["get_", "post_", "delete_"].contains { last.utf8.starts(with: $0.utf8) }
  }

  /// Whether a part is a name of Moonraker's own: nothing in it can be taken for another part.
  private static func isName(_ part: String) -> Bool {
    part.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
  }

  // MARK: Files

  /// What a file operation does: only root `gcodes` is ever touched or looked into.
  private var fileEffect: Effect {
    if parts.count > 3 {
      // `DELETE /server/files/gcodes/…`; to fetch one is no command.
      return method == .delete && parts[2] == "gcodes" ? .named : .never
    }
    switch path {
    case "server.files.list":
      return (text("root") ?? "gcodes") == "gcodes" && isTextOrMissing("root")
        ? reading(.filesList) : .never
    case "server.files.roots": return reading(.filesList)
    case "server.files.metadata", "server.files.thumbnails":
      return filePath("filename") == nil ? .never : reading(.filesList)
    case "server.files.metascan":
      return filePath("filename").map { .files([$0]) } ?? .never
    case "server.files.directory":
      if method == .get {
        let isRoot = arguments["path"] == nil || text("path") == "gcodes"
        return isRoot || rootedPath("path") != nil ? .read(.filesList) : .never
      }
      return rootedPath("path").map { .files([$0]) } ?? .never
    case "server.files.move", "server.files.copy":
      guard let source = rootedPath("source"), let destination = rootedPath("dest") else {
        return .never
      }
      return .files([source, destination])
    case "server.files.zip":
      guard let destination = rootedPath("dest"), let items = texts("items"), !items.isEmpty
      else { return .never }
      let paths = items.compactMap(Self.rooted)
      return paths.count == items.count ? .files(paths + [destination]) : .never
    default: return .never
    }
  }

  private func reading(_ permission: Permission) -> Effect {
    method == .get ? .read(permission) : .disturbing
  }

  private func isTextOrMissing(_ key: String) -> Bool {
    arguments[key] == nil || text(key) != nil
  }

  private func filePath(_ key: String) -> GCodePath? { text(key).flatMap { GCodePath($0) } }

  private func rootedPath(_ key: String) -> GCodePath? { text(key).flatMap(Self.rooted) }

  /// The path of `gcodes/…`; nil for any other root.
  private static func rooted(_ text: String) -> GCodePath? {
    let root = "gcodes/"
    guard text.utf8.starts(with: root.utf8) else { return nil }
    return GCodePath(String(text.dropFirst(root.count)))
  }
}
