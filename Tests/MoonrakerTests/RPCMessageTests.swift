import JSON
import Moonraker
import Testing

@Suite("JSON-RPC messages") struct RPCMessageTests {
  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var messages: [RPCMessage]
    var testDescription: String { text }
  }

  static let cases: [Case] = [
    Case(
      text: #"{"jsonrpc":"2.0","result":"ok","id":4}"#,
      messages: [.response(id: 4, .success("ok"))]),
    Case(
      text: #"{"jsonrpc":"2.0","result":null,"id":4}"#,
      messages: [.response(id: 4, .success(nil))]),
    Case(
      text: #"{"id":5,"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}}"#,
      messages: [
        .response(id: 5, .failure(.refused(code: -32601, message: "Method not found")))
      ]),
    Case(
      text: #"{"error":"odd","id":5}"#,
      messages: [.response(id: 5, .failure(.refused(code: 0, message: "no message")))]),
    Case(
      text: #"{"jsonrpc":"2.0","method":"notify_klippy_ready"}"#,
      messages: [.notification(method: "notify_klippy_ready", params: nil)]),
    Case(
      text: #"{"params":[{"a":1}],"method":"notify_webcams_changed","jsonrpc":"2.0"}"#,
      messages: [.notification(method: "notify_webcams_changed", params: [["a": 1]])]),
    Case(
      text: #"{"jsonrpc":"2.0","method":"status","params":{"a":1},"id":"x"}"#,
      messages: [.request(id: "x", method: "status", params: ["a": 1])]),
    Case(
      text: #"{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}"#,
      messages: [.orphan(.refused(code: -32700, message: "Parse error"))]),
    Case(
      text:
        #"[{"result":1,"id":1},{"method":"notify_klippy_shutdown","jsonrpc":"2.0"}]"#,
      messages: [
        .response(id: 1, .success(1)),
        .notification(method: "notify_klippy_shutdown", params: nil),
      ]),
    Case(text: "[]", messages: []),
    Case(
      text: #"{"jsonrpc":"2.0","method":"notify_gcode_response","params":["ok"]}"#, messages: []),
    Case(
      text: #"{ "jsonrpc": "2.0", "method": "notify_gcode_response", "params": ["ok"] }"#,
      messages: []),
    // Not at the beginning: it is parsed, and then nobody knows it.
    Case(
      text: #"{"params":["ok"],"jsonrpc":"2.0","method":"notify_gcode_response"}"#,
      messages: [.notification(method: "notify_gcode_response", params: ["ok"])]),
  ]

  @Test("each kind of message is told apart", arguments: cases)
  func kinds(_ one: Case) throws {
    #expect(try RPCMessage.decode(Self.bytes(one.text)) == one.messages)
  }

  @Test(
    "nonsense is an error and no trap",
    arguments: [
      "", " ", "nonsense", "5", "null", "\"text\"", "[5]", "[[]]", "{}", #"{"id":5}"#,
      #"{"result":5}"#, #"{"result":5,"id":"text"}"#, #"{"method":5}"#, #"{"jsonrpc":"2.0","#,
      "<html>captive portal</html>", #"{"jsonrpc":"2.0","method":"notify_klippy_re"#,
    ])
  func nonsense(text: String) {
    #expect(throws: JSONError.self) { try RPCMessage.decode(Self.bytes(text)) }
  }

  @Test("bytes that are not UTF-8 are nonsense") func notUTF8() {
    #expect(throws: JSONError.self) { try RPCMessage.decode([0xFF, 0xFE, 0x7B]) }
  }
}
