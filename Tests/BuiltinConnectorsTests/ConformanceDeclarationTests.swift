import BuiltinConnectors
import ConnectorHost
import ConnectorKit
import Testing

@Suite("Conformance: what connectors declare") struct ConformanceDeclarationTests {
  /// Keys that every entry knows: a connector must not take them.
  private static let common: Set<String> = [
    "type", "name", "enabled", "permissions", "allowed_macros", "allowed_gcode_patterns",
    "max_command_age", "insecure", "log_level",
  ]

  @Test("No two connectors share a type")
  func types() {
    let types = builtinConnectors.map { $0.descriptor.type }
    #expect(!types.isEmpty)
    #expect(Set(types).count == types.count)
  }

  @Test("Type, title and summary are there", arguments: Specimen.all)
  func words(specimen: Specimen) {
    let descriptor = specimen.descriptor
    #expect(
      descriptor.type.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") })
    #expect(!descriptor.type.isEmpty && !descriptor.title.isEmpty && !descriptor.summary.isEmpty)
  }

  @Test("Every setting has a key of its own, in snake case, and a summary", arguments: Specimen.all)
  func settings(specimen: Specimen) {
    let settings = specimen.descriptor.settings
    let keys = settings.flatMap { [$0.key] + $0.aliases }
    #expect(Set(keys).count == keys.count)
    #expect(Self.common.isDisjoint(with: keys))
    for setting in settings {
      #expect(!setting.summary.isEmpty, "\(setting.key)")
      #expect(
        setting.key.allSatisfy {
          $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_" || $0 == ".")
        }, "\(setting.key)")
      #expect(!setting.isSecret || setting.defaultText == nil, "\(setting.key)")
      #expect(
        !setting.isSecret || !keys.contains("\(setting.key)_file"), "the host adds the twin")
    }
    for rule in specimen.descriptor.environment {
      #expect(settings.contains { $0.key == rule.setting }, "\(rule.variable)")
    }
  }

  @Test("Fields that change all the time are not asked for", arguments: Specimen.all)
  func reads(specimen: Specimen) {
    let objects = specimen.descriptor.reads.objects
    #expect(!objects.isEmpty)
    switch objects["toolhead"] {
    case .all: Issue.record("toolhead is asked for as a whole")
    case .named(let fields): #expect(!fields.contains("estimated_print_time"))
    case nil: break
    }
  }

  @Test("The minimal example is valid, also twice under two names", arguments: Specimen.all)
  func minimalExample(specimen: Specimen) async throws {
    try await withFolder { folder in
      for names in [["a"], ["a", "b"]] {
        let loaded = try specimen.load(names: names, in: folder)
        let errors = loaded.findings.filter { $0.finding.severity == .error }
        #expect(errors.isEmpty, "\(errors)")
        let backends = try #require(loaded.configuration).backends
        #expect(backends.map(\.name) == names)
        #expect(backends.allSatisfy { $0.isEnabled })
      }
    }
  }

  @Test("What a backend would do is said without its secrets", arguments: Specimen.all)
  func intention(specimen: Specimen) async throws {
    try await withFolder { folder in
      let settings = try specimen.settings(origin: "https://cloud.test", in: folder)
      let intention = specimen.descriptor.intention(settings)
      #expect(!intention.isEmpty && !intention.contains("\n"))
      #expect(!intention.contains(Specimen.canary))
      let findings = "\(specimen.connector.validate(settings))"
      #expect(!findings.contains(Specimen.canary))
    }
  }
}
