internal import ConnectorKit
internal import Platform

/// Makes the printer known on the network.
struct AdvertisingLoop: Sendable {
  private static let part = "advertise"
  /// The most names that are tried one after the other.
  private static let mostNames = 100
  let hub: CuraHub
  let standing: CuraStanding

  private var context: BackendContext { hub.context }

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    switch hub.configuration.advertising {
    case .off: break
    case .static: await writeFile()
    case .avahi: try await advertise()
    }
    // The others go on.
    while true { try await context.time.sleep(for: .seconds(86_400)) }
  }

  /// The service under an instance's name.
  static func service(_ instance: String, _ configuration: CuraConfiguration) -> AdvertisedService {
    AdvertisedService(
      instance: instance, type: "_ultimaker._tcp", port: configuration.advertisePort,
      text: [
        .init("type", "printer"), .init("name", configuration.name),
        .init("machine", configuration.bom),
        .init("firmware_version", configuration.firmwareVersion), .init("cluster_size", "1"),
      ])
  }

  private func advertise() async throws {
    var instance = hub.printer.instance
    let first = instance
    for number in 2...Self.mostNames {
      let name = instance
      let end = await context.advertiser.advertise(
        Self.service(name, hub.configuration),
        onChange: { [standing, context] state in
          switch state {
          case .published:
            context.log(.info, "Cura finds the printer as \(name)")
            standing.recovers(Self.part)
          case .waiting(let problem, let remedy):
            standing.suffers(
              Self.part, "Cura does not find the printer by itself: \(problem)", remedy: remedy)
          }
        })
      try Task.checkCancellation()
      guard end == .collision else { return }
      instance = "\(Self.cut(first, to: 58))-\(number)"
      context.log(
        .warning,
        "another host is called \(name) already; from now on this printer is \(instance), which Cura takes for another one"
      )
      hub.rename(instance)
    }
    standing.suffers(
      Self.part, "Cura does not find the printer by itself: \(Self.mostNames) names are taken",
      remedy: "give the entry an `instance` of its own")
  }

  /// A name has 63 bytes in the network, whatever its letters are.
  private static func cut(_ name: String, to count: Int) -> String {
    var name = name
    while name.utf8.count > count { name.removeLast() }
    return name
  }

  private func writeFile() async {
    do {
      let path = try await context.advertiser.writeServiceFile(
        Self.service(hub.printer.instance, hub.configuration))
      context.log(
        .info,
        "for Cura to find the printer: sudo cp \(path) /etc/avahi/services/ (and remove it there when this ends)"
      )
    } catch {
      standing.suffers(
        Self.part, "the service file could not be written: \(error)",
        remedy: "add the printer to Cura by its address")
    }
  }
}
