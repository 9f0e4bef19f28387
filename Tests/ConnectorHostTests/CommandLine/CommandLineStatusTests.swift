import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("CommandLine: status") struct CommandLineStatusTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = try folder.write(
      "c.yaml", "version: 1\nstate_directory: s\ncontrol: { token_file: token }\nbackends: []\n")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/s", withIntermediateDirectories: true)
  }

  private func daemon(_ view: DaemonView) throws -> ControlServer {
    var view = view
    view.configurationPath = path
    return try ControlServer(socketPath: folder.path + "/s/control.sock", actions: nil) {
      [view] in view
    }
  }

  private static func troubled() -> DaemonView {
    var insecure = sampleBackend("cloud", .parked(problem: "revoked", remedy: "pair again"))
    insecure.isInsecure = true
    insecure.notes = ["the token may be deleted"]
    var view = sampleView(backends: [sampleBackend("reach", .online, forSeconds: 4_000), insecure])
    view.reloadProblem = "c.yaml:3: no"
    view.widenings = [
      WideningNotice(
        number: 7, at: WallTime(millisecondsSinceEpoch: 0), text: "cloud: permissions was a, is b")
    ]
    view.commands = CommandsView(
      bed: .init(isClear: false, by: "the end of x.gcode"),
      readOnly: .init(isOn: true, by: "the command line"),
      busy: .init(backend: "reach", action: "home"), journalProblem: "no room",
      owed: ["cloud": .init(count: 3, dropped: 1, problem: "kept in memory")])
    return view
  }

  @Test("Printer, bed and backends stand in one table, with what is wrong and what to do")
  func table() async throws {
    let server = try daemon(Self.troubled())
    let result = await command("status", "-c", path)
    server.stop()
    #expect(result.status == 0 && result.errors.isEmpty)
    #expect(
      result.output == """
        Voron 2.4  printing, benchy.gcode, 42 %, layer 12 of 240, 20 min printed
        Moonraker  connected to ws://127.0.0.1:7125, heard just now
        Klipper    ready
        Heat       Extruder 215.0 °C of 215.0, Extruder 1 24.1 °C, Bed 60.0 °C of 60.0, raspberry 51.3 °C
        Bed        counts as occupied (the end of x.gcode)
        Read-only  on (the command line)
        Busy       reach holds it: home
        Problem    no room

        BACKEND  TYPE   STATE   FOR        PERMISSIONS  OWED
        reach    reach  online  1 h 6 min  print        –
        cloud    reach  parked  30 s       print        3, 1 gone  revoked; pair again; no TLS; kept in memory

        cloud: the token may be deleted

        The configuration allows more than before (until the page is told that it was seen):
          1970-01-01T00:00:00Z  cloud: permissions was a, is b

        The configuration file was not taken over: c.yaml:3: no
        printer-uplink \(Product.version), up 1 h 40 min, \(path)

        """)
  }

  @Test("As JSON it is what the daemon has, on one line")
  func json() async throws {
    var view = Self.troubled()
    view.configurationPath = path
    let server = try daemon(view)
    let result = await command("status", "--json", "-c", path)
    server.stop()
    #expect(result.status == 0)
    #expect(result.output.filter { $0 == "\n" }.count == 1)
    #expect(try JSONValue(parsing: Array(result.output.utf8)) == StatusDocument.make(view))
  }

  @Test("What comes from outside cannot leave its line")
  func hostile() async throws {
    var view = sampleView(backends: [
      sampleBackend(hostileText, .degraded(problem: hostileText, remedy: hostileText))
    ]) { status in
      status.klippy = .error
      status.klippyMessage = hostileText
      status.objects["print_stats"] = [
        "state": .string(hostileText), "filename": .string(hostileText), "print_duration": 1e300,
      ]
      status.objects["extruder"] = ["temperature": 1e300, "target": -1e300]
      status.objects["virtual_sdcard"] = ["progress": 1e300]
    }
    view.printerName = hostileText
    let text = StatusTable(StatusDocument.make(view)).text
    let allowed = text.unicodeScalars.filter {
      $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x7F)
    }
    #expect(allowed.count == text.unicodeScalars.count)
    #expect(!text.contains("\u{202E}") && !text.contains("\u{2028}"))
  }

  @Test("An answer that lacks everything is a short table, not a fault", arguments: ["{}", "[]"])
  func empty(text: String) throws {
    let table = StatusTable(try JSONValue(parsing: Array(text.utf8))).text
    #expect(table.contains("names no clouds"))
  }

  @Test("Without a daemon it says so and ends with 1")
  func noDaemon() async {
    let result = await command("status", "-c", path)
    #expect(result.status == 1 && result.output.isEmpty)
    #expect(result.errors.contains("no daemon runs with this configuration"))
  }

  @Test("Who watches sees it again, and what is missing meanwhile, until it is ended")
  func watching() async throws {
    let time = ManualTime()
    let written = Guarded((output: [String](), errors: [String]()))
    let command = StatusCommand(
      terminal: Terminal(
        output: { text in written.withLock { $0.output.append(text) } },
        errors: { text in written.withLock { $0.errors.append(text) } }, isTerminal: true),
      options: .init(watches: true), time: time)
    let server = try daemon(sampleView())
    let place = StatePlace(
      folder: folder.path + "/s", file: path, identity: path,
      loader: ConfigurationLoader(registry: [], environment: [:]))
    let task = Task { await command.run(place) }
    await time.sleepers(atLeast: 1)
    #expect(written.withLock { $0.output.count } == 2)
    server.stop()
    time.advance(by: StatusCommand.period)
    await time.sleepers(atLeast: 1)
    written.withLock {
      #expect($0.output.count == 3 && $0.output.allSatisfy { !$0.isEmpty })
      #expect($0.errors.count == 1)
    }
    task.cancel()
    #expect(await task.value == 0)
  }

  @Test("The token of the file is shown, and nothing else with it")
  func token() async throws {
    let missing = await command("status", "--token", "-c", path)
    #expect(missing.status == 1 && missing.output.isEmpty)
    #expect(missing.errors.contains("the daemon makes the file at its start"))
    _ = try ControlToken(file: folder.path + "/token")
    let shown = await command("status", "--token", "-c", path)
    let text = try String(contentsOfFile: folder.path + "/token", encoding: .utf8)
    #expect(shown == CommandResult(status: 0, output: text, errors: ""))
    let other = try folder.write("d.yaml", "version: 1\nbackends: []\n")
    #expect(await command("status", "--token", "-c", other).errors.contains("is not set"))
    #expect(await command("status", "--token", "--json", "-c", path).status == 2)
  }
}
