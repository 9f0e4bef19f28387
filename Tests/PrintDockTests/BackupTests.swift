import ConnectorKit
import Foundation
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

/// A folder with a printer's data that is gone with its owner.
private final class DataFolder {
  let path: String
  private let parent: URL

  init() throws {
    parent = FileManager.default.temporaryDirectory
      .appendingPathComponent("printdock-\(UUID().uuidString)").resolvingSymlinksInPath()
    path = parent.appendingPathComponent("printer_data").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: parent) }

  func write(_ name: String, _ text: String) throws {
    let file = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: "\(path)/\(name)", withDestinationPath: target)
  }
}

@Suite("PrintDock's backups", .timeLimit(.minutes(2))) struct BackupTests {
  private func command(_ url: String, _ more: String = "") -> String {
    PaperCloud.command(
      1, "create_backup",
      #"{"backup_id":"bk_1","presigned_url":"\#(url)","include":{"config":true}\#(more)}"#)
  }

  /// The one completion of a backup to `url`.
  private func completion(
    _ url: String = "https://storage.example/b?signature=hunter2", root: String, more: String = "",
    moonraker: String = "http://127.0.0.1:7125", extra: [String: SettingValue] = [:],
    prepare: (TestBench) -> Void = { _ in }, check: (TestBench) throws -> Void = { _ in }
  ) async throws -> JSONValue {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    prepare(bench)
    cloud.hand(command(url, more))
    var context = bench.context("printdock")
    context.moonrakerAddress = moonraker
    var values = extra
    values["printer_data_root"] = .string(root)
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(extra: values), context: context)
    try await bench.run(backend) { await bench.pass { bench.completions.count == 1 } }
    try check(bench)
    #expect(!bench.log.lines.contains { $0.contains("hunter2") })
    #expect(bench.gateway.submitted.map(\.command) == [.backup])
    return try #require(bench.completions.first)
  }

  private func names(_ folder: DataFolder, conf: Bool = false) throws -> [String] {
    try BackupPlan(root: folder.path, folders: BackupOrder.folders, takesConf: conf).members
      .map(\.name)
  }

  @Test("The configuration files are packed, sent, and described")
  func sends() async throws {
    let folder = try DataFolder()
    try folder.write("config/printer.cfg", "[printer]\n")
    let body = try await completion(root: folder.path) { bench in
      bench.transfers.answer { _, _ in HTTPResponse(status: 200) }
    } check: { bench in
      let (request, bytes) = try #require(bench.transfers.sent.first)
      #expect(bench.transfers.sent.count == 1)
      #expect(request.method == "PUT")
      #expect(request.url == "https://storage.example/b?signature=hunter2")
      #expect(request.fields == [HTTPField("Content-Type", "application/gzip")])
      #expect(request.addresses == .publicOnly(except: []))
      #expect(request.stallTimeout == .seconds(30))
      #expect(bytes.prefix(3) == [0x1F, 0x8B, 0x08])
      #expect(bench.completions.first?["result"]?["size_bytes"] == .integer(bytes.count))
    }
    let result = try #require(body["result"]?.object)
    #expect(body["status"] == "succeeded")
    #expect(result["backup_id"] == "bk_1")
    #expect(result["sha256"]?.string?.count == 64)
    #expect(result["uploaded_at"]?.string?.hasSuffix("Z") == true)
  }

  @Test("Only configuration, in order of names, without copies and helpers")
  func selection() throws {
    let folder = try DataFolder()
    for name in [
      "config/printer.cfg", "config/macros/b.cfg", "config/macros/a.cfg", "config/moonraker.conf",
      "config/printer-20260101_120000.cfg", "config/Helper-Script/x.cfg", "config/a.txt",
      "logs/klippy.log", "gcodes/cube.gcode", "config/sub/printer.cfg.bak",
    ] { try folder.write(name, "x") }
    let cfg = ["config/macros/a.cfg", "config/macros/b.cfg", "config/printer.cfg"]
    #expect(try names(folder) == cfg)
    #expect(
      try names(folder, conf: true) == [cfg[0], cfg[1], "config/moonraker.conf", cfg[2]])
  }

  @Test("Links inside are followed, links that lead out are left out, circles end")
  func links() throws {
    let folder = try DataFolder()
    try folder.write("config/real/base.cfg", "x")
    try folder.write("../outside/secret.cfg", "x")
    try folder.link("config/linked.cfg", to: "real/base.cfg")
    try folder.link("config/away.cfg", to: "../../outside/secret.cfg")
    try folder.link("config/passwd.cfg", to: "/etc/passwd")
    try folder.link("config/broken.cfg", to: "nowhere.cfg")
    try folder.link("config/circle", to: "..")
    try folder.link("config/self", to: ".")
    try folder.link("config/out", to: "../../outside")
    let plan = try BackupPlan(root: folder.path, folders: ["config"], takesConf: false)
    #expect(plan.members.map(\.name).contains("config/linked.cfg"))
    #expect(plan.members.map(\.name).contains("config/real/base.cfg"))
    #expect(plan.members.allSatisfy { $0.path == "\(folder.path)/config/real/base.cfg" })
    for name in ["away.cfg", "passwd.cfg", "broken.cfg", "self", "out"] {
      #expect(plan.skipped.contains("config/\(name)"))
    }
  }

  @Test("A root that is itself a link is followed")
  func linkedRoot() throws {
    let folder = try DataFolder()
    try folder.write("config/printer.cfg", "x")
    try folder.link("../link", to: folder.path)
    let plan = try BackupPlan(root: folder.path + "/../link", folders: ["config"], takesConf: false)
    #expect(plan.members.map(\.name) == ["config/printer.cfg"])
  }

  @Test(
    "Addresses that lead elsewhere than to a public storage are refused",
    arguments: [
      "http://storage.example/b", "http://127.0.0.1:7125/server/files/x", "ftp://storage.example/b",
      "https://user:pw@storage.example/b", "file:///etc/passwd", "https://", "x",
      "http://localhost/b", "https://" + String(repeating: "x", count: 9_000),
    ])
  func hostileTargets(url: String) async throws {
    #expect(target(url, cloud: "https://www.spoolr.io") == nil)
  }

  private func target(_ url: String, cloud: String) -> HTTPRequest? {
    BackupTarget.request(to: url, cloud: cloud, moonraker: "http://127.0.0.1:7125")
  }

  @Test(
    "The cloud's own server may be the storage, without TLS on this host only, and no other port")
  func ownStorage() throws {
    let cloud = "http://127.0.0.1:8080"
    #expect(target("http://127.0.0.1:8080/b", cloud: cloud) != nil)
    #expect(target("http://127.0.0.1:9000/b", cloud: cloud) == nil)
    #expect(target("http://localhost:8080/b", cloud: cloud) == nil)
    #expect(target("http://10.0.0.2/b", cloud: "http://10.0.0.2") == nil)
    #expect(target("http://127.0.0.1:7125/b", cloud: "http://127.0.0.1:7125") == nil)
    let https = try #require(target("https://10.0.0.2/b", cloud: "https://10.0.0.2"))
    #expect(https.addresses == .publicOnly(except: ["10.0.0.2"]))
    for other in ["https://10.0.0.2:8443/b", "https://10.0.0.3/b"] {
      #expect(target(other, cloud: "https://10.0.0.2")?.addresses == .publicOnly(except: []))
    }
  }

  @Test("What goes wrong is said in PrintDock's words")
  func failures() async throws {
    let folder = try DataFolder()
    func problem(_ body: JSONValue) -> String? {
      #expect(body["status"] == "failed")
      #expect(body["result"] == ["action": "create_backup"])
      return body["error_message"]?.string
    }
    #expect(
      problem(try await completion(root: folder.path))
        == "failed to create backup: nothing to back up")
    #expect(
      problem(try await completion(root: folder.path + "/none"))
        == "failed to create backup: printer_data_root does not exist")
    try folder.write("config/printer.cfg", "x")
    #expect(
      problem(try await completion(root: folder.path, more: #","printer_data_root":"/etc""#))
        == "invalid params.printer_data_root: it is not the configured folder")
    #expect(
      problem(try await completion("http://10.0.0.1/x", root: folder.path))
        == "invalid params.presigned_url")
    #expect(
      problem(try await completion(root: folder.path, moonraker: "http://192.168.1.5:7125"))
        == "failed to create backup: Moonraker runs on another host, whose files are out of reach")
    #expect(
      problem(
        try await completion(root: folder.path) {
          $0.transfers.answer { _, _ in HTTPResponse(status: 403) }
        }) == "failed to upload backup: upload failed with status 403")
    #expect(
      problem(
        try await completion(root: folder.path) {
          $0.transfers.answer { _, _ throws(TransferFailure) in
            throw TransferFailure(.network, "nothing moved for 30 s")
          }
        }) == "failed to upload backup: nothing moved for 30 s")
    #expect(
      problem(
        try await completion(root: folder.path) {
          $0.gateway.answer { _ in
            CommandOutcome(.refused, .notPermitted, "its permissions do not hold backup")
          }
        }) == "not permitted: its permissions do not hold backup")
  }

  @Test("The configured folder may be named by PrintDock, with or without a slash")
  func sameRoot() async throws {
    let folder = try DataFolder()
    try folder.write("config/printer.cfg", "x")
    let body = try await completion(
      root: folder.path, more: #","printer_data_root":"\#(folder.path)/""#)
    #expect(body["status"] == "succeeded")
  }
}
