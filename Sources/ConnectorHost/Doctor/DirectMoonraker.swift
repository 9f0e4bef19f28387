internal import ConnectorKit
internal import JSON
internal import Moonraker
internal import Networking
internal import Platform

/// Moonraker asked without a link: each call stands for itself, so that its failure tells what is wrong on the way.
struct DirectMoonraker: MoonrakerCaller {
  /// So long an answer may take.
  static let patience = Duration.milliseconds(3500)
  /// So long Klippy's own words may take.
  static let klippyPatience = Duration.milliseconds(1500)

  let settings: MoonrakerSettings
  let network: Network
  let networkSettings: NetworkSettings
  let time: any TimeSource

  /// What Moonraker says of itself and of Klippy.
  func look() async -> Observations.Moonraker {
    do {
      let info = try await ask("server.info")
      guard let version = info["moonraker_version"]?.string else {
        return .foreign("its server.info names no version")
      }
      let state = info["klippy_state"]?.string ?? "disconnected"
      // Klippy's own words; Moonraker has none while Klippy is away, and one that is busy answers late.
      let words: String?? =
        state == "ready"
        ? nil
        : await bounded(by: Self.klippyPatience, time: time) { [self] in
          try await ask("printer.info")["state_message"]?.string
        }
      return .answered(
        version: version,
        failedComponents: (info["failed_components"]?.array ?? []).compactMap(\.string),
        klippy: .init(
          state: info["klippy_connected"]?.bool == false ? "disconnected" : state,
          message: state == "ready" ? "" : ((words ?? nil) ?? "").onOneLine))
    } catch let failure as RPCFailure {
      if failure.isUnauthorized { return .unauthorized(hasKey: settings.apiKey != nil) }
      if case .timedOut = failure {
        return .failed(.timeout, "\(settings.address.display): no answer in time")
      }
      return .foreign(failure.description)
    } catch let error as NetworkError {
      return error.kind == .protocolViolation
        ? .foreign(error.message) : .failed(error.kind, error.message)
    } catch {
      return .foreign("\(error)")
    }
  }

  func call(
    _ method: String, _ params: JSONObject?, timeout: Duration?
  ) async throws(RPCFailure) -> JSONValue {
    do {
      return try await ask(method)
    } catch let failure as RPCFailure {
      throw failure
    } catch {
      throw .notSent("\(error)")
    }
  }

  /// - Throws: `RPCFailure` where something answers, `NetworkError` where nothing does.
  private func ask(_ method: String) async throws -> JSONValue {
    switch settings.address {
    case .http(let base): try await get(method, base)
    case .unixSocket(let path): try await exchange(method, path)
    }
  }

  private func get(_ method: String, _ base: String) async throws -> JSONValue {
    var request = HTTPRequest(
      "GET", "\(base)/\(method.replacing(text: ".", with: "/"))", timeout: Self.patience,
      connectTimeout: .seconds(2))
    if let key = settings.apiKey { request.fields = [HTTPField("X-Api-Key", key.revealed)] }
    let answer = try await network.client(settings: networkSettings).send(request)
    let body = try? JSONValue(parsing: answer.body, limits: JSONLimits(bytes: 1 << 20, depth: 32))
    if answer.isSuccess, let result = body?["result"] { return result }
    let said = body?["error"]?["message"]?.string ?? "status \(answer.status) without a result"
    throw RPCFailure.refused(code: Int64(answer.status), message: said)
  }

  private func exchange(_ method: String, _ path: String) async throws -> JSONValue {
    let connection = RPCConnection(try await network.unixSocket(path), time: time)
    return try await withThrowingTaskGroup(of: JSONValue?.self) { group in
      group.addTask {
        while true { _ = try await connection.receive() }
      }
      group.addTask { try await connection.call(method, nil, timeout: Self.patience) }
      defer {
        connection.close(because: "done")
        group.cancelAll()
      }
      guard let value = try await group.next() ?? nil else { throw RPCFailure.timedOut }
      return value
    }
  }
}
