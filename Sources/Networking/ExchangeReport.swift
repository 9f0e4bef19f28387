/// What a log at debug level says of one exchange; no query, no header field, no body.
package struct ExchangeReport: Sendable, Hashable {
  /// `GET`, `POST`…
  package var method: String
  /// `host:port`.
  package var host: String
  /// The path without the query.
  package var path: String
  /// The answer's status; nil when there was none.
  package var status: Int?
  /// Why there was no answer; nil when there was one.
  package var failure: NetworkError.Kind?
  /// The time from the request to the whole answer, or to the failure.
  package var milliseconds: Int
}
