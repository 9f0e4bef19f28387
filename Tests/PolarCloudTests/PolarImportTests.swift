import ConnectorKit
import JSON
import Testing

@testable import PolarCloud

@Suite("Polar: import of the original's files") struct PolarImportTests {
  private static let conf = """
    # Polar Cloud
    [polar_cloud]
    server_url = https://printer4.polar3d.com
    username: maker@example.test
    pin = 0123
    serial_number = KL000001
    machine_type = Delta
    printer_type = Ender 3
    manufacturer = creality
    webcam_enabled = True
    max_image_size = 5000
    rotation = 90
    verbose = yes
    ; the end
    """

  @Test("Serial number and key go over, so that nobody registers again; the PIN does not")
  func whole() throws {
    let entry = try #require(
      try PolarCloudBackend.importing(
        Array(Self.conf.utf8), with: Array(PolarBench.key.utf8)))
    #expect(entry.identity["serial_number"] == "KL000001")
    #expect(entry.identity["private_key"]?.string == PolarBench.key)
    #expect(entry.secrets.isEmpty)
    let settings = Dictionary(
      entry.settings.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    #expect(
      settings == [
        "username": "maker@example.test", "machine_type": "Delta", "printer_type": "Ender 3",
        "manufacturer": "CR", "webcam_enabled": false, "max_image_size": 10_000, "rotation": "90",
        "verbose": true,
      ])
    #expect(entry.notes.contains { $0.contains("max_image_size was 5000") })
    #expect(!"\(entry)".contains("0123"))
  }

  @Test("Registered without its key, it is refused with what to do")
  func noKey() {
    let failure = #expect(throws: ImportFailure.self) {
      try PolarCloudBackend.importing(Array(Self.conf.utf8), with: nil)
    }
    #expect(failure?.problem.contains("polar_cloud_key.pem") == true)
    #expect(throws: ImportFailure.self) {
      try PolarCloudBackend.importing(Array(Self.conf.utf8), with: Array("no key".utf8))
    }
  }

  @Test("Not registered yet, e-mail and PIN go over")
  func unregistered() throws {
    let text = "[polar_cloud]\nusername=maker@example.test\npin=0123\n"
    let entry = try #require(try PolarCloudBackend.importing(Array(text.utf8), with: nil))
    #expect(entry.secrets.map(\.key) == ["pin"] && entry.secrets[0].secret.revealed == "0123")
    #expect(entry.identity["serial_number"] == nil)
  }

  @Test(
    "Other files are not ours",
    arguments: ["", "{}", "[server]\nhost: x\n", "username=maker@example.test\n"])
  func foreign(text: String) throws {
    #expect(try PolarCloudBackend.importing(Array(text.utf8), with: nil).map { _ in true } == nil)
    #expect(PolarCloudBackend.companion(of: Array(text.utf8)) == nil)
  }
}
