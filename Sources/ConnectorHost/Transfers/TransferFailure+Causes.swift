internal import ConnectorKit
internal import Networking
internal import Platform

extension TransferFailure {
  /// What a caller gets whose task was cancelled.
  static let cancelled = TransferFailure(.cancelled, "cancelled")
  /// A file changed in the staging folder, where nobody else may write.
  static let changed = TransferFailure(
    .disk, "the staged file is not what was written; check this host's disk")
  /// libcrypto has no memory, or no SHA-256.
  static let noDigest = TransferFailure(.disk, "this host cannot compute the file's SHA-256")

  /// Any error's meaning, without paths of this host.
  init(_ error: any Error) {
    switch error {
    case let failure as TransferFailure: self = failure
    case let error as PlatformError:
      let advice = error.remedy.isEmpty ? "" : "; \(error.remedy)"
      self.init(.disk, "cannot \(error.operation) a staged file: \(error.reason)\(advice)")
    case let error as NetworkError: self.init(network: error)
    case is CancellationError: self = .cancelled
    default: self.init(.disk, "the file could not be written")
    }
  }

  private init(network error: NetworkError) {
    let kind: Kind =
      switch error.kind {
      case .badURL, .forbiddenAddress: .forbiddenAddress
      case .tooLarge: .tooLarge
      case .disk: .disk
      case .cancelled: .cancelled
      case .nameLookup, .connect, .tls, .certificateNotYetValid, .timeout, .protocolViolation,
        .closed, .other:
        .network
      }
    // A CA file that cannot be read is named there.
    let isOurs = error.kind == .tls && error.message.contains("/")
    self.init(kind, isOurs ? "TLS is not set up on this host; see its log" : error.message)
  }
}
