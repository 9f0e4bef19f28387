extension HTTPServer {
  /// A request that has passed the header checks.
  package struct Request: Sendable {
    /// `GET`, `HEAD` or `POST`; with ``Options/streamsBodies`` any token.
    package var method: String
    /// The path, percent-decoded once, always with a leading slash.
    package var path: String
    /// Query parameters, in order.
    package var query: [(name: String, value: String)]
    /// Header fields, in order.
    package var fields: [(name: String, value: String)]
    /// The body of a POST, whole; empty otherwise.
    package var body: [UInt8] = []
    /// The numeric address of whoever connected: the visitor, or a proxy in front of us; `unix` at a Unix socket.
    package var peer: String
    /// Whether the visitor sits on this host: a loopback peer or the Unix socket, and no field that a proxy adds for
    /// somebody else.
    package var isLocal: Bool
    /// Whether the one who connected sits at this host's loopback: the visitor, or a proxy.
    package var isFromLoopback: Bool = false
    /// The numeric address of ours that was connected to; empty at a Unix socket.
    package var localAddress: String = ""
    /// The body's length in bytes as announced; nil where it comes in chunks.
    package var contentLength: Int? = 0

    /// Whether the body is said to be a form; else, where there is one, it is said to be JSON.
    package var isForm: Bool {
      guard let type = field("Content-Type"), let essence = type.split(separator: ";").first else {
        return false
      }
      return ASCII.areEqual(
        essence.filter { $0 != " " }, "application/x-www-form-urlencoded")
    }

    /// The value of the first field called `name`, in any case.
    package func field(_ name: String) -> String? {
      fields.first { ASCII.areEqual($0.name, name) }?.value
    }
  }
}
