/// Pages of a backend's own on the control server: for what a person has to do here and nowhere else.
///
/// Looking is open to whoever reaches the control server. Changing (POST) is for who is local or has the control token, and
/// from the same origin: the host sees to both before a handler is asked.
package protocol PageService: Sendable {
  /// What answers a request; runs on a task of the host's.
  typealias Handler = @Sendable (PageRequest) async -> PageResponse

  /// Has `handler` answer what comes to these paths from now on, also while the backend is parked, until its entry leaves
  /// the file. May be called when the backend is made.
  ///
  /// Where two entries have the same path, the one that was made first has it; `?backend=NAME` reaches the others.
  ///
  /// - Parameter paths: absolute paths; one that ends with `/` stands for all below it too.
  func serve(_ paths: [String], _ handler: @escaping Handler)

  /// Starts the backend again where it is parked: a person has acted. Returns at once.
  func wake()
}

/// A request to a page.
package struct PageRequest: Sendable {
  /// `GET` or `POST`; a HEAD comes as GET.
  package var method: String
  /// The path, decoded.
  package var path: String
  /// Query parameters, in order.
  package var query: [(name: String, value: String)]
  /// The body of a POST.
  package var body: [UInt8]
  /// Whether that body is a form (`application/x-www-form-urlencoded`); else it is JSON.
  package var isForm: Bool
  /// Whether the visitor may change something; of a POST always true.
  package var mayChange: Bool
  /// Who it is, for the log: `the page (192.168.1.7)`.
  package var visitor: String

  /// A request.
  package init(
    method: String, path: String, query: [(name: String, value: String)] = [], body: [UInt8] = [],
    isForm: Bool = false, mayChange: Bool, visitor: String
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.isForm = isForm
    self.mayChange = mayChange
    self.visitor = visitor
  }

  /// The value of the first query parameter of that name.
  package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// The answer of a page.
package struct PageResponse: Sendable {
  /// The status code.
  package var status: Int
  /// The media type.
  package var type: String
  /// The body.
  package var body: [UInt8]
  /// Further header fields; the host adds those that keep a browser from framing us and the like.
  package var fields: [(name: String, value: String)]

  /// An answer.
  package init(
    status: Int, type: String, body: [UInt8], fields: [(name: String, value: String)] = []
  ) {
    self.status = status
    self.type = type
    self.body = body
    self.fields = fields
  }
}

/// No control server: whoever would look finds nothing.
package struct NoPages: PageService {
  /// No pages.
  package init() {}
  package func serve(_ paths: [String], _ handler: @escaping Handler) {}
  package func wake() {}
}
