internal import ConnectorKit

/// The form with which a picture is uploaded: the fields `token` and `image`, as browsers send them.
struct PictureForm: Sendable {
  let contentType: String
  let bytes: [UInt8]

  init(token: Secret, picture: [UInt8], boundary: String) {
    contentType = "multipart/form-data; boundary=\(boundary)"
    let head =
      "--\(boundary)\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n\(token.revealed)\r\n"
      + "--\(boundary)\r\nContent-Disposition: form-data; name=\"image\"; filename=\"snapshot.jpg\"\r\n"
      + "Content-Type: image/jpeg\r\n\r\n"
    bytes = Array(head.utf8) + picture + Array("\r\n--\(boundary)--\r\n".utf8)
  }
}
