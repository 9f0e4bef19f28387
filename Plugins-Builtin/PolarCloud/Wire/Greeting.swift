internal import ConnectorKit
internal import JSON

/// What this printer says of itself when it registers and when it greets.
struct Greeting: Sendable, Hashable {
  var mac: String
  /// This host's address in the house.
  var localIP: String
  var manufacturer: Manufacturer
  var printerMake: String
  /// Whether there are pictures.
  var hasCamera: Bool
  /// How the live picture is turned.
  var orientation: FrameOrientation

  /// `KL-02FC00000001`
  var manufacturersNumber: String {
    "\(manufacturer.rawValue.uppercased())-\(mac.filter { $0 != ":" })"
  }

  /// The body of `register`.
  func register(email: String, pin: Secret, publicKey: String) -> JSONObject {
    [
      "mfg": .string(manufacturer.rawValue), "email": .string(email),
      "pin": .string(pin.revealed), "publicKey": .string(publicKey),
      "mfgSn": .string(manufacturersNumber), "myInfo": ["MAC": .string(mac)],
    ]
  }

  /// The body of `hello`.
  func hello(serialNumber: String, signature: String) -> JSONObject {
    let turned = hasCamera ? orientation : FrameOrientation()
    let isOnItsSide = turned.rotation == 90 || turned.rotation == 270
    let mask =
      (turned.flipsHorizontally ? 1 : 0) + (turned.flipsVertically ? 2 : 0) + (isOnItsSide ? 4 : 0)
    return [
      "serialNumber": .string(serialNumber), "protocol": "2", "MAC": .string(mac),
      "localIP": .string(localIP), "signature": .string(signature),
      "mfgSn": .string(manufacturersNumber), "printerMake": .string(printerMake),
      "version": .string(Product.version), "camOff": .integer(hasCamera ? 0 : 1),
      "rotateImg": .integer(turned.rotation != 0 ? 1 : 0), "transformImg": .integer(mask),
    ]
  }
}
