/// A header field.
package struct HTTPField: Sendable, Hashable {
  /// The field's name; compared without regard to case.
  package var name: String
  /// The field's value.
  package var value: String
  /// A field.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A request to a server.
package struct HTTPRequest: Sendable {
  /// `GET`, `POST`…
  package var method: String
  /// The absolute URL, already escaped.
  package var url: String
  /// Header fields, in order; `Content-Length`, `Host`, `Connection`, `Transfer-Encoding` and `Expect` are the client's.
  package var fields: [HTTPField]
  /// The body; nil sends none, an empty one sends `Content-Length: 0`.
  package var body: [UInt8]?
  /// The time for the whole exchange.
  package var timeout: Duration
  /// The time to connect, TLS included.
  package var connectTimeout: Duration
  /// The most bytes of an answer's body; more ends the exchange with `NetworkError.tooLarge`.
  package var answerLimit: Int
  /// Whether the server may compress its answer, which is then unpacked; `answerLimit` counts what comes out.
  package var acceptsCompression: Bool

  /// A request.
  package init(
    _ method: String, _ url: String, fields: [HTTPField] = [], body: [UInt8]? = nil,
    timeout: Duration = .seconds(10), connectTimeout: Duration = .seconds(5),
    answerLimit: Int = 1 << 20, acceptsCompression: Bool = false
  ) {
    self.method = method
    self.url = url
    self.fields = fields
    self.body = body
    self.timeout = timeout
    self.connectTimeout = connectTimeout
    self.answerLimit = answerLimit
    self.acceptsCompression = acceptsCompression
  }
}

/// A server's whole answer.
package struct HTTPResponse: Sendable {
  /// The status code.
  package var status: Int
  /// Header fields, in order.
  package var fields: [HTTPField]
  /// The body.
  package var body: [UInt8]

  /// An answer.
  package init(status: Int, fields: [HTTPField] = [], body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// The first field of that name, without regard to case.
  package subscript(field name: String) -> String? {
    let wanted = name.lowercased()
    return fields.first { $0.name.lowercased() == wanted }?.value
  }
}
