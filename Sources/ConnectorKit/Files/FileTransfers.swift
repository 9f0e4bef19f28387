package import Networking

/// Files on their way between far sides and the printer: always through the disk, with limits, never whole in memory.
package protocol FileTransfers: Sendable {
  /// Writes a file of our own making into the staging folder.
  ///
  /// - Parameters:
  ///   - expectedSize: about how large it becomes, in bytes: refused at once where the disk has no room for it.
  ///   - write: writes the bytes, in pieces; runs where it may block.
  /// - Throws: `TransferFailure`; nothing stays behind then.
  func stage(
    expectedSize: Int64, _ write: @escaping @Sendable (inout StagedFileWriter) throws -> Void
  ) async throws(TransferFailure) -> StagedFile

  /// Begins a file in the staging folder whose bytes arrive one by one: an upload that a far side makes.
  ///
  /// - Parameter expectedSize: how large it may become, in bytes: refused at once where the disk has no room for it.
  /// - Throws: `TransferFailure`.
  func begin(expectedSize: Int64) async throws(TransferFailure) -> any StagingSink

  /// Fetches a file.
  ///
  /// - Throws: `TransferFailure`; nothing stays behind then.
  func download(_ order: DownloadOrder) async throws(TransferFailure) -> StagedFile

  /// Sends a staged file as the body of a request (`PUT` to a presigned address).
  ///
  /// Where the request names a `bodyFile`, its prefix and suffix go around the file. Redirects are not followed.
  ///
  /// - Returns: the answer, any status.
  /// - Throws: `TransferFailure` where there was none.
  func send(
    _ file: StagedFile, as request: HTTPRequest
  ) async throws(TransferFailure) -> HTTPResponse
}

extension FileTransfers {
  /// Files cannot be taken piece by piece.
  package func begin(expectedSize: Int64) async throws(TransferFailure) -> any StagingSink {
    throw TransferFailure(.disk, "this host takes no files")
  }
}

/// What is to be fetched, and what is acceptable.
package struct DownloadOrder: Sendable {
  /// The request: method, address, fields, and which addresses it may reach.
  package var request: HTTPRequest
  /// The most bytes.
  package var maximumSize: Int64
  /// How many redirects are followed, each checked anew; 0…5.
  package var redirects: Int
  /// Media types that are refused, lower case: a captive portal's `text/html`.
  package var refusedTypes: [String]
  /// The SHA-256 that the file must have, lower-case hex; nil: not known.
  package var sha256: String?
  /// The time for all of it, redirects included. The request's own `timeout` does not count; its `stallTimeout` does.
  package var timeLimit: Duration
  /// The origins (`https://host[:port]`) that redirects may lead to; nil: any.
  package var origins: Set<String>?
  /// Told how many bytes have come and how many are announced, nil where they are not; now and then, on the network
  /// thread: it must be quick and must not block.
  package var onProgress: (@Sendable (_ received: Int64, _ announced: Int64?) -> Void)?

  /// An order.
  package init(
    _ request: HTTPRequest, maximumSize: Int64, redirects: Int = 0,
    refusedTypes: [String] = ["text/html", "application/json"], sha256: String? = nil,
    timeLimit: Duration = .seconds(30 * 60), origins: Set<String>? = nil,
    onProgress: (@Sendable (_ received: Int64, _ announced: Int64?) -> Void)? = nil
  ) {
    self.request = request
    self.maximumSize = maximumSize
    self.redirects = redirects
    self.refusedTypes = refusedTypes
    self.sha256 = sha256
    self.timeLimit = timeLimit
    self.origins = origins
    self.onProgress = onProgress
  }
}

/// Why a file did not get to where it should.
package struct TransferFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of obstacle it was.
  package enum Kind: String, Sendable {
    /// The address is not one that this backend may reach.
    case forbiddenAddress
    /// No answer, or it broke off.
    case network
    /// The server said no: with its status.
    case status
    /// Larger than allowed.
    case tooLarge
    /// Not the kind of file, or not the bytes, that were promised.
    case wrongContent
    /// The disk is full or cannot be written.
    case disk
    /// The task was cancelled.
    case cancelled
  }
  /// The kind.
  package var kind: Kind
  /// For people: one line, no query of an address, no local path.
  package var description: String
  /// The server's status, where it gave one.
  package var status: Int?

  /// A failure.
  package init(_ kind: Kind, _ description: String, status: Int? = nil) {
    self.kind = kind
    self.description = description
    self.status = status
  }
}
