import ConnectorKit
import JSON
import Testing

@testable import PrintDock

@Suite("PrintDock: importing the original's file") struct ImportTests {
  private func importing(_ text: String) throws -> ImportedEntry? {
    try PrintDockBackend.importing(Array(text.utf8))
  }

  @Test("Defaults are left out, and the identity is the one that the backend reads")
  func defaults() throws {
    let entry = try #require(
      try importing(
        """
        {"cloud_url":"https://www.spoolr.io","connector_id":"46","connector_secret":"c_secret",
         "poll_commands_seconds":3,"push_snapshots_seconds":30,"heartbeat_seconds":10,"site_name":"",
         "moonraker":[{"printer_id":262,"name":"Voron","base_url":"http://127.0.0.1:7125","ui_port":80}]}
        """))
    #expect(entry.settings.isEmpty)
    #expect(entry.notes.isEmpty)
    #expect(entry.moonraker == "http://127.0.0.1:7125")
    #expect(entry.program == "printer-connector")
    let identity = try #require(Identity(stored: entry.identity))
    #expect(identity.connectorID == "46")
    #expect(identity.secret == Secret("c_secret"))
    #expect(identity.printerID == 262)
    #expect(!"\(entry.settings) \(entry.notes)".contains("c_secret"))
  }

  @Test("What differs is taken over; keys match in any case; 0 and less mean the default")
  func values() throws {
    let entry = try #require(
      try importing(
        """
        {"Cloud_URL":"https://c.example","CONNECTOR_ID":"4","connector_secret":"s","site_name":"Lab",
         "push_snapshots_seconds":60,"heartbeat_seconds":-5,
         "Moonraker":[{"printer_id":1,"ui_port":4408}]}
        """))
    #expect(
      entry.settings.map(\.key) == ["cloud_url", "site_name", "ui_port", "push_snapshots_seconds"])
    #expect(entry.settings.map(\.value) == ["https://c.example", "Lab", 4408, 60])
  }

  @Test("A value out of range is brought into it, and said")
  func range() throws {
    let entry = try #require(
      try importing(
        #"{"connector_id":"4","connector_secret":"s","heartbeat_seconds":600,"moonraker":[{"printer_id":1,"ui_port":99999}]}"#
      ))
    #expect(entry.settings.map(\.key) == ["ui_port", "heartbeat_seconds"])
    #expect(entry.settings.map(\.value) == [65_535, 50])
    #expect(entry.notes.count == 2)
  }

  @Test(
    "A file that cannot be used says why, without its secret",
    arguments: [
      (#"{"pairing_token":"canary","moonraker":[{"printer_id":0}]}"#, "has not paired yet"),
      (#"{"connector_id":"4","moonraker":[{"printer_id":1}]}"#, "has not paired yet"),
      (#"{"connector_id":4,"connector_secret":"canary","moonraker":[{}]}"#, "has not paired yet"),
      (#"{"connector_id":"4","connector_secret":"canary","moonraker":[]}"#, "serves 0 printers"),
      (
        #"{"connector_id":"4","connector_secret":"canary","moonraker":[{"printer_id":1},{"printer_id":2}]}"#,
        "serves 2 printers"
      ),
      (
        #"{"connector_id":"4","connector_secret":"canary","moonraker":[{"printer_id":0}]}"#,
        "no printer_id"
      ),
      (
        #"{"connector_id":"4","connector_secret":"canary\r\nX-A: b","moonraker":[{"printer_id":1}]}"#,
        "a line break"
      ),
      (
        #"{"connector_id":"4 6","connector_secret":"canary","moonraker":[{"printer_id":1}]}"#,
        "a blank"
      ),
    ])
  func unusable(_ text: String, _ problem: String) throws {
    let failure = try #require(throws: ImportFailure.self) { try importing(text) }
    #expect(failure.problem.contains(problem))
    #expect(!"\(failure)".contains("canary"))
    #expect(!failure.remedy.isEmpty)
  }

  @Test("What is no such file is nobody's", arguments: ["", "[]", "{}", "7", #"{"moonraker":{}}"#])
  func foreign(_ text: String) throws { #expect(try importing(text) == nil) }
}
