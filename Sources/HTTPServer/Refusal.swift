/// Why a request is not answered but refused; its connection is closed.
struct Refusal: Error, Sendable, Hashable {
  /// The status code, 400 to 599.
  var status: Int
  /// What is wrong, in one line, without anything that the visitor sent.
  var problem: String
  /// The value of `Allow`, with 405.
  var allow: String?

  /// A refusal with `status`.
  init(_ status: Int, _ problem: String, allow: String? = nil) {
    self.status = status
    self.problem = problem
    self.allow = allow
  }

  /// The refusal as an answer.
  var response: HTTPServer.Response { response(inJSON: false) }

  /// The refusal as an answer, in JSON or as plain text.
  func response(inJSON isJSON: Bool) -> HTTPServer.Response {
    var fields = [(name: "Connection", value: "close")]
    if let allow { fields.append(("Allow", allow)) }
    guard isJSON else { return HTTPServer.Response(status: status, text: problem, fields: fields) }
    // Our own words: there is nothing in them to escape.
    return HTTPServer.Response(
      status: status, type: "application/json", body: Array("{\"message\": \"\(problem)\"}".utf8),
      fields: fields)
  }
}
