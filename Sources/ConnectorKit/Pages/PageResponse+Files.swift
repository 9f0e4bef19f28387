extension PageResponse {
  /// What a page of ours may load: its own script and style sheet and data from where it came, and nothing from elsewhere.
  package static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  /// The address of a page's icon: the picture itself.
  package static let icon =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    + "%3Cpath fill='%230b7a75' d='M2 2h12v3h-5l-1 4-1-4H2zM2 12h12v2H2z'/%3E%3C/svg%3E"

  /// One of a page's files, in UTF-8.
  ///
  /// - Parameters:
  ///   - status: the status code.
  ///   - type: `text/html`, which gets ``policy``, `text/javascript`, `text/css`.
  ///   - text: the file.
  package init(status: Int = 200, file type: String, _ text: String) {
    self.init(
      status: status, type: "\(type); charset=utf-8", body: Array(text.utf8),
      fields: type == "text/html" ? [("Content-Security-Policy", Self.policy)] : [])
  }
}
