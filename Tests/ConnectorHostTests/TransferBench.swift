import ConnectorKit
import Foundation
import Networking
import Platform
import TestSupport

@testable import ConnectorHost

/// Transfers over a scripted network, in a real staging folder.
final class TransferBench: Sendable {
  let root: String
  let state: StateDirectory
  let staging: StagingFolder
  let time = ManualTime()
  let transport = ScriptedTransport { _, _ in HTTPResponse(status: 404) }
  let transfers: HostTransfers

  init() throws {
    root = "/tmp/uplink-transfers-\(UUID().uuidString)"
    state = try StateDirectory(opening: root, configurationPath: "/nonexistent")
    staging = StagingFolder(in: state)
    try staging.empty()
    transfers = HostTransfers(staging: staging, transport: transport, time: time)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// What lies in the staging folder.
  var staged: [String] { (try? Files.names(in: staging.path)) ?? ["unreadable"] }

  /// Has the network answer 200 with `bytes`, as the real one does: to the request's file.
  func offer(_ bytes: [UInt8], _ fields: [HTTPField] = []) {
    transport.follow { request, _ throws(NetworkError) in
      try Self.answer(request, bytes, fields)
    }
  }

  /// An answer of 200 whose `bytes` lie in the request's file.
  static func answer(
    _ request: HTTPRequest, _ bytes: [UInt8], _ fields: [HTTPField] = []
  ) throws(NetworkError) -> HTTPResponse {
    guard let path = request.answerFile, request.stallTimeout != nil else {
      throw NetworkError(.other, "this does not go to the disk")
    }
    guard Int64(bytes.count) <= request.fileLimit else {
      throw NetworkError(.tooLarge, "cloud.test:443: too large")
    }
    do { try ByteFile(creating: path).write(bytes) } catch { throw NetworkError(.disk, "disk") }
    var response = HTTPResponse(status: 200, fields: fields)
    response.writtenBytes = Int64(bytes.count)
    return response
  }

  /// The failure that `body` ends with.
  func failure(
    _ body: (HostTransfers) async throws(TransferFailure) -> Void
  ) async -> TransferFailure? {
    do throws(TransferFailure) {
      try await body(transfers)
      return nil
    } catch {
      return error
    }
  }
}
