import ConnectorHost
import ConnectorKit
import JSON
import Testing

@Suite("Configuration: what is written about the settings") struct ConfigurationReferenceTests {
  private let registry: [any ConnectorBackend.Type] = [SampleConnector.self, StrictConnector.self]
  private var reference: ConfigurationReference { ConfigurationReference(registry: registry) }

  @Test("The annotated file is valid, names every setting and changes none")
  func annotated() throws {
    let text = reference.annotatedFile
    let folder = try TemporaryFolder()
    let loaded = ConfigurationLoader(registry: registry, environment: [:])
      .load(try folder.write("c.yaml", text))
    #expect(loaded.findings.map(\.description) == [])
    let configuration = try #require(loaded.configuration)
    #expect(configuration.backends.map(\.isEnabled) == [false, false])
    for connector in registry {
      for setting in connector.descriptor.settings {
        let name = setting.key.split(separator: ".").last ?? ""
        #expect(text.contains("\(name):"), "\(setting.key)")
      }
    }
    for key in ["require_clear_bed", "health_listen", "ca_file", "max_size_mb", "log_level"] {
      #expect(text.contains("#\(key): "), "\(key)")
    }
  }

  @Test("With every '#' before a key removed, the annotated file still is what the loader wants")
  func uncommented() throws {
    let lines = reference.annotatedFile.split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.map { line -> String in
      guard let hash = line.firstIndex(of: "#"), line[..<hash].allSatisfy({ $0 == " " }),
        let next = line[line.index(after: hash)...].first,
        next.isLetter || line.hasSuffix("interval: 5")
      else { return String(line) }
      return String(line[..<hash]) + line[line.index(after: hash)...]
    }.joined(separator: "\n")
    let folder = try TemporaryFolder()
    let loaded = ConfigurationLoader(registry: registry, environment: [:])
      .load(try folder.write("c.yaml", text))
    let errors = loaded.findings.filter { $0.finding.severity == .error }
    // The example's files do not exist here.
    #expect(errors.map(\.finding.key) == ["network.ca_file"])
  }

  @Test("The smallest files are valid")
  func smallest() throws {
    let folder = try TemporaryFolder()
    for types in [["sample"], ["strict"], ["sample", "strict"]] {
      let path = try folder.write("c.yaml", reference.smallestFile(types: types))
      let loaded = ConfigurationLoader(registry: registry, environment: [:]).load(path)
      #expect(loaded.configuration?.backends.map(\.name) == types)
    }
  }

  @Test("The table shows key, values, default and effect")
  func table() {
    #expect(
      reference.table(ofType: "strict") == """
        | key | what it does | values | default | a change needs | since |
        | --- | --- | --- | --- | --- | --- |
        | `relay` | The relay. | https or http URL | required | restart | 0.1.0 |
        | `code`, or `code_file` | The code. | secret | – | restart | 0.1.0 |
        | `identifier` | The id. | text, up to 255 characters | – | restart | 0.1.0 |

        """)
    #expect(reference.table(ofType: "none") == nil)
  }

  @Test("The schema says types, ranges, nesting and what excludes what")
  func schema() throws {
    let schema = try JSONValue(parsing: Array(reference.schema.utf8))
    let entries = try #require(schema["properties"]?["backends"]?["items"]?["oneOf"]?.array)
    #expect(entries.map { $0["properties"]?["type"]?["const"] } == ["sample", "strict"])
    let sample = try #require(entries.first?["properties"])
    #expect(entries.first?["additionalProperties"] == false)
    #expect(sample["retries"]?["minimum"] == 0)
    #expect(sample["retries"]?["maximum"] == 10)
    #expect(sample["retries"]?["default"] == 3)
    #expect(sample["token"]?["writeOnly"] == true)
    #expect(sample["token_file"]?["type"] == ["string", "null"])
    #expect(sample["webcam"]?["properties"]?["interval"]?["default"] == 5)
    #expect(sample["zoom"]?["properties"]?["factor"]?["deprecated"] == true)
    #expect(sample["insecure"]?["default"] == false)
    #expect(entries[1]["properties"]?["insecure"] == nil)
    #expect(
      entries.first?["allOf"] == [
        ["not": ["type": "object", "required": ["token", "token_file"]]]
      ])
  }
}
