internal import ConnectorKit
internal import Cryptography
internal import Platform

/// A file that is being staged: written piece by piece, with its size and digest on the way; removed unless it is finished.
///
/// It blocks: use it on a thread for that.
final class StagingFile {
  /// So many bytes are written before the disk's room is looked at again.
  private static let lookInterval: Int64 = 16 << 20

  private let folder: StagingFolder
  private let file: ByteFile
  private let digest: RunningDigest
  private let isCancelled: @Sendable () -> Bool
  private var size: Int64 = 0
  private var nextLook = StagingFile.lookInterval
  private var isFinished = false

  /// Makes a new file.
  ///
  /// - Parameter isCancelled: asked with every piece; true ends the writing.
  /// - Throws: `TransferFailure.disk`.
  init(
    in folder: StagingFolder, isCancelled: @escaping @Sendable () -> Bool
  ) throws(TransferFailure) {
    guard let digest = RunningDigest(.sha256) else { throw TransferFailure.noDigest }
    self.folder = folder
    self.digest = digest
    self.isCancelled = isCancelled
    do { file = try ByteFile(creating: folder.newPath()) } catch { throw TransferFailure(error) }
  }

  deinit { if !isFinished { try? Files.remove(file.path) } }

  /// Appends `bytes`.
  ///
  /// - Throws: `TransferFailure`.
  func write(_ bytes: [UInt8]) throws(TransferFailure) {
    if isCancelled() { throw .cancelled }
    if size >= nextLook {
      _ = try folder.room()
      nextLook = size + Self.lookInterval
    }
    do { try file.write(bytes) } catch { throw TransferFailure(error) }
    digest.update(bytes)
    size += Int64(bytes.count)
  }

  /// Ends the writing and gives the file away.
  ///
  /// - Throws: `TransferFailure.disk` where it is not what was written.
  func finish() throws(TransferFailure) -> StagedFile {
    if isCancelled() { throw .cancelled }
    do {
      guard try file.size() == size else { throw TransferFailure.changed }
    } catch {
      throw TransferFailure(error)
    }
    guard let sha256 = digest.hex() else { throw .noDigest }
    isFinished = true
    return StagedFile(path: file.path, size: size, sha256: sha256)
  }
}
