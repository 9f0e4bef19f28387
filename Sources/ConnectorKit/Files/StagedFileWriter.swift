/// Takes the bytes of a file that is being staged, in pieces.
package struct StagedFileWriter: ~Copyable {
  private let sink: ([UInt8]) throws -> Void

  /// A writer into `sink`; made by the host.
  package init(_ sink: @escaping ([UInt8]) throws -> Void) { self.sink = sink }

  /// Appends `bytes`.
  ///
  /// - Throws: `TransferFailure` when the disk takes no more.
  package mutating func write(_ bytes: [UInt8]) throws { try sink(bytes) }
}
