/// What a person takes over with a reload, of what `control.pin_permissions` holds back.
enum Acceptance: Sendable, Hashable {
  /// Nothing: the file has changed, or a person wants something else.
  case nothing
  /// Whatever the file says now.
  case anything
  /// The file that was shown, by the digest of its content.
  case file(String)

  /// Whether the file with this digest is taken over.
  func covers(_ file: String) -> Bool {
    switch self {
    case .nothing: false
    case .anything: true
    case .file(let shown): shown == file
    }
  }
}
