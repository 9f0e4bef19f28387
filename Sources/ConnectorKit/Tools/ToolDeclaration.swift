/// A command of the command line that a connector brings along: `printer-uplink <name>`.
///
/// The host parses the line, asks the printer once, writes the files; the connector makes the result (pure).
package struct ToolDeclaration: Sendable {
  /// An option beside the host's own `--entry`, `--output` and `--install`.
  package struct Option: Sendable {
    /// The long name without dashes.
    package var name: String
    /// What stands for its value in the help; nil where it takes none.
    package var value: String?
    /// What it does.
    package var summary: String
    /// An option.
    package init(_ name: String, value: String? = nil, _ summary: String) {
      self.name = name
      self.value = value
      self.summary = summary
    }
  }
  /// The command's name, unlike any of the host's.
  package var name: String
  /// One line: what it does.
  package var summary: String
  /// What a person should know besides.
  package var details: String
  /// Its own options.
  package var options: [Option]
  /// What it needs to know of the printer; asked for once.
  package var reads: StatusInterest
  /// Folders of the program that its files are for, `~` for the home, a last `*` for every folder there.
  package var installPlaces: [String]

  /// Declares a command.
  package init(
    name: String, summary: String, details: String, options: [Option] = [],
    reads: StatusInterest = StatusInterest(), installPlaces: [String] = []
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.options = options
    self.reads = reads
    self.installPlaces = installPlaces
  }
}
