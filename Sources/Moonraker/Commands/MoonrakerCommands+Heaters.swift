package import ConnectorKit
internal import JSON

extension MoonrakerCommands {
  /// Asks for the highest temperature that Klipper's configuration allows, once: the whole configuration comes with it.
  ///
  /// - Returns: °C by section in lower case: `extruder`, `heater_generic chamber`; sections without one are left out.
  /// - Throws: `CommandFailure` where Klipper does not say, after 2 s at the latest.
  package func heaterLimits() async throws(CommandFailure) -> [String: Double] {
    let method = "printer.objects.query"
    let result: JSONValue
    do throws(RPCFailure) {
      result = try await caller.call(
        method, ["objects": ["configfile": ["settings"]]], timeout: .seconds(2))
    } catch {
      throw CommandFailure(error, of: method, isRead: true)
    }
    guard let settings = result["status"]?["configfile"]?["settings"]?.object else {
      throw CommandFailure(.printerRefused, "Klipper does not tell its configuration")
    }
    var limits: [String: Double] = [:]
    for (section, values) in settings {
      if let maximum = values["max_temp"]?.double { limits[section.lowercased()] = maximum }
    }
    return limits
  }
}
