extension HTTPServer {
  /// Why the server did not start.
  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// What failed, where, what to do.
    package var description: String
  }
}
