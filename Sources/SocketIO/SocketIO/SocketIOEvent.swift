package import JSON

/// An event that the server has sent.
package struct SocketIOEvent: Sendable, Hashable {
  /// Its name.
  package var name: String
  /// What came with it, in order; often nothing or one object.
  package var arguments: [JSONValue]
  /// The number under which the server waits for an acknowledgement; nil where it waits for none.
  package var acknowledgementID: UInt64?

  /// An event.
  package init(_ name: String, _ arguments: [JSONValue] = [], acknowledgementID: UInt64? = nil) {
    self.name = name
    self.arguments = arguments
    self.acknowledgementID = acknowledgementID
  }

  /// The first argument; an empty object where there is none.
  package var payload: JSONValue { arguments.first ?? [:] }
}
