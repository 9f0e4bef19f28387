import ConnectorKit
import Platform
import ServiceDiscovery
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Advertising") struct HostAdvertiserTests {
  private static let service = AdvertisedService(
    instance: "ultimakersystem-1", type: "_ultimaker._tcp", port: 80,
    text: [.init("type", "printer"), .init("name", "A & B")])

  private func advertiser(
    _ folder: String, time: ManualTime,
    _ show:
      @escaping @Sendable (
        DiscoverableService, @escaping @Sendable (AdvertisementState) -> Void
      ) async throws -> Void
  ) throws -> HostAdvertiser {
    HostAdvertiser(
      directory: try StateDirectory(opening: folder, configurationPath: "/nowhere"),
      name: "cura/2", time: time, show: show)
  }

  @Test("What Avahi says of itself reaches the backend, and a taken name ends it")
  func states() async throws {
    let folder = try TemporaryFolder()
    let seen = Guarded<[AdvertisingState]>([])
    let advertiser = try advertiser(folder.path, time: ManualTime()) { service, report in
      #expect(service.instance == "ultimakersystem-1" && service.port == 80)
      #expect(service.text.map(\.key) == ["type", "name"])
      report(.waiting(problem: "p", remedy: "r"))
      report(.registering)
      report(.shown)
      throw AdvertisingFailure(.nameTaken, "taken", remedy: "another")
    }
    let end = await advertiser.advertise(Self.service) { state in
      seen.withLock { $0.append(state) }
    }
    #expect(end == .collision)
    #expect(seen.withLock { $0 } == [.waiting(problem: "p", remedy: "r"), .published])
  }

  @Test("Without the library it says so and looks for it again a minute later")
  func missingLibrary() async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let attempts = Guarded(0)
    let states = Guarded<[AdvertisingState]>([])
    let advertiser = try advertiser(folder.path, time: time) { _, report in
      guard
        attempts.withLock({
          $0 += 1; return $0
        }) > 1
      else {
        throw AdvertisingFailure(.libraryMissing, "missing", remedy: "install it")
      }
      report(.shown)
      throw CancellationError()
    }
    async let end = advertiser.advertise(Self.service) { state in
      states.withLock { $0.append(state) }
    }
    await time.advanceToNextDeadline()
    #expect(await end == .cancelled)
    #expect(
      states.withLock { $0 } == [.waiting(problem: "missing", remedy: "install it"), .published])
  }

  @Test("The service file lies in the state directory under the backend's name")
  func serviceFile() async throws {
    let folder = try TemporaryFolder()
    let advertiser = try advertiser(folder.path, time: ManualTime()) { _, _ in }
    let path = try await advertiser.writeServiceFile(Self.service)
    #expect(path == folder.path + "/cura%2F2.service")
    let text = String(decoding: try Files.read(path, limit: 4_096), as: UTF8.self)
    #expect(text.contains("<txt-record>name=A &amp; B</txt-record>"))
  }
}
