package import JSON

/// Answers a request that another client of Moonraker's makes of us through `server.extensions.request`: gets the
/// method, at most ``AgentAnswer/methodLimit`` bytes of it. What is sent along as arguments is dropped unread: our
/// methods take none, and anybody can send a megabyte. One request is answered after the other.
package typealias AgentRequests = @Sendable (_ method: String) async -> AgentAnswer

/// What such a request is answered.
package enum AgentAnswer: Sendable, Hashable {
  /// With this.
  case result(JSONValue)
  /// That there is no such method.
  case unknownMethod
  /// That it cannot be answered now: why.
  case failure(String)

  /// So many bytes of a method's name are looked at.
  package static let methodLimit = 64
}
