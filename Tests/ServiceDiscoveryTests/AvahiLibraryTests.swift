import Testing

@testable import ServiceDiscovery

@Suite("The Avahi library")
struct AvahiLibraryTests {
  @Test("A host without it gets an answer that says what to install")
  func missing() async throws {
    let service = DiscoverableService(
      instance: "ultimakersystem-1", type: "_ultimaker._tcp", port: 80, text: [])
    let failure = await #expect(throws: AdvertisingFailure.self) {
      try await AvahiAdvertiser(libraryNamed: "libavahi-client.so.none").advertise(service) { _ in }
    }
    #expect(failure?.kind == .libraryMissing)
    #expect(failure?.problem.contains("libavahi-client.so.none") == true)
    #expect(failure?.remedy.contains("apt install") == true)
  }

  @Test("A library that is another one is not used")
  func another() {
    let failure = #expect(throws: AdvertisingFailure.self) {
      _ = try AvahiLibrary(opening: "libc.so.6")
    }
    #expect(failure?.problem.contains("avahi_client_new") == true)
  }

  @Test("A cancelled advertisement opens nothing and ends at once")
  func cancelled() async {
    let service = DiscoverableService(
      instance: "ultimakersystem-1", type: "_ultimaker._tcp", port: 80, text: [])
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await AvahiAdvertiser().advertise(service) { _ in }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
