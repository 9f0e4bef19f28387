internal import ConnectorKit
internal import Cryptography
internal import Networking
internal import Platform

/// Fetches a file and looks it through: only what is really the promised G-code gets to the printer.
struct FileFetch: Sendable {
  /// What a file must be.
  struct Checks: Sendable, Hashable {
    var md5: String?
    var sha256: String?
  }
  /// A file that may be handed on.
  struct Fetched: Sendable {
    var file: StagedFile
    var md5: String
  }

  let context: BackendContext
  let rules: FileRules
  let origins: DownloadOrigins
  let stallTimeout: Duration
  let maxAttempts: Int
  let backoff: RetryPolicy

  /// Fetches the file at `url`.
  ///
  /// - Parameter onProgress: told at each quarter.
  /// - Throws: `CommandFailure` (`transfer`, `invalid`).
  func file(
    at url: String, _ checks: Checks, onProgress: @escaping @Sendable (_ percent: Int) -> Void
  ) async throws(CommandFailure) -> Fetched {
    var attempt = 0
    var hasMismatched = false
    while true {
      attempt += 1
      do throws(TransferFailure) {
        let file = try await context.transfers.download(order(url, onProgress))
        return try await look(through: file, checks)
      } catch {
        let isMismatch = error.kind == .wrongContent && error.description == Self.mismatch
        // A checksum that differs is given one more chance; what the server is, does not change by asking.
        let mayHelp =
          isMismatch ? !hasMismatched : error.kind == .network || error.isServerTrouble
        hasMismatched = hasMismatched || isMismatch
        guard mayHelp, attempt < max(maxAttempts, isMismatch ? 2 : 1) else {
          throw CommandFailure(.transfer, "the file was not fetched: \(error.description)")
        }
        context.log(
          .warning, "attempt \(attempt) of \(maxAttempts) at fetching a file: \(error.description)")
        do {
          try await context.time.sleep(
            for: backoff.wait(afterFailure: attempt, random: context.random()))
        } catch {
          throw CommandFailure(.interrupted, "interrupted")
        }
      }
    }
  }

  private static let mismatch = "the file has not the checksum that was promised"

  private func order(
    _ url: String, _ onProgress: @escaping @Sendable (Int) -> Void
  ) -> DownloadOrder {
    var request = HTTPRequest(
      "GET", url, fields: [HTTPField("User-Agent", HubClient.userAgent)], timeout: stallTimeout,
      connectTimeout: min(stallTimeout, .seconds(30)))
    request.stallTimeout = stallTimeout
    request.addresses = origins.addresses
    let quarter = Guarded(0)
    return DownloadOrder(
      request, maximumSize: rules.maximumBytes, redirects: 3, origins: origins.allowed,
      onProgress: { received, announced in
        guard let announced, announced > 0, received <= announced else { return }
        let reached = Int(Double(received) / Double(announced) * 4)
        let isNew = quarter.withLock { quarter in
          guard reached > quarter else { return false }
          quarter = reached
          return true
        }
        if isNew { onProgress(reached * 25) }
      })
  }

  // MARK: What came

  private func look(
    through file: StagedFile, _ checks: Checks
  ) async throws(TransferFailure) -> Fetched {
    if rules.checksums != .off, let wanted = checks.sha256, wanted != file.sha256 {
      throw TransferFailure(.wrongContent, Self.mismatch)
    }
    let found: Result<String, TransferFailure>
    do {
      found = try await offload { [rules] in Self.read(file, rules) }
    } catch {
      found = .failure(TransferFailure(.disk, "the file cannot be read"))
    }
    let md5 = try found.get()
    if rules.checksums != .off, checks.sha256 == nil {
      if let wanted = checks.md5 {
        guard wanted == md5 else { throw TransferFailure(.wrongContent, Self.mismatch) }
      } else {
        context.log(.warning, "the hub tells no checksum of the file; it is taken as it came")
      }
    }
    return Fetched(file: file, md5: md5)
  }

  /// Whether a file begins as an answer or a warning of PHP's does, behind blanks and byte order marks.
  private static func isErrorPage(_ bytes: [UInt8]) -> Bool {
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "<")
  }

  /// The MD5 of a file that begins as G-code may, and for which there is room; blocks.
  private static func read(
    _ file: StagedFile, _ rules: FileRules
  ) -> Result<String, TransferFailure> {
    do {
      guard let digest = RunningDigest(.md5) else {
        return .failure(TransferFailure(.disk, "this host cannot compute an MD5"))
      }
      let bytes = try ByteFile(reading: file.path)
      var isFirst = true
      while true {
        let piece = try bytes.read(atMost: 64 << 10)
        if piece.isEmpty { break }
        if isFirst, isErrorPage(piece) {
          return .failure(
            TransferFailure(.wrongContent, "the hub sent an error page instead of the file"))
        }
        isFirst = false
        digest.update(piece)
      }
      guard let md5 = digest.hex() else {
        return .failure(TransferFailure(.disk, "this host cannot compute an MD5"))
      }
      if let folder = rules.gcodeDirectory, try Files.information(folder) != nil {
        let free = try Files.freeSpace(at: folder)
        guard free / 11 * 10 > file.size else {
          return .failure(
            TransferFailure(.disk, "the disk of the G-code files has no room for the file"))
        }
      }
      return .success(md5)
    } catch {
      return .failure(TransferFailure(.disk, "the file cannot be read"))
    }
  }
}

extension TransferFailure {
  /// Whether the server may answer otherwise a moment later.
  fileprivate var isServerTrouble: Bool {
    kind == .status && (status.map { $0 >= 500 || $0 == 429 } ?? false)
  }
}
