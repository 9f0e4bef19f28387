package import ConnectorKit
package import HTTPServer
internal import Platform

/// Listens on loopback at a free port, whatever address a backend wishes for.
package final class LoopbackListener: ListenerService {
  private let ports = Guarded<[Int: Int]>([:])

  /// Listens nowhere yet.
  package init() {}

  /// The port at which whoever wished for `wished` is reached; nil until it listens.
  package func port(for wished: Int) -> Int? { ports.withLock { $0[wished] } }

  package func serve(
    at address: HTTPServer.Address, options: HTTPServer.Options,
    onListening: @escaping @Sendable (_ port: Int) -> Void,
    replying handler: @escaping @Sendable (HTTPServer.Request) -> HTTPServer.Reply
  ) async throws {
    let server = try HTTPServer(
      address: HTTPServer.Address(host: "127.0.0.1", port: 0), options: options,
      replying: handler)
    ports.withLock { $0[address.port] = server.port }
    onListening(server.port)
    let end = Broadcast<Bool>(.newest).subscribe()
    _ = await end.next()
    try? await offload { server.stop() }
    await server.settled()
    throw CancellationError()
  }
}

/// A list of services on paper.
package final class ScriptedAdvertiser: ServiceAdvertiser {
  private let state = Guarded<(collisions: Int, services: [AdvertisedService], files: Int)>(
    (0, [], 0))

  /// Advertises nothing yet.
  package init() {}

  /// What was advertised, in order.
  package var services: [AdvertisedService] { state.withLock { $0.services } }
  /// Says for the next `count` names that another host has them.
  package func collide(_ count: Int) { state.withLock { $0.collisions = count } }

  package func advertise(
    _ service: AdvertisedService, onChange: @escaping @Sendable (AdvertisingState) -> Void
  ) async -> AdvertisingEnd {
    let collides = state.withLock { state in
      state.services.append(service)
      guard state.collisions > 0 else { return false }
      state.collisions -= 1
      return true
    }
    if collides { return .collision }
    onChange(.published)
    let end = Broadcast<Bool>(.newest).subscribe()
    _ = await end.next()
    return .cancelled
  }

  package func writeServiceFile(_ service: AdvertisedService) async throws -> String {
    state.withLock { $0.services.append(service) }
    return "/var/lib/printer-uplink/cura.service"
  }
}

/// The printer's files on paper.
package final class ScriptedFiles: PrinterFiles {
  private let files = Guarded<[String: [UInt8]]>([:])

  /// No files.
  package init() {}

  /// Has `bytes` lie at `path`.
  package func put(_ bytes: [UInt8], at path: String) { files.withLock { $0[path] = bytes } }

  package func read(_ path: GCodePath, upTo limit: Int) async throws(CommandFailure) -> [UInt8] {
    guard let bytes = files.withLock({ $0[path.text] }) else {
      throw CommandFailure(.printerRefused, "not found", code: 404)
    }
    return Array(bytes.prefix(limit))
  }
}
