package import ConnectorKit
package import JSON

/// Something that the link tells the cache.
package enum StatusChange: Sendable, Hashable {
  /// The connection to Moonraker stands, or is gone.
  case link(isUp: Bool)
  /// Klippy's state; its words where they are known, nil keeps those of the same state.
  case klippy(KlippyState, message: String?)
  /// The answer of a subscription: all listed objects, whole. `kept` are fields that are not subscribed but stay;
  /// `isComplete` is false while the values that are read once are still to come; `covering` is what was asked for, nil
  /// where that is not told.
  case full(
    JSONObject, eventtime: JSONNumber?, kept: [String: Set<String>], isComplete: Bool,
    covering: StatusInterest? = nil)
  /// A partial update.
  case update(JSONObject, eventtime: JSONNumber?)
  /// The fields that are read once per subscription; empty where they could not be read. Completes ``full``.
  case once(JSONObject)
  /// The values are no longer those of the printer, because its subscription failed.
  case stale
  /// The metadata of a G-code file; empty where Moonraker has none.
  case metadata(filename: String, JSONObject)
  /// The host's processor and memory use.
  case load(cpuPercent: Double?, memoryPercent: Double?)
  /// The memory that the host uses, kB, and its processor's temperature, °C.
  case machine(memoryUsed: Double?, cpuTemperature: Double?)
  /// The list of G-code files may have changed.
  case files
  /// How full the disk is.
  case disk(percent: Double?)
  /// A macro says something to whoever looks.
  case message(String)
  /// The list of webcams changed.
  case webcams
  /// The job queue changed.
  case jobQueue
}
