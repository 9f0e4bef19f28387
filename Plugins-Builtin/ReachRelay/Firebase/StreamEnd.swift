/// How a stream of the database's ended.
enum StreamEnd: Sendable, Hashable {
  /// It was never one: what came instead.
  case refused(FirebaseAnswer)
  /// The far side ended it.
  case closed
  /// The rules of the database do not let us read any more.
  case cancelled
  /// The token has run out, or has been revoked.
  case revoked
  /// What came is nothing that can be read, or more than we read.
  case defective(String)
  /// Nothing came for too long; the first event, where there was none before.
  case silent

  /// One line on it; nil where that is how streams end.
  func problem(host: String) -> String? {
    switch self {
    case .refused(let answer): answer.problem(host: host)
    case .closed: nil
    case .cancelled: "\(host) does not let the viewer's stamp be read any more"
    case .revoked: FirebaseAnswer.unauthorised.problem(host: host)
    case .defective(let what): "\(host) sends a stream of events with \(what)"
    case .silent: "\(host) has fallen silent"
    }
  }

  /// By which repeated failures are counted together.
  var kind: String {
    switch self {
    case .refused(let answer): answer.kind
    case .closed: "closed"
    case .cancelled: "cancelled"
    case .revoked: "revoked"
    case .defective: "defective"
    case .silent: "silent"
    }
  }
}
