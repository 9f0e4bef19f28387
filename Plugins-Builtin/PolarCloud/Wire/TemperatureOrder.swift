internal import JSON

/// One heater's wanted temperature out of a `temperature` event.
struct TemperatureOrder: Sendable, Hashable {
  /// The wire's name: `tool0`, `bed`, `chamber`.
  var key: String
  /// The heater by Klipper's name.
  var heater: String
  /// °C; nil: what came is no number.
  var celsius: Double?

  /// Reads an event; keys that name no heater are not looked at.
  static func orders(_ payload: JSONValue) -> [TemperatureOrder] {
    var orders: [TemperatureOrder] = []
    for (key, value) in payload.object ?? JSONObject() {
      guard let heater = heater(key), orders.count < 12 else { continue }
      orders.append(TemperatureOrder(key: key, heater: heater, celsius: celsius(value)))
    }
    return orders
  }

  private static func heater(_ key: String) -> String? {
    switch key {
    case "bed": return "heater_bed"
    case "chamber": return "chamber"
    default:
      guard key.hasPrefix("tool"), let number = UInt8(key.dropFirst(4)), number < 10,
        key == "tool\(number)"
      else { return nil }
      return number == 0 ? "extruder" : "extruder\(number)"
    }
  }

  /// A finite number, or the text of one: digits and a point, nothing else that a parser would take.
  private static func celsius(_ value: JSONValue) -> Double? {
    let number: Double?
    if let text = value.string {
      let isPlain =
        (1...12).contains(text.utf8.count)
        && text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
      number = isPlain ? Double(text) : nil
    } else {
      number = value.double
    }
    guard let number, number.isFinite, number >= 0, number <= 1_000 else { return nil }
    return number
  }
}
