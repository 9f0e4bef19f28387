/// One call of a connector's command.
package struct ToolCall: Sendable {
  /// The settings of the entry that it is about; those of an empty entry where the file has none of the type.
  package var settings: Settings
  /// The printer's name, as the owner calls it; empty where there is no configuration.
  package var printerName: String
  /// The printer's status; nil where it could not be asked.
  package var status: PrinterStatus?
  /// The options that were given with their values, by name without dashes.
  package var values: [String: String]
  /// The options without a value that were given, by name without dashes.
  package var flags: Set<String>

  /// A call.
  package init(
    settings: Settings, printerName: String, status: PrinterStatus?,
    values: [String: String] = [:], flags: Set<String> = []
  ) {
    self.settings = settings
    self.printerName = printerName
    self.status = status
    self.values = values
    self.flags = flags
  }
}

/// What a connector's command made.
package struct ToolResult: Sendable {
  /// A file.
  package struct File: Sendable {
    /// Where, relative to the folder that is asked for; folders are separated by `/`.
    package var path: String
    /// Its content, UTF-8.
    package var text: String
    /// A file.
    package init(path: String, text: String) {
      self.path = path
      self.text = text
    }
  }
  /// Files, printed or written as the caller asks.
  package var files: [File]
  /// What the owner should know, a line each.
  package var remarks: [String]

  /// A result.
  package init(files: [File], remarks: [String] = []) {
    self.files = files
    self.remarks = remarks
  }
}

/// Why a connector's command cannot be done.
package struct ToolFailure: Error, Sendable, Hashable {
  /// What is wrong.
  package var problem: String
  /// What to do.
  package var remedy: String
  /// A failure.
  package init(_ problem: String, remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }
}
