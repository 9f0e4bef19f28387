import ConnectorKit
import Foundation
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("CommandLine: the running daemon") struct CommandLineControlTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = try folder.write("c.yaml", "version: 1\nstate_directory: s\nbackends: []\n")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/s", withIntermediateDirectories: true)
  }

  private func daemon(
    _ actions: ScriptedActions, file: String? = nil
  ) throws -> ControlServer {
    var view = sampleView()
    view.configurationPath = file ?? path
    return try ControlServer(socketPath: folder.path + "/s/control.sock", actions: actions) {
      [view] in view
    }
  }

  @Test("A daemon that runs is told, and what it says is shown")
  func told() async throws {
    let actions = ScriptedActions(.done("the bed is empty"))
    let server = try daemon(actions)
    let expected = CommandResult(status: 0, output: "the bed is empty\n", errors: "")
    #expect(await command("bed-cleared", "-c", path) == expected)
    #expect(await command("read-only", "on", "-c", path) == expected)
    #expect(await command("read-only", "off", "-c", path) == expected)
    #expect(
      actions.calls == [
        "bed cleared by the command line", "read-only true by the command line",
        "read-only false by the command line",
      ])
    server.stop()
  }

  @Test("A daemon that says no makes the command fail with its reason, on one line")
  func refused() async throws {
    let server = try daemon(ScriptedActions(.refused("a job\nruns")))
    #expect(
      await command("bed-cleared", "-c", path)
        == CommandResult(status: 1, output: "", errors: "printer-uplink: a job\\nruns\n"))
    server.stop()
  }

  @Test("Without a daemon the command says so and ends with 1")
  func noDaemon() async throws {
    let switched = await command("read-only", "on", "-c", path)
    #expect(switched.status == 1)
    #expect(switched.output.isEmpty)
    #expect(switched.errors.contains("no daemon runs with this configuration"))
    #expect(switched.errors.contains("or where it is no service with 'printer-uplink run'"))
    let result = await command("bed-cleared", "-c", path)
    #expect(result.status == 1)
    #expect(result.errors.contains("no daemon runs"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/s").isEmpty)
  }

  @Test("A file with a mistake in it still leads to the daemon")
  func brokenFile() async throws {
    let actions = ScriptedActions()
    let server = try daemon(actions, file: folder.path + "/b.yaml")
    let broken = try folder.write("b.yaml", "version: 1\nstate_directory: s\nprintr: 1\n")
    #expect(await command("read-only", "on", "-c", broken).status == 0)
    #expect(actions.calls.count == 1)
    server.stop()
  }

  @Test("A daemon that runs with another file is told nothing and shown to nobody")
  func anotherFile() async throws {
    let actions = ScriptedActions()
    let server = try daemon(actions)
    let other = try folder.write(
      "größe 2.yaml", "version: 1\nstate_directory: s\nbackends: []\n")
    for words in [
      ["bed-cleared"], ["read-only", "on"], ["reload"], ["status"], ["pair", "a", "X"],
    ] {
      let result = await command(words + ["-c", other])
      #expect(result.status == 1)
      #expect(result.errors.contains("runs with \(path), not with \(other)"), "\(words)")
    }
    #expect(actions.calls.isEmpty)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/link.yaml", withDestinationPath: path)
    #expect(await command("bed-cleared", "-c", folder.path + "/link.yaml").status == 0)
    server.stop()
  }

  @Test(
    "A named file that is not there is a bad configuration for every command",
    arguments: [
      ["bed-cleared"], ["read-only", "on"], ["status"], ["status", "--token"], ["audit"],
      ["doctor"], ["reload"], ["enable", "a"], ["pair", "a", "X"], ["run"],
      ["import", "x"],
    ])
  func missingFile(words: [String]) async {
    let result = await command(words + ["-c", folder.path + "/typo.yaml"])
    #expect(result.status == 78)
    #expect(result.errors.contains("there is no file \(folder.path)/typo.yaml"))
  }

  @Test("An answer that is none of ours is not believed")
  func foreignAnswer() {
    for text in [
      "", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{}", "220 smtp\r\n\r\n{\"ok\":true}",
      "HTTP/1.1 200 OK\r\n\r\n{\"ok\":1,\"message\":\"x\"}",
    ] {
      #expect(ControlCommand.reply(in: Array(text.utf8)) == nil)
    }
  }

  @Test("The audit is read without a daemon, for people and for machines")
  func audit() async throws {
    let empty = await command("audit", "-c", path)
    #expect(empty.status == 0)
    #expect(empty.output.isEmpty)
    #expect(empty.errors.contains("no command has been audited yet"))
    let record = sampleRecord(
      "1", CommandOutcome(.refused, .notPermitted, isRepeat: true), action: "evil\u{1B}[2J")
    let text = AuditLine.record(record).text
    _ = try folder.write("s/audit.jsonl", text + "garbage\n" + text + text.dropLast(9))
    let people = await command("audit", "-c", path)
    let line =
      "\(record.at.localStamp)  printdock  evil\\u{1b}[2J  refused: its permissions do not allow that"
      + "  (12 ms, came again)\n"
    #expect(
      people
        == CommandResult(
          status: 0, output: line + "(a line that cannot be read)\n" + line, errors: ""))
    let machines = await command("audit", "--json", "-c", path)
    #expect(machines.output == text + text)
  }

  @Test("Who follows sees what is added, until it is ended")
  func follow() async throws {
    let time = ManualTime()
    let written = Guarded("")
    let command = AuditCommand(
      terminal: Terminal(
        output: { text in written.withLock { $0 += text + "\n" } }, errors: { _ in },
        isTerminal: false),
      options: .init(follows: true, isJSON: true), time: time)
    let state = folder.path + "/s"
    let text = AuditLine.record(sampleRecord("1")).text
    let task = Task { await command.run(stateDirectory: state) }
    await time.sleepers(atLeast: 1)
    #expect(written.withLock { $0 }.isEmpty)
    _ = try folder.write("s/audit.jsonl", text)
    time.advance(by: AuditCommand.period)
    await time.sleepers(atLeast: 1)
    #expect(written.withLock { $0 } == text)
    task.cancel()
    #expect(await task.value == 0)
  }
}

@Suite("CommandLine: explain") struct CommandLineExplainTests {
  private func explain(
    _ name: String, _ file: String? = nil
  ) async throws -> CommandResult {
    let folder = try TemporaryFolder()
    let written = Guarded((output: "", errors: ""))
    let terminal = Terminal(
      output: { text in written.withLock { $0.output += text + "\n" } },
      errors: { text in written.withLock { $0.errors += text + "\n" } }, isTerminal: false)
    let path = try folder.write("c.yaml", file ?? "version: 1\nbackends: []\n")
    let status = await CommandLineProgram(registry: [SampleConnector.self, TalkingConnector.self])
      .run(["explain", name, "-c", path], environment: [:], terminal: terminal)
    return written.withLock {
      CommandResult(
        status: status, output: $0.output.replacingOccurrences(of: path, with: "FILE"),
        errors: $0.errors)
    }
  }

  @Test("A type lists what it sends, what it may be asked, and from which level on")
  func type() async throws {
    let result = try await explain("talking")
    #expect(result.status == 0)
    #expect(
      result.output.hasPrefix(
        """
        talking: Talking
        Says a lot.

        What leaves the house:

          heartbeat
            id    who we are
            ok.*  how we are

          snapshot
            file  what is printed

          How much: about 1 MB an hour

        What your macros say with printer_uplink_notify:

          It is not sent: nobody would see it there.

        What its cloud may ask for:

          COMMAND  NEEDS       FROM LEVEL  WHAT IT DOES
          pause    pause       control     Interrupts the job.
          put      upload      print       Brings a file.
          go       start       print       Prints a file.
          macro    macro       print       Runs a macro.
          list     files.list  monitor     Lists files.

        """))
    #expect(result.output.contains("Whoever may upload and start may run any G-code"))
  }

  @Test("An entry says what it allows; what it does not is no")
  func entry() async throws {
    let file = """
      version: 1
      backends:
        - type: talking
          name: mine
          permissions: [status, pause, upload]
          token: canary-secret
      """
    let result = try await explain("mine", file)
    #expect(result.status == 0)
    #expect(
      result.output.contains(
        "Entry 'mine' of FILE: permissions status, pause, upload\nIt would talk.\n")
    )
    #expect(result.output.contains("  pause    pause       yes      Interrupts the job.\n"))
    #expect(result.output.contains("  go       start       no       Prints a file.\n"))
    #expect(!result.output.contains("may run any G-code"))
    #expect(!result.output.contains("canary-secret"))
    let type = try await explain("talking", file)
    #expect(type.output.contains("FROM LEVEL"))
  }

  @Test("A connector that obeys nobody says so; an unknown name is told the nearest")
  func others() async throws {
    #expect(try await explain("sample").output.contains("Nothing: it takes no commands."))
    let unknown = try await explain("tolking")
    #expect(unknown.status == 2)
    #expect(
      unknown.errors
        == "printer-uplink: no entry and no type is called 'tolking'; did you mean 'talking'?\n")
  }
}

/// A connector that declares what it says and hears.
struct TalkingConnector: ConnectorBackend {
  static let token = Setting.secret("token", "The token.")
  static let descriptor = ConnectorDescriptor(
    type: "talking", title: "Talking", summary: "Says a lot.", settings: [token.declaration],
    reads: StatusInterest(),
    commands: [
      DeclaredCommand("pause", .pause, "Interrupts the job."),
      DeclaredCommand("put", .upload, "Brings a file."),
      DeclaredCommand("go", .start, "Prints a file."),
      DeclaredCommand("macro", .macro, "Runs a macro."),
      DeclaredCommand("list", .listFiles, "Lists files."),
    ],
    sends: [
      SentField("heartbeat", "id", "who we are"), SentField("snapshot", "file", "what is printed"),
      SentField("heartbeat", "ok.*", "how we are"),
    ], traffic: "about 1 MB an hour", minimalExample: "type: talking", intention: { _ in "talk" })
  init(settings: Settings, context: BackendContext) async throws {}
  func run() async throws {}
  func runOnce() async throws {}
}

@Suite("CommandLine: switches and pairings") struct CommandLineSwitchTests {
  @Test("Each command tells the daemon what it says, and no other")
  func told() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "version: 1\nstate_directory: s\nbackends: []\n")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/s", withIntermediateDirectories: true)
    let actions = ScriptedActions()
    var view = sampleView()
    view.configurationPath = path
    let server = try ControlServer(socketPath: folder.path + "/s/control.sock", actions: actions) {
      [view] in view
    }
    for line in [
      ["enable", "a"], ["disable", "a"], ["reload"], ["pair", "a", "C0DE"], ["unpair", "a"],
    ] {
      let terminal = Terminal(output: { _ in }, errors: { _ in }, isTerminal: false)
      let status = await CommandLineProgram(registry: [SampleConnector.self])
        .run(line + ["-c", path], environment: [:], terminal: terminal)
      #expect(status == 0, "\(line)")
    }
    var terminal = Terminal(output: { _ in }, errors: { _ in }, isTerminal: false)
    terminal.input = { " typed \n" }
    let program = CommandLineProgram(registry: [SampleConnector.self])
    #expect(
      await program.run(["pair", "b", "-c", path], environment: [:], terminal: terminal) == 0)
    terminal.input = { nil }
    #expect(
      await program.run(["pair", "b", "-c", path], environment: [:], terminal: terminal) == 2)
    #expect(
      actions.calls == [
        "a true by the command line", "a false by the command line", "reload by the command line",
        "a paired with C0DE by the command line", "a unpaired by the command line",
        "b paired with typed by the command line",
      ])
    server.stop()
  }

  @Test(
    "A line with too few or too many words is refused",
    arguments: [
      ["enable"], ["disable"], ["unpair"], ["pair"], ["enable", "a", "b"], ["reload", "x"],
      ["pair", "a", "b", "c"],
    ])
  func usage(_ line: [String]) async {
    let terminal = Terminal(output: { _ in }, errors: { _ in }, isTerminal: false)
    #expect(
      await CommandLineProgram(registry: []).run(line, environment: [:], terminal: terminal) == 2)
  }
}
