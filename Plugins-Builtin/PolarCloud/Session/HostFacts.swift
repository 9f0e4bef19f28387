internal import ConnectorKit
internal import Platform

/// Finds out what this printer says of itself when it greets.
struct HostFacts: Sendable {
  let configuration: PolarConfiguration
  let store: PolarStore
  let context: BackendContext

  /// What the greeting says, as things are now.
  ///
  /// - Throws: `BackendFailure` where this host has no address of its own hardware; what kept it from the disk.
  func greeting() async throws -> Greeting {
    let mac = try await hardwareAddress()
    let local = try await offload { HostInformation.localAddress(toReach: "8.8.8.8") }
    let turned = await cameraOrientation()
    return Greeting(
      mac: mac, localIP: local ?? "127.0.0.1", manufacturer: configuration.manufacturer,
      printerMake: configuration.printerType, hasCamera: turned != nil,
      orientation: configuration.orientation ?? turned ?? FrameOrientation())
  }

  /// The cloud knows a printer by it: once found, it stays.
  private func hardwareAddress() async throws -> String {
    if let known = store.record.mac { return known }
    guard let found = try await offload({ HostInformation.hardwareAddress() }) else {
      throw BackendFailure(
        .retry(after: .seconds(60)), "this host has no network hardware by which it is known",
        remedy: "connect it to a network")
    }
    try await store.update { $0.mac = found }
    return found
  }

  /// Nil: there are no pictures.
  private func cameraOrientation() async -> FrameOrientation? {
    guard configuration.webcamEnabled else { return nil }
    do throws(WebcamFailure) {
      if let found = try await context.webcams.orientation(of: nil) { return found }
      // Where the original looked.
      _ = try await context.webcams.frame(
        FrameWish(
          maximumAge: .seconds(60), maximumBytes: configuration.maximumImageSize,
          fallbackPaths: PictureLoader.fallbackPaths))
      return FrameOrientation()
    } catch {
      // Moonraker may be on its way up: the camera is tried all the same.
      return error.kind == .unreachable ? FrameOrientation() : nil
    }
  }
}
