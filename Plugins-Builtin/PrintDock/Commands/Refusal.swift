internal import ConnectorKit

/// Something that PrintDock is told has failed without its having been tried.
enum Refusal: Sendable {
  /// A command that could have been tried. It passes the gate, which knows whether it ran before, and from then on that it
  /// was refused: handed out again, it is told the same.
  case order(CommandOrder, CommandContact, CommandFailure)
  /// An element that is no command.
  case element(Completion)

  /// PrintDock's id of it.
  var id: String {
    switch self {
    case .order(let order, _, _): order.id
    case .element(let completion): completion.id
    }
  }

  /// A start or a resume that waited when a cancel came.
  static func cancelled(_ place: WaitingLine.Place) -> Refusal {
    of(place, .superseded, "not executed: a cancel came before its turn")
  }

  /// One for which there is no place.
  static func surplus(_ place: WaitingLine.Place) -> Refusal {
    of(place, .tooMany, "too many commands are waiting")
  }

  /// One that still waited at the end.
  static func stopped(_ place: WaitingLine.Place) -> Refusal {
    of(place, .superseded, "not executed: printer-uplink was stopped before its turn")
  }

  private static func of(
    _ place: WaitingLine.Place, _ reason: CommandOutcome.Reason, _ message: String
  ) -> Refusal {
    var order = place.order
    order.task = order.task.lightened()
    return .order(order, place.contact, CommandFailure(reason, message))
  }
}

extension CommandTask {
  /// The command without what only its execution needs, so that thousands can be kept: nothing of the answer's bytes, and
  /// at most about a kilobyte.
  fileprivate func lightened() -> CommandTask {
    switch self {
    case .uploadFile(_, let content):
      _ = content.take()
      return self
    case .homing(let axes, let told): return .homing(axes, told: told.map { String($0.prefix(8)) })
    case .createBackup(var order):
      order.address = Secret("")
      order.root = nil
      return .createBackup(order)
    default: return self
    }
  }
}
