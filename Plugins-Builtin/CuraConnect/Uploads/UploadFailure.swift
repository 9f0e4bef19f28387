/// Why an upload is not taken.
struct UploadFailure: Error, Sendable, Hashable {
  /// The status code of the answer.
  var status: Int
  /// For people: one line, nothing of it from the network.
  var problem: String

  static let cutOff = UploadFailure(status: 400, problem: "the upload is not whole")
}
