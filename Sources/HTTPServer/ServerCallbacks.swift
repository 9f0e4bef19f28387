internal import CMicroHTTPD
internal import Glibc
internal import Platform

/// What libmicrohttpd calls, all of it on its one thread; lives as long as the server.
final class ServerCallbacks: Sendable {
  private let handler: @Sendable (HTTPServer.Request) -> HTTPServer.Reply
  private let check: RequestCheck
  fileprivate let connections: ConnectionTable
  /// The requests that are answered later.
  let sleepers = SleepingRequests()

  init(
    options: HTTPServer.Options, isLocalSocket: Bool,
    handler: @escaping @Sendable (HTTPServer.Request) -> HTTPServer.Reply
  ) {
    self.handler = handler
    check = RequestCheck(
      options: options, isLocalSocket: isLocalSocket,
      hosts: HostPolicy(ownName: HostInformation.hostName, names: options.hostNames))
    connections = ConnectionTable(options: options)
  }

  /// Our own numeric address at this end of a connection, where the handler may need it; else empty.
  fileprivate func localAddress(of socket: Int32) -> String {
    guard options.streamsBodies else { return "" }
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutableBytes(of: &address) { bytes in
      unsafe bytes.withMemoryRebound(to: sockaddr.self) { sockets in
        guard unsafe getsockname(socket, sockets.baseAddress, &length) == 0 else { return "" }
        return PeerAddress(sockets.baseAddress).description
      }
    }
  }

  /// Starts the thread; the socket is libmicrohttpd's from now on. Nil when it refuses.
  func start(listeningSocket: Int32) -> OpaquePointer? {
    var setup = unsafe uplink_http_setup()
    unsafe setup.listening_socket = listeningSocket
    // Twice the limit: the answer's header needs room beside the request's, and what is a little too large gets our 431.
    unsafe setup.connection_memory = check.options.headerBytes * 2 + 4_096
    // Ours is enforced when a connection is accepted; at libmicrohttpd's own it would stop accepting.
    unsafe setup.connections = UInt32(clamping: check.options.connections + 64)
    unsafe setup.accepts = acceptsConnection
    unsafe setup.handle = handleRequest
    unsafe setup.target = noteTarget
    unsafe setup.completed = completeRequest
    unsafe setup.notify = noteConnection
    unsafe setup.context = Unmanaged.passUnretained(self).toOpaque()
    return unsafe uplink_http_start(&setup)
  }

  /// Looks at a request whose header is there; nil where its body has to be read first.
  fileprivate func begin(
    _ exchange: Exchange, raw: RawRequest, socket: Int32
  ) -> HTTPServer.Response? {
    do throws(Refusal) {
      let request = try check.check(raw)
      exchange.state.withLock { $0.request = request }
      return options.streamsBodies ? ask(request, exchange, socket: socket) : nil
    } catch {
      return error.response(inJSON: options.refusesInJSON)
    }
  }

  /// Asks the handler as soon as the header is there; an answer at once where its body is too long to be thrown away.
  private func ask(
    _ request: HTTPServer.Request, _ exchange: Exchange, socket: Int32
  ) -> HTTPServer.Response? {
    let reply = handler(request)
    connections.progress(socket)
    switch reply {
    case .reading(let work):
      let body = RequestBody(
        socket: socket, connections: connections, drainBytes: options.drainBytes,
        smallDrainBytes: options.mostUnread, length: request.contentLength)
      exchange.state.withLock { state in
        state.reply = reply
        state.body = body
      }
      if !sleepers.read(body, by: work) { return ending }
      body.noteHeader()
    case .now(var response) where request.contentLength ?? 0 > options.mostUnread:
      response.fields.append(("Connection", "close"))
      return response
    case .now, .later, .streaming: exchange.state.withLock { $0.reply = reply }
    }
    return nil
  }

  private var ending: HTTPServer.Response {
    Refusal(503, "The daemon is ending.").response(inJSON: options.refusesInJSON)
  }

  /// Takes a piece of the body: a POST's is kept, as its length has been checked; nobody wants that of a GET.
  ///
  /// - Returns: false where the connection is to be closed.
  fileprivate func take(
    _ piece: UnsafeRawBufferPointer, of exchange: Exchange, on connection: OpaquePointer
  ) -> Bool {
    if let body = exchange.state.withLock({ $0.body }) {
      return unsafe body.take(piece, on: connection)
    }
    let drained = exchange.state.withLock { state -> Int? in
      guard state.reply != nil else { return nil }
      state.drained += piece.count
      return state.drained
    }
    if let drained {
      let step = RequestBody.stepBytes
      if drained / step != (drained - piece.count) / step {
        connections.progress(unsafe uplink_http_socket(connection))
      }
      return drained <= options.mostUnread
    }
    return exchange.state.withLock { state in
      guard let request = state.request, request.method == "POST",
        request.body.count + piece.count <= options.postBytes
      else { return true }
      unsafe state.request?.body.append(contentsOf: piece)
      return true
    }
  }

  /// The body of a streamed answer, until libmicrohttpd lets it go.
  fileprivate func stream(
    _ first: [UInt8], _ make: @escaping @Sendable () async -> [UInt8]?, of exchange: Exchange,
    on connection: OpaquePointer
  ) -> StreamedAnswer? {
    let stream = unsafe StreamedAnswer(
      first: first, connection: connection, socket: uplink_http_socket(connection),
      connections: connections)
    guard sleepers.keep(stream) else { return nil }
    exchange.state.withLock { $0.stream = stream }
    stream.start(make)
    return stream
  }

  /// A request has ended, however.
  fileprivate func end(_ exchange: Exchange) {
    let (body, stream) = exchange.state.withLock { ($0.body, $0.stream) }
    body?.fail()
    guard let stream else { return }
    stream.end()
    sleepers.forget(stream)
  }

  private var options: HTTPServer.Options { check.options }

  /// Answers a request whose body has been read; nil where the connection sleeps until the answer is there.
  fileprivate func finish(
    _ exchange: Exchange, on connection: OpaquePointer
  ) -> HTTPServer.Reply? {
    let (request, answer, early, body) = exchange.state.withLock {
      ($0.request, $0.answer, $0.reply, $0.body)
    }
    if let answer {
      connections.progress(unsafe uplink_http_socket(connection))
      return .now(answer)
    }
    if let body { return unsafe body.complete(on: connection).map { .now($0) } }
    guard let request else { return .now(Refusal(400, "The request is not understood.").response) }
    switch early ?? handler(request) {
    case .now(let response): return .now(response)
    case .later(let work):
      connections.pause(unsafe uplink_http_socket(connection))
      guard unsafe sleepers.sleep(connection, exchange, until: work) else { return .now(ending) }
      return nil
    case .streaming(let response, let make): return .streaming(response, make)
    case .reading: return .now(Refusal(500, "No body is read here.").response)
    }
  }
}

private func callbacks(_ context: UnsafeMutableRawPointer?) -> ServerCallbacks? {
  guard let context = unsafe context else { return nil }
  return unsafe Unmanaged<ServerCallbacks>.fromOpaque(context).takeUnretainedValue()
}

private func acceptsConnection(
  context: UnsafeMutableRawPointer?, address: UnsafePointer<sockaddr>?, length: socklen_t
) -> MHD_Result {
  guard let callbacks = unsafe callbacks(context) else { return .NO }
  return callbacks.connections.accepts(PeerAddress(address)) ? .YES : .NO
}

private func noteConnection(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
  socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  event: MHD_ConnectionNotificationCode
) {
  guard let callbacks = unsafe callbacks(context) else { return }
  let socket = unsafe uplink_http_socket(connection)
  if event == .CONNECTION_NOTIFY_STARTED {
    callbacks.connections.open(
      socket, peer: unsafe PeerAddress(uplink_http_peer(connection)))
  } else {
    callbacks.connections.close(socket)
  }
}

/// The first that is heard of a request: its target, before libmicrohttpd takes it apart.
private func noteTarget(
  context: UnsafeMutableRawPointer?, target: UnsafePointer<CChar>?, connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
  unsafe callbacks(context)?.connections.beginRequest(uplink_http_socket(connection))
  var bytes: [UInt8] = []
  if let target = unsafe target {
    let length = unsafe strlen(target)
    bytes = unsafe UnsafeRawBufferPointer(start: target, count: length).map { $0 }
  }
  return unsafe Unmanaged.passRetained(Exchange(target: bytes)).toOpaque()
}

/// Called when the header is there, for each piece of the body, and when all of it is there.
private func handleRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, target: UnsafePointer<CChar>?,
  method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, upload: UnsafePointer<CChar>?,
  uploadSize: UnsafeMutablePointer<Int>?,
  requestContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let callbacks = unsafe callbacks(context), let pointer = unsafe requestContext?.pointee,
    let uploadSize = unsafe uploadSize, let connection = unsafe connection
  else { return .NO }
  let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
  let hasBegun = exchange.state.withLock { state in
    defer { state.hasBegun = true }
    return state.hasBegun
  }
  guard hasBegun else {
    let raw = RawRequest(
      method: unsafe text(method), target: exchange.target, version: unsafe text(version),
      fields: unsafe headerFields(connection),
      headerBytes: unsafe uplink_http_header_size(connection),
      peer: unsafe PeerAddress(uplink_http_peer(connection)),
      localAddress: unsafe callbacks.localAddress(of: uplink_http_socket(connection)))
    let refusal = unsafe callbacks.begin(
      exchange, raw: raw, socket: uplink_http_socket(connection))
    guard let refusal else { return .YES }
    return unsafe send(refusal, on: connection)
  }
  if unsafe uploadSize.pointee > 0 {
    let goesOn = unsafe callbacks.take(
      UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee), of: exchange,
      on: connection)
    unsafe uploadSize.pointee = 0
    return goesOn ? .YES : .NO
  }
  switch unsafe callbacks.finish(exchange, on: connection) {
  case nil: return .YES
  case .now(let response): return unsafe send(response, on: connection)
  case .streaming(let response, let make):
    guard
      let stream = unsafe callbacks.stream(response.body, make, of: exchange, on: connection)
    else { return .NO }
    return unsafe send(stream, as: response, on: connection)
  case .later, .reading: return .NO
  }
}

private func completeRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
  requestContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  reason: MHD_RequestTerminationCode
) {
  if let pointer = unsafe requestContext?.pointee {
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
    unsafe callbacks(context)?.end(exchange)
    unsafe requestContext?.pointee = nil
  }
  unsafe callbacks(context)?.connections.finishRequest(uplink_http_socket(connection))
}

private func text(_ string: UnsafePointer<CChar>?) -> String {
  guard let string = unsafe string else { return "" }
  return unsafe String(cString: string)
}

private func headerFields(_ connection: OpaquePointer?) -> [(name: [UInt8], value: [UInt8])] {
  var fields: [(name: [UInt8], value: [UInt8])] = []
  unsafe withUnsafeMutablePointer(to: &fields) { fields in
    _ = unsafe MHD_get_connection_values_n(connection, .HEADER_KIND, collectField, fields)
  }
  return fields
}

private func collectField(
  context: UnsafeMutableRawPointer?, kind: MHD_ValueKind, name: UnsafePointer<CChar>?,
  nameLength: Int, value: UnsafePointer<CChar>?, valueLength: Int
) -> MHD_Result {
  let fields = unsafe context?.assumingMemoryBound(to: [(name: [UInt8], value: [UInt8])].self)
  unsafe fields?.pointee.append(
    (
      unsafe Array(UnsafeRawBufferPointer(start: name, count: name == nil ? 0 : nameLength)),
      unsafe Array(UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueLength))
    ))
  return .YES
}

private func send(_ response: HTTPServer.Response, on connection: OpaquePointer?) -> MHD_Result {
  let made = unsafe response.body.withUnsafeBytes { body in
    unsafe MHD_create_response_from_buffer(
      body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), .RESPMEM_MUST_COPY)
  }
  guard let made = unsafe made else { return .NO }
  return unsafe queue(made, response, on: connection)
}

private func send(
  _ stream: StreamedAnswer, as response: HTTPServer.Response, on connection: OpaquePointer?
) -> MHD_Result {
  let owned = unsafe Unmanaged.passRetained(stream)
  // Of unknown length: in chunks, or until the connection is closed where the visitor speaks HTTP/1.0.
  let made = unsafe MHD_create_response_from_callback(
    UInt64.max, 32 << 10, readStream, owned.toOpaque(), releaseStream)
  guard let made = unsafe made else {
    unsafe owned.release()
    return .NO
  }
  return unsafe queue(made, response, on: connection)
}

private func readStream(
  context: UnsafeMutableRawPointer?, position: UInt64, buffer: UnsafeMutablePointer<CChar>?,
  size: Int
) -> Int {
  guard let context = unsafe context else { return -1 }
  return unsafe Unmanaged<StreamedAnswer>.fromOpaque(context).takeUnretainedValue()
    .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func releaseStream(context: UnsafeMutableRawPointer?) {
  guard let context = unsafe context else { return }
  unsafe Unmanaged<StreamedAnswer>.fromOpaque(context).takeRetainedValue().end()
}

private func queue(
  _ made: OpaquePointer, _ response: HTTPServer.Response, on connection: OpaquePointer?
) -> MHD_Result {
  defer { unsafe MHD_destroy_response(made) }
  for (name, value) in response.completedFields {
    // libmicrohttpd refuses names and values that would break out of their line; such an answer is not sent at all.
    guard unsafe MHD_add_response_header(made, name, value) == .YES else { return .NO }
  }
  return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), made)
}
