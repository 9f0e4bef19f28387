import ConnectorKit
import Testing

@Suite("Settings") struct SettingsTests {
  static let url = Setting<String>.url("cloud_url", default: "https://example.org", "x")
  static let token = Setting<Secret?>.secret("token", "x")
  static let port = Setting<Int>.integer("port", default: 80, range: 1...65_535, "x")
  static let interval = Setting<Duration>.duration(
    "interval", default: 30, range: .seconds(1)...(.seconds(60)), "x")
  static let hide = Setting<Bool>.boolean("hide", default: false, "x")
  static let mode = Setting<String>.choice("mode", default: "a", of: ["a", "b"], "x")
  static let list = Setting<[String]>.stringList("list", "x")

  @Test("What the file leaves out has its default")
  func defaults() {
    let settings = Settings()
    #expect(settings[Self.url] == "https://example.org")
    #expect(settings[Self.token] == nil)
    #expect(settings[Self.port] == 80)
    #expect(settings[Self.interval] == .seconds(30))
    #expect(settings[Self.hide] == false)
    #expect(settings[Self.mode] == "a")
    #expect(settings[Self.list] == [])
    #expect(settings.origin(of: Self.url) == .byDefault)
  }

  @Test("What the file says wins, and says where it comes from")
  func values() {
    let line = SettingOrigin.file(line: 12, column: 3, isLiteral: true)
    let settings = Settings([
      "cloud_url": .init(value: .string("https://b.example"), origin: .environment("CLOUD_URL")),
      "token": .init(value: .secret(Secret("s")), origin: line),
      "port": .init(value: .integer(8080), origin: line),
      "interval": .init(value: .duration(.seconds(5)), origin: line),
      "hide": .init(value: .boolean(true), origin: line),
      "list": .init(value: .list(["a"]), origin: .secretFile("/x")),
    ])
    #expect(settings[Self.url] == "https://b.example")
    #expect(settings[Self.token]?.revealed == "s")
    #expect(settings[Self.port] == 8080)
    #expect(settings[Self.interval] == .seconds(5))
    #expect(settings[Self.hide])
    #expect(settings[Self.list] == ["a"])
    #expect(settings.origin(of: Self.port).description == "line 12")
    #expect(settings.origin(of: Self.url).description == "environment CLOUD_URL")
    #expect(settings.origin(of: Self.list).description == "file /x")
  }

  @Test("A value of another kind never traps: the default stands")
  func wrongKind() {
    let entry = Settings.Entry(value: .boolean(true), origin: .byDefault)
    let settings = Settings(["port": entry, "cloud_url": entry, "interval": entry, "token": entry])
    #expect(settings[Self.port] == 80)
    #expect(settings[Self.url] == "https://example.org")
    #expect(settings[Self.interval] == .seconds(30))
    #expect(settings[Self.token] == nil)
  }

  @Test("A secret is declared as one")
  func declaration() {
    #expect(Self.token.declaration.isSecret)
    #expect(!Self.url.declaration.isSecret)
    #expect(Self.interval.declaration.defaultText == "30")
    #expect(Self.port.declaration.kind == .integer(1...65_535))
  }
}
