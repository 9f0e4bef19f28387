import ConnectorKit
import Networking
import Platform
import Testing

@testable import PHPHub

@Suite("PHP hub: names and places of files") struct FileRulesTests {
  @Test(
    "Names are refused, not cleaned up",
    arguments: [
      "", ".", "..", "../x.gcode", "/etc/x.gcode", "a/b.gcode", "a\\b.gcode", ".hidden.gcode",
      "a\u{0}b.gcode", "a\nb.gcode", "a\u{7F}.gcode", "a\u{202E}edocg.gcode", "x.txt", "x",
      ".gcode",
      "x.gcode.sh", String(repeating: "x", count: 195) + ".gcode", "x.ufp", "\u{FEFF}x.gcode",
    ])
  func names(name: String) {
    #expect(throws: CommandFailure.self) { _ = try FileName.check(name) }
  }

  @Test(
    "Ordinary names pass",
    arguments: [
      "x.gcode", "X.GCODE", "répétition d'essai #1 (50%).gcode", "a.gco", "b.g", "a&b=c d.gcode",
    ])
  func good(name: String) throws {
    #expect(try FileName.check(name) == name)
  }

  @Test(
    "What people call a file is made fit, or not used",
    arguments: [
      ("t.gcode", "t.gcode"), ("../../t.gcode", "t.gcode"), ("a\\b\\c.gcode", "c.gcode"),
      ("..t.gcode", "t.gcode"), ("a<b>.gcode", "a_b_.gcode"), ("a\nb.gcode", "ab.gcode"),
      ("evil.sh", nil), ("", nil), ("/", nil), ("...", nil),
    ] as [(String, String?)])
  func cleaned(original: String, name: String?) {
    #expect(FileName.cleaned(original) == name)
  }

  @Test("A name of 200,000 dots costs no time", .timeLimit(.minutes(1)))
  func dots() {
    #expect(FileName.cleaned(String(repeating: ".", count: 200_000) + "t.gcode") == "t.gcode")
  }

  @Test("A long name keeps its ending")
  func long() {
    let name = FileName.cleaned(String(repeating: "ñ", count: 300) + ".gcode")
    #expect(name?.hasSuffix(".gcode") == true)
    #expect((name?.utf8.count ?? 999) <= 200)
  }

  @Test(
    "A file comes from the hub's own origin or a listed one: scheme, host and port",
    arguments: [
      ("http://hub.test/a", true), ("http://HUB.test:80/a", true), ("https://hub.test/a", true),
      ("http://hub.test:8080/a", false), ("http://hub.test.evil.com/a", false),
      ("http://hub.test@evil.com/a", false), ("http://evil.com/hub.test", false),
      ("https://files.example.org/a", true), ("http://files.example.org/a", false),
      ("https://files.example.org:444/a", false), ("http://10.0.0.7:81/a", true),
      ("http://127.0.0.1/a", false), ("http://localhost/a", false), ("http://[::1]/a", false),
      ("http://0x7f.1/a", false), ("file:///etc/passwd", false), ("ftp://hub.test/a", false),
      ("gopher://hub.test", false), ("", false), ("javascript:x", false),
    ])
  func origins(url: String, isAllowed: Bool) {
    let origins = DownloadOrigins(
      servers: ["http://hub.test/printerhub/api.php"],
      listed: ["files.example.org", "http://10.0.0.7:81"])
    #expect(origins.allow(url) == isAllowed)
  }

  @Test(
    "A listed name must lead to a public address; the hub and listed addresses are the owner's word"
  )
  func addresses() {
    let origins = DownloadOrigins(
      servers: ["http://192.168.1.5/api.php"], listed: ["files.example.org", "http://10.0.0.7:81"])
    #expect(origins.addresses == .publicOnly(except: ["192.168.1.5", "10.0.0.7"]))
    #expect(origins.addresses.judges(host: "files.example.org"))
  }

  @Test(
    "What is no origin is none",
    arguments: ["", "https://a/b", "ftp://a", "a/b", "https://u:p@a", "*.example.org", "a b"])
  func noOrigins(text: String) { #expect(DownloadOrigins.origins(of: text).isEmpty) }
}

@Suite("PHP hub: when pictures are taken") struct CameraScheduleTests {
  private static func schedule(_ more: [String: SettingValue] = [:]) throws -> CameraSchedule {
    CameraSchedule(try #require(CameraRules(settings(more))), now: instant(0))
  }

  /// When pictures are taken in so many seconds.
  private static func times(
    _ schedule: inout CameraSchedule, from start: Double, for seconds: Double, state: String,
    isDone: Bool = true
  ) -> (captures: [Double], frames: [Double]) {
    var (captures, frames): ([Double], [Double]) = ([], [])
    var now = start
    schedule.observe(state, isPrinting: state == "printing", instant(now))
    while now <= start + seconds {
      let due = schedule.due(instant(now))
      if due.capture { captures.append(now) }
      if due.timelapse { frames.append(now) }
      if due.capture || due.timelapse { schedule.ended(due, isDone: isDone, instant(now)) }
      now = max(now + 0.001, Double(schedule.next.sinceOrigin.components.seconds))
    }
    return (captures, frames)
  }

  @Test("Every 30 s while printing and every 60 s for the timelapse; every 5 min otherwise")
  func intervals() throws {
    var schedule = try Self.schedule()
    let printing = Self.times(&schedule, from: 0, for: 120, state: "printing")
    #expect(printing.captures == [0, 30, 60, 90, 120] && printing.frames == [0, 60, 120])
    let idle = Self.times(&schedule, from: 130, for: 700, state: "complete")
    #expect(idle.captures == [130, 430, 730] && idle.frames.isEmpty)
  }

  @Test("The owner's intervals count, and no timelapse where it is off")
  func own() throws {
    var schedule = try Self.schedule([
      "camera.capture_interval": .duration(.seconds(10)),
      "camera.idle_capture_interval": .duration(.seconds(40)),
      "camera.timelapse_enabled": .boolean(false),
    ])
    #expect(Self.times(&schedule, from: 0, for: 40, state: "printing").captures.count == 5)
    #expect(Self.times(&schedule, from: 45, for: 80, state: "standby").captures == [45, 85, 125])
    #expect(CameraRules(settings(["camera.enabled": .boolean(false)])) == nil)
  }

  @Test(
    "A dead camera is asked more and more seldom, at most every ten minutes, and state changes do not hurry it"
  )
  func dead() throws {
    var schedule = try Self.schedule(["camera.timelapse_enabled": .boolean(false)])
    let times = Self.times(&schedule, from: 0, for: 4_000, state: "printing", isDone: false)
      .captures
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(gaps.prefix(4) == [60, 120, 240, 480])
    #expect(gaps.dropFirst(4).allSatisfy { $0 == 600 })
    schedule.observe("paused", isPrinting: false, instant(4_001))
    #expect(schedule.due(instant(4_001)) == CameraSchedule.Due())
  }
}
