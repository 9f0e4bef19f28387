import JSON
import SocketIO
import Testing

@Suite("Socket.IO: packets") struct SocketIOPacketTests {
  @Test(
    "Packets are read",
    arguments: [
      ("0", SocketIOPacket(.connect)),
      ("0{\"sid\":\"a\"}", SocketIOPacket(.connect, data: ["sid": "a"])),
      ("0/chat,{}", SocketIOPacket(.connect, namespace: "/chat", data: [:])),
      ("0/chat", SocketIOPacket(.connect, namespace: "/chat")),
      ("1", SocketIOPacket(.disconnect)),
      ("1/chat,", SocketIOPacket(.disconnect, namespace: "/chat")),
      ("2[\"a\"]", SocketIOPacket(.event, data: ["a"])),
      ("2/?x=1,[\"a\",1]", SocketIOPacket(.event, data: ["a", 1])),
      ("217[\"a\",{}]", SocketIOPacket(.event, id: 17, data: ["a", [:]])),
      ("2/c,0[\"a\"]", SocketIOPacket(.event, namespace: "/c", id: 0, data: ["a"])),
      ("2 [ \"a\" ] ", SocketIOPacket(.event, data: ["a"])),
      ("218446744073709551615[\"a\"]", SocketIOPacket(.event, id: .max, data: ["a"])),
      ("317[]", SocketIOPacket(.acknowledgement, id: 17, data: [])),
      ("4{\"message\":\"no\"}", SocketIOPacket(.connectError, data: ["message": "no"])),
      ("4\"no\"", SocketIOPacket(.connectError, data: "no")),
      (
        "51-[\"x\",{\"_placeholder\":true,\"num\":0}]",
        SocketIOPacket(
          .binaryEvent, attachments: 1, data: ["x", ["_placeholder": true, "num": 0]])
      ),
      (
        "52-/c,9[\"x\"]",
        SocketIOPacket(.binaryEvent, attachments: 2, namespace: "/c", id: 9, data: ["x"])
      ),
      ("60-3[]", SocketIOPacket(.binaryAcknowledgement, id: 3, data: [])),
    ])
  func reading(text: String, packet: SocketIOPacket) {
    #expect(SocketIOPacket(parsing: bytes(text)) == packet)
  }

  @Test(
    "What is none is refused",
    arguments: [
      "", "7[]", "x", "[]", "2", "2{}", "2[]", "2[1]", "2[null]", "2[[\"a\"]]", "2[\"a\"",
      "2[\"a\"]]",
      "2[\"a\"] x", "2\"a\"", "2-1[\"a\"]", "2+1[\"a\"]", "21-[\"a\"]",
      "218446744073709551616[\"a\"]",
      "299999999999999999999999[\"a\"]", "2,[\"a\"]", "2/c[\"a\"]", "2[\"a\\ud800\"]",
      "2[\"\u{0}\"]",
      "3", "3[]", "31", "31{}", "31\"a\"", "5[\"a\"]", "5-[\"a\"]", "51[\"a\"]", "51-", "51-{}",
      "51001-[\"a\"]", "599999999999999999999-[\"a\"]", "51-1-[\"a\"]", "61-[]", "6-1[]", "11",
      "1{}",
      "0[]", "0 5", "0\"a\"", "4[]", "4 5", "05{}", "45{}", "0{",
      "0/\u{0}" + String(repeating: "x", count: 300),
    ])
  func refusing(text: String) {
    #expect(SocketIOPacket(parsing: bytes(text)) == nil)
  }

  @Test(
    "Bytes that are not UTF-8 are refused",
    arguments: [
      bytes("2[\"") + [0xFF] + bytes("\"]"), bytes("2/") + [0xC3, 0x28] + bytes(",[\"a\"]"),
      bytes("2[\"") + [0xED, 0xA0, 0x80] + bytes("\"]"),
    ])
  func notText(text: [UInt8]) {
    #expect(SocketIOPacket(parsing: text) == nil)
  }

  @Test("Depth has a limit")
  func depth() {
    func event(_ depth: Int) -> [UInt8] {
      bytes(
        "2[\"a\"," + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
          + "]")
    }
    #expect(SocketIOPacket(parsing: event(60)) != nil)
    #expect(SocketIOPacket(parsing: event(10_000)) == nil)
  }

  @Test(
    "Packets are written as the original's library writes them",
    arguments: [
      (SocketIOPacket(.connect, data: [:]), "0{}"),
      (SocketIOPacket(.disconnect), "1"),
      (SocketIOPacket(.disconnect, namespace: "/c"), "1/c,"),
      (
        SocketIOPacket(.event, data: ["hello", ["a": 1, "b": "ü\n"]]),
        "2[\"hello\",{\"a\":1,\"b\":\"ü\\n\"}]"
      ),
      (SocketIOPacket(.event, namespace: "/c", id: 4, data: ["x"]), "2/c,4[\"x\"]"),
      (SocketIOPacket(.acknowledgement, id: 17, data: []), "317[]"),
    ])
  func writing(packet: SocketIOPacket, text: String) {
    #expect(String(decoding: packet.bytes, as: UTF8.self) == text)
  }
}
