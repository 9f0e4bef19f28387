/// What a person changes of one entry beside the file.
struct EntryChange: Sendable {
  /// The entry.
  var name: String
  /// Whether it ends up switched off: that is always possible, whatever the file or the disk say.
  var turnsOff: Bool
  /// Whether a macro of the printer's asks: it accepts nothing that waits for a person.
  var isByMacro = false
  /// Why it does not count, looked at when its turn has come: another change may have come before. Nil: it does.
  var refusal: @Sendable (ConfigurationOverlay, BackendConfiguration) -> String? = { _, _ in nil }
  /// The change; it may be made more than once.
  var edit: @Sendable (inout ConfigurationOverlay, BackendConfiguration) -> Void
}
