import ConnectorKit
import JSON
import Testing

@testable import ReachRelay

@Suite("Reach: what leaves the house") struct SentFieldTests {
  private let status = PrinterStatus.ready("printing")

  /// Every path in a body, `[]` for the elements of an array; an empty list or object counts as a value.
  private func paths(_ value: JSONValue, _ prefix: String = "") -> Set<String> {
    if let object = value.object, !object.isEmpty {
      var paths: Set<String> = []
      for (key, member) in object {
        paths.formUnion(self.paths(member, prefix.isEmpty ? key : "\(prefix).\(key)"))
      }
      return paths
    }
    if let array = value.array, !array.isEmpty {
      return array.reduce(into: []) { $0.formUnion(paths($1, prefix + "[]")) }
    }
    return [prefix]
  }

  private func body(_ message: String) throws -> JSONValue {
    switch message {
    case "claim":
      return .object(
        RelayBodies.claim(
          code: Secret("c"), agentVersion: "1", moonrakerAddress: "m", localAddress: "a"))
    case "heartbeat":
      return .object(
        RelayBodies.heartbeat(
          printerID: "p", token: Secret("t"), at: status.updatedWallTime, uptime: .seconds(1),
          agentVersion: "1", localAddress: "a"))
    case "pull": return .object(RelayBodies.pull(printerID: "p"))
    case "firebase":
      let report = TelemetryBody(printerID: "p", token: Secret("t"), chamber: nil, errors: [])
      return .object(
        FirebaseStatus.body(report.json(status, at: status.updatedWallTime)) ?? JSONObject())
    case "push":
      return .object(
        RelayBodies.push(printerID: "p", CommandResult.failed("r", "w", .forbidden).body))
    default:
      let error: JSONValue = ["type": "print", "message": "m", "timestamp": 1, "severity": "error"]
      return .object(
        TelemetryBody(printerID: "p", token: Secret("t"), chamber: nil, errors: [error])
          .json(status, at: status.updatedWallTime))
    }
  }

  @Test(
    "Each field of each body is declared, and nothing else",
    arguments: ["claim", "heartbeat", "telemetry", "pull", "push", "firebase"])
  func declared(message: String) throws {
    let declared = ReachRelayBackend.descriptor.sends.filter { $0.message == message }.map(\.path)
    let sent = paths(try body(message))
    func matches(_ declared: String, _ path: String) -> Bool {
      declared == path || (declared.hasSuffix(".*") && path.hasPrefix(declared.dropLast()))
    }
    #expect(sent.filter { path in !declared.contains { matches($0, path) } } == [])
    #expect(declared.filter { declared in !sent.contains { matches(declared, $0) } } == [])
  }
}
