import ConnectorKit
import Testing

@Suite("Secret") struct SecretTests {
  @Test("A secret shows itself in no text, dump, mirror or interpolation")
  func hidden() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    dump(["key": secret], to: &dumped)
    dump(Optional(secret), to: &dumped)
    var reflected = ""
    dump(Settings(["t": .init(value: .secret(secret), origin: .byDefault)]), to: &reflected)
    let texts = [
      dumped, reflected, "\(secret)", String(reflecting: secret), String(describing: [secret]),
      String(reflecting: Optional(secret)), "\(SettingValue.secret(secret))",
    ]
    for text in texts {
      #expect(!text.contains("hunter2"))
    }
    #expect(texts[2] == "<secret>")
    #expect(secret.revealed == "hunter2")
  }

  @Test("Secrets are equal when what they hold is")
  func equality() {
    #expect(Secret("a") == Secret("a"))
    #expect(Secret("a") != Secret("b"))
  }
}
