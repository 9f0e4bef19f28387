/// A request as libmicrohttpd hands it over, not yet trusted.
struct RawRequest: Sendable {
  var method: String
  var target: [UInt8]
  var version: String
  var fields: [(name: [UInt8], value: [UInt8])]
  var headerBytes: Int
  var peer: PeerAddress
  /// Our own numeric address at this end; empty where unknown or not asked for.
  var localAddress = ""
}

/// The checks that libmicrohttpd leaves out, even when told to be strict.
///
/// What two programs in a row could read in two ways (lengths, encodings, hosts, names with blanks) is refused.
struct RequestCheck: Sendable {
  var options: HTTPServer.Options
  /// Whether it listens at a Unix socket, which only this host's own user reaches.
  var isLocalSocket = false
  var hosts: HostPolicy

  /// The request, once nothing about it is ambiguous.
  ///
  /// - Throws: ``Refusal``.
  func check(_ raw: RawRequest) throws(Refusal) -> HTTPServer.Request {
    guard raw.version == "HTTP/1.1" || raw.version == "HTTP/1.0" else {
      throw Refusal(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    }
    guard raw.headerBytes <= options.headerBytes, raw.fields.count <= options.headerFields else {
      throw Refusal(431, "The request's header is too large.")
    }
    let fields = try decoded(raw.fields)
    let length = try checkFraming(fields, version: raw.version)
    try checkHost(fields, version: raw.version)
    if options.streamsBodies { return try request(raw, fields, length) }
    let isPost = raw.method == "POST" && options.acceptsPost
    guard isPost || raw.method == "GET" || raw.method == "HEAD" else {
      let methods = options.acceptsPost ? "GET, HEAD, POST" : "GET, HEAD"
      throw Refusal(405, "Only these are answered here: \(methods).", allow: methods)
    }
    guard let length else { throw Refusal(411, "A body needs a Content-Length.") }
    if isPost { try checkOrigin(fields) }
    guard length <= (isPost ? options.postBytes : options.bodyBytes) else {
      throw Refusal(413, "The request's body is too large.")
    }
    return try request(raw, fields, length)
  }

  private func request(
    _ raw: RawRequest, _ fields: [(name: String, value: String)], _ length: Int?
  ) throws(Refusal) -> HTTPServer.Request {
    let target = try RequestTarget(raw.target)
    return HTTPServer.Request(
      method: raw.method, path: target.path, query: target.query, fields: fields,
      peer: isLocalSocket ? "unix" : raw.peer.description,
      isLocal: (isLocalSocket || raw.peer.isLoopback) && !isForwarded(fields),
      isFromLoopback: isLocalSocket || raw.peer.isLoopback,
      localAddress: raw.localAddress, contentLength: length)
  }

  /// A page of somebody else can make a browser send a POST here. It cannot make it JSON without asking first (which is
  /// never granted), and a browser says where a request comes from.
  private func checkOrigin(
    _ fields: [(name: String, value: String)]
  ) throws(Refusal) {
    let types = values("Content-Type", in: fields)
    let essence = types.first?.split(separator: ";").first.map { $0.filter { $0 != " " } } ?? ""
    let isForm =
      options.acceptsForms && ASCII.areEqual(essence, "application/x-www-form-urlencoded")
    guard types.count == 1, isForm || ASCII.areEqual(essence, "application/json") else {
      throw Refusal(415, "A POST needs Content-Type: application/json.")
    }
    let isForeignSite = values("Sec-Fetch-Site", in: fields).contains {
      !ASCII.areEqual($0, "same-origin") && !ASCII.areEqual($0, "none")
    }
    let host = values("Host", in: fields).first ?? ""
    let isForeignOrigin = values("Origin", in: fields).contains { origin in
      !ASCII.areEqual(origin, "http://\(host)") && !ASCII.areEqual(origin, "https://\(host)")
    }
    guard !isForeignSite, !isForeignOrigin else {
      throw Refusal(403, "This request comes from another site's page.")
    }
  }

  private func decoded(
    _ fields: [(name: [UInt8], value: [UInt8])]
  ) throws(Refusal) -> [(name: String, value: String)] {
    var decoded: [(name: String, value: String)] = []
    for (name, value) in fields {
      guard !name.isEmpty, name.allSatisfy(ASCII.isToken) else {
        throw Refusal(400, "A header field's name holds a character that may not stand there.")
      }
      guard !value.contains(where: { ASCII.isControl($0) && $0 != UInt8(ascii: "\t") }) else {
        throw Refusal(400, "A header field's value holds a control character.")
      }
      decoded.append(
        (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }
    return decoded
  }

  /// The body's length in bytes; nil where it comes in chunks.
  private func checkFraming(
    _ fields: [(name: String, value: String)], version: String
  ) throws(Refusal) -> Int? {
    let lengths = values("Content-Length", in: fields)
    let encodings = values("Transfer-Encoding", in: fields)
    guard lengths.isEmpty || encodings.isEmpty else {
      throw Refusal(400, "Content-Length and Transfer-Encoding exclude each other.")
    }
    guard Set(lengths).count <= 1 else { throw Refusal(400, "Two Content-Lengths differ.") }
    if let encoding = encodings.first {
      guard encodings.count == 1, ASCII.areEqual(encoding, "chunked"), version == "HTTP/1.1" else {
        throw Refusal(400, "The Transfer-Encoding is not known here.")
      }
      return nil
    }
    guard let length = lengths.first else { return 0 }
    // Eighteen digits always fit, and no more are ever meant.
    guard (1...18).contains(length.utf8.count), length.utf8.allSatisfy(ASCII.isDigit),
      let bytes = Int(length)
    else { throw Refusal(400, "The Content-Length is no number.") }
    return bytes
  }

  private func checkHost(
    _ fields: [(name: String, value: String)], version: String
  ) throws(Refusal) {
    let values = values("Host", in: fields)
    guard values.count <= 1 else { throw Refusal(400, "There is more than one Host.") }
    guard let host = values.first else {
      if version == "HTTP/1.0" { return }
      throw Refusal(400, "There is no Host.")
    }
    guard hosts.accepts(host) else {
      throw Refusal(
        options.foreignHostStatus,
        "This host is not known by that name: call it by its address or its own name.")
    }
  }

  private func isForwarded(_ fields: [(name: String, value: String)]) -> Bool {
    ["X-Forwarded-For", "X-Real-IP", "Forwarded"].contains { !values($0, in: fields).isEmpty }
  }

  private func values(_ name: String, in fields: [(name: String, value: String)]) -> [String] {
    fields.filter { ASCII.areEqual($0.name, name) }.map(\.value)
  }
}
