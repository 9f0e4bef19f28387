import ConnectorKit
import Networking
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Log of exchanges") struct DaemonLoggedTransportTests {
  private struct Answering: HTTPTransport {
    var time: ManualTime
    var result: Result<HTTPResponse, NetworkError>
    func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
      time.advance(by: .milliseconds(42))
      return try result.get()
    }
  }

  @Test("Each call leaves method, path, status and milliseconds, and nothing that may be secret")
  func line() async throws {
    let (sink, time) = (RecordingSink(), ManualTime())
    let transport = LoggedTransport(
      base: Answering(time: time, result: .success(HTTPResponse(status: 204))),
      log: Log(label: "a", sink: sink), time: time)
    let response = try await transport.send(
      HTTPRequest(
        "POST", "https://cloud.test/api/v1/x?token=canary",
        fields: [HTTPField("Authorization", "canary")], body: Array("canary".utf8)))
    #expect(response.status == 204)
    #expect(sink.lines == ["debug a POST /api/v1/x: 204, 42 ms"])
  }

  @Test("A failure leaves its kind and goes on to the caller")
  func failure() async {
    let (sink, time) = (RecordingSink(), ManualTime())
    let transport = LoggedTransport(
      base: Answering(time: time, result: .failure(NetworkError(.timeout, "slow"))),
      log: Log(label: "a", sink: sink), time: time)
    await #expect(throws: NetworkError.self) {
      try await transport.send(HTTPRequest("GET", "https://cloud.test/y"))
    }
    #expect(sink.lines == ["debug a GET /y: timeout, 42 ms"])
  }
}
