internal import ConnectorKit
internal import JSON
internal import Networking

/// Checks PrintDock's answer to pairing, before anything of it is stored. Pure.
enum PairingAnswer {
  /// What makes an answer useless.
  struct Defect: Error, Sendable, Hashable {
    /// What is wrong, for people.
    var problem: String
  }

  /// The identity that the answer gives.
  ///
  /// - Parameter token: the token that was spent on it.
  static func identity(
    in answer: JSONObject, token: Secret
  ) throws(Defect) -> Identity {
    guard let id = text(answer["connector"]?["id"]), isHeaderText(id) else {
      throw Defect(problem: "it has no connector id")
    }
    guard let secret = answer["credentials"]?["secret"]?.string, isHeaderText(secret) else {
      throw Defect(problem: "it has no secret")
    }
    guard let printers = answer["printers"]?.array, printers.count == 1,
      let printer = printers.first
    else { throw Defect(problem: "it does not have the one printer that was sent") }
    guard let printerID = number(printer["id"]), printerID > 0 else {
      throw Defect(problem: "its printer has no id")
    }
    let polling = answer["polling"]
    return Identity(
      connectorID: id, secret: Secret(secret), printerID: printerID,
      commandsSeconds: seconds(polling?["commands_seconds"]),
      snapshotsSeconds: seconds(polling?["snapshots_seconds"]),
      tokenDigest: PairingDecision.digest(of: token))
  }

  /// An id as text: a string, or a number as it is spelled.
  private static func text(_ value: JSONValue?) -> String? {
    value?.string ?? value?.number?.spelling
  }

  /// An id as a whole number: a number without a fraction, or a string of digits.
  private static func number(_ value: JSONValue?) -> Int64? {
    if let integer = value?.integer { return integer }
    guard let digits = value?.string, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int64(digits)
  }

  /// A time between calls, from a second to an hour; nil where there is none.
  private static func seconds(_ value: JSONValue?) -> Int64? {
    value?.integer.flatMap { $0 > 0 ? min($0, 3_600) : nil }
  }

  /// Whether `text` can stand in a header, and is of bounded length.
  private static func isHeaderText(_ text: String) -> Bool {
    text.utf8.count <= 4_096 && HTTPField.canCarry(text)
  }
}
