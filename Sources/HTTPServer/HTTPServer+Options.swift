extension HTTPServer {
  /// What a server takes and how long it waits.
  package struct Options: Sendable, Hashable {
    /// Names beside numeric addresses, `localhost` and the host's own under which visitors may call it.
    package var hostNames: [String]
    /// The largest request line and header together, in bytes; a larger one gets 431.
    package var headerBytes: Int
    /// The most header fields of a request; more get 431.
    package var headerFields: Int
    /// The largest body of a GET or HEAD, in bytes, which is read and thrown away; a larger one gets 413.
    package var bodyBytes: Int
    /// Whether POST is answered: with a JSON body, and from the server's own page or from a program only.
    package var acceptsPost: Bool
    /// Whether a POST may also be a form (`application/x-www-form-urlencoded`). Any page can make a browser send one: the
    /// origin that the browser names decides, and the handler says where it takes forms at all.
    package var acceptsForms: Bool
    /// The largest body of a POST, in bytes; a larger one gets 413.
    package var postBytes: Int
    /// The most connections at a time; further ones are closed at once.
    package var connections: Int
    /// The most connections at a time from one address; further ones are closed at once.
    package var connectionsPerAddress: Int
    /// The time within which a connection must finish its first request, and each further one after the last; then it is closed.
    package var timeout: Duration

    /// Options of a server on a small host.
    package init(
      hostNames: [String] = [], headerBytes: Int = 8 << 10, headerFields: Int = 64,
      bodyBytes: Int = 1 << 10, acceptsPost: Bool = false, acceptsForms: Bool = false,
      postBytes: Int = 64 << 10,
      connections: Int = 64, connectionsPerAddress: Int = 24,
      timeout: Duration = .seconds(20)
    ) {
      self.hostNames = hostNames
      self.headerBytes = headerBytes
      self.headerFields = headerFields
      self.bodyBytes = bodyBytes
      self.acceptsPost = acceptsPost
      self.acceptsForms = acceptsForms
      self.postBytes = postBytes
      self.connections = connections
      self.connectionsPerAddress = connectionsPerAddress
      self.timeout = timeout
    }
  }
}
