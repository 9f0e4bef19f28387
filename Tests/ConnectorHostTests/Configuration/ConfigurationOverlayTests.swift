import ConnectorKit
import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Configuration: what persons set beside the file") struct ConfigurationOverlayTests {
  private func load(_ entry: String, _ overlay: ConfigurationOverlay) -> LoadedConfiguration {
    let text = "version: 1\nbackends:\n  - type: sample\n    name: a\n\(entry)"
    return ConfigurationLoader(registry: [SampleConnector.self], environment: [:])
      .load(Array(text.utf8), from: "c.yaml", overlay: overlay)
  }

  @Test("A switch counts for as long as the file says what it said when it was thrown")
  func switches() {
    var overlay = ConfigurationOverlay()
    overlay.set("a", isEnabled: false, written: true)
    let off = load("", overlay).configuration?.backends.first
    #expect(off?.isEnabled == false)
    #expect(off?.isEnabledInFile == true)
    #expect(load("    enabled: false\n", overlay).configuration?.backends.first?.isEnabled == false)
    overlay.set("a", isEnabled: true, written: false)
    #expect(load("    enabled: false\n", overlay).configuration?.backends.first?.isEnabled == true)
    #expect(load("", overlay).configuration?.backends.first?.isEnabled == true)
    overlay.set("a", isEnabled: false, written: false)
    #expect(overlay == ConfigurationOverlay(), "a switch that says what the file says is none")
  }

  @Test("An entry that is switched on is checked like any that runs")
  func checked() {
    var overlay = ConfigurationOverlay()
    overlay.set("a", isEnabled: true, written: false)
    let entry = "    enabled: false\n    token_file: /nowhere/at/all\n"
    #expect(load(entry, ConfigurationOverlay()).configuration != nil)
    #expect(load(entry, overlay).configuration == nil)
  }

  @Test("An entered secret fills what the file leaves out, and never what it says")
  func secrets() {
    let overlay = ConfigurationOverlay(
      secrets: [
        "a": ["token": Secret("entered"), "site": Secret("x")], "b": ["token": Secret("y")],
      ])
    let filled = load("", overlay).configuration?.backends.first?.settings
    #expect(filled?[SampleConnector.token]?.revealed == "entered")
    #expect(filled?.origin(of: SampleConnector.token) == .entered)
    #expect(filled?[SampleConnector.site] == "", "only secrets are entered")
    let written = load("    token: written\n", overlay).configuration?.backends.first?.settings
    #expect(written?[SampleConnector.token]?.revealed == "written")
  }

  @Test("It is kept over a restart, for the daemon's user alone, and a spent secret is forgotten")
  func kept() throws {
    let folder = try TemporaryFolder()
    let directory = try StateDirectory(
      opening: folder.path + "/s", configurationPath: folder.path)
    struct Silence: LogSink {
      func accepts(_ level: LogLevel, label: String) -> Bool { false }
      func write(_ level: LogLevel, label: String, message: String) {}
    }
    let log = Log(label: "x", sink: Silence())
    var overlay = ConfigurationOverlay(secrets: ["a": ["token": Secret("t")]])
    overlay.set("b", isEnabled: false, written: true)
    try OverlayStore(directory: directory, log: log).keep(overlay)
    let again = OverlayStore(directory: directory, log: log)
    #expect(again.current == overlay)
    #expect(OverlayStore.peek(directory.path) == overlay)
    #expect(try Files.information(directory.path(of: "overlay.json"))?.mode == 0o600)
    again.forget("token", of: "a")
    #expect(OverlayStore(directory: directory, log: log).current.secrets.isEmpty)
    #expect(OverlayStore.peek(folder.path + "/nowhere") == ConfigurationOverlay())
  }
}
