internal import ConnectorKit
internal import Imaging
internal import Platform

/// What of a wish concerns the picture itself.
struct Rendition: Sendable, Hashable {
  /// The most bytes.
  var maximumBytes: Int
  /// The longest side in pixels; nil: as it is.
  var maximumSide: Int?
  /// Whether it must be a JPEG.
  var mustBeJPEG: Bool

  /// The part of `wish`.
  init(_ wish: FrameWish) {
    maximumBytes = wish.maximumBytes
    maximumSide = wish.maximumSide
    mustBeJPEG = wish.mustBeJPEG
  }
}

/// A picture as the camera sent it, and what was made of it: each once, for all who want the same.
final class CapturedFrame: Sendable {
  private typealias Work = JoinedWork<Result<WebcamFrame, WebcamFailure>>
  /// More than this are made, but not kept.
  private static let mostKept = 4

  /// When it came.
  let capturedAt: MonotonicInstant
  /// How it is to be turned.
  let orientation: Orientation
  private let camera: String
  private let picture: FrameFetcher.Picture
  private let made = Guarded<(upright: Work?, fitted: [Rendition: Work])>((nil, [:]))

  /// A picture that came at `capturedAt`.
  init(_ picture: FrameFetcher.Picture, plan: FramePlan, capturedAt: MonotonicInstant) {
    self.picture = picture
    self.capturedAt = capturedAt
    camera = plan.name
    orientation = plan.orientation
  }

  /// The picture as wished; nil when the calling task is cancelled, or all others who waited were.
  func rendered(_ rendition: Rendition) async -> Result<WebcamFrame, WebcamFailure>? {
    guard picture.kind == .jpeg else {
      return Result { () throws(WebcamFailure) in try other(rendition) }
    }
    guard let upright = await upright().value() else { return nil }
    guard case .success(let frame) = upright else { return upright }
    if rendition.maximumSide == nil, frame.bytes.count <= rendition.maximumBytes { return upright }
    return await fitted(rendition, from: frame).value()
  }

  /// PNG and WebP are not decoded: they pass as they came, or not at all.
  private func other(_ rendition: Rendition) throws(WebcamFailure) -> WebcamFrame {
    guard !rendition.mustBeJPEG else {
      throw WebcamFailure(.notAnImage, "\(camera) sends \(picture.kind.rawValue), not JPEG")
    }
    guard picture.bytes.count <= rendition.maximumBytes else {
      throw WebcamFailure(
        .tooLarge,
        "\(camera) sends \(picture.kind.rawValue) of \(picture.bytes.count) bytes; only JPEG can be made smaller"
      )
    }
    return frame(picture.bytes)
  }

  private func upright() -> Work {
    made.withLock { made in
      if let upright = made.upright, !upright.isAbandoned { return upright }
      let work = Work { [self] in
        await prepared(picture.bytes) { [orientation] image throws(ImageError) in
          try image.turned(orientation)
        }
      }
      made.upright = work
      return work
    }
  }

  private func fitted(_ rendition: Rendition, from upright: WebcamFrame) -> Work {
    made.withLock { made in
      if let work = made.fitted[rendition], !work.isAbandoned { return work }
      let work = Work { [self] in
        await prepared(upright.bytes) { image throws(ImageError) in
          try image.fitted(
            maximumBytes: rendition.maximumBytes, maximumSide: rendition.maximumSide)
        }
      }
      if made.fitted.count < Self.mostKept || made.fitted[rendition] != nil {
        made.fitted[rendition] = work
      }
      return work
    }
  }

  /// Works on the picture on a thread for blocking work.
  private func prepared(
    _ bytes: [UInt8],
    _ work: @escaping @Sendable (JPEGImage) throws(ImageError) -> JPEGImage
  ) async -> Result<WebcamFrame, WebcamFailure> {
    do {
      let made = try await offload {
        let image = try JPEGImage(bytes)
        let result = try work(image)
        if result.bytes.count != bytes.count { JPEGImage.returnMemory() }
        return result.bytes
      }
      return .success(frame(made))
    } catch {
      let isTooLarge = (error as? ImageError)?.kind == .tooLarge
      return .failure(
        WebcamFailure(isTooLarge ? .tooLarge : .notAnImage, "\(camera): \(error)"))
    }
  }

  private func frame(_ bytes: [UInt8]) -> WebcamFrame {
    WebcamFrame(bytes: bytes, contentType: picture.kind.contentType, capturedAt: capturedAt)
  }
}
