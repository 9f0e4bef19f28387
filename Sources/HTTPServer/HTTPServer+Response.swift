extension HTTPServer {
  /// An answer.
  ///
  /// Beside its own fields it carries the ones of ``protectiveFields``, unless it names them itself.
  package struct Response: Sendable {
    /// The status code.
    package var status: Int
    /// Header fields beside `Content-Length` and `Date`.
    package var fields: [(name: String, value: String)]
    /// The body.
    package var body: [UInt8]

    /// An answer with a body of `type`.
    package init(
      status: Int, type: String, body: [UInt8], fields: [(name: String, value: String)] = []
    ) {
      self.status = status
      self.fields = [("Content-Type", type)] + fields
      self.body = body
    }

    /// An answer of plain text; a line end is added.
    package init(status: Int, text: String, fields: [(name: String, value: String)] = []) {
      self.init(
        status: status, type: "text/plain; charset=utf-8", body: Array((text + "\n").utf8),
        fields: fields)
    }

    /// The fields that go out: its own, and those of ``protectiveFields`` that it does not name.
    var completedFields: [(name: String, value: String)] {
      fields
        + Self.protectiveFields.filter { protective in
          !fields.contains { ASCII.areEqual($0.name, protective.name) }
        }
    }

    /// What keeps a browser from guessing types, framing us, loading from elsewhere, keeping or sharing an answer.
    static let protectiveFields: [(name: String, value: String)] = [
      (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      ),
      ("X-Content-Type-Options", "nosniff"),
      ("X-Frame-Options", "DENY"),
      ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
      ("Cache-Control", "no-store"),
    ]
  }
}
