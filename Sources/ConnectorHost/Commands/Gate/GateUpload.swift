internal import ConnectorKit
internal import JSON
internal import Platform

/// What a backend's own part of a command may do to the printer: bring the file that the command names.
struct GateUpload: GatedPrinter {
  let gate: CommandGate
  let run: CommandRun

  func checkPermission() throws(CommandFailure) { try gate.checkPermission(run) }

  func upload(_ file: StagedFile) async throws(CommandFailure) -> JSONValue {
    let named: GCodePath
    switch run.request.command {
    case .upload(let path), .start(let path, _): named = path
    default: throw CommandFailure(.invalid, "this command brings no file")
    }
    guard let path = named.kept else {
      throw CommandFailure(.invalid, "the name of the file inside would be too long")
    }
    // The work may have taken its time, and may run on after its command was given up.
    guard run.outcome.current == nil, gate.isUnfinished(run) else {
      throw CommandFailure(.interrupted, "the command has ended")
    }
    // A start that brings its file is an upload too.
    guard run.policy.permissions.contains(.upload) else {
      throw CommandFailure(.notPermitted, "its permissions do not hold upload")
    }
    try await gate.checkReplacement(of: path, run)
    try gate.checkPermission(run)
    try StateCheck(status: gate.look()).checkWritable(path)
    try await gate.printer.checkInside(path)
    let item = try await gate.printer.upload(file, as: named)
    // What Moonraker unpacks is another file than what was sent.
    await gate.noteOwn(path, of: run.id.backend, as: path == named ? file : nil)
    return item
  }
}
