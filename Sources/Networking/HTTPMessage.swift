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
  /// The body from the disk, instead of `body`.
  package var bodyFile: BodyFile?
  /// Where the body of a 2xx answer is written, instead of memory: a new file, 0600; it must not exist. It is removed
  /// again where the exchange fails, and where the answer is no 2xx: that one's body is in memory.
  package var answerFile: String?
  /// The most bytes that are written to `answerFile`; more ends the exchange with `NetworkError.tooLarge`.
  package var fileLimit: Int64
  /// So long nothing may move, either way, once the connection stands; then `timeout` does not count. For files.
  package var stallTimeout: Duration?
  /// Which addresses the connection may go to, after the name has been resolved.
  package var addresses: AddressPolicy
  /// The Unix socket to connect to instead of the URL's host and port, which only name it to the server.
  package var unixSocket: String?
  /// Looks at the body so far after each piece of it; true ends the exchange as if the answer ended there. For streams
  /// without end. It runs on the network thread: it must be quick and must not block.
  package var endsAnswer: (@Sendable (_ body: [UInt8]) -> Bool)?
  /// Is given the body of a 2xx answer piece by piece as it comes, and nothing of it is kept; false ends the exchange as
  /// if the answer ended there. For streams of events, with ``stallTimeout`` for their silence; `answerLimit` counts all
  /// pieces together. It runs on the network thread: it must be quick and must not block.
  package var takesPiece: (@Sendable (_ piece: [UInt8]) -> Bool)?
  /// Is told after each piece that was written to ``answerFile`` how many bytes there are, and how many are announced, nil
  /// where they are not. It runs on the network thread: it must be quick and must not block.
  package var onFileProgress: (@Sendable (_ received: Int64, _ announced: Int64?) -> Void)?

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
    bodyFile = nil
    answerFile = nil
    fileLimit = 1 << 30
    stallTimeout = nil
    addresses = .any
    unixSocket = nil
    endsAnswer = nil
    takesPiece = nil
    onFileProgress = nil
  }
}

/// A request's body that is streamed from a file, perhaps between some bytes of ours (multipart).
package struct BodyFile: Sendable, Hashable {
  /// The file.
  package var path: String
  /// Its size in bytes. A file of another size is not sent; one that shrinks meanwhile ends the exchange.
  package var size: Int64
  /// What goes before it.
  package var prefix: [UInt8]
  /// What goes after it.
  package var suffix: [UInt8]

  /// A body.
  package init(path: String, size: Int64, prefix: [UInt8] = [], suffix: [UInt8] = []) {
    self.path = path
    self.size = size
    self.prefix = prefix
    self.suffix = suffix
  }
}

/// A server's whole answer.
package struct HTTPResponse: Sendable {
  /// The status code.
  package var status: Int
  /// Header fields, in order.
  package var fields: [HTTPField]
  /// The body; empty where it was written to a file or handed on piece by piece.
  package var body: [UInt8]
  /// How many bytes were written to the request's `answerFile`.
  package var writtenBytes: Int64 = 0

  /// An answer.
  package init(status: Int, fields: [HTTPField] = [], body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// Whether the status is one of 2xx.
  package var isSuccess: Bool { (200...299).contains(status) }

  /// The first field of that name, without regard to case.
  package subscript(field name: String) -> String? {
    let wanted = name.lowercased()
    return fields.first { $0.name.lowercased() == wanted }?.value
  }
}
