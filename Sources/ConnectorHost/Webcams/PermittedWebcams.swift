internal import ConnectorKit

/// The webcam service as one backend sees it: its `permissions` must hold `camera`.
struct PermittedWebcams: WebcamService {
  let service: any WebcamService
  let isPermitted: Bool

  func hasCamera() async throws(WebcamFailure) -> Bool {
    guard isPermitted else { return false }
    return try await service.hasCamera()
  }

  func orientation(of camera: String?) async throws(WebcamFailure) -> FrameOrientation? {
    guard isPermitted else { return nil }
    return try await service.orientation(of: camera)
  }

  func frame(_ wish: FrameWish) async throws(WebcamFailure) -> WebcamFrame {
    guard isPermitted else {
      throw WebcamFailure(
        .notPermitted, "not permitted: camera; `permissions` of this entry decide")
    }
    return try await service.frame(wish)
  }
}
