/// What a request is about.
enum CuraRoute: Sendable, Hashable {
  case root
  case system
  case authRequest
  case authCheck(String)
  case authVerify
  case authApprove(String)
  case printers
  case jobs
  case job(String)
  case action(String)
  case move(String)
  case preview(String)
  case materials
  case page

  /// The methods that it knows.
  var methods: [String] {
    switch self {
    case .root, .system, .authCheck, .authVerify, .printers, .preview, .page: ["GET", "HEAD"]
    case .authRequest, .authApprove, .move: ["POST"]
    case .jobs, .materials: ["GET", "HEAD", "POST"]
    case .job: ["PUT", "DELETE"]
    case .action: ["PUT"]
    }
  }

  /// The route of a decoded path, with or without a slash at its end; nil where there is none.
  init?(_ path: String) {
    var parts = path.utf8.split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
    guard parts.first == "" else { return nil }
    parts.removeFirst()
    if parts.last == "" { parts.removeLast() }
    switch parts {
    case []: self = .root
    case ["print_jobs"], ["printers"]: self = .page
    case ["api", "v1", "system"]: self = .system
    case ["api", "v1", "auth", "request"]: self = .authRequest
    case ["api", "v1", "auth", "verify"]: self = .authVerify
    case ["cluster-api", "v1", "printers"]: self = .printers
    case ["cluster-api", "v1", "print_jobs"]: self = .jobs
    case ["cluster-api", "v1", "materials"]: self = .materials
    default:
      if parts.count == 5, parts.starts(with: ["api", "v1", "auth"]) {
        switch parts[3] {
        case "check": self = .authCheck(parts[4])
        case "approve": self = .authApprove(parts[4])
        default: return nil
        }
        return
      }
      guard parts.count >= 4, parts.starts(with: ["cluster-api", "v1", "print_jobs"]),
        parts[3].utf8.count <= 64
      else { return nil }
      let uuid = parts[3].lowercased()
      switch Array(parts.dropFirst(4)) {
      case []: self = .job(uuid)
      case ["action"]: self = .action(uuid)
      case ["action", "move"]: self = .move(uuid)
      case ["preview_image"]: self = .preview(uuid)
      default: return nil
      }
    }
  }
}
