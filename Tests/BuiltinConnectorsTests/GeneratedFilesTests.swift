import BuiltinConnectors
import ConnectorHost
import ConnectorKit
import Foundation
import Testing

/// The files that are made from the declarations. `make generate` writes them anew; otherwise these tests fail when
/// one of them has drifted.
@Suite("GeneratedFiles", .serialized) struct GeneratedFilesTests {
  private static let reference = ConfigurationReference(registry: builtinConnectors)
  private static var isRegenerating: Bool {
    ProcessInfo.processInfo.environment["UPLINK_REGENERATE"] == "1"
  }
  static let types = builtinConnectors.map { $0.descriptor.type }

  @Test("The annotated configuration is up to date")
  func annotated() throws {
    try check("config/printer-uplink.yaml", Self.reference.annotatedFile)
  }

  @Test("The JSON schema is up to date")
  func schema() throws {
    try check("config/printer-uplink.schema.json", Self.reference.schema)
  }

  @Test("The smallest example of each connector is up to date", arguments: types)
  func example(type: String) throws {
    try check("config/examples/\(type).yaml", Self.reference.smallestFile(types: [type]))
  }

  @Test("The example with all connectors is up to date")
  func allExamples() throws {
    try check("config/examples/all.yaml", Self.reference.smallestFile(types: Self.types))
  }

  @Test("The settings table of each connector's page is up to date", arguments: types)
  func table(type: String) throws {
    let table = try #require(Self.reference.table(ofType: type))
    try check(table, between: "settings", in: "docs/connectors/\(type).md")
  }

  @Test(
    "The tables of the configuration's page are up to date",
    arguments: ["top", "printer", "control", "network", "log", "entry"])
  func hostTable(section: String) throws {
    let table = try #require(Self.reference.table(ofSection: section))
    try check(table, between: "settings:\(section)", in: "docs/configuration.md")
  }

  /// Checks the part of a page that stands between two marks.
  private func check(_ table: String, between mark: String, in path: String) throws {
    let (begin, end) = ("<!-- \(mark):begin -->\n", "<!-- \(mark):end -->")
    let page = try #require(Project.text(path), "\(path) is missing")
    let first = try #require(page.range(of: begin), "\(path) has no '\(begin)'")
    let last = try #require(page.range(of: end), "\(path) has no '\(end)'")
    try check(path, page[..<first.upperBound] + "\n" + table + "\n" + page[last.lowerBound...])
  }

  private func check(_ path: String, _ expected: String) throws {
    if Self.isRegenerating {
      let url = Project.root.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try expected.write(to: url, atomically: true, encoding: .utf8)
    }
    #expect(Project.text(path) == expected, "\(path) has drifted: run make generate")
  }
}
