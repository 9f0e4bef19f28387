package import ConnectorKit
package import JSON

/// Has commands executed by Moonraker: each is one call, sent once, beside whatever else is under way.
package struct MoonrakerCommands: Sendable {
  let caller: any MoonrakerCaller

  /// Commands through `caller`.
  package init(caller: any MoonrakerCaller) { self.caller = caller }

  /// Sends `command` and waits for its end: minutes for what moves or heats, 10 s for what only looks.
  ///
  /// Nothing is judged here and nothing repeated. Cancelling the task ends the waiting, not what was sent.
  ///
  /// - Returns: what Moonraker answers, where that is worth telling (``PrinterCommand/Kind/hasAnswer``); else nil.
  /// - Throws: `CommandFailure` with Moonraker's own words; `mayHaveHappened` unless it is certain that nothing did.
  package func perform(_ command: PrinterCommand) async throws(CommandFailure) -> JSONValue? {
    let call = try CommandCall(command)
    let isRead = command.kind.isRead
    var result: JSONValue
    do throws(RPCFailure) {
      result = try await caller.call(call.method, call.params, timeout: isRead ? .seconds(10) : nil)
    } catch {
      // The name with the method; nothing has happened under a name that there is not.
      guard let other = command.otherMethod, error.isUnknownMethod else {
        throw CommandFailure(error, of: call.method, isRead: isRead)
      }
      do throws(RPCFailure) {
        result = try await caller.call(other, call.params, timeout: isRead ? .seconds(10) : nil)
      } catch {
        throw CommandFailure(error, of: other, isRead: isRead)
      }
    }
    if case .power(let device, let isOn) = command { try check(result, device, isOn: isOn) }
    // No shorter: `nil` beside a JSON value would be JSON's null.
    guard command.kind.hasAnswer else { return nil }
    return result
  }

  /// A device that does not answer is no error to Moonraker: it tells the state that it is in.
  private func check(
    _ result: JSONValue, _ device: String, isOn: Bool
  ) throws(CommandFailure) {
    guard let state = result[device]?.string, state != (isOn ? "on" : "off"), state != "init" else {
      return
    }
    throw CommandFailure(
      .printerRefused,
      MoonrakerMessage.forPeople("the power device says \(state)"), mayHaveHappened: true)
  }
}

extension PrinterCommand {
  /// The other name that its call may have.
  fileprivate var otherMethod: String? {
    switch self {
    case .query(let request), .raw(let request): request.rpcMethods.dropFirst().first
    default: nil
    }
  }
}
