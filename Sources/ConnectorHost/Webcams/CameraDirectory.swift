internal import Moonraker

/// Who knows the printer's cameras: Moonraker in what ships, a list in tests.
protocol CameraDirectory: Sendable {
  /// All cameras, in the owner's order, also those that are switched off.
  ///
  /// - Throws: when the list is not to be had; the error's description is shown to people.
  func cameras() async throws -> [WebcamDescription]
}

extension MoonrakerWebcams: CameraDirectory {
  func cameras() async throws -> [WebcamDescription] { try await list() }
}
