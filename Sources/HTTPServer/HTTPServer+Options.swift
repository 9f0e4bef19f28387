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

    /// Whether the handler is asked as soon as the header is there and reads bodies itself, piece by piece; then every
    /// method reaches it, and ``acceptsPost`` and the sizes of bodies above do not count.
    package var streamsBodies: Bool = false
    /// The most bytes of a body that are read and thrown away before an answer that does not want it; more: the answer
    /// comes at once, and the connection is closed.
    package var drainBytes: Int = 1 << 20
    /// The same where no handler reads the body, or only a small one (``RequestBody/collect(upTo:)``); nil: ``drainBytes``.
    package var unreadDrainBytes: Int?
    /// The time from a request's first line to the end of its header; nil: ``timeout`` alone counts.
    package var headerTimeout: Duration?
    /// The time in which 16 KiB of a body, or the end of it, must come, and something of an answer be taken; nil: ``timeout`` alone counts, and for all of a request.
    package var stallTimeout: Duration?
    /// The most connections from loopback, where a proxy stands for everybody; nil: as from any address.
    package var loopbackConnections: Int?
    /// The status for a visitor who calls us by a name that is not ours.
    package var foreignHostStatus: Int = 421
    /// Whether refusals are JSON, `{"message": …}`, instead of plain text.
    package var refusesInJSON: Bool = false

    /// The most bytes that are thrown away where no handler reads them.
    var mostUnread: Int { min(drainBytes, unreadDrainBytes ?? drainBytes) }

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
