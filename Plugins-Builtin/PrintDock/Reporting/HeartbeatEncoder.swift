internal import ConnectorKit
internal import JSON
internal import Platform

/// Writes a heartbeat.
enum HeartbeatEncoder {
  /// - Parameters:
  ///   - uptime: since this connector was started; whole seconds are sent.
  ///   - isReachable: see ``Reachability``.
  static func body(uptime: Duration, printerID: Int64, isReachable: Bool) -> [UInt8] {
    let value: JSONValue = [
      "status": [
        "uptime_seconds": .integer(max(0, uptime.components.seconds)),
        "version": .string(Product.version),
      ],
      "printers": [["printer_id": .integer(printerID), "reachable": .bool(isReachable)]],
    ]
    return value.serialized()
  }
}
