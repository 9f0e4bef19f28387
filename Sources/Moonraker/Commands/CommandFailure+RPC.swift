package import ConnectorKit

extension CommandFailure {
  /// What the failure of a call means for the command that made it.
  ///
  /// - Parameters:
  ///   - failure: the call's failure.
  ///   - method: the call's method.
  ///   - isRead: whether the call changes nothing; then nothing may have happened.
  package init(_ failure: RPCFailure, of method: String, isRead: Bool) {
    switch failure {
    case .notSent(let reason):
      self.init(.notConnected, MoonrakerMessage.forPeople("Moonraker is not connected: \(reason)"))
    case .connectionLost(let reason):
      self.init(
        .interrupted,
        MoonrakerMessage.forPeople("the connection to Moonraker was lost: \(reason)"),
        mayHaveHappened: !isRead)
    case .timedOut:
      self.init(.timeout, "no answer from Moonraker in time", mayHaveHappened: !isRead)
    case .cancelled:
      self.init(.interrupted, "interrupted", mayHaveHappened: !isRead)
    case .refused(let code, let message):
      let words = MoonrakerMessage.forPeople(message)
      // What Klipper offers is unknown to a Moonraker that has not met it yet.
      let isUnmet = failure.isMissing && method.utf8.starts(with: "printer.".utf8)
      if isUnmet || code == 503 {
        self.init(
          .notConnected, isUnmet ? "Klippy Host not connected" : words,
          mayHaveHappened: !isRead && code == 503 && !Self.saysNeverConnected(words))
      } else {
        // At a defect of Moonraker's nobody knows how far it came.
        self.init(
          .printerRefused, words.isEmpty ? "refused without a reason" : words,
          mayHaveHappened: !isRead && (code >= 500 || code == -32603))
      }
      self.code = Int(exactly: code)
    }
  }

  /// Whether Klippy was away already; else it went while the call was under way.
  private static func saysNeverConnected(_ words: String) -> Bool {
    words.lowercased().utf8.elementsEqual("klippy host not connected".utf8)
  }
}
