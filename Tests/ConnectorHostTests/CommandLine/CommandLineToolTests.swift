import ConnectorKit
import Foundation
import Platform
import Testing

@testable import ConnectorHost

/// A connector that brings along a command.
private struct ToolConnector: ConnectorBackend {
  static let site = Setting.string("site", default: "here", maximumLength: 20, "The site's name.")
  static let descriptor = ConnectorDescriptor(
    type: "tooled", title: "Tooled", summary: "Has a command.", settings: [site.declaration],
    reads: StatusInterest(), minimalExample: "type: tooled",
    tools: [
      ToolDeclaration(
        name: "tooled-files", summary: "makes files", details: "Two of them.",
        options: [.init("size", value: "N", "how large"), .init("loud", "loudly")],
        reads: StatusInterest(["toolhead": .all]), installPlaces: ["~/.sample/*", "~/.other"])
    ],
    intention: { _ in "reports" })

  static func use(_ tool: String, _ call: ToolCall) throws(ToolFailure) -> ToolResult {
    guard call.values["size"] != "0" else { throw ToolFailure("0 is no size", remedy: "take 1") }
    let text =
      "\(call.printerName) \(call.settings[site]) \(call.values) \(call.flags) \(call.status != nil)\n"
    return ToolResult(
      files: [.init(path: "a/one.txt", text: text), .init(path: "two.txt", text: "2\n")],
      remarks: ["Remember this."])
  }
  init(settings: Settings, context: BackendContext) async throws {}
  func run() async throws {}
  func runOnce() async throws {}
}

@Suite("CommandLine: a connector's own commands") struct CommandLineToolTests {
  private let folder: TemporaryFolder
  private let file: String

  init() throws {
    folder = try TemporaryFolder()
    file = try folder.write(
      "one.yaml",
      """
      version: 1
      printer: {name: Voron, moonraker: "http://127.0.0.1:1"}
      backends:
        - {type: tooled, site: garage}

      """)
  }

  private func run(_ arguments: String...) async -> CommandResult {
    let written = Guarded((output: "", errors: ""))
    let terminal = Terminal(
      output: { text in written.withLock { $0.output += text + "\n" } },
      errors: { text in written.withLock { $0.errors += text + "\n" } }, isTerminal: false)
    let status = await CommandLineProgram(registry: [ToolConnector.self])
      .run(arguments, environment: ["HOME": folder.path], terminal: terminal)
    return written.withLock {
      CommandResult(status: status, output: $0.output, errors: $0.errors)
    }
  }

  /// As the command line does it, with a printer that answers.
  private func use(_ options: ToolCommand.Options, _ file: String?) async -> CommandResult {
    let written = Guarded((output: "", errors: ""))
    let terminal = Terminal(
      output: { text in written.withLock { $0.output += text + "\n" } },
      errors: { text in written.withLock { $0.errors += text + "\n" } }, isTerminal: false)
    let status = await ToolCommand(
      loader: ConfigurationLoader(
        registry: [ToolConnector.self], environment: ["HOME": folder.path]),
      terminal: terminal, options: options,
      ask: { _, interest in
        #expect(interest == StatusInterest(["toolhead": .all]))
        return PrinterStatus(
          startedAt: MonotonicInstant(sinceOrigin: .zero),
          wallTime: WallTime(millisecondsSinceEpoch: 0))
      }
    ).run(file)
    return written.withLock {
      CommandResult(status: status, output: $0.output, errors: $0.errors)
    }
  }

  @Test("The help names it, with its own options and the host's")
  func help() async {
    #expect(await run("--help").output.contains("  tooled-files"))
    let help = await run("tooled-files", "--help").output
    for part in [
      "Makes files.", "--size N", "--loud", "--entry NAME", "-o, --output FOLDER", "--install",
    ] {
      #expect(help.contains(part), "\(part)")
    }
    #expect(await run("tooled-file").errors.contains("did you mean 'tooled-files'?"))
  }

  @Test("It gets its entry's settings, the options and the printer, and its files are printed")
  func prints() async {
    let result = await use(
      .init(name: "tooled-files", values: ["size": "3", "entry": "tooled"], flags: ["loud"]), file)
    #expect(
      result
        == CommandResult(
          status: 0,
          output: """
            # a/one.txt
            Voron garage ["size": "3"] ["loud"] true
            # two.txt
            2

            """, errors: "Remember this.\n"))
  }

  @Test("Without a configuration its defaults count, and no printer is asked")
  func withoutFile() async {
    let result = await use(.init(name: "tooled-files"), nil)
    #expect(result.status == 0)
    #expect(result.output.contains(" here [:] [] false"))
  }

  @Test("Its files are written below the folder that is asked for")
  func writes() async throws {
    let target = folder.path + "/new/place/"
    let result = await use(.init(name: "tooled-files", values: ["output": target]), file)
    #expect(result.status == 0)
    #expect(
      result.output
        == "\(folder.path)/new/place/a/one.txt\n\(folder.path)/new/place/two.txt\n")
    #expect(try Files.read(target + "two.txt", limit: 10) == Array("2\n".utf8))
    #expect(try Files.information(target + "two.txt")?.mode == 0o644)
  }

  @Test("It goes to every place where the program reads it, and says so where there is none")
  func installs() async throws {
    let options = ToolCommand.Options(name: "tooled-files", flags: ["install"])
    let none = await use(options, file)
    #expect(none.status == 1)
    #expect(none.errors.contains("--output FOLDER"))
    for place in [".sample/4.13", ".sample/5.2", ".other"] {
      _ = try folder.write("\(place)/here", "")
    }
    _ = try folder.write(".sample/file", "")
    #expect(await use(options, file).status == 0)
    for place in [".sample/4.13", ".sample/5.2", ".other"] {
      #expect(try Files.information("\(folder.path)/\(place)/two.txt") != nil)
    }
  }

  @Test("What is wrong is said, and nothing is written")
  func refusals() async throws {
    #expect(await run("tooled-files", "--output", "x", "--install").status == 2)
    #expect(await run("tooled-files", "--nothing").status == 2)
    let size = await use(.init(name: "tooled-files", values: ["size": "0"]), file)
    #expect(
      size == CommandResult(status: 1, output: "", errors: "printer-uplink: 0 is no size; take 1\n")
    )
    let entry = await use(.init(name: "tooled-files", values: ["entry": "other"]), file)
    #expect(entry.status == 2)
    let two = try folder.write(
      "two.yaml",
      "version: 1\nprinter: {name: V, moonraker: \"http://127.0.0.1:1\"}\nbackends:\n  - {type: tooled}\n  - {type: tooled, name: b}\n"
    )
    let several = await use(.init(name: "tooled-files"), two)
    #expect(several.status == 2)
    #expect(several.errors.contains("--entry NAME (tooled, b)"))
    let bad = try folder.write("bad.yaml", "version: 2\n")
    #expect(await use(.init(name: "tooled-files"), bad).status == 78)
  }
}
