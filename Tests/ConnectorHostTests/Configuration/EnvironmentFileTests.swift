import ConnectorKit
import Foundation
import Platform
import Testing

@testable import ConnectorHost

@Suite("Configuration: environment files") struct EnvironmentFileTests {
  @Test(
    "A file is read by systemd's rules",
    arguments: [
      ("A=1\nB=two words  \n", ["A": "1", "B": "two words"]),
      ("# A=1\n ; B=2\n\n  C = 3\n", ["C": "3"]),
      ("# goes on \\\nA=1\nB=2", ["B": "2"]),
      (
        "A='it''s $HOME \\n'\nB=\"a \\\"b\\\" \\$c \\x \"\n",
        ["A": "its $HOME \\n", "B": "a \"b\" $c \\x "]
      ),
      ("A=$HOME/${B}`c`", ["A": "$HOME/${B}`c`"]),
      ("A=a\"b\" 'c'", ["A": "a\"b\" 'c'"]),
      ("A=\"one\"  'two' three ", ["A": "onetwothree"]),
      ("A=one\\\ntwo\\ \nB=\"x\\\ny\"", ["A": "onetwo ", "B": "xy"]),
      ("A='one\ntwo'", ["A": "one\ntwo"]),
      ("export A=1\n1A=2\nA-B=3\nnonsense\n=4\nC=", ["C": ""]),
      ("A=1\r\nA=2\r\n", ["A": "2"]),
      ("A=a#b ;c", ["A": "a#b ;c"]),
      ("A=\u{7}x\nB=ü", ["B": "ü"]),
      ("A='never closed\nB=1", ["A": "never closed\nB=1"]),
    ])
  func rules(_ text: String, _ expected: [String: String]) {
    #expect(EnvironmentFileText(text).variables == expected)
  }

  @Test("Of several files the last counts; what may not be read is remembered")
  func order() throws {
    let folder = try TemporaryFolder()
    let all = try folder.write("env", "A=1\nB=1\n")
    let one = try folder.write("voron.env", "B=2\n")
    let files = EnvironmentFiles(paths: [all, folder.path + "/none", one], owner: nil)
    #expect(files.variables == ["A": "1", "B": "2"])
    #expect(files.unreadable == [])
    let strangers = EnvironmentFiles(paths: [all], owner: 4_000_000)
    #expect(strangers.variables == [:])
    #expect(strangers.unreadable == [all])
    #expect(strangers.missing("A").problem.contains("\(all), where the daemon has its variables"))
  }

  @Test("Where a configuration lies says which files its service reads")
  func places() throws {
    func paths(_ path: String, _ environment: [String: String] = ["HOME": "/nonexistent/pi"])
      -> [String]
    {
      EnvironmentFiles(of: path, environment).paths
    }
    #expect(paths("/etc/printer-uplink/printer-uplink.yaml") == ["/etc/printer-uplink/env"])
    #expect(
      paths("/etc/printer-uplink/voron.yaml") == [
        "/etc/printer-uplink/env", "/etc/printer-uplink/voron.env",
      ])
    let own = "/nonexistent/pi/printer_2_data/config/printer-uplink.yaml"
    #expect(paths(own) == ["/nonexistent/pi/.config/printer-uplink/env"])
    #expect(
      paths(own, ["HOME": "/nonexistent/pi", "XDG_CONFIG_HOME": "/x"]) == ["/x/printer-uplink/env"])
    #expect(paths("/nonexistent/pi/c.yaml") == [])
    // Root looks at another one's: his variables count, not root's.
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/.config", withIntermediateDirectories: true)
    #expect(
      paths(
        folder.path + "/printer_data/config/c.yaml", ["HOME": "/root", "XDG_CONFIG_HOME": "/x"])
        == [folder.path + "/.config/printer-uplink/env"])
  }

  @Test("Commands take the service's variables, the shell's first; the daemon takes its own only")
  func loaded() throws {
    let folder = try TemporaryFolder()
    let config = folder.path + "/printer_data/config"
    let settings = folder.path + "/.config/printer-uplink"
    for path in [config, settings] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    try "PRINTER='From the file'\n".write(
      toFile: settings + "/env", atomically: true, encoding: .utf8)
    let path = config + "/printer-uplink.yaml"
    try "version: 1\nprinter:\n  name: ${env:PRINTER}\nbackends: []\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    var loader = ConfigurationLoader(
      registry: [SampleConnector.self], environment: ["HOME": folder.path])
    #expect(loader.load(path).configuration == nil)
    loader.readsEnvironmentFiles = true
    #expect(loader.load(path).configuration?.printer.name == "From the file")
    loader.environment["PRINTER"] = "From the shell"
    #expect(loader.load(path).configuration?.printer.name == "From the shell")
    loader.environment["PRINTER"] = nil
    try "".write(toFile: settings + "/env", atomically: true, encoding: .utf8)
    #expect(
      loader.load(path).findings.first { $0.finding.severity == .error }?.finding.remedy
        == "set it for the daemon in \(settings)/env, or write the value here")
  }
}
