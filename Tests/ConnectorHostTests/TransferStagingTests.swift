import ConnectorKit
import Cryptography
import Foundation
import Networking
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Staging files") struct TransferStagingTests {
  let bench: TransferBench

  init() throws { bench = try TransferBench() }

  @Test("A staged file is private, has size and digest, and goes with its last owner")
  func whole() async throws {
    var file: StagedFile? = try await bench.transfers.stage(expectedSize: 6) { writer in
      try writer.write(Array("abc".utf8))
      try writer.write([])
      try writer.write(Array("def".utf8))
    }
    let staged = try #require(file)
    #expect(staged.size == 6)
    #expect(staged.sha256 == Digest.sha256Hex(Array("abcdef".utf8)))
    #expect(try Files.read(staged.path, limit: 100) == Array("abcdef".utf8))
    #expect(try Files.information(staged.path)?.mode == 0o600)
    #expect(try Files.information(bench.staging.path)?.mode == 0o700)
    #expect(bench.staged.count == 1)
    _ = consume staged
    file = nil
    await until { bench.staged == [] }  // The thread that made it may let it go a moment later.
  }

  @Test("What the writer throws ends it, and nothing stays behind")
  func thrown() async throws {
    struct Odd: Error {}
    for (error, kind) in [
      (Odd() as any Error, TransferFailure.Kind.disk), (CancellationError(), .cancelled),
      (TransferFailure(.wrongContent, "x"), .wrongContent),
    ] {
      let failure = await bench.failure { transfers throws(TransferFailure) in
        _ = try await transfers.stage(expectedSize: 6) { writer in
          try writer.write([1, 2, 3])
          throw error
        }
      }
      #expect(failure?.kind == kind)
      await until { bench.staged == [] }
    }
  }

  @Test("A file that the disk has no room for is refused before a byte of it is written")
  func noRoom() async throws {
    let failure = await bench.failure { transfers throws(TransferFailure) in
      _ = try await transfers.stage(expectedSize: .max) { _ in Issue.record("it was begun") }
    }
    #expect(failure?.kind == .disk)
    #expect(failure?.description.contains("/") == false)
    let free = try Files.freeSpace(at: bench.staging.path)
    let room = try bench.staging.room()
    #expect(room < free - StagingFolder.reserve && room > 0)
  }

  @Test("Cancelling ends a writer at its next piece")
  func cancelled() async throws {
    let (isWriting, bench) = (Guarded(false), bench)
    let task = Task {
      try await bench.transfers.stage(expectedSize: 6) { writer in
        while true {
          try writer.write([1])
          isWriting.withLock { $0 = true }
        }
      }
    }
    await until { isWriting.withLock { $0 } }
    task.cancel()
    let failure = await #expect(throws: TransferFailure.self) { _ = try await task.value }
    #expect(failure?.kind == .cancelled)
    await until { bench.staged == [] }
  }

  @Test("A daemon's start empties what a former one has left, and closes the folder")
  func start() throws {
    _ = try ByteFile(creating: bench.staging.newPath())
    _ = try ByteFile(creating: bench.staging.newPath())
    try Files.setMode(bench.staging.path, 0o755)
    #expect(bench.staged.count == 2)
    try StagingFolder(in: bench.state).empty()
    #expect(bench.staged == [])
    #expect(try Files.information(bench.staging.path)?.mode == 0o700)
  }
}
