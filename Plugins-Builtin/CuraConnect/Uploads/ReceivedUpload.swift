internal import ConnectorKit

/// An upload that has arrived: its file in the staging folder, and what came with it.
struct ReceivedUpload: Sendable {
  var file: StagedFile
  var name: UploadName
  /// Who sent it, as Cura says.
  var owner: String
}
