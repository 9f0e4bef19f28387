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
    typed: [String]? = nil
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
      loader: ConfigurationLoader(registry: registry, environment: [:]), terminal: terminal,
      options: .init(answers: answers, flags: flags))
    return (command.write(path), errors.withLock { $0 })
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
    #expect(write(path, ["permissions": "all"]).status == 2)
    #expect(!FileManager.default.fileExists(atPath: path))
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
