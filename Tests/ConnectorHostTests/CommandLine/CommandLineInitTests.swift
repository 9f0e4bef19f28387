import ConnectorKit
import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("CommandLine: init and completions") struct CommandLineInitTests {
  private let registry: [any ConnectorBackend.Type] = [SampleConnector.self, StrictConnector.self]

  private func write(
    _ path: String, _ answers: [String: String], _ flags: Set<String> = ["yes"],
    typed: [String]? = nil, environment: [String: String] = [:], isNamed: Bool = true
  ) -> (status: Int32, errors: String) {
    let errors = Guarded("")
    var terminal = Terminal(
      output: { _ in }, errors: { text in errors.withLock { $0 += text + "\n" } }, isTerminal: false
    )
    if let typed {
      let rest = Guarded(typed)
      terminal.asksPerson = true
      terminal.input = { rest.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }
    let command = InitCommand(
      loader: ConfigurationLoader(registry: registry, environment: environment),
      terminal: terminal, options: .init(answers: answers, flags: flags))
    return (command.write(path, isNamed: isNamed), errors.withLock { $0 })
  }

  @Test("What is written is accepted as it stands, whatever the answers hold, and is 0600")
  func accepted() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/new.yaml"
    let name = "Vöron: \"2.4\" # {x}"
    #expect(
      write(
        path,
        [
          "name": name, "backends": "sample, strict", "permissions": "monitor",
          "strict-relay": "https://mine.example",
        ]
      ).status == 0)
    let loaded = ConfigurationLoader(registry: registry, environment: [:]).load(path)
    #expect(loaded.findings.filter { $0.finding.severity == .error } == [])
    #expect(loaded.configuration?.printer.name == name)
    #expect(loaded.configuration?.backends.map(\.permissionsText) == ["monitor", "monitor"])
    #expect(
      loaded.configuration?.backends.last?.settings[StrictConnector.relay] == "https://mine.example"
    )
    #expect(try Files.information(path)?.mode == 0o600)
  }

  @Test("It never overwrites, not even what is empty")
  func neverOverwrites() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "")
    let result = write(path, [:])
    #expect(result.status == 1)
    #expect(result.errors.contains("stays as it is"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
  }

  @Test("A person is asked for what the line does not say, and an empty answer is the usual one")
  func asked() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/new.yaml"
    let result = write(
      path, ["name": "Voron"], [], typed: ["", "", "strict", "full", "", "https://typed.example"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(!result.errors.contains("What do you call"))
    let loaded = ConfigurationLoader(registry: registry, environment: [:]).load(path).configuration
    #expect(loaded?.printer.moonraker == "http://127.0.0.1:7125")
    #expect(loaded?.backends.first?.settings[StrictConnector.relay] == "https://typed.example")
    #expect(loaded?.backends.first?.permissionsText == "full")
  }

  @Test("A wrong answer is refused before anything is written")
  func refused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/new.yaml"
    #expect(write(path, ["backends": "sampel"]).errors.contains("did you mean 'sample'?"))
    #expect(write(path, ["backends": "sample", "permissions": "all"]).status == 2)
    #expect(write(path, ["backends": "sample,sample"]).errors.contains("named twice"))
    #expect(write(path, ["moonraker": "foo bar"]).errors.contains("--moonraker: "))
    #expect(write(path, ["name": "a\u{1B}[2J"]).status == 2)
    #expect(write(path, ["api-key-file": folder.path + "/none"]).errors.contains("does not exist"))
    #expect(write(path, ["strict-relay": "https://a.example"]).errors.contains("--backends"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("An example is nobody's answer: without one of his own nothing is written")
  func noMadeUpAccounts() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/new.yaml"
    let result = write(path, ["backends": "strict"])
    #expect(result.status == 2)
    #expect(result.errors.contains("no usual answer for --strict-relay"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("Where nobody can be asked, all that is missing is named at once")
  func nobodyToAsk() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/new.yaml"
    let result = write(path, ["name": "Voron", "backends": "strict"], [])
    #expect(result.status == 2)
    #expect(
      result.errors.contains(
        "give --moonraker ADDRESS, --permissions PERMISSIONS, --strict-relay VALUE, or --yes"))
    #expect(!FileManager.default.fileExists(atPath: path))
    let full = [
      "name": "V", "moonraker": "http://127.0.0.1:7125", "backends": "", "log-file": "/tmp/x.log",
    ]
    #expect(write(path, full, []).status == 0)
  }

  @Test("A person is asked again until the answer is one; the end of the input writes nothing")
  func askedAgain() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/new.yaml"
    let wrong = ["V", "foo bar", "http://127.0.0.1:1", folder.path + "/none", "", "strikt"]
    let ended = write(path, [:], [], typed: wrong)
    #expect(ended.status == 1)
    #expect(ended.errors.contains("the input has ended"))
    #expect(!FileManager.default.fileExists(atPath: path))
    let typed =
      wrong + ["strict", "all", "full", "", "", "http://plain.example", "https://a.example"]
    let result = write(path, [:], [], typed: typed)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("This has no usual answer."))
    #expect(result.errors.contains("none of monitor"))
    let loaded = ConfigurationLoader(registry: registry, environment: [:]).load(path).configuration
    #expect(loaded?.backends.first?.settings[StrictConnector.relay] == "https://a.example")
    #expect(loaded?.backends.first?.permissionsText == "full")
  }

  @Test("Without a file being named, none is written beside or before another")
  func noRival() throws {
    let folder = try TemporaryFolder()
    let config = folder.path + "/printer_data/config"
    try FileManager.default.createDirectory(atPath: config, withIntermediateDirectories: true)
    let rival = config + "/printer-uplink.conf"
    try "version: 1\n".write(toFile: rival, atomically: true, encoding: .utf8)
    let path = config + "/printer-uplink.yaml"
    for isNamed in [false, true] {
      let result = write(path, [:], environment: ["HOME": folder.path], isNamed: isNamed)
      #expect(result.status == 1)
      #expect(result.errors.contains(rival))
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    let other = config + "/other.yaml"
    #expect(write(other, [:], environment: ["HOME": folder.path]).status == 0)
  }

  @Test("A folder that is not there is said before anything is asked")
  func noFolder() throws {
    let folder = try TemporaryFolder()
    let result = write(folder.path + "/none/new.yaml", [:], [], typed: ["V"])
    #expect(result.status == 1)
    #expect(result.errors.contains("\(folder.path)/none is not there"))
    #expect(!result.errors.contains("What do you call"))
  }

  @Test("Every command and option is in the completions of every shell and in the manual page")
  func completions() {
    let commands = CommandSpecification.all + [InitCommand.specification(registry)]
    let script = CompletionScript(commands: commands, types: ["sample"])
    for shell in CompletionScript.Shell.allCases {
      let text = script.text(for: shell).replacingOccurrences(of: "\\-", with: "-")
      for command in commands {
        #expect(text.contains(command.name), "\(shell) lacks \(command.name)")
        for option in command.options {
          #expect(text.contains(option.name), "\(shell) lacks --\(option.name)")
        }
      }
    }
  }
}
