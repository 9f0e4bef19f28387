import ConnectorHost
import ConnectorKit
import Testing

/// What the loader says of a text, without the file's path.
func loaderFindings(
  _ text: String, environment: [String: String] = [:], knownIdentities: [String] = [],
  files: [(name: String, text: String, mode: Int)] = [], mode: Int = 0o600,
  name: String = "printer-uplink.yaml"
) throws -> [String] {
  let folder = try TemporaryFolder()
  for file in files { _ = try folder.write(file.name, file.text, mode: file.mode) }
  let path = try folder.write(name, text, mode: mode)
  let loaded = ConfigurationLoader(
    registry: [SampleConnector.self, StrictConnector.self], environment: environment
  ).load(path, knownIdentities: knownIdentities)
  #expect(
    (loaded.configuration == nil) == loaded.findings.contains { $0.finding.severity == .error })
  return loaded.findings.map {
    $0.description.replacing(path + ":", with: "").replacing(folder.path + "/", with: "./")
  }
}

/// A file whose one entry has these lines below its type.
func entryText(_ lines: String, type: String = "sample") -> String {
  "version: 1\nbackends:\n  - type: \(type)\n"
    + lines.split(separator: "\n").map { "    \($0)\n" }.joined()
}

@Suite("Configuration: findings") struct ConfigurationFindingTests {
  @Test("A smallest file has no finding")
  func smallest() throws {
    #expect(try loaderFindings("version: 1\nbackends:\n  - type: sample\n") == [])
  }

  @Test(
    "What stands at the top of the file is checked",
    arguments: [
      ("", ["1:1: the file is empty; write 'version: 1' and the sections printer and backends"]),
      (
        "- a\n",
        [
          "1:1: the file is not a mapping of keys; write 'version: 1' and the sections printer and backends"
        ]
      ),
      (
        "printer:\n  name: x\n",
        [
          "1:1: version: is missing; write 'version: 1' at the top",
          "1:1: backends: is missing: nothing would be connected; write 'backends:' and below it '- type: sample'",
        ]
      ),
      (
        "version: 2\nbackend: []\n",
        [
          "1:10: version: this file's format is 2, and this is printer-uplink 0.1.0, which reads format 1; update printer-uplink, or start from the example of this version"
        ]
      ),
      (
        "version: one\nbackends: [{type: sample}]\n",
        ["1:10: version: 'one' is no whole number; write 1"]
      ),
      (
        "version: 1\nbackend: []\nbackends: [{type: sample}]\nbackends: []\nzzz: 1\n",
        [
          "2:1: backend: is an unknown key; did you mean backends?",
          "4:1: backends: stands here a second time (first in line 3); remove one of them",
          "5:1: zzz: is an unknown key; remove it, or write one of version, printer, state_directory, control, network, log, backends",
        ]
      ),
      (
        "version: 1\nprinter: Voron\nlog: [info]\nbackends:\n  type: sample\n",
        [
          "2:10: printer: must hold keys of its own; write name, moonraker, moonraker_http, api_key, require_clear_bed below it, indented",
          "3:6: log: must hold keys of its own; write level, file, max_size_mb, backups below it, indented",
          "5:3: backends: must be a list; start each entry with '- type: …'",
        ]
      ),
      (
        "version: 1\nbackends: []\n",
        [
          "2:11: backends: warning: is empty: nothing would be connected; add an entry: '- type: sample'"
        ]
      ),
      (
        "version: 1\nstate_directory: /home/pi/printer_data/config/state\nbackends: [{type: sample}]\n",
        [
          "2:1: state_directory: lies in printer_data/config, which every Moonraker client can read and write; choose a folder outside, such as /var/lib/printer-uplink"
        ]
      ),
      (
        "version: 1\nstate_directory: /home/pi/printer_2_data/x/../config\nbackends: [{type: sample}]\n",
        [
          "2:1: state_directory: lies in printer_data/config, which every Moonraker client can read and write; choose a folder outside, such as /var/lib/printer-uplink"
        ]
      ),
    ] as [(String, [String])])
  func top(text: String, expected: [String]) throws {
    #expect(try loaderFindings(text) == expected)
  }

  @Test(
    "Each section is checked by its declarations",
    arguments: [
      (
        "printer: {moonraker: 'ftp://x'}",
        [
          "2:22: printer.moonraker: 'ftp://x' is no address of Moonraker; write http://host:7125 or unix:/path/to/moonraker.sock"
        ]
      ),
      (
        "printer: {moonraker_http: 'http://127.0.0.1:7125'}",
        [
          "2:11: printer.moonraker_http: warning: has an effect only with moonraker: unix:…; remove it"
        ]
      ),
      ("printer: {moonraker: unix:/run/m.sock, moonraker_http: 'http://127.0.0.1:7125'}", []),
      (
        "control: {listen: 127.0.0.1:7125}",
        [
          "2:11: control.listen: warning: port 7125 is one of Moonraker's (7125 to 7130); choose another, such as 7180"
        ]
      ),
      (
        "control: {listen: 127.0.0.1:99999, health_listen: box:80}",
        [
          "2:19: control.listen: '127.0.0.1:99999' is no address to listen on; write a numeric address and a port such as 127.0.0.1:7180 or [::1]:7180, or off",
          "2:51: control.health_listen: 'box:80' is no address to listen on; write a numeric address and a port such as 127.0.0.1:7180 or [::1]:7180, or off",
        ]
      ),
      (
        "control: {listen: '[::1]:7180', health_listen: '[::1]:7180'}",
        ["2:33: control.health_listen: is the same as control.listen; choose another port"]
      ),
      ("control: {listen: off, health_listen: 0.0.0.0:0}", []),
      (
        "control: {pin_permission: true}",
        ["2:11: control.pin_permission: is an unknown key; did you mean pin_permissions?"]
      ),
      (
        "log: {level: verbose, max_size_mb: 0, backups: '5'}",
        [
          "2:14: log.level: 'verbose' is not known; write one of trace, debug, info, warning, error, critical",
          "2:36: log.max_size_mb: '0' is out of range; write a whole number from 1 to 1024 MB",
          "2:48: log.backups: '5' is a text; write a whole number from 0 to 100",
        ]
      ),
      (
        "log: {level: waring}",
        [
          "2:14: log.level: 'waring' is not known; did you mean warning? (trace, debug, info, warning, error, critical)"
        ]
      ),
      (
        "log: {file: /nowhere/at/all.log}",
        [
          "2:7: log.file: warning: the folder /nowhere/at does not exist; make it; until then only the console gets the log"
        ]
      ),
      (
        "network: {ca_file: /nowhere/ca.pem, proxy: proxy.lan}",
        [
          "2:11: network.ca_file: the file /nowhere/ca.pem does not exist; make it, or correct the path",
          "2:44: network.proxy: this is no proxy's URL; write http://host:port or socks5://host:port, or \"\" for none",
        ]
      ),
      ("network: {proxy: ''}", []), ("network: {proxy: 'socks5h://me:pw@proxy.lan:1080'}", []),
      ("network: {ca_file: null, proxy: ~}\nlog:\nprinter: null", []),
    ] as [(String, [String])])
  func sections(line: String, expected: [String]) throws {
    #expect(try loaderFindings("version: 1\n\(line)\nbackends: [{type: sample}]\n") == expected)
  }

  @Test(
    "A value is what its declaration says, never what it looks like",
    arguments: [
      (
        "retries: 5x",
        [
          "4:14: backends[0].retries: '5x' is no whole number; write a whole number from 0 to 10 attempts"
        ]
      ),
      (
        "retries: 010",
        [
          "4:14: backends[0].retries: '010' is no whole number; write a whole number from 0 to 10 attempts"
        ]
      ),
      (
        "retries: 1e1",
        [
          "4:14: backends[0].retries: '1e1' is no whole number; write a whole number from 0 to 10 attempts"
        ]
      ),
      (
        "retries: 11",
        [
          "4:14: backends[0].retries: '11' is out of range; write a whole number from 0 to 10 attempts"
        ]
      ),
      (
        "retries: 99999999999999999999",
        [
          "4:14: backends[0].retries: '99999999999999999999' is no whole number; write a whole number from 0 to 10 attempts"
        ]
      ),
      (
        "retries: [1]",
        [
          "4:14: backends[0].retries: must be one value, not a list; write a whole number from 0 to 10 attempts"
        ]
      ),
      (
        "fast: yes",
        [
          "4:11: backends[0].fast: 'yes' is neither true nor false; write true or false, without quotes"
        ]
      ),
      (
        "fast: 'true'",
        [
          "4:11: backends[0].fast: 'true' is neither true nor false; write true or false, without quotes"
        ]
      ),
      (
        "interval: 0",
        [
          "4:15: backends[0].interval: '0' is out of range; write a time from 1s to 1h, in seconds or as 500ms, 30s, 5m, 1h"
        ]
      ),
      (
        "interval: 2h",
        [
          "4:15: backends[0].interval: '2h' is out of range; write a time from 1s to 1h, in seconds or as 500ms, 30s, 5m, 1h"
        ]
      ),
      (
        "interval: 5 minutes",
        [
          "4:15: backends[0].interval: '5 minutes' is no time; write a time from 1s to 1h, in seconds or as 500ms, 30s, 5m, 1h"
        ]
      ),
      (
        "interval: -1",
        [
          "4:15: backends[0].interval: '-1' is no time; write a time from 1s to 1h, in seconds or as 500ms, 30s, 5m, 1h"
        ]
      ),
      (
        "scale: 3", ["4:12: backends[0].scale: '3' is out of range; write a number from 0.5 to 2.0"]
      ),
      (
        "scale: inf",
        ["4:12: backends[0].scale: 'inf' is no number; write a number from 0.5 to 2.0"]
      ),
      (
        "mode: Quick",
        ["4:11: backends[0].mode: 'Quick' is not known; did you mean quick? (slow, quick)"]
      ),
      ("site: {a: 1}", ["4:11: backends[0].site: must be one value, not a mapping; write a text"]),
      (
        "site: 123456789012345678901",
        ["4:11: backends[0].site: has 21 characters, more than 20; shorten it"]
      ),
      (
        "site: \"a\\nb\"",
        [
          "4:11: backends[0].site: holds a line break or another control character; write it in one line"
        ]
      ),
      ("tags: one", ["4:11: backends[0].tags: must be a list; write a list such as [a, b]"]),
      (
        "tags: [one, , [two]]",
        [
          "4:17: this does not belong here; check the indentation of this line and the brackets before it"
        ]
      ),
      (
        "tags: [one, [two], '']",
        [
          "4:17: backends[0].tags[1]: must be one value, not a list; write a text",
          "4:24: backends[0].tags[2]: is empty; write a text, or remove the key",
        ]
      ),
      ("folder: ''", ["4:13: backends[0].folder: is empty; write a path, or remove the key"]),
      ("token: ''", ["4:12: backends[0].token: is empty; write a text, or remove the key"]),
      (
        "token: 123456789012345678901",
        ["4:12: backends[0].token: has 21 characters, more than 20; shorten it"]
      ),
      (
        "webcam: 5",
        ["4:13: backends[0].webcam: must hold keys of its own; write interval below it, indented"]
      ),
      (
        "webcam:\n  intervall: 5",
        ["5:7: backends[0].webcam.intervall: is an unknown key; did you mean interval?"]
      ),
      (
        "webcam.interval: 5",
        [
          "4:5: backends[0].webcam.interval: is written with a dot; write 'webcam:' and below it, indented, 'interval:'"
        ]
      ),
      (
        "webcam:\n  interval: 0.05",
        [
          "5:17: backends[0].webcam.interval: '0.05' is out of range; write a time from 100ms to 1m, in seconds or as 500ms, 30s, 5m, 1h"
        ]
      ),
      (
        "scale: 1\nzoom: {factor: 1}",
        [
          "5:12: backends[0].zoom.factor: gives what backends[0].scale in line 4 gives already; keep one of them"
        ]
      ),
      (
        "zoom: {factor: 9}",
        ["4:20: backends[0].zoom.factor: '9' is out of range; write a number from 0.5 to 2.0"]
      ),
      (
        "retries: 1\nretries: 2",
        [
          "5:5: backends[0].retries: stands here a second time (first in line 4); remove one of them"
        ]
      ),
      (
        "moonraker: http://x",
        ["4:5: backends[0].moonraker: is not a key of this entry; write printer.moonraker instead"]
      ),
      ("retrys: 1", ["4:5: backends[0].retrys: is an unknown key; did you mean retries?"]),
      ("cloud: x", ["4:5: backends[0].cloud: is an unknown key; did you mean cloud_url?"]),
      (
        "'Cloud-URL': https://x",
        ["4:5: backends[0].Cloud-URL: is an unknown key; did you mean cloud_url?"]
      ),
      ("site: null\nretries: ~\nfast:\ntags:\nwebcam:", []),
      (
        "site: no\ninterval: 1m\nretries: 0\nscale: 1.5\nmode: quick\ntags: [a, 'b']\nwebcam: {interval: 500ms}\nfast: true",
        []
      ),
      ("site: 012", []), ("site: ''", []),
    ] as [(String, [String])])
  func values(lines: String, expected: [String]) throws {
    #expect(try loaderFindings(entryText(lines)) == expected)
  }

  @Test(
    "A URL without TLS to another host needs the owner's word",
    arguments: [
      (
        "cloud_url: http://cloud.example",
        [
          "4:16: backends[0].cloud_url: 'http://cloud.example' has no TLS: everybody on the way could read and change what is sent; write https://, or insecure: true in this entry if you accept that"
        ]
      ),
      ("cloud_url: http://cloud.example\ninsecure: true", []),
      (
        "cloud_url: http://cloud.example\ninsecure: 'true'",
        [
          "4:16: backends[0].cloud_url: 'http://cloud.example' has no TLS: everybody on the way could read and change what is sent; write https://, or insecure: true in this entry if you accept that",
          "5:15: backends[0].insecure: 'true' is neither true nor false; write true or false, without quotes",
        ]
      ),
      ("cloud_url: http://localhost:8080", []), ("cloud_url: http://[::1]/", []),
      ("cloud_url: http://cloud.example\nenabled: false", []),
      (
        "cloud_url: cloud.example",
        [
          "4:16: backends[0].cloud_url: 'cloud.example' is no URL that fits here; write https://host or http://host"
        ]
      ),
      (
        "cloud_url: ws://cloud.example",
        [
          "4:16: backends[0].cloud_url: 'ws://cloud.example' is no URL that fits here; write https://host or http://host"
        ]
      ),
      (
        "cloud_url: https://me:secret@cloud.example",
        [
          "4:16: backends[0].cloud_url: the URL holds a user or a password; remove it: URLs are shown and logged"
        ]
      ),
    ] as [(String, [String])])
  func tls(lines: String, expected: [String]) throws {
    #expect(try loaderFindings(entryText(lines)) == expected)
  }

  @Test("A connector that never does without TLS has no insecure")
  func strict() throws {
    #expect(
      try loaderFindings(entryText("relay: http://relay.example\ninsecure: true", type: "strict"))
        == [
          "4:12: backends[0].relay: 'http://relay.example' has no TLS: everybody on the way could read and change what is sent; write https://",
          "5:5: backends[0].insecure: strict never speaks without TLS; remove it",
        ])
    #expect(try loaderFindings(entryText("relay: http://127.0.0.1:80", type: "strict")) == [])
    #expect(
      try loaderFindings(entryText("", type: "strict")) == [
        "3:5: backends[0].relay: is missing; write it: 'relay: https://relay.example'"
      ])
  }

  @Test(
    "What every entry knows is checked",
    arguments: [
      (
        "permissions: all",
        [
          "4:18: backends[0].permissions: 'all' is not known; write one of monitor, control, print, full"
        ]
      ),
      (
        "permissions: pause",
        [
          "4:18: backends[0].permissions: 'pause' is a permission, not a level; write a list: [pause]"
        ]
      ),
      (
        "permissions: [status, print, cancle]",
        [
          "4:27: backends[0].permissions[1]: 'print' is a level; write it alone, without a list",
          "4:34: backends[0].permissions[2]: 'cancle' is not known; did you mean cancel?",
        ]
      ),
      (
        "permissions: []",
        [
          "4:18: backends[0].permissions: is an empty list: its cloud could not even read the status; write [status], or monitor"
        ]
      ),
      ("permissions: [status, files.list]", []),
      (
        "name: 'a/b'",
        [
          "4:11: backends[0].name: 'a/b' cannot be a name; write letters, digits, '.', '_' and '-', a letter or digit first"
        ]
      ),
      (
        "name: ../x",
        [
          "4:11: backends[0].name: '../x' cannot be a name; write letters, digits, '.', '_' and '-', a letter or digit first"
        ]
      ),
      (
        "enabled: on",
        [
          "4:14: backends[0].enabled: 'on' is neither true nor false; write true or false, without quotes"
        ]
      ),
      (
        "max_command_age: 2d",
        [
          "4:22: backends[0].max_command_age: '2d' is no time; write a time from 1s to 24h, in seconds or as 500ms, 30s, 5m, 1h"
        ]
      ),
      (
        "allowed_gcode_patterns: ['BED_MESH_*']",
        [
          "4:5: backends[0].allowed_gcode_patterns: warning: has no effect below permissions: full; remove it, or write permissions: full"
        ]
      ),
      ("permissions: full\nallowed_gcode_patterns: ['BED_MESH_*']", []),
      (
        "permissions: monitor\nallowed_macros: [X]",
        [
          "5:5: backends[0].allowed_macros: warning: has no effect without the permission macro; remove it, or allow macro"
        ]
      ),
      (
        "log_level: off",
        [
          "4:16: backends[0].log_level: 'off' is not known; write one of trace, debug, info, warning, error, critical"
        ]
      ),
    ] as [(String, [String])])
  func common(lines: String, expected: [String]) throws {
    #expect(try loaderFindings(entryText(lines)) == expected)
  }

  @Test(
    "Entries have a known type and a name of their own",
    arguments: [
      ("- name: x", ["3:3: backends[0].type: is missing; write one of sample, strict"]),
      (
        "- type: smaple",
        ["3:9: backends[0].type: 'smaple' is not known; did you mean sample? (sample, strict)"]
      ),
      (
        "- type: [sample]",
        ["3:9: backends[0].type: must be one value; write one of sample, strict"]
      ),
      (
        "- sample",
        ["3:3: backends[0]: must be a mapping; write 'type: …' and the connector's keys below it"]
      ),
      (
        "- type: sample\n- type: sample\n- {type: sample, name: two}\n- {type: sample, name: two}",
        [
          "4:3: backends[1].name: the name 'sample' is taken by the entry in line 3; give this entry a name of its own: 'name: sample-2'",
          "6:18: backends[3].name: the name 'two' is taken by the entry in line 5; choose another name",
        ]
      ),
    ] as [(String, [String])])
  func entries(lines: String, expected: [String]) throws {
    #expect(try loaderFindings("version: 1\nbackends:\n\(lines)\n") == expected)
  }

  @Test(
    "The connector's own check is placed at the key, and silent about keys that are wrong anyway")
  func ownCheck() throws {
    #expect(
      try loaderFindings(entryText("site: needs token\ntoken: null")) == [
        "3:5: backends[0]: warning: is half done; finish it",
        "5:5: backends[0].token: is needed for this site; write it",
      ])
    #expect(
      try loaderFindings(entryText("site: needs token\ntoken: ''")) == [
        "3:5: backends[0]: warning: is half done; finish it",
        "5:12: backends[0].token: is empty; write a text, or remove the key",
      ])
    #expect(try loaderFindings(entryText("site: needs token\nenabled: false")) == [])
  }
}
