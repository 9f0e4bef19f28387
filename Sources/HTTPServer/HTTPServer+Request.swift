extension HTTPServer {
  /// A request that has passed the header checks.
  package struct Request: Sendable {
    /// `GET` or `HEAD`.
    package var method: String
    /// The path, percent-decoded once, always with a leading slash.
    package var path: String
    /// Query parameters, in order.
    package var query: [(name: String, value: String)]
    /// Header fields, in order.
    package var fields: [(name: String, value: String)]
    /// The numeric address of whoever connected: the visitor, or a proxy in front of us.
    package var peer: String
    /// Whether the visitor sits on this host: a loopback peer, and no field that a proxy adds for somebody else.
    package var isLocal: Bool

    /// The value of the first field called `name`, in any case.
    package func field(_ name: String) -> String? {
      fields.first { ASCII.areEqual($0.name, name) }?.value
    }
  }
}
