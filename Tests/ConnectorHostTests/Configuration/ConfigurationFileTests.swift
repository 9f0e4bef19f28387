import ConnectorHost
import ConnectorKit
import Foundation
import HTTPServer
import Moonraker
import Networking
import Testing

@Suite("Configuration: the file itself") struct ConfigurationFileTests {
  private let loader = ConfigurationLoader(registry: [SampleConnector.self], environment: [:])

  private func problem(_ path: String) -> [String] {
    let loaded = loader.load(path)
    #expect(loaded.configuration == nil)
    return loaded.findings.map { $0.description.replacing(path, with: "FILE") }
  }

  @Test("A file that cannot be read says so")
  func unreadable() throws {
    let folder = try TemporaryFolder()
    #expect(
      problem(folder.path + "/none.yaml") == [
        "FILE:1:1: the configuration does not exist; make it, or correct the path"
      ])
    #expect(
      problem(folder.path) == ["FILE:1:1: the configuration is a folder; name a file in it"])
    #expect(
      problem("/dev/null") == [
        "FILE:1:1: the configuration is no regular file; name a regular file"
      ])
  }

  @Test("A huge file is refused by its size, before it is read")
  func huge() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("huge.yaml", "")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: 100 << 20)
    try handle.close()
    let started = ContinuousClock.now
    #expect(
      problem(path) == [
        "FILE:1:1: the configuration is larger than 1 MB; check that this is the right file"
      ])
    #expect(ContinuousClock.now - started < .seconds(1))
  }

  @Test("A whole file becomes a whole configuration")
  func whole() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
    _ = try folder.write("key", "abc\n")
    let path = try folder.write(
      "c.yaml",
      """
      version: 1
      printer:
        name: Voron 2.4
        moonraker: http://Printer.lan/one/
        api_key_file: key
        require_clear_bed: true
      state_directory: state
      control:
        listen: "[::1]:7180"
        health_listen: 0.0.0.0:8080
        token_file: ~/token
        pin_permissions: true
      network: { ca_file: ca.pem, proxy: "http://p:3128" }
      log: { level: debug, file: x.log, max_size_mb: 1, backups: 0 }
      backends:
        - type: sample
          name: a.b-c_1
          enabled: false
          permissions: [status, pause]
          allowed_macros: [M]
          max_command_age: 30
          insecure: true
          log_level: trace
        - type: sample
      """)
    let loaded = ConfigurationLoader(
      registry: [SampleConnector.self], environment: ["HOME": "/home/pi"]
    ).load(path)
    let configuration = try #require(loaded.configuration)
    #expect(configuration.path == path)
    #expect(configuration.printer.name == "Voron 2.4")
    #expect(configuration.printer.moonraker == "http://Printer.lan/one/")
    #expect(configuration.printer.address == .http("http://printer.lan/one"))
    #expect(configuration.printer.apiKey == Secret("abc"))
    #expect(configuration.printer.requireClearBed)
    #expect(configuration.stateDirectory == folder.path + "/state")
    #expect(configuration.control.listen == HTTPServer.Address(host: "::1", port: 7180))
    #expect(configuration.control.healthListen == HTTPServer.Address(host: "0.0.0.0", port: 8080))
    #expect(configuration.control.tokenFile == "/home/pi/token")
    #expect(configuration.control.pinPermissions)
    #expect(configuration.network.caFile == folder.path + "/ca.pem")
    #expect(configuration.network.proxy == "http://p:3128")
    #expect(configuration.log.level == .debug)
    #expect(configuration.log.file == folder.path + "/x.log")
    #expect(configuration.log.maximumSizeMB == 1)
    #expect(configuration.log.backups == 0)
    #expect(configuration.backends.map(\.name) == ["a.b-c_1", "sample"])
    #expect(configuration.backends.map(\.isEnabled) == [false, true])
    #expect(configuration.backends.map(\.line) == [16, 24])
    let first = configuration.backends[0]
    #expect(first.permissions == [.status, .pause])
    #expect(first.permissionsText == "status, pause")
    #expect(first.allowedMacros == ["M"])
    #expect(first.maximumCommandAge == .seconds(30))
    #expect(first.isInsecure)
    #expect(first.logLevel == .trace)
    let second = configuration.backends[1]
    #expect(second.permissions == PermissionLevel.print.permissions)
    #expect(second.permissionsText == "print")
    #expect(second.logLevel == nil)
    #expect(second.maximumCommandAge == .seconds(120))
    #expect(second.settings.entries.isEmpty)
  }

  @Test("Defaults are the design's")
  func defaults() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "version: 1\nbackends: [{type: sample}]\n")
    let configuration = try #require(loader.load(path).configuration)
    #expect(configuration.printer.address == .http("http://127.0.0.1:7125"))
    #expect(configuration.control.listen == HTTPServer.Address(host: "127.0.0.1", port: 7180))
    #expect(configuration.control.healthListen == nil)
    #expect(configuration.stateDirectory == nil)
    #expect(configuration.network.proxy == nil)
    #expect(configuration.log.level == .info)
    #expect(configuration.log.maximumSizeMB == 10)
    #expect(configuration.log.backups == 5)
  }
}
