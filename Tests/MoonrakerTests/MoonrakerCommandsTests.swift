import ConnectorKit
import JSON
import Moonraker
import Testing

@Suite("Commands through Moonraker") struct MoonrakerCommandsTests {
  @Test("what changes something is sent once, without a limit, and yields nothing")
  func changing() async throws {
    let caller = ScriptedCaller(["printer.gcode.script": .success("ok")])
    #expect(try await MoonrakerCommands(caller: caller).perform(.home([.x])) == nil)
    #expect(
      caller.calls == [
        .init(method: "printer.gcode.script", params: ["script": "G28 X"], timeout: nil)
      ])
  }

  @Test("what only looks has 10 s and yields what Moonraker says") func reads() async throws {
    let files: JSONValue = [["path": "a.gcode", "modified": 1.5, "size": 3, "permissions": "rw"]]
    let history: JSONValue = ["count": 0, "jobs": []]
    let caller = ScriptedCaller([
      "server.files.list": .success(files), "server.history.list": .success(history),
    ])
    let commands = MoonrakerCommands(caller: caller)
    #expect(try await commands.perform(.listFiles) == files)
    #expect(try await commands.perform(.history(limit: 3)) == history)
    #expect(caller.calls.map(\.timeout) == [.seconds(10), .seconds(10)])
  }

  @Test("an endpoint with several methods is called by the name that has the method in it")
  func methodInName() async throws {
    let caller = ScriptedCaller(["server.parts.post_item": .success(["item": 1])])
    guard
      let request = MoonrakerRequest(
        parts: ["server", "parts", "item"], method: .post, body: ["name": "a"])
    else { return _ = Issue.record("no path") }
    #expect(
      try await MoonrakerCommands(caller: caller).perform(.raw(request)) == ["item": 1])
    #expect(caller.calls.map(\.method) == ["server.parts.item", "server.parts.post_item"])
    #expect(caller.calls.map(\.params) == [["name": "a"], ["name": "a"]])
  }

  @Test("what a method does not find is not looked for under another name") func notFound() async {
    let caller = ScriptedCaller([
      "server.parts.item": .failure(.refused(code: -32601, message: "Part not found"))
    ])
    guard let request = MoonrakerRequest(parts: ["server", "parts", "item"], method: .get) else {
      return _ = Issue.record("no path")
    }
    await #expect(throws: CommandFailure(.printerRefused, "Part not found", code: -32601)) {
      _ = try await MoonrakerCommands(caller: caller).perform(.query(request))
    }
    #expect(caller.calls.count == 1)
  }

  @Test("a refusal is told in Moonraker's words, and is not sent again") func refused() async {
    let caller = ScriptedCaller([
      "printer.print.start": .failure(.refused(code: 400, message: "SD busy"))
    ])
    guard let path = GCodePath("a.gcode") else {
      Issue.record("no path")
      return
    }
    await #expect(throws: CommandFailure(.printerRefused, "SD busy", code: 400)) {
      _ = try await MoonrakerCommands(caller: caller).perform(.start(path, .person))
    }
    #expect(caller.calls.count == 1)
  }

  @Test(
    "a power device that is not in the wanted state afterwards is a failure",
    arguments: [("on", true), ("off", false), ("error", false), ("init", true)])
  func power(state: String, isFine: Bool) async throws {
    let caller = ScriptedCaller([
      "machine.device_power.post_device": .success(["lamp": .string(state)])
    ])
    let commands = MoonrakerCommands(caller: caller)
    do throws(CommandFailure) {
      _ = try await commands.perform(.power(device: "lamp", isOn: true))
      #expect(isFine)
    } catch {
      #expect(!isFine)
      #expect(error.message == "the power device says \(state)")
    }
  }

  @Test("of Klipper's configuration the highest temperatures are kept, by section")
  func heaters() async throws {
    let caller = ScriptedCaller([
      "printer.objects.query": .success([
        "eventtime": 1.0,
        "status": [
          "configfile": [
            "settings": [
              "extruder": ["max_temp": 290.0, "min_temp": 0.0],
              "heater_generic chamber": ["max_temp": 80], "printer": ["kinematics": "corexy"],
              "odd": ["max_temp": "hot"],
            ]
          ]
        ],
      ])
    ])
    let limits = try await MoonrakerCommands(caller: caller).heaterLimits()
    #expect(limits == ["extruder": 290, "heater_generic chamber": 80])
    #expect(caller.calls.map(\.timeout) == [.seconds(2)])
    let silent = ScriptedCaller(["printer.objects.query": .success(["status": [:]])])
    await #expect(throws: CommandFailure.self) {
      _ = try await MoonrakerCommands(caller: silent).heaterLimits()
    }
  }
}
