internal import JSON

/// The original agent's state file, in both of its spellings.
struct OriginalState: Sendable, Hashable {
  /// The token that it was using.
  var token: String?
  /// The relay's id of the printer.
  var printerID: String?
  /// The relay's id of the owner.
  var userID: String?
  /// The relay to which it was paired, or sent.
  var relay: String?

  /// Reads a file; nil where it is none of these.
  init?(_ text: [UInt8]) {
    let limits = JSONLimits(bytes: 1 << 20, depth: 16)
    guard let file = (try? JSONValue(parsing: text, limits: limits))?.object else { return nil }
    let keys = ["reachLinkToken", "reachLinkPrinterId", "relayUrl"]
    guard
      keys.contains(where: { file[$0] != nil })
        || (file["token"] != nil && file["printerId"] != nil)
    else { return nil }
    func value(_ keys: String...) -> String? {
      keys.lazy.compactMap { file[$0]?.string }.first { !$0.isEmpty }
    }
    token = value("reachLinkToken", "token")
    printerID = value("printerId", "reachLinkPrinterId")
    userID = value("userId", "reachLinkUserId")
    relay = value("relayUrl")
  }
}
