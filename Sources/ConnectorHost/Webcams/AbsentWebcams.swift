internal import ConnectorKit

struct AbsentWebcams: WebcamService {
  func frame(_ wish: FrameWish) async throws(WebcamFailure) -> WebcamFrame {
    throw WebcamFailure(.noCamera, "absent")
  }
}
