/// Why an upload is not taken.
struct UploadFailure: Error, Sendable, Hashable {
  /// The status code of the answer.
  var status: Int
  /// For people: one line, nothing of it from the network.
  var problem: String
  /// The file's name, where it is known.
  var name: String?

  static let cutOff = UploadFailure(status: 400, problem: "the upload is not whole")

  /// The same of a file.
  func of(_ name: UploadName?) -> UploadFailure {
    var failure = self
    failure.name = name?.fileName(0)
    return failure
  }
}
