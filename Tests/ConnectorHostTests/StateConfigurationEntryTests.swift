import Testing

@testable import ConnectorHost

@Suite("An entry more in a configuration's text") struct StateConfigurationEntryTests {
  private func appending(_ text: String) -> String? {
    ConfigurationText.appending(
      entry: ["type: printdock", "enabled: false"], to: Array(text.utf8)
    ).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(
    "It comes after the last entry, with its indentation; all else stays",
    arguments: [
      (
        "backends:\n  - type: reach # one\n", "backends:\n  - type: reach # one\n",
        "  - type: printdock\n    enabled: false\n", ""
      ),
      (
        "backends:\n- type: reach\n  name: x\n\n# the log\nlog: {level: info}\n",
        "backends:\n- type: reach\n  name: x\n", "- type: printdock\n  enabled: false\n",
        "\n# the log\nlog: {level: info}\n"
      ),
      (
        "backends:\n    - {type: reach}\n    # a comment at the end",
        "backends:\n    - {type: reach}\n",
        "    - type: printdock\n      enabled: false\n", "    # a comment at the end"
      ),
      (
        "backends:\n  - type: reach", "backends:\n  - type: reach\n",
        "  - type: printdock\n    enabled: false\n", ""
      ),
      (
        "version: 1\n# end\n", "version: 1\n# end\n",
        "backends:\n  - type: printdock\n    enabled: false\n", ""
      ),
      (
        "version: 1\r\nbackends:\r\n  - type: reach\r\n",
        "version: 1\r\nbackends:\r\n  - type: reach\r\n",
        "  - type: printdock\r\n    enabled: false\r\n", ""
      ),
    ])
  func appended(_ text: String, _ before: String, _ added: String, _ after: String) {
    #expect(appending(text) == before + added + after)
  }

  @Test(
    "Where it cannot be sure it does nothing",
    arguments: [
      "backends: []\n", "backends: [{type: reach}]\n", "backends:\n", "- type: reach\n", "x: [\n",
      "{version: 1, backends: [{type: reach}]}\n", "version: 1\n...\n", "",
      "backends:\n  - type: reach\n    note: |\n      a\n      # text, no comment\n",
      "backends:\n  -\n    type: reach\n",
    ])
  func unsure(_ text: String) { #expect(appending(text) == nil) }
}
