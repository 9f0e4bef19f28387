internal import ConnectorKit
internal import Networking

/// A picture as a form's body: the fields first, the picture last.
enum PictureBody {
  /// The request that uploads `picture`.
  ///
  /// - Parameters:
  ///   - boundary: random, so that nothing in the fields or the picture is it.
  ///   - addresses: what the connection may lead to.
  static func request(
    _ form: UploadForm, _ picture: [UInt8], boundary: String, addresses: AddressPolicy
  ) -> HTTPRequest {
    var body: [UInt8] = []
    body.reserveCapacity(picture.count + 4_096)
    for field in form.fields {
      body += Array(
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field.name)\"\r\n\r\n\(field.value)\r\n"
          .utf8)
    }
    body += Array(
      ("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"image.jpg\"\r\n"
        + "Content-Type: image/jpeg\r\n\r\n").utf8)
    body += picture
    body += Array("\r\n--\(boundary)--\r\n".utf8)
    var request = HTTPRequest(
      "POST", form.url,
      fields: [HTTPField("Content-Type", "multipart/form-data; boundary=\(boundary)")],
      body: body, timeout: .seconds(30), answerLimit: 64 << 10)
    request.addresses = addresses
    return request
  }
}
