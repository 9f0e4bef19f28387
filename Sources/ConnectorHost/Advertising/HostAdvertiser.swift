internal import ConnectorKit
internal import Platform
internal import ServiceDiscovery

/// Makes one backend's services known through the host's Avahi.
struct HostAdvertiser: ServiceAdvertiser {
  /// How long to wait before the library is looked for again: somebody has to install it first.
  static let retryDelay = Duration.seconds(60)

  /// Whose state the service file lies in.
  let directory: StateDirectory
  /// The backend's name.
  let name: String
  let time: any TimeSource
  /// Shows a service until the task is cancelled: Avahi, but for tests.
  var show:
    @Sendable (
      DiscoverableService, @escaping @Sendable (AdvertisementState) -> Void
    ) async throws -> Void = { service, report in
      try await AvahiAdvertiser().advertise(service, report: report)
    }

  func advertise(
    _ service: AdvertisedService, onChange: @escaping @Sendable (AdvertisingState) -> Void
  ) async -> AdvertisingEnd {
    while true {
      do {
        try await show(Self.discoverable(service)) { state in
          switch state {
          case .registering: break
          case .shown: onChange(.published)
          case .waiting(let problem, let remedy):
            onChange(.waiting(problem: problem, remedy: remedy))
          }
        }
        return .cancelled
      } catch let failure as AdvertisingFailure {
        guard failure.kind != .nameTaken else { return .collision }
        onChange(.waiting(problem: failure.problem, remedy: failure.remedy))
      } catch {
        return .cancelled
      }
      do { try await time.sleep(for: Self.retryDelay) } catch { return .cancelled }
    }
  }

  func writeServiceFile(_ service: AdvertisedService) async throws -> String {
    let file = FileIdentityStore.fileName(for: name) + ".service"
    let bytes = Array(Self.discoverable(service).staticFile.utf8)
    do {
      try await offload { [directory] in try directory.replace(file, with: bytes) }
    } catch {
      throw BackendFailure(
        .reject, "the service file cannot be written: \(error)",
        remedy: "free some space, or write 'advertise: avahi'")
    }
    return directory.path(of: file)
  }

  private static func discoverable(_ service: AdvertisedService) -> DiscoverableService {
    DiscoverableService(
      instance: service.instance, type: service.type, port: UInt16(clamping: service.port),
      text: service.text.map { .init($0.key, $0.value) })
  }
}
