import BuiltinConnectors
import ConnectorHost
import ConnectorKit
import Foundation
import Testing

@Suite("Registry: what every connector declares") struct RegistryTests {
  static let descriptors = builtinConnectors.map { $0.descriptor }

  @Test("Every folder of connectors is in the registry, each type once")
  func complete() throws {
    let folder = Project.root.appendingPathComponent("Plugins-Builtin")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0 != "BuiltinConnectors" && !$0.hasPrefix(".") }
    #expect(names.count == builtinConnectors.count)
    #expect(Set(Self.descriptors.map(\.type)).count == Self.descriptors.count)
    let conformance = Project.text("Tests/BuiltinConnectorsTests/RegistryTests.swift") ?? ""
    #expect(conformance.contains("builtinConnectors"))
  }

  @Test("A descriptor says what it is, in words", arguments: descriptors.map(\.type))
  func described(type: String) throws {
    let descriptor = try #require(Self.descriptors.first { $0.type == type })
    #expect(!descriptor.title.isEmpty)
    #expect(descriptor.summary.hasSuffix("."))
    #expect(!descriptor.reads.objects.isEmpty)
    #expect(type.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") })
  }

  @Test(
    "Settings are snake_case, unique, explained, and none is the host's",
    arguments: descriptors.map(\.type))
  func settings(type: String) throws {
    let descriptor = try #require(Self.descriptors.first { $0.type == type })
    var seen: Set<String> = [
      "type", "name", "enabled", "permissions", "allowed_macros", "allowed_gcode_patterns",
      "max_command_age", "insecure", "log_level",
    ]
    for setting in descriptor.settings {
      for spelling in [setting.key] + setting.aliases {
        #expect(seen.insert(spelling).inserted, "\(spelling) is taken")
        if setting.isSecret { #expect(seen.insert(spelling + "_file").inserted) }
        #expect(
          spelling.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
              || $0 == UInt8(ascii: ".")
          }, "\(spelling) is not snake_case")
      }
      #expect(setting.summary.hasSuffix("."), "\(setting.key)")
      #expect(
        setting.defaultText != nil || setting.example != nil || setting.isSecret,
        "\(setting.key) has neither default nor example")
      #expect(descriptor.refusedKeys[setting.key] == nil, "\(setting.key)")
    }
    for rule in descriptor.environment {
      #expect(descriptor.settings.contains { $0.key == rule.setting }, "\(rule.variable)")
    }
    for key in descriptor.trustedKeys {
      #expect(descriptor.settings.contains { $0.key == key }, "\(key)")
    }
  }

  @Test(
    "Defaults and examples are values that the declaration takes",
    arguments: descriptors.map(\.type))
  func values(type: String) throws {
    let descriptor = try #require(Self.descriptors.first { $0.type == type })
    for setting in descriptor.settings {
      for text in [setting.defaultText, setting.example].compactMap(\.self) {
        let lines = Self.nested(setting.key, text)
        let findings = try Self.load(
          "version: 1\nbackends:\n  - type: \(type)\n    enabled: false\n" + lines
        )
        .findings
        let errors = findings.filter { $0.finding.severity == .error }
        #expect(errors.map(\.description) == [], "\(setting.key): \(text)")
      }
    }
  }

  @Test(
    "The smallest entry is valid, and two of them live side by side",
    arguments: descriptors.map(\.type))
  func smallest(type: String) throws {
    let reference = ConfigurationReference(registry: builtinConnectors)
    let one = try Self.load(reference.smallestFile(types: [type]))
    #expect(one.findings.filter { $0.finding.severity != .note }.map(\.description) == [])
    let entry = try #require(one.configuration?.backends.first)
    #expect(entry.name == type && entry.isEnabled)
    let intention = entry.connector.descriptor.intention(entry.settings)
    #expect(!intention.isEmpty)

    let two = try Self.load(
      reference.smallestFile(types: [type, type]).replacing(
        "\n  - type: \(type)\n", with: "\n  - type: \(type)\n    name: other\n", maxReplacements: 1)
    )
    #expect(two.findings.filter { $0.finding.severity == .error }.map(\.description) == [])
    #expect(two.configuration?.backends.map(\.name) == ["other", type])
  }

  @Test("Secrets show in no finding, no intention and no dump", arguments: descriptors.map(\.type))
  func secrets(type: String) throws {
    let descriptor = try #require(Self.descriptors.first { $0.type == type })
    let secrets = descriptor.settings.filter(\.isSecret)
    let lines = secrets.map { Self.nested($0.key, "S3CR3T-\($0.key)") }.joined()
    let text = ConfigurationReference(registry: builtinConnectors).smallestFile(types: [type])
    let kept = text.split(separator: "\n").filter { line in
      !secrets.contains { line.trimmingCharacters(in: .whitespaces).hasPrefix($0.key + ":") }
    }
    let loaded = try Self.load(kept.joined(separator: "\n") + "\n" + lines, mode: 0o644)
    #expect(!loaded.findings.map(\.description).joined().contains("S3CR3T"))
    let backends = loaded.configuration?.backends ?? []
    for backend in backends {
      #expect(!descriptor.intention(backend.settings).contains("S3CR3T"))
    }
    var dumped = ""
    dump(loaded, to: &dumped)
    #expect(!dumped.contains("S3CR3T"))
  }

  @Test("The README's sample is valid")
  func readme() throws {
    let readme = try #require(Project.text("README.md"))
    let sample = try #require(
      readme.components(separatedBy: "```yaml\n").dropFirst().first?
        .components(separatedBy: "```").first)
    let errors = try Self.load(sample).findings.filter { $0.finding.severity == .error }
    // The one file that it names is the reader's.
    #expect(errors.allSatisfy { $0.finding.problem.contains("does not exist") })
  }

  @Test(
    "Whatever file a page names is there",
    arguments: ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md"])
  func paths(page: String) throws {
    let text = try #require(Project.text(page))
    let quoted = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    let roots = ["Sources/", "Plugins-Builtin/", "Tests/", "config/", "docs/", "scripts/"]
    let paths = quoted.filter { name in
      roots.contains { name.hasPrefix($0) } && !name.contains { "<*…\n ".contains($0) }
    }
    #expect(!paths.isEmpty || page == "README.md")
    for path in paths {
      let place = Project.root.appendingPathComponent(path).path
      #expect(FileManager.default.fileExists(atPath: place), "\(page) names \(path)")
    }
  }

  /// A key with its value, indented as in an entry.
  private static func nested(_ key: String, _ value: String) -> String {
    let names = key.split(separator: ".")
    return names.enumerated().map { depth, name in
      String(repeating: "  ", count: depth + 2) + name
        + (depth == names.count - 1 ? ": \(value)\n" : ":\n")
    }.joined()
  }

  private static func load(_ text: String, mode: Int = 0o600) throws -> LoadedConfiguration {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("uplink-registry-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("printer-uplink.yaml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    return ConfigurationLoader(registry: builtinConnectors, environment: [:]).load(file.path)
  }
}
