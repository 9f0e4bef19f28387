internal import ConnectorKit

// What an outcome means, for the owner: the page, the audit and `explain` say it in the same words.

extension CommandOutcome.Status {
  /// `done`, `failed`, `refused`, `outcome unknown`.
  var words: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .refused: "refused"
    case .unknown: "outcome unknown"
    }
  }
}

extension CommandOutcome.Reason {
  /// Why, in plain words; empty where it was simply done.
  var words: String {
    switch self {
    case .ok: ""
    case .notPermitted: "its permissions do not allow that"
    case .readOnly: "read-only is on"
    case .stale: "it is too old, or the cloud had not been heard of for too long"
    case .wrongState: "the printer's state does not fit"
    case .busy: "another command holds the printer"
    case .bedOccupied: "nobody has said that the bed is empty"
    case .notOwn: "it belongs to somebody else"
    case .invalid: "a value in it cannot be used"
    case .tooMany: "too many commands came at once"
    case .superseded: "an emergency stop or a cancel came first"
    case .journal: "the journal cannot be written"
    case .notConnected: "Moonraker or Klipper is away"
    case .printerRefused: "the printer said no"
    case .transfer: "a file could not be fetched, stored or sent"
    case .timeout: "there was no answer in time"
    case .interrupted: "the daemon ended or lost the connection meanwhile"
    }
  }
}

extension CommandOutcome {
  /// Why, with what the message adds to it; empty where it was simply done.
  var explanation: String {
    guard !message.isEmpty, message != reason.words else { return reason.words }
    return reason.words.isEmpty ? message : "\(reason.words): \(message)"
  }
}
