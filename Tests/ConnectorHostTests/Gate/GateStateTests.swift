import ConnectorKit
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: state check") struct GateStateTests {
  private static func status(
    _ state: String?, klippy: KlippyState = .ready, isCurrent: Bool = true, isUp: Bool = true,
    objects: [String: JSONObject] = ["extruder": cold, "heater_bed": cold]
  ) -> PrinterStatus {
    var status = PrinterStatus(
      startedAt: MonotonicInstant(sinceOrigin: .zero), wallTime: WallTime(millisecondsSinceEpoch: 0)
    )
    status.link = isUp ? .connected : .away(since: MonotonicInstant(sinceOrigin: .zero))
    status.klippy = isUp ? klippy : .disconnected
    status.isCurrent = isCurrent && isUp
    status.objects = objects
    status.objects["print_stats"] = [
      "state": .string(orNull: state), "filename": "current.gcode",
    ]
    return status
  }

  private static let cold: JSONObject = ["temperature": 50.0, "target": 0.0]

  /// nil: it fits.
  private static func refusal(
    _ command: PrinterCommand, _ status: PrinterStatus, limits: HeaterLimits = .unknown
  ) throws -> CommandOutcome.Reason? {
    let reading = try CommandReading(command)
    do throws(CommandFailure) {
      try StateCheck(status: status, limits: limits).check(reading)
      return nil
    } catch {
      return error.reason
    }
  }

  private static let states = ["standby", "printing", "paused", "complete", "error", "cancelled"]
  private static let idle: Set = ["standby", "complete", "error", "cancelled"]
  private static let all = Set(states)

  @Test(
    "Each command in each state of the printer",
    arguments: [
      (PrinterCommand.pause, Set(["printing"])), (.resume, ["paused"]),
      (.cancel, ["printing", "paused"]), (.emergencyStop, all),
      (.start(.of("a.gcode"), .person), idle), (.start(.of("a.gcode"), .itself), idle),
      (.home([]), idle), (.gcode("M117 x"), all), (.gcode("M104 S200"), all),
      (.gcode("G1 X1"), idle), (.gcode("G28"), idle), (.gcode("G29"), idle),
      (.gcode("G92 E0"), idle), (.gcode("G91"), idle), (.gcode("T1"), idle),
      (.gcode("M84"), idle), (.gcode("M83"), idle), (.gcode("G4 P100"), all),
      (.gcode("M117 x\nG1 X1"), idle), (.gcode("M23 a.gcode"), idle),
      (.gcode("M24"), idle.union(["paused"])), (.gcode("M25"), ["printing"]),
      (.gcode("M27"), all), (.gcode("M81"), idle), (.macro("PAUSE", []), ["printing"]),
      (.macro("CANCEL_PRINT", []), ["printing", "paused"]), (.macro("LOAD", []), all),
      (.temperature(heater: "extruder", celsius: 10), all), (.fan(1), all),
      (.speed(percent: 90), all), (.flow(percent: 90), all), (.upload(.of("a.gcode")), all),
      (.upload(.of("current.gcode")), idle), (.listFiles, all), (.history(limit: 1), all),
      (.backup, all), (.restart(.klipper), idle), (.reboot, idle), (.shutdownHost, idle),
      (.power(device: "psu", isOn: false), idle),
    ] as [(PrinterCommand, Set<String>)])
  func matrix(command: PrinterCommand, fitting: Set<String>) throws {
    for state in Self.states {
      let reason = try Self.refusal(command, Self.status(state))
      #expect(reason == (fitting.contains(state) ? nil : .wrongState), "\(state)")
    }
  }

  @Test(
    "Away, silent or down is said as such",
    arguments: [
      (status("standby", isUp: false), CommandOutcome.Reason.notConnected),
      (status("standby", isCurrent: false), .notConnected),
      (status(nil), .notConnected),
      (status("standby", klippy: .disconnected), .notConnected),
      (status("standby", klippy: .startup), .wrongState),
      (status("printing", klippy: .shutdown), .wrongState),
      (status("standby", klippy: .error), .wrongState),
    ])
  func away(status: PrinterStatus, reason: CommandOutcome.Reason) throws {
    for command: PrinterCommand in [
      .pause, .resume, .cancel, .start(.of("a.gcode"), .person), .home([]), .gcode("M105"), .fan(1),
    ] {
      #expect(try Self.refusal(command, status) == reason)
    }
    #expect(try Self.refusal(.emergencyStop, status) == nil)
  }

  @Test("A restart is for a Klipper that is down")
  func restart() throws {
    for klippy in [KlippyState.shutdown, .error, .startup, .disconnected] {
      #expect(try Self.refusal(.restart(.firmware), Self.status("printing", klippy: klippy)) == nil)
    }
    #expect(try Self.refusal(.restart(.firmware), Self.status("x", isUp: false)) == .notConnected)
    #expect(
      try Self.refusal(.restart(.firmware), Self.status("standby", isCurrent: false))
        == .notConnected)
  }

  @Test(
    "Power stays on while something is hot, or may be",
    arguments: [
      (["temperature": 50.0, "target": 0.0], nil), (["temperature": 50.1, "target": 0.0], true),
      (["temperature": 20.0, "target": 1.0], true), (["temperature": nil, "target": nil], true),
      (["temperature": 20.0], true),
      (["target": 0.0], true),
    ] as [(JSONObject, Bool?)])
  func hot(heater: JSONObject, isRefused: Bool?) throws {
    for name in ["extruder", "extruder1", "heater_bed", "heater_generic chamber"] {
      let reason = try Self.refusal(off, Self.status("standby", objects: among(name, heater)))
      #expect(reason == (isRefused == true ? .wrongState : nil))
    }
    for name in ["temperature_sensor x", "extruder_stepper x"] {
      #expect(
        try Self.refusal(off, Self.status("standby", objects: among(name, heater))) == nil)
    }
  }

  @Test("A heater of which nothing is known counts as hot, and one that is not there does not")
  func unknownHeat() throws {
    func status(_ names: String...) -> PrinterStatus {
      Self.status(
        "standby", objects: Dictionary(uniqueKeysWithValues: names.map { ($0, Self.cold) }))
    }
    #expect(try Self.refusal(off, status("extruder")) == .wrongState)
    let limits = HeaterLimits([
      "extruder": 300, "heater_generic chamber": 80, "temperature_fan case": 60,
    ])
    #expect(try Self.refusal(off, status("extruder"), limits: limits) == .wrongState)
    #expect(
      try Self.refusal(off, status("extruder", "heater_generic Chamber"), limits: limits) == nil)
    var old = status("extruder", "heater_bed")
    old.klippy = .error
    old.isCurrent = false
    #expect(try Self.refusal(off, old) == .wrongState)
    #expect(try Self.refusal(.power(device: "psu", isOn: true), old) == nil)
  }

  private let off = PrinterCommand.power(device: "psu", isOn: false)

  private func among(_ name: String, _ heater: JSONObject) -> [String: JSONObject] {
    var objects = ["extruder": Self.cold, "heater_bed": Self.cold]
    objects[name] = heater
    return objects
  }
}
