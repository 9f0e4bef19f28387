import ConnectorKit
import Foundation
import JSON
import Platform
import Testing

@testable import ConnectorHost

/// What a command wrote.
struct CommandResult: Equatable {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs a command of the sample registry.
func command(
  _ arguments: String..., environment: [String: String] = [:], isTerminal: Bool = false
) async -> CommandResult {
  await command(arguments, environment: environment, isTerminal: isTerminal)
}

/// Runs a command of the sample registry.
func command(
  _ arguments: [String], environment: [String: String] = [:], isTerminal: Bool = false
) async -> CommandResult {
  let written = Guarded((output: "", errors: ""))
  let terminal = Terminal(
    output: { text in written.withLock { $0.output += text + "\n" } },
    errors: { text in written.withLock { $0.errors += text + "\n" } }, isTerminal: isTerminal)
  let status = await CommandLineProgram(registry: [SampleConnector.self, StrictConnector.self])
    .run(arguments, environment: environment, terminal: terminal)
  return written.withLock {
    CommandResult(status: status, output: $0.output, errors: $0.errors)
  }
}

@Suite("CommandLine: usage") struct CommandLineUsageTests {
  @Test("Help comes for the program and for each command, wherever it is asked for")
  func help() async {
    let program = """
      usage: printer-uplink COMMAND [options]

      Connects a Klipper printer to several clouds at once.

      commands:
        run                run the daemon
        validate [FILE]    check a configuration file: the dry run
        status             how the printer and the clouds stand
        doctor             find out what is wrong, and what to do about it
        backends [TYPE]    which connectors there are, and their settings
        explain TYPE|NAME  what leaves the house, and what a cloud may do
        audit              what the clouds wanted, and what came of it
        bed-cleared        say that the bed is empty
        read-only on|off   one switch for all clouds
        enable NAME        switch an entry on
        disable NAME       switch an entry off
        pair NAME [CODE]   pair an entry, or pair it again
        unpair NAME        forget an entry's pairing, and switch it off
        reload             read the configuration again
        import FILE        take over the pairing of a cloud's own agent
        completions SHELL  print completions for bash, zsh or fish, or the manual page
        schema             print a JSON schema of the file, for editors
        version            show the version
        init               write a first configuration

      options:
        -c, --config FILE  the configuration file (default: see printer-uplink --help)
        -h, --help         show this help
            --version      show the version

      'printer-uplink COMMAND --help' tells more about a command.

      Without --config the first of these files counts:
        ~/printer_data/config/printer-uplink.yaml
        ~/printer_data/config/printer-uplink.conf
        /etc/printer-uplink/printer-uplink.yaml
        /etc/printer-uplink/printer-uplink.conf

      exit status: 0 done, 1 failed, 2 wrong command line, 78 bad or missing configuration

      """
    let expected = CommandResult(status: 0, output: program, errors: "")
    #expect(await command("--help") == expected)
    #expect(await command("-h") == expected)
    #expect(await command("help") == expected)
    let run = """
      usage: printer-uplink run [options]

      Run the daemon.

      Runs until SIGTERM or Ctrl-C. SIGHUP reloads the file: only what changed restarts, and a file
      with an error changes nothing.

      options:
            --once             one full round of every enabled backend, then the end; 1 if one failed
            --log-level LEVEL  trace, debug, info, warning, error or critical; wins over the file
        -c, --config FILE      the configuration file (default: see printer-uplink --help)
        -h, --help             show this help
            --version          show the version

      """
    #expect(await command("run", "--help").output == run)
    #expect(await command("--help", "run").output == run)
    #expect(await command("help", "run").output == run)
    let validate = """
      usage: printer-uplink validate [options] [FILE]

      Check a configuration file: the dry run.

      Prints everything that is wrong, with its place and what to do, and what each backend would do.
      Touches no network and writes nothing.

      options:
            --json         print it as JSON
            --strict       a warning fails too
        -c, --config FILE  the configuration file (default: see printer-uplink --help)
        -h, --help         show this help
            --version      show the version

      """
    #expect(await command("validate", "x", "-h").output == validate)
    let version = """
      usage: printer-uplink version [options]

      Show the version.

      options:
        -c, --config FILE  the configuration file (default: see printer-uplink --help)
        -h, --help         show this help
            --version      show the version

      """
    #expect(await command("version", "--help").output == version)
  }

  @Test("The version is a command and an option")
  func version() async {
    let expected = CommandResult(status: 0, output: "printer-uplink 0.1.0\n", errors: "")
    #expect(await command("version") == expected)
    #expect(await command("--version") == expected)
    #expect(await command("run", "--version") == expected)
  }

  @Test(
    "A wrong command line ends with 2, says what is wrong and where help is",
    arguments: [
      ([], "a command is missing", ""),
      (["-c", "x"], "a command is missing", ""),
      (["valdiate"], "unknown command 'valdiate'; did you mean 'validate'?", ""),
      (["frobnicate"], "unknown command 'frobnicate'", ""),
      (["run", "--onec"], "unknown option '--onec'; did you mean '--once'?", " run"),
      (["run", "--json"], "unknown option '--json'", " run"),
      (["run", "-x"], "unknown option '-x'", " run"),
      (["run", "--log-level"], "'--log-level' needs a value: --log-level LEVEL", " run"),
      (["run", "--log-level="], "'--log-level' needs a value: --log-level LEVEL", " run"),
      (
        ["run", "--log-level", "debgu"], "unknown log level 'debgu'; did you mean 'debug'?", " run"
      ),
      (
        ["run", "--log-level", "x"],
        "unknown log level 'x'; write one of trace, debug, info, warning, error, critical", " run"
      ),
      (["run", "--once=yes"], "'--once' takes no value", " run"),
      (["run", "file.yaml"], "'file.yaml' is one argument too many", " run"),
      (["validate", "a", "b"], "'b' is one argument too many", " validate"),
      (
        ["validate", "a", "-c", "b"], "the file is named twice: 'a' and with --config", " validate"
      ),
      (["validate", "-c", "a", "--config=b"], "'--config' is given twice", " validate"),
      (["explain"], "'explain' needs TYPE|NAME", " explain"),
      (["import", "--write"], "'import' needs FILE", " import"),
      (["import", "a", "b"], "'b' is one argument too many", " import"),
      (["read-only"], "'read-only' needs on|off", " read-only"),
      (["read-only", "true"], "'true' is neither on nor off", " read-only"),
      (["bed-cleared", "now"], "'now' is one argument too many", " bed-cleared"),
      (["bed-clear"], "unknown command 'bed-clear'; did you mean 'bed-cleared'?", ""),
      (["audit", "--folow"], "unknown option '--folow'; did you mean '--follow'?", " audit"),
      (["validate", "-c"], "'-c' needs a value: -c FILE", " validate"),
    ] as [([String], String, String)])
  func usage(arguments: [String], problem: String, topic: String) {
    do {
      let line = try ParsedLine(arguments)
      Issue.record("understood as \(line)")
    } catch {
      #expect(error.problem == problem)
      #expect(error.hint == "Try 'printer-uplink\(topic) --help'.")
    }
  }

  @Test(
    "Options stand before or after the command, with their value beside or behind '='",
    arguments: [
      ["run", "-c", "a b", "--once", "--log-level", "debug"],
      ["run", "--config", "a b", "--log-level=debug", "--once"],
      ["-c", "a b", "run", "--once", "--log-level=debug"],
      ["--config=a b", "run", "--once", "--log-level=debug"],
      ["run", "-ca b", "--once", "--log-level=debug"],
    ])
  func forms(arguments: [String]) throws {
    let line = try ParsedLine(arguments)
    #expect(line.command == .run(once: true, logLevel: .debug))
    #expect(line.file == "a b")
  }

  @Test("After -- nothing is an option")
  func endOfOptions() throws {
    let line = try ParsedLine(["validate", "--strict", "--", "--json"])
    #expect(line.command == .validate(ValidateCommand.Options(isJSON: false, isStrict: true)))
    #expect(line.file == "--json")
  }

  @Test("A wrong command line writes to standard error only")
  func streams() async {
    let result = await command("nope")
    #expect(result.status == 2)
    #expect(result.output.isEmpty)
    #expect(
      result.errors == "printer-uplink: unknown command 'nope'\nTry 'printer-uplink --help'.\n")
  }

  @Test("Without a file anywhere the places are named, and init", arguments: ["run", "validate"])
  func noFile(name: String) async throws {
    let folder = try TemporaryFolder()
    let result = await command(name, environment: ["HOME": folder.path])
    // A machine that has a file in /etc cannot show this.
    guard !FileManager.default.fileExists(atPath: "/etc/printer-uplink") else { return }
    #expect(result.status == 78)
    #expect(result.output.isEmpty)
    #expect(
      result.errors == """
        printer-uplink: there is no configuration file. Looked for:
          \(folder.path)/printer_data/config/printer-uplink.yaml
          \(folder.path)/printer_data/config/printer-uplink.conf
          /etc/printer-uplink/printer-uplink.yaml
          /etc/printer-uplink/printer-uplink.conf
        Name one with -c FILE, or write one: 'printer-uplink init'.

        """)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("The usual places are tried in order")
  func places() throws {
    let folder = try TemporaryFolder()
    let places = ConfigurationPlaces(environment: ["HOME": folder.path])
    let conf = try folder.write("printer_data/config/printer-uplink.conf", "")
    #expect(places.first == conf)
    let yaml = try folder.write("printer_data/config/printer-uplink.yaml", "")
    #expect(places.first == yaml)
    #expect(ConfigurationPlaces(environment: [:]).paths.count == 2)
  }

  @Test("run reports a bad configuration with 78")
  func badConfiguration() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "version: 2\n")
    #expect(
      await command("run", "-c", path, environment: ["STATE_DIRECTORY": folder.path + "/s"]).status
        == 78)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/s"))
  }
}

@Suite("CommandLine: validate and backends") struct CommandLineValidateTests {
  private let good = """
    version: 1
    state_directory: state
    backends:
      - type: sample
        permissions: [status, pause]
      - type: sample
        name: two
        cloud_url: http://cloud.example
        insecure: true
        permissions: monitor
      - {type: strict, enabled: false}
    """

  @Test("A good file is told what it would do")
  func plan() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", good)
    let expected = """
      printer: Printer, http://127.0.0.1:7125
      status page: http://127.0.0.1:7180/
      sample: permissions status, pause; reports to https://cloud.example
      two (sample): permissions monitor, insecure; reports to http://cloud.example
      strict: disabled
      \(path): ok

      """
    for arguments in [["validate", path], ["validate", "-c", path], ["-c", path, "validate"]] {
      let terminal = Guarded("")
      let status = await CommandLineProgram(registry: [SampleConnector.self, StrictConnector.self])
        .run(
          arguments, environment: [:],
          terminal: Terminal(
            output: { text in terminal.withLock { $0 += text + "\n" } },
            errors: { text in terminal.withLock { $0 += "! " + text + "\n" } }, isTerminal: false))
      #expect(status == 0)
      #expect(terminal.withLock { $0 } == expected)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["c.yaml"])
  }

  @Test("A bad file is told all that is wrong, and ends with 78")
  func bad() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "c.yaml", "version: 1\nlog: {level: x}\nbackends:\n  - type: sample\n    fast: 1\n")
    let result = await command("validate", path)
    #expect(result.status == 78)
    #expect(
      result.output == """
        \(path):2:14: log.level: 'x' is not known; write one of trace, debug, info, warning, error, critical
        \(path):5:11: backends[0].fast: '1' is neither true nor false; write true or false, without quotes
        \(path): 2 errors

        """)
  }

  @Test("A warning fails only when strict")
  func strict() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "version: 1\nbackends: []\n")
    let lax = await command("validate", path)
    #expect(lax.status == 0)
    #expect(lax.output.hasSuffix("\(path): ok, 1 warning\n"))
    #expect(await command("validate", "--strict", path).status == 78)
  }

  @Test("Colours come to a terminal that wants them, and nowhere else")
  func colours() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "version: 2\n")
    let plain = await command("validate", path).output
    #expect(!plain.contains("\u{1B}"))
    let coloured = await command("validate", path, isTerminal: true).output
    #expect(coloured.hasPrefix("\u{1B}[1;31m\(path):1:10:\u{1B}[0m version: "))
    for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
      #expect(
        await command("validate", path, environment: environment, isTerminal: true).output == plain)
    }
  }

  @Test("The machine form holds the same")
  func json() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", good)
    let result = await command("validate", "--json", path)
    let value = try JSONValue(parsing: Array(result.output.utf8))
    #expect(value["ok"] == true)
    #expect(value["errors"] == 0)
    #expect(value["findings"] == [])
    let backends = try #require(value["backends"]?.array)
    #expect(backends.map { $0["name"] } == ["sample", "two", "strict"])
    #expect(backends.map { $0["enabled"] } == [true, true, false])
    #expect(backends.map { $0["insecure"] } == [false, true, false])
    #expect(backends.map { $0["line"] } == [4, 6, 11])
    #expect(backends[0]["permissions"] == ["status", "pause"])
    #expect(backends[0]["intention"] == "reports to https://cloud.example")
    #expect(backends[2]["intention"] == JSONValue.null)

    let bad = try folder.write("bad.yaml", "version: 1\nbackends: []\nx: 1\n")
    let refused = await command("validate", "--json", bad)
    #expect(refused.status == 78)
    let findings = try JSONValue(parsing: Array(refused.output.utf8))
    #expect(findings["ok"] == false)
    #expect(
      findings["findings"] == [
        [
          "severity": "warning", "line": 2, "column": 11, "key": "backends",
          "problem": "is empty: nothing would be connected",
          "remedy": "add an entry: '- type: sample'",
        ],
        [
          "severity": "error", "line": 3, "column": 1, "key": "x", "problem": "is an unknown key",
          "remedy":
            "remove it, or write one of version, printer, state_directory, control, network, log, backends",
        ],
      ])
  }

  @Test("A rename beside a stored pairing is warned of")
  func rename() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", good)
    let stored = #"{"backend": "old.name"}"#
    _ = try folder.write("state/identities/old%2Ename.json", stored)
    let result = await command("validate", path)
    #expect(
      result.output.hasPrefix(
        "\(path):3:1: backends: warning: no entry has the name 'old.name', which is paired;"))
    #expect(result.status == 0)
  }

  @Test("The registry is listed, and each setting of a type")
  func backends() async {
    #expect(
      await command("backends").output == """
        TYPE    CLOUD   WHAT IT DOES
        sample  Sample  Shows every kind.
        strict  Strict  Always TLS.

        """)
    let strict = await command("backends", "strict")
    #expect(strict.status == 0)
    #expect(
      strict.output.hasPrefix(
        """
        strict: Strict
        Always TLS.

        The smallest entry:

          - type: strict
            relay: https://relay.example

        Its own settings:

          relay
              The relay.
              [https or http URL; required; for example https://relay.example; a
              change restarts; since 0.1.0]
          code, or code_file
              The code.
              [secret; a change restarts; since 0.1.0]
          identifier
              The id.
              [text, up to 255 characters; a change restarts; since 0.1.0]

        What every entry knows:

        """))
    #expect(!strict.output.contains("insecure"))
    #expect(await command("backends", "sample").output.contains("  insecure\n"))
    let unknown = await command("backends", "smaple")
    #expect(
      unknown
        == CommandResult(
          status: 2, output: "",
          errors: "printer-uplink: unknown type 'smaple'; did you mean 'sample'?\n"))
  }
}
