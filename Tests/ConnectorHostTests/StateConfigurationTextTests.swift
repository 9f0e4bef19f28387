import ConnectorHost
import Testing

@Suite("Configuration text") struct StateConfigurationTextTests {
  /// A text, the line on which `pairing_token` stands, and what is left; nil where nothing may be touched.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var line: Int
    var key = "pairing_token"
    var left: String?
    init(
      _ name: String, _ text: String, line: Int, key: String = "pairing_token", left: String?
    ) {
      testDescription = name
      self.text = text
      self.line = line
      self.key = key
      self.left = left
    }
  }

  static let cases: [Case] = [
    Case(
      "a plain line goes, every comment stays",
      """
      # top
      backends:
        # about this one
        - type: printdock   # trailing

          # the token
          pairing_token: abc   # from the website
          # after
          cloud_url: https://x.test
      # end

      """, line: 7,
      left: """
        # top
        backends:
          # about this one
          - type: printdock   # trailing

            # the token
            # after
            cloud_url: https://x.test
        # end

        """),
    Case(
      "quotes and a last line without its end",
      "backends:\n  - type: x\n    pairing_token: 'a # b'", line: 3,
      left: "backends:\n  - type: x\n"),
    Case(
      "Windows line ends", "backends:\r\n- type: x\r\n  pairing_token: a\r\n  name: y\r\n", line: 3,
      left: "backends:\r\n- type: x\r\n  name: y\r\n"),
    Case(
      "the first line of an item keeps its dash",
      "backends:\n  - pairing_token: a\n    type: x\n", line: 2,
      left: "backends:\n  -\n    type: x\n"),
    Case(
      "a nested key", "backends:\n- type: x\n  a:\n    token: t\n    b: 1\n", line: 4,
      key: "a.token", left: "backends:\n- type: x\n  a:\n    b: 1\n"),
    Case(
      "only the entry that was meant",
      "backends:\n- type: x\n  pairing_token: a\n- type: x\n  name: y\n  pairing_token: a\n",
      line: 6, left: "backends:\n- type: x\n  pairing_token: a\n- type: x\n  name: y\n"),
    Case(
      "not in a flow mapping", "backends:\n- { type: x, pairing_token: a }\n", line: 2, left: nil),
    Case(
      "not in a flow mapping of several lines",
      "backends:\n- {\n  type: x,\n  pairing_token: a\n  }\n", line: 4, left: nil),
    Case(
      "not a folded scalar", "backends:\n- type: x\n  pairing_token: >-\n    a\n    b\n", line: 3,
      left: nil),
    Case(
      "not a plain scalar of two lines",
      "backends:\n- type: x\n  pairing_token: a\n    b\n  name: y\n", line: 3, left: nil),
    Case(
      "not a value on its own line", "backends:\n- type: x\n  pairing_token:\n    a\n", line: 3,
      left: nil),
    Case(
      "not an anchor that others use",
      "backends:\n- type: x\n  pairing_token: &t a\n- type: y\n  pairing_token: *t\n", line: 3,
      left: nil),
    Case(
      "not the only key of a nested mapping",
      "backends:\n- type: x\n  a:\n    token: t\n", line: 4, key: "a.token", left: nil),
    Case("not another line", "backends:\n- type: x\n  pairing_token: a\n", line: 2, left: nil),
    Case("not beyond the end", "backends:\n- type: x\n", line: 9, left: nil),
    Case("not in what is no YAML", "a: [\npairing_token: x\n", line: 2, left: nil),
  ]

  @Test("A spent secret's line is taken out only where nothing else changes", arguments: cases)
  func removes(example: Case) {
    let left = ConfigurationText.removing(
      ["other.spelling", example.key], onLine: example.line, from: Array(example.text.utf8))
    #expect(left.map { String(decoding: $0, as: UTF8.self) } == example.left)
  }
}
