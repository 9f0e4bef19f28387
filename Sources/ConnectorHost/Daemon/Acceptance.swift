/// What a person takes over with a reload, of what `control.pin_permissions` holds back.
enum Acceptance: Sendable, Hashable {
  /// Nothing: the file has changed, or a person wants something else.
  case nothing
  /// Whatever the file says now.
  case anything
  /// The file that was shown, by the digest of its content.
  case file(String)

  /// Whether the file with this digest is taken over.
  ///
  /// - Parameters:
  ///   - widenings: what it would allow; what it names may say something else by now.
  ///   - shown: what the person saw.
  func covers(_ file: String, _ widenings: [Widening], shown: WaitingChanges?) -> Bool {
    switch self {
    case .nothing: false
    case .anything: true
    case .file(let digest): digest == file && shown?.changes == widenings.map(\.text)
    }
  }
}
