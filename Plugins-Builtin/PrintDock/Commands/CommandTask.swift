internal import ConnectorKit
internal import JSON

/// One of PrintDock's ten actions with its parameters. Pure.
enum CommandTask: Sendable {
  case pause
  case resume
  case cancel
  case startPrint(GCodePath)
  /// The axes; none means all. `told` are the strings as PrintDock wrote them.
  case homing([PrinterCommand.Axis], told: [String])
  case uploadFile(GCodePath, HeldContent)
  case deleteFile(GCodePath)
  case syncFiles
  case importHistory(limit: Int)
  case createBackup(BackupOrder)

  /// Every action, for the owner.
  static let declared: [DeclaredCommand] = [
    DeclaredCommand("pause", .pause, "Pauses the running print."),
    DeclaredCommand("resume", .resume, "Goes on with the paused print."),
    DeclaredCommand("cancel", .cancel, "Ends the running or paused print."),
    DeclaredCommand("start_print", .start, "Prints a file that is on the printer."),
    DeclaredCommand("homing", .home, "Homes all axes, or some of them."),
    DeclaredCommand("upload_file", .upload, "Puts a G-code file on the printer."),
    DeclaredCommand("delete_file", .deleteFile, "Deletes a G-code file that it has put there."),
    DeclaredCommand("sync_files", .listFiles, "Reads the list of G-code files."),
    DeclaredCommand("import_history", .history, "Reads the list of past prints."),
    DeclaredCommand(
      "create_backup", .backup, "Sends the configuration files to PrintDock's storage."),
  ]

  /// - Throws: what PrintDock is told where the parameters, or the action, will not do.
  init(
    action: String, _ parameters: CommandParameters
  ) throws(CommandParameters.Defect) {
    let purpose = " for \(action)"
    switch action {
    case "pause": self = .pause
    case "resume": self = .resume
    case "cancel": self = .cancel
    case "start_print": self = .startPrint(try parameters.path(purpose))
    case "homing": self = try Self.homing(parameters)
    case "upload_file":
      let path = try parameters.path(purpose)
      let content = try parameters.content(purpose)
      guard path.isGCode else {
        throw CommandParameters.Defect(problem: "invalid params.filename")
      }
      self = .uploadFile(path, HeldContent(content))
    case "delete_file": self = .deleteFile(try parameters.path(purpose))
    case "sync_files": self = .syncFiles
    case "import_history":
      self = .importHistory(limit: Self.limit(try parameters.value("limit")))
    case "create_backup": self = .createBackup(try BackupOrder(parameters))
    default: throw CommandParameters.Defect(problem: "unsupported action: \(action)")
    }
  }

  /// The wire's name.
  var action: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .cancel: "cancel"
    case .startPrint: "start_print"
    case .homing: "homing"
    case .uploadFile: "upload_file"
    case .deleteFile: "delete_file"
    case .syncFiles: "sync_files"
    case .importHistory: "import_history"
    case .createBackup: "create_backup"
    }
  }

  /// What the host is asked for.
  var command: PrinterCommand {
    switch self {
    case .pause: .pause
    case .resume: .resume
    case .cancel: .cancel
    case .startPrint(let path): .start(path, .person)
    case .homing(let axes, _): .home(axes)
    case .uploadFile(let path, _): .upload(path)
    case .deleteFile(let path): .deleteFile(path)
    case .syncFiles: .listFiles
    case .importHistory(let limit): .history(limit: limit)
    case .createBackup: .backup
    }
  }

  /// Whether it may overtake what came before it.
  var overtakes: Bool {
    switch self {
    case .pause, .cancel: true
    default: false
    }
  }

  /// Whether a job runs after it: what a pause or a cancel that comes behind it may mean.
  var begins: Bool {
    switch self {
    case .startPrint, .resume: true
    default: false
    }
  }

  /// The actions after which the printer's state is another.
  static let stateChanging: Set<String> = ["pause", "resume", "cancel", "start_print", "homing"]

  // MARK: Parameters

  /// The axes in their order, each once. Not an array, an empty one, one without strings: all.
  private static func homing(
    _ parameters: CommandParameters
  ) throws(CommandParameters.Defect) -> CommandTask {
    let told = (try parameters.value("axes")?.array ?? []).compactMap(\.string)
    guard told.count <= 32 else { throw CommandParameters.Defect(problem: "invalid params.axes") }
    var axes: [PrinterCommand.Axis] = []
    for text in told {
      let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace)
      let name = String(trimmed.reversed()).uppercased()
      guard let axis = PrinterCommand.Axis(rawValue: name) else {
        throw CommandParameters.Defect(problem: "invalid axis: \(name.prefix(20).printable)")
      }
      if !axes.contains(axis) { axes.append(axis) }
    }
    return .homing(axes, told: told)
  }

  /// How many jobs: a number above zero, its fraction cut; 50 for all else. More than 10,000 are never asked for.
  private static func limit(_ value: JSONValue?) -> Int {
    guard let number = value?.double, number >= 1 else { return 50 }
    return Int(exactly: min(number, 10_000).rounded(.towardZero)) ?? 50
  }
}

extension StringProtocol {
  /// The text with a question mark for each control character: for messages.
  var printable: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }
}
