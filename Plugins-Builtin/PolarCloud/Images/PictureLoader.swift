internal import ConnectorKit
internal import Networking
internal import Platform

/// Takes a picture and uploads it.
struct PictureLoader: Sendable {
  /// A picture that another backend has had taken is good for so long.
  private static let maximumAge = Duration.seconds(3)

  let configuration: PolarConfiguration
  let context: BackendContext

  /// Takes and uploads one.
  func upload(_ form: UploadForm) async -> ImageDesk.Result {
    let limit = min(configuration.maximumImageSize, form.maximumSize ?? .max)
    let frame: WebcamFrame
    do throws(WebcamFailure) {
      frame = try await context.webcams.frame(
        FrameWish(
          maximumAge: Self.maximumAge, maximumBytes: limit, orientation: configuration.orientation,
          fallbackPaths: Self.fallbackPaths))
    } catch {
      switch error.kind {
      case .noCamera, .notPermitted: return .noCamera
      default: return .failed(error.description)
      }
    }
    guard frame.bytes.count <= limit else { return .failed("it is larger than \(limit) bytes") }
    let addresses = configuration.server.cloud.addresses(
      for: form.url, moonraker: context.moonrakerAddress)
    let request = PictureBody.request(
      form, frame.bytes, boundary: Self.boundary(), addresses: addresses)
    do throws(NetworkError) {
      let answer = try await context.http.send(request)
      switch answer.status {
      case 200, 201, 204: return .done
      case 403: return .formRefused
      default: return .failed("the upload was answered with \(answer.status)")
      }
    } catch {
      return .failed("the upload failed: \(error.message)")
    }
  }

  /// Where the original looked, for printers whose Moonraker knows no camera.
  static let fallbackPaths = ["/webcam/?action=snapshot"]

  private static func boundary() -> String {
    let number = UInt64.random(in: .min ... .max)
    let other = UInt64.random(in: .min ... .max)
    return "uplink\(String(number, radix: 36))\(String(other, radix: 36))"
  }
}
