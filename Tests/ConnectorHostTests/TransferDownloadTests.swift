import ConnectorKit
import Cryptography
import Foundation
import Networking
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Downloading files") struct TransferDownloadTests {
  let bench: TransferBench
  let bytes = Array("G28\nG1 X1\n".utf8)

  init() throws { bench = try TransferBench() }

  private func order(
    _ url: String = "https://cloud.test/f?token=hidden", maximumSize: Int64 = 1_000,
    redirects: Int = 0, sha256: String? = nil
  ) -> DownloadOrder {
    var request = HTTPRequest(
      "GET", url,
      fields: [
        HTTPField("Authorization", "Bearer hidden"), HTTPField("X-Connector-Id", "hidden"),
        HTTPField("Accept", "*/*"),
      ])
    request.addresses = .publicOnly(except: ["cloud.test"])
    return DownloadOrder(
      request, maximumSize: maximumSize, redirects: redirects, sha256: sha256)
  }

  private func failure(_ order: DownloadOrder) async -> TransferFailure? {
    let failure = await bench.failure { transfers throws(TransferFailure) in
      _ = try await transfers.download(order)
    }
    #expect(failure?.description.contains("hidden") != true)
    #expect(failure?.description.contains(bench.root) != true)
    await until { bench.staged == [] }  // It goes with the last task that held it.
    return failure
  }

  @Test("A file that is what was promised is staged, with its digest")
  func good() async throws {
    bench.offer(bytes, [HTTPField("Content-Type", "text/plain")])
    let sha256 = Digest.sha256Hex(bytes)
    for promised in [nil, sha256, sha256.uppercased()] {
      let file = try await bench.transfers.download(order(sha256: promised))
      #expect(file.sha256 == sha256)
      #expect(file.size == Int64(bytes.count))
      #expect(try Files.read(file.path, limit: 100) == bytes)
    }
    await until { bench.staged == [] }  // It goes with the last task that held it.
    let request = try #require(bench.transport.requests.first)
    #expect(request.fileLimit == 1_000)
    #expect(request.stallTimeout == .seconds(30))
    #expect(request.addresses == .publicOnly(except: ["cloud.test"]))
  }

  @Test("Redirects stay within the origins of the order")
  func origins() async throws {
    for (target, isAllowed) in [
      ("https://cloud.test/other", true), ("https://files.test/f", true),
      ("https://cloud.test:8443/f", false), ("https://evil.test/f", false),
    ] {
      bench.transport.follow { [bytes] request, number throws(NetworkError) in
        if request.url == target { return try TransferBench.answer(request, bytes) }
        return HTTPResponse(status: 302, fields: [HTTPField("Location", target)])
      }
      var order = order(redirects: 3)
      order.origins = ["https://cloud.test", "https://files.test"]
      if isAllowed {
        _ = try await bench.transfers.download(order)
      } else {
        #expect(await failure(order)?.kind == .forbiddenAddress)
      }
    }
  }

  @Test(
    "What is not the file is refused and gone",
    arguments: [
      [HTTPField("Content-Type", "text/html; charset=utf-8")],
      [HTTPField("content-type", "Application/JSON")], [HTTPField("Content-Encoding", "gzip")],
    ])
  func portal(fields: [HTTPField]) async {
    bench.offer(bytes, fields)
    #expect(await failure(order())?.kind == .wrongContent)
  }

  @Test("An empty file, and one with another digest, is refused and gone")
  func wrong() async {
    bench.offer(bytes)
    let other = Digest.sha256Hex([1])
    #expect(await failure(order(sha256: other))?.kind == .wrongContent)
    bench.offer([])
    #expect(await failure(order())?.kind == .wrongContent)
  }

  @Test("A part of a file, and less on the disk than was told, is refused and gone")
  func partial() async {
    for (status, told, kind) in [
      (206, Int64(bytes.count), TransferFailure.Kind.status), (200, 11, .disk),
    ] {
      bench.transport.follow { [bytes] request, _ throws(NetworkError) in
        var response = try TransferBench.answer(request, bytes)
        response.status = status
        response.writtenBytes = told
        return response
      }
      #expect(await failure(order())?.kind == kind)
    }
  }

  @Test("A file that is larger than allowed is refused")
  func tooLarge() async {
    bench.offer(bytes)
    #expect(await failure(order(maximumSize: 9))?.kind == .tooLarge)
  }

  @Test("Failures of the network keep their meaning")
  func network() async {
    for (kind, expected) in [
      (NetworkError.Kind.timeout, TransferFailure.Kind.network),
      (.forbiddenAddress, .forbiddenAddress),
      (.badURL, .forbiddenAddress), (.disk, .disk), (.cancelled, .cancelled), (.tls, .network),
    ] {
      bench.transport.follow { _, _ throws(NetworkError) in
        throw NetworkError(kind, "cloud.test:443: x")
      }
      #expect(await failure(order())?.kind == expected)
    }
    bench.transport.follow { _, _ in HTTPResponse(status: 403) }
    let refused = await failure(order())
    #expect(refused?.kind == .status && refused?.status == 403)
    #expect(refused?.description == "https://cloud.test answered 403")
  }

  @Test("A redirect is followed as far as allowed, and another host learns nothing of us")
  func redirects() async throws {
    bench.transport.follow { [bytes] request, number throws(NetworkError) in
      switch number {
      case 0: HTTPResponse(status: 302, fields: [HTTPField("Location", "/g?token=hidden")])
      case 1: HTTPResponse(status: 307, fields: [HTTPField("Location", "https://other.test/h")])
      default: try TransferBench.answer(request, bytes)
      }
    }
    _ = try await bench.transfers.download(order(redirects: 2))
    let requests = bench.transport.requests
    #expect(
      requests.map(\.url) == [
        "https://cloud.test/f?token=hidden", "https://cloud.test/g?token=hidden",
        "https://other.test/h",
      ])
    #expect(requests[1].fields == requests[0].fields)
    #expect(requests[2].fields == [HTTPField("Accept", "*/*")])
    // Each goes through the same judgement.
    #expect(requests.allSatisfy { $0.addresses == .publicOnly(except: ["cloud.test"]) })
    #expect(Set(requests.map(\.answerFile)).count == 3)
    await until { bench.staged == [] }  // It goes with the last task that held it.
  }

  @Test("Redirects beyond the number allowed, or with none allowed, are the server's no")
  func tooManyRedirects() async {
    bench.transport.follow { _, _ in
      HTTPResponse(status: 302, fields: [HTTPField("Location", "/again")])
    }
    for (allowed, sent) in [(0, 1), (2, 3), (99, 6)] {
      let before = bench.transport.requests.count
      let failure = await failure(order(redirects: allowed))
      #expect(failure?.kind == .status && failure?.status == 302)
      #expect(bench.transport.requests.count - before == sent)
    }
  }

  @Test(
    "A redirect away from TLS, to another scheme or with a password is not followed",
    arguments: [
      "http://cloud.test/f", "file:///etc/passwd", "ftp://cloud.test/f", "https://a:b@cloud.test/",
      "http://[", "HTTP://cloud.test/",
    ])
  func badRedirect(location: String) async {
    bench.transport.follow { _, _ in
      HTTPResponse(status: 301, fields: [HTTPField("Location", location)])
    }
    #expect(await failure(order(redirects: 5))?.kind == .forbiddenAddress)
    #expect(bench.transport.requests.count == 1)
  }

  @Test("A redirect to a private address is judged by the real client, whatever the first host was")
  func redirectInside() async throws {
    let network = try Network()
    let transfers = HostTransfers(
      staging: bench.staging,
      transport: Redirecting(client: network.client(settings: NetworkSettings(proxy: ""))),
      time: bench.time)
    let order = order("http://cloud.test/f", redirects: 5)
    let failure = await #expect(throws: TransferFailure.self) {
      _ = try await transfers.download(order)
    }
    #expect(failure?.kind == .forbiddenAddress)
    await until { bench.staged == [] }  // It goes with the last task that held it.
  }

  /// `cloud.test` redirects inwards; all else goes to the real client.
  private struct Redirecting: HTTPTransport {
    var client: any HTTPTransport
    func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
      guard request.url.hasPrefix("http://cloud.test/") else {
        return try await client.send(request)
      }
      return HTTPResponse(status: 302, fields: [HTTPField("Location", "http://0x7f.1:7125/")])
    }
  }

  @Test("What takes longer than allowed ends, however it drips")
  func timeLimit() async throws {
    bench.transport.follow { _, _ throws(NetworkError) in try await ScriptedTransport.silence() }
    async let failure = failure(order())
    let deadline = await bench.time.nextDeadline()
    #expect(bench.time.now.duration(to: deadline) == .seconds(1_800))
    _ = try await bench.transport.requests(atLeast: 1)
    bench.time.advance(by: .seconds(1_800))
    let ended = await failure
    #expect(ended?.kind == .network)
    #expect(ended?.description == "the file was not there after 1800 s")
  }

  @Test("Cancelling ends the request")
  func cancelled() async throws {
    bench.transport.follow { _, _ throws(NetworkError) in try await ScriptedTransport.silence() }
    let (bench, order) = (bench, order())
    let task = Task { try await bench.transfers.download(order) }
    _ = try await bench.transport.requests(atLeast: 1)
    task.cancel()
    let failure = await #expect(throws: TransferFailure.self) { _ = try await task.value }
    #expect(failure?.kind == .cancelled)
  }

  @Test("A staged file is sent as the body, from the disk, and stays its owner's")
  func send() async throws {
    let sent = Guarded<[HTTPRequest]>([])
    bench.transport.follow { request, _ in
      sent.withLock { $0.append(request) }
      return HTTPResponse(status: 503)
    }
    let file = try await bench.transfers.stage(expectedSize: 3) { try $0.write([1, 2, 3]) }
    var request = HTTPRequest("PUT", "https://bucket.test/x?signature=hidden")
    #expect(try await bench.transfers.send(file, as: request).status == 503)
    request.bodyFile = BodyFile(path: "", size: 0, prefix: [9], suffix: [8])
    request.stallTimeout = .seconds(60)
    _ = try await bench.transfers.send(file, as: request)
    let requests = sent.withLock { $0 }
    #expect(
      requests.map(\.bodyFile) == [
        BodyFile(path: file.path, size: 3),
        BodyFile(path: file.path, size: 3, prefix: [9], suffix: [8]),
      ])
    #expect(requests.map(\.stallTimeout) == [.seconds(30), .seconds(60)])
    #expect(bench.staged.count == 1)
    bench.transport.follow { _, _ throws(NetworkError) in throw NetworkError(.connect, "gone") }
    let failure = await bench.failure { transfers throws(TransferFailure) in
      _ = try await transfers.send(file, as: request)
    }
    #expect(failure?.kind == .network)
  }
}
