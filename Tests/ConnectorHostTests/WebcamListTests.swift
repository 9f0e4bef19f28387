import ConnectorKit
import Moonraker
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Webcams: whether there is one") struct WebcamListTests {
  private static func cameras(_ enabled: Bool...) -> [WebcamDescription] {
    enabled.map { isEnabled in
      var camera = WebcamDescription.usual
      camera.isEnabled = isEnabled
      return camera
    }
  }

  @Test(
    "The list tells whether a camera is there, and none is asked for a picture",
    arguments: [
      (cameras(), false), (cameras(false), false), (cameras(true), true),
      (cameras(false, true), true),
    ])
  func list(cameras: [WebcamDescription], isThere: Bool) async throws {
    let bench = WebcamBench(cameras)
    #expect(try await bench.service.hasCamera() == isThere)
    #expect(bench.asked.isEmpty)
  }

  @Test("A change is seen at once, though the list was asked for a moment ago")
  func change() async throws {
    let bench = WebcamBench([])
    #expect(await bench.failure(.any()) != nil)
    #expect(try await !bench.service.hasCamera())
    bench.directory.become([.usual])
    #expect(try await bench.service.hasCamera())
  }

  @Test("A list that is not to be had says why")
  func none() async {
    let bench = WebcamBench()
    bench.directory.fail("Moonraker is away")
    await #expect {
      _ = try await bench.service.hasCamera()
    } throws: {
      ($0 as? WebcamFailure)?.kind == .unreachable && "\($0)".contains("Moonraker is away")
    }
  }
}
