internal import JSON

/// What the Polar Cloud has sent, as far as it means something to us. Every value in it is the far side's.
enum CloudEvent: Sendable, Hashable {
  case welcome(challenge: String?)
  case registered(RegisterAnswer)
  case greeted(HelloAnswer)
  case form(FormAnswer)
  case print(PrintOrder)
  case pause(jobID: String?)
  case resume(jobID: String?)
  case cancel(jobID: String?)
  case temperature([TemperatureOrder])
  case gcode(String)
  case delete
  case unregistered(UnregisterAnswer)
  /// Meant for a printer of this number, which we are not.
  case foreign(name: String, serialNumber: String)
  /// Nothing that concerns us; what to say of it, nil: nothing.
  case ignored(name: String, reason: String?)

  /// Reads an event.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - payload: its first argument; an empty object where there was none.
  ///   - serialNumber: ours; nil: none yet.
  init(_ name: String, _ payload: JSONValue, serialNumber: String?) {
    let name = name.logged
    if Self.isCommand(name), let meant = payload["serialNumber"], let serialNumber,
      meant.string != serialNumber, !meant.isNull
    {
      self = .foreign(name: name, serialNumber: (meant.string ?? "no text").logged)
      return
    }
    switch name {
    case "welcome":
      let challenge = payload["challenge"]?.string
      let isUsable = challenge.map { (1...1_024).contains($0.utf8.count) } ?? false
      self = .welcome(challenge: isUsable ? challenge : nil)
    case "registerResponse": self = .registered(RegisterAnswer(payload))
    case "helloResponse": self = .greeted(HelloAnswer(payload))
    case "getUrlResponse": self = .form(FormAnswer(payload))
    case "print": self = .print(PrintOrder(payload))
    case "pause": self = .pause(jobID: Self.jobID(payload))
    case "resume": self = .resume(jobID: Self.jobID(payload))
    case "cancel": self = .cancel(jobID: Self.jobID(payload))
    case "temperature": self = .temperature(TemperatureOrder.orders(payload))
    case "command": self = .gcode(payload["command"]?.string ?? "")
    case "delete": self = .delete
    case "unregisterResponse": self = .unregistered(UnregisterAnswer(payload))
    case "update":
      self = .ignored(
        name: name, reason: "the cloud asks for an update, which it cannot have: see the package")
    default: self = .ignored(name: name, reason: nil)
    }
  }

  /// The job that is meant; an id that is no text is an id all the same, and none of ours.
  private static func jobID(_ payload: JSONValue) -> String? {
    let id = payload["jobId"].flatMap { $0.isNull ? nil : $0 }
    return id.map { $0.string ?? "of no text" }
  }

  private static func isCommand(_ name: String) -> Bool {
    ["print", "pause", "resume", "cancel", "temperature", "command", "delete"].contains(name)
  }
}

/// What the cloud says to a registration.
enum RegisterAnswer: Sendable, Hashable {
  case accepted(serialNumber: String)
  /// The cloud's own word: `EMAIL_PIN_ERROR`; empty where it gives none.
  case refused(reason: String)

  /// Success is a serial number, and a status that says nothing else.
  init(_ payload: JSONValue) {
    let status = payload["status"]?.string
    if let serial = payload["serialNumber"]?.string, (1...128).contains(serial.utf8.count),
      serial.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }),
      status == nil || status == "SUCCESS"
    {
      self = .accepted(serialNumber: serial)
    } else {
      self = .refused(reason: (payload["reason"]?.string ?? payload.string ?? "").logged)
    }
  }
}

/// What the cloud says to a greeting.
enum HelloAnswer: Sendable, Hashable {
  case accepted
  case deleted
  case refused(message: String)

  init(_ payload: JSONValue) {
    let status = payload["status"]?.string ?? payload.string ?? ""
    let message = payload["message"]?.string ?? ""
    switch status {
    case "SUCCESS": self = .accepted
    case "DELETED": self = .deleted
    default:
      self =
        message == "Printer has been deleted" ? .deleted : .refused(message: message.logged)
    }
  }
}

/// What the cloud says when this printer is given back.
struct UnregisterAnswer: Sendable, Hashable {
  var isAccepted: Bool
  var message: String

  init(_ payload: JSONValue) {
    isAccepted = (payload["status"]?.string ?? payload.string) == "SUCCESS"
    message = (payload["message"]?.string ?? "").logged
  }
}

extension String {
  /// Fit for a log: one line of at most 80 characters without control characters.
  var logged: String {
    String(
      unicodeScalars.prefix(80).map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: "?"
        default: Character(scalar)
        }
      })
  }
}
