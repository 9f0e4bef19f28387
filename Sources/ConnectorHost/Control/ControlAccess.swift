internal import HTTPServer
internal import JSON

/// Who may change something, and whether that visitor is one of them.
///
/// Local is who comes through the Unix socket, or over loopback without a proxy's fields. Anyone else needs the token.
struct ControlAccess: Sendable {
  /// The token that counts now.
  let holder: ControlTokenHolder

  /// Access with a token that may be replaced.
  init(_ holder: ControlTokenHolder) { self.holder = holder }

  /// Why the visitor may not; nil: may.
  func refusal(of request: HTTPServer.Request) -> HTTPServer.Response? {
    let token = holder.token
    if request.isLocal || token?.accepts(request.field("Authorization")) == true { return nil }
    guard token != nil else {
      return .action(
        403,
        "Only somebody on this host may change something; set control.token_file to allow it "
          + "from elsewhere with a token.")
    }
    return .action(
      401, "This needs the token that stands in the file named by control.token_file.",
      fields: [("WWW-Authenticate", "Bearer")])
  }

  /// Who the visitor is, for the audit.
  func person(_ request: HTTPServer.Request) -> String {
    request.peer == "unix" ? "the command line" : "the page (\(request.peer))"
  }
}

extension HTTPServer.Response {
  /// The answer to an action: JSON with one line for the person.
  static func action(
    _ status: Int, _ message: String, fields: [(name: String, value: String)] = []
  ) -> HTTPServer.Response {
    .json(status, ["ok": .bool(status == 200), "message": .string(message)], fields: fields)
  }
}
