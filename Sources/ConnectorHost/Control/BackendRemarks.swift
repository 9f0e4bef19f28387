internal import Platform

/// What running backends want the owner to know, for `status` and the page. Safe from any thread.
final class BackendRemarks: Sendable {
  /// The most of one backend: a note is for something that stays as it is, not for news.
  static let limit = 8
  private let lines = Guarded<[String: [String]]>([:])

  init() {}

  /// The backend `name` begins anew: what its former run said does not count.
  func forget(_ name: String) { lines.withLock { $0[name] = nil } }

  /// The backend `name` says `line`; once is enough.
  func note(_ name: String, _ line: String) {
    lines.withLock { lines in
      let known = lines[name] ?? []
      guard !known.contains(line), known.count < Self.limit else { return }
      lines[name] = known + [line]
    }
  }

  /// What the backend `name` has said, oldest first.
  func of(_ name: String) -> [String] { lines.withLock { $0[name] ?? [] } }
}
