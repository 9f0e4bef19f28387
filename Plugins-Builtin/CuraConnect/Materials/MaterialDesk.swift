internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// Takes material profiles.
struct MaterialDesk: Sendable {
  let hub: CuraHub
  /// A profile is in memory while it is read: no more than a few at once.
  let slots: UploadSlots

  /// `POST materials/`: one profile, and perhaps its signature.
  func take(_ request: HTTPServer.Request, _ body: RequestBody) async -> HTTPServer.Response {
    guard await slots.take() else { return JSONAnswer.message(503, "Too many at once.") }
    defer { slots.leave() }
    // The signature and the form's own bytes are small.
    let limit = MaterialShelf.mostBytes + (64 << 10)
    guard var reader = MultipartReader(contentType: request.field("Content-Type") ?? "") else {
      return JSONAnswer.message(400, "This is no multipart/form-data with a boundary.")
    }
    var profile: [UInt8] = []
    var isFile = false
    do {
      for event in try reader.read(try await body.collect(upTo: limit)) {
        switch event {
        case .part(let name, _): isFile = name == "file"
        case .data(let bytes): if isFile { profile += bytes }
        case .partEnd: isFile = false
        }
      }
    } catch is RequestBody.TooLong {
      return JSONAnswer.message(413, "The profile is larger than 1 MiB.")
    } catch {
      return JSONAnswer.message(400, "The form is not whole.")
    }
    guard reader.isComplete, !profile.isEmpty, profile.count <= MaterialShelf.mostBytes else {
      return JSONAnswer.message(400, "The form holds no profile.")
    }
    let bytes = profile
    guard let material = try? await offload({ MaterialProfile.read(bytes) }) else {
      return JSONAnswer.message(400, "The profile cannot be read.")
    }
    guard hub.materials.put(material) else {
      return JSONAnswer.message(507, "There is no room for more profiles.")
    }
    hub.keeper.keep(hub.materials.stored, as: "materials", isUrgent: false)
    hub.nameMaterials()
    return JSONAnswer.message(200, "Material profile stored")
  }
}
