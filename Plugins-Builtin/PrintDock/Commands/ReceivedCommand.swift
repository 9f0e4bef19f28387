internal import ConnectorKit
internal import JSON

/// One element of an answer with commands, decoded by itself: a bad one does not spoil its neighbours. Pure.
enum ReceivedCommand: Sendable {
  /// Something to be done.
  case order(CommandOrder)
  /// Something that cannot be done, and the completion that says why.
  case refused(Completion)
  /// Something that cannot even be answered.
  case unreadable(String)

  /// - Parameters:
  ///   - element: the element.
  ///   - printerID: PrintDock's number of our printer.
  init(_ element: JSONSlice, printerID: Int64) {
    guard let id = Self.identifier(element["id"]) else {
      self = .unreadable("it has no id that can be used")
      return
    }
    guard let number = Self.number(element["printer_id"]) else {
      self = .refused(.invalid(id, "printer_id is not a whole number"))
      return
    }
    guard number == printerID else {
      self = .refused(
        Completion(
          id: id, problem: "unknown printer_id \(number)", result: ["printer_id": .integer(number)])
      )
      return
    }
    guard let action = Self.smallText(element["action"]), !action.isEmpty else {
      self = .refused(.invalid(id, "action is missing"))
      return
    }
    guard let parameters = CommandParameters(element["params"]) else {
      self = .refused(.invalid(id, "params is not an object", action: action))
      return
    }
    do throws(CommandParameters.Defect) {
      self = .order(CommandOrder(id: id, task: try CommandTask(action: action, parameters)))
    } catch {
      self = .refused(
        Completion(id: id, problem: error.problem, result: ["action": .string(action)]))
    }
  }

  /// An id as text: a string, or a number as it is spelled; nil where it is neither or cannot stand in a path.
  static func identifier(_ slice: JSONSlice?) -> String? {
    guard let value = smallValue(slice), let id = value.string ?? value.number?.spelling,
      (1...256).contains(id.utf8.count), id != ".", id != "..",
      id.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else { return nil }
    return id
  }

  /// A printer's number: an integer, however it is spelled, or a string of digits; absent and null count as 0.
  static func number(_ slice: JSONSlice?) -> Int64? {
    guard let slice, slice.kind != .null else { return 0 }
    guard let value = smallValue(slice) else { return nil }
    if let integer = value.integer { return integer }
    guard let digits = value.string, !digits.isEmpty,
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int64(digits)
  }

  private static func smallText(_ slice: JSONSlice?) -> String? {
    smallValue(slice)?.string.map { String($0.prefix(200)) }
  }

  private static func smallValue(_ slice: JSONSlice?) -> JSONValue? {
    guard let slice, slice.count <= 4_096 else { return nil }
    return try? slice.value(limits: JSONLimits(bytes: 4_096, depth: 4))
  }
}

/// A command that can be submitted.
struct CommandOrder: Sendable {
  /// PrintDock's id of it.
  var id: String
  /// What is to be done.
  var task: CommandTask
}
