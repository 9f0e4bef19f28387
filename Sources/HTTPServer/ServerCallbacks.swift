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
  fileprivate func begin(_ exchange: Exchange, raw: RawRequest) -> HTTPServer.Response? {
    do throws(Refusal) {
      let request = try check.check(raw)
      exchange.state.withLock { $0.request = request }
      return nil
    } catch {
      return error.response
    }
  }

  /// Takes a piece of the body: a POST's is kept, as its length has been checked; nobody wants that of a GET.
  fileprivate func take(_ piece: UnsafeRawBufferPointer, of exchange: Exchange) {
    exchange.state.withLock { state in
      guard let request = state.request, request.method == "POST",
        request.body.count + piece.count <= check.options.postBytes
      else { return }
      unsafe state.request?.body.append(contentsOf: piece)
    }
  }

  /// Answers a request whose body has been read; nil where the connection sleeps until the answer is there.
  fileprivate func finish(
    _ exchange: Exchange, on connection: OpaquePointer
  ) -> HTTPServer.Response? {
    let (request, answer) = exchange.state.withLock { ($0.request, $0.answer) }
    if let answer { return answer }
    guard let request else { return Refusal(400, "The request is not understood.").response }
    switch handler(request) {
    case .now(let response): return response
    case .later(let work):
      guard unsafe sleepers.sleep(connection, exchange, until: work) else {
        return Refusal(503, "The daemon is ending.").response
      }
      return nil
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
      peer: unsafe PeerAddress(uplink_http_peer(connection)))
    guard let refusal = callbacks.begin(exchange, raw: raw) else { return .YES }
    return unsafe send(refusal, on: connection)
  }
  if unsafe uploadSize.pointee > 0 {
    unsafe callbacks.take(
      UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee), of: exchange)
    unsafe uploadSize.pointee = 0
    return .YES
  }
  guard let response = unsafe callbacks.finish(exchange, on: connection) else { return .YES }
  return unsafe send(response, on: connection)
}

private func completeRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
  requestContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  reason: MHD_RequestTerminationCode
) {
  if let pointer = unsafe requestContext?.pointee {
    unsafe Unmanaged<Exchange>.fromOpaque(pointer).release()
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
  defer { unsafe MHD_destroy_response(made) }
  for (name, value) in response.completedFields {
    // libmicrohttpd refuses names and values that would break out of their line; such an answer is not sent at all.
    guard unsafe MHD_add_response_header(made, name, value) == .YES else { return .NO }
  }
  return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), made)
}
