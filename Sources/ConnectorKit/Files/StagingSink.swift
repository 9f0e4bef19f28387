/// A file of the staging folder that is being written piece by piece, as its bytes arrive. It is gone when it is let go
/// of unfinished.
package protocol StagingSink: Sendable {
  /// Appends `bytes`. One call at a time.
  ///
  /// - Throws: `TransferFailure` when the disk takes no more.
  func write(_ bytes: [UInt8]) async throws(TransferFailure)

  /// Ends the writing and gives the file away.
  ///
  /// - Throws: `TransferFailure`; the file is gone then.
  func finish() async throws(TransferFailure) -> StagedFile
}
