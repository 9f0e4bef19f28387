import ConnectorKit
import Foundation
import Testing

@testable import PHPHub

@Suite("PHP hub: pages") struct PHPHubPagesTests {
  private static func page(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: root.appendingPathComponent("docs/connectors/\(name)"), encoding: .utf8)
  }

  @Test("The Spanish page names every key")
  func keys() throws {
    let page = try Self.page("php-hub.es.md")
    for setting in PHPHubBackend.descriptor.settings {
      #expect(page.contains("`\(setting.key)`"), "\(setting.key)")
    }
  }

  @Test("Both pages tell the same troubles, message by message")
  func troubles() throws {
    func messages(_ name: String, _ heading: String) throws -> [String] {
      let page = try Self.page(name)
      let section = try #require(page.components(separatedBy: "## \(heading)").last)
      return section.components(separatedBy: "\n").filter { $0.hasPrefix("| `") }
        .compactMap { $0.components(separatedBy: "`").dropFirst().first }
    }
    let english = try messages("php-hub.md", "Troubleshooting")
    let spanish = try messages("php-hub.es.md", "Solución de problemas")
    #expect(english.count > 30 && english == spanish)
  }
}
