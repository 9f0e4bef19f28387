internal import ConnectorKit
internal import Glibc
internal import JSON
internal import Platform

/// The running daemon as the command line reaches it: one question over its socket, one answer.
struct DaemonClient: Sendable {
  /// Why there is no answer; one sentence for the person.
  struct Failure: Error, Equatable {
    var problem: String
    /// Whether nobody listens at the socket.
    var isAbsence = false
    /// Whether the daemon is there and says nothing.
    var isSilence = false
  }
  /// The daemon's socket.
  let path: String
  /// What only a running daemon can do, for where none runs: `the bed is what it remembers`.
  let purpose: String
  /// How long it may be silent, in whole seconds: a pairing takes its time.
  var patience = 30

  /// Asks for `route`, or with a body tells it.
  ///
  /// - Parameter meaning: the configuration file whose daemon is meant; another one refuses.
  /// - Returns: the whole answer, head included.
  /// - Throws: ``Failure`` where no daemon answers.
  func ask(
    _ route: ControlRoute, body: JSONValue? = nil, meaning file: String? = nil
  ) async throws(Failure) -> [UInt8] {
    let bytes = Self.request(route, body: body, meaning: file)
    do {
      return try await offload { [path, patience] in
        try LocalStream.exchange(bytes, at: path, timeout: patience)
      }
    } catch let error as PlatformError {
      throw Failure(
        problem: explanation(error), isAbsence: Self.isAbsence(error),
        isSilence: error.errorNumber == EAGAIN)
    } catch {
      throw Failure(problem: "\(error)")
    }
  }

  /// The body of an answer with status 200 or another; nil where that is no answer of ours.
  static func body(of answer: [UInt8]) -> [UInt8]? {
    let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
    guard answer.starts(with: "HTTP/1.1 ".utf8),
      let start = answer.indices.first(where: { answer[$0...].starts(with: end) })
    else { return nil }
    return Array(answer[(start + end.count)...])
  }

  private static func request(
    _ route: ControlRoute, body: JSONValue?, meaning file: String?
  ) -> [UInt8] {
    guard let body else {
      return Array(
        "GET \(route.path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    }
    let bytes = body.serialized()
    let meant =
      file.map { "\(ConfigurationFile.field): \(ConfigurationFile.encoded($0))\r\n" } ?? ""
    let head = """
      POST \(route.path) HTTP/1.1\r
      Host: localhost\r
      \(meant)\
      Content-Type: application/json\r
      Content-Length: \(bytes.count)\r
      Connection: close\r
      \r

      """
    return Array(head.utf8) + bytes
  }

  private static func isAbsence(_ error: PlatformError) -> Bool {
    [ENOENT, ENOTDIR, ECONNREFUSED].contains(error.errorNumber)
  }

  private func explanation(_ error: PlatformError) -> String {
    switch error.errorNumber {
    case _ where Self.isAbsence(error):
      return "no daemon runs with this configuration (nobody listens at \(path)); \(purpose): "
        + "start it with 'sudo systemctl start \(Product.name)', or where it is no service with '\(Product.name) run'"
    case EACCES, EPERM:
      return "\(path) belongs to another user; run this as the daemon's user, or as root"
    case EAGAIN: return "the daemon does not answer; look into its log"
    default: return error.description
    }
  }
}
