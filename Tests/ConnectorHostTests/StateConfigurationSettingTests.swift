import Testing

@testable import ConnectorHost

@Suite("A setting more in a configuration's text") struct StateConfigurationSettingTests {
  private func adding(_ text: String) -> ConfigurationText.Addition {
    ConfigurationText.adding("control.health_listen", "\"0.0.0.0:8080\"", to: Array(text.utf8))
  }

  @Test(
    "It comes first in its section, which is made where it is missing; all else stays",
    arguments: [
      (
        "version: 1\ncontrol:\n  # the page\n  listen: off # quiet\nlog: {level: info}\n",
        "version: 1\ncontrol:\n  # the page\n  health_listen: \"0.0.0.0:8080\"\n  listen: off # quiet\nlog: {level: info}\n"
      ),
      (
        "control:\n    listen: off\n    token_file: /x",
        "control:\n    health_listen: \"0.0.0.0:8080\"\n    listen: off\n    token_file: /x"
      ),
      ("version: 1", "version: 1\ncontrol:\n  health_listen: \"0.0.0.0:8080\"\n"),
      (
        "backends:\n  - type: reach\n# end\n",
        "backends:\n  - type: reach\n# end\ncontrol:\n  health_listen: \"0.0.0.0:8080\"\n"
      ),
      (
        "version: 1\r\ncontrol:\r\n  listen: off\r\n",
        "version: 1\r\ncontrol:\r\n  health_listen: \"0.0.0.0:8080\"\r\n  listen: off\r\n"
      ),
    ])
  func added(_ text: String, _ expected: String) {
    #expect(adding(text) == .added(Array(expected.utf8)))
  }

  @Test(
    "What stands there stays",
    arguments: ["control: {health_listen: off}", "control:\n  health_listen:\n"])
  func present(_ text: String) { #expect(adding(text) == .present) }

  @Test(
    "Where it cannot be sure it does nothing",
    arguments: [
      "control: {listen: off}\n", "control:\n", "control: 7\n", "control: {}\n", "- a\n", "x: [\n",
      "",
      "control: &c\n  listen: off\nlog: *c\n", "{version: 1}\n",
    ])
  func impossible(_ text: String) { #expect(adding(text) == .impossible) }
}
