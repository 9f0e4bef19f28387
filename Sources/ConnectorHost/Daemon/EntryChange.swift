/// What a person changes of one entry beside the file.
struct EntryChange: Sendable {
  /// The entry.
  var name: String
  /// Whether it ends up switched off: that is always possible, whatever the file or the disk say.
  var turnsOff: Bool
  /// The change; it may be made more than once.
  var edit: @Sendable (inout ConfigurationOverlay, BackendConfiguration) -> Void
}
