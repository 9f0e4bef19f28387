import ConnectorKit
import JSON
import Moonraker
import Platform
import Testing

@Suite("The merged status") struct StatusStateTests {
  @Test("What was asked for is covered with its last answer, and by the next subscription anew")
  func covered() {
    var script = StatusScript()
    let (few, more) = (
      StatusInterest(["print_stats": .named(["state"])]), StatusInterest(["print_stats": .all])
    )
    func full(_ interest: StatusInterest, isComplete: Bool) -> StatusChange {
      .full(
        StatusScript.objects, eventtime: nil, kept: [:], isComplete: isComplete, covering: interest)
    }
    #expect(!script.state.status.covers(StatusInterest()))
    script.apply(full(few, isComplete: true))
    #expect(script.state.status.covers(few) && !script.state.status.covers(more))
    script.apply(full(more, isComplete: false))
    #expect(!script.state.status.covers(more))
    script.apply(.once(JSONObject()))
    #expect(script.state.status.covers(more) && script.state.status.covers(few))
  }

  @Test("a field that comes is replaced as a whole, one that is absent stays") func merges() {
    var script = StatusScript.idle()
    let version = script.status.version
    let effects = script.update([
      "extruder": ["temperature": 30.25],
      "toolhead": ["position": [4.0, 5.0, 6.0, 0.0]],
      "print_stats": ["info": ["total_layer": 12]],
    ])
    #expect(effects.isNewSnapshot)
    #expect(script.status.version == version + 1)
    #expect(
      script.status.objects["extruder"] == ["temperature": 30.25, "target": 0.0, "power": 0.0])
    #expect(script.status.field("toolhead", "position") == [4.0, 5.0, 6.0, 0.0])
    #expect(script.status.field("toolhead", "homed_axes") == "xyz")
    #expect(script.status.field("print_stats", "info") == ["total_layer": 12])
    #expect(script.status.printState == "standby")
    #expect(script.status.eventtime?.double == 200)
    #expect(script.status.updatedAt == script.now)
  }

  @Test("null is a value, and a nested object comes as a whole") func nullIsAValue() {
    var script = StatusScript.idle()
    script.update(["print_stats": ["info": ["current_layer": 1]]])
    #expect(script.status.field("print_stats", "info") == ["current_layer": 1])
    script.update(["toolhead": ["homed_axes": nil]])
    #expect(script.status.field("toolhead", "homed_axes") == .null)
  }

  @Test("an update that says nothing new makes no snapshot but keeps the time") func sameValues() {
    var script = StatusScript.idle()
    let version = script.status.version
    #expect(!script.update(["extruder": ["temperature": 21.5]], eventtime: 300).isNewSnapshot)
    #expect(!script.update([:], eventtime: 301).isNewSnapshot)
    #expect(script.status.version == version)
    #expect(script.status.eventtime?.double == 301)
  }

  @Test("a changed list of files makes a snapshot, the machine's state does not")
  func filesAndMachine() {
    var script = StatusScript.idle()
    let revision = script.status.filesRevision
    #expect(script.apply(.files).isNewSnapshot)
    #expect(script.status.filesRevision != revision)
    #expect(!script.apply(.machine(memoryUsed: 512_000, cpuTemperature: 41.5)).isNewSnapshot)
    #expect(script.state.host.memoryUsed == 512_000)
    #expect(script.state.host.cpuTemperature == 41.5)
  }

  @Test("an object that only an update brings is taken in") func newObject() {
    var script = StatusScript.idle()
    #expect(script.update(["fan": ["speed": 0.5]]).isNewSnapshot)
    #expect(script.status.field("fan", "speed") == 0.5)
  }

  @Test(
    "nonsense inside of an update is left out",
    arguments: [["extruder": 5], ["extruder": nil], ["extruder": ["text"]]] as [JSONObject])
  func nonsense(update: JSONObject) {
    var script = StatusScript.idle()
    #expect(!script.update(update).isNewSnapshot)
    #expect(script.status.objects["extruder"]?.count == 3)
  }

  @Test("the subscription's answer replaces everything but what is read once") func fullReplaces() {
    var script = StatusScript.idle()
    script.apply(.once(["toolhead": ["estimated_print_time": 7.0]]))
    script.apply(
      .full(
        ["toolhead": ["homed_axes": ""], "webhooks": ["state": "ready"]],
        eventtime: JSONNumber(400.0), kept: ["toolhead": ["estimated_print_time"]],
        isComplete: true))
    #expect(script.status.objects["extruder"] == nil)
    #expect(
      script.status.objects["toolhead"] == ["homed_axes": "", "estimated_print_time": 7.0])
  }

  @Test("values count as current only when what is read once is there as well") func completes() {
    var script = StatusScript()
    script.apply(.link(isUp: true))
    script.apply(
      .full(
        StatusScript.objects, eventtime: nil, kept: ["toolhead": ["estimated_print_time"]],
        isComplete: false))
    #expect(!script.status.isCurrent)
    #expect(script.apply(.once(JSONObject())).isNewSnapshot)
    #expect(script.status.isCurrent)
  }

  @Test("a further subscription on the living connection leaves the values current")
  func resubscribing() {
    var script = StatusScript.idle()
    let effects = script.apply(
      .full(StatusScript.objects, eventtime: nil, kept: [:], isComplete: false))
    #expect(script.status.isCurrent)
    #expect(effects.events.isEmpty)
  }

  @Test("when Klippy goes the values stay, marked, and what heats is unknown") func klippyGoes() {
    var script = StatusScript.idle()
    let effects = script.apply(.klippy(.disconnected, message: nil))
    #expect(
      effects.events == [
        .klippy(.disconnected, message: ""), .printState(from: "standby", to: nil),
      ])
    #expect(!script.status.isCurrent)
    #expect(script.status.klippy == .disconnected)
    #expect(
      script.status.objects["heater_bed"] == ["temperature": 22.0, "target": nil, "power": nil])
    #expect(!script.apply(.klippy(.disconnected, message: nil)).isNewSnapshot)
  }

  @Test("a shutdown keeps the values current, and its words follow") func shutdown() {
    var script = StatusScript.idle()
    #expect(
      script.apply(.klippy(.shutdown, message: nil)).events == [.klippy(.shutdown, message: "")])
    #expect(script.status.isCurrent)
    // Another object's update is no word of Klippy's, although webhooks still says ready.
    #expect(script.update(["extruder": ["temperature": 22.0]]).events.isEmpty)
    #expect(script.status.klippy == .shutdown)
    let words = script.update([
      "webhooks": ["state": "shutdown", "state_message": "Shutdown due to M112 command"]
    ])
    #expect(words.events == [.klippy(.shutdown, message: "Shutdown due to M112 command")])
    #expect(script.apply(.klippy(.shutdown, message: nil)).events.isEmpty)
    #expect(script.status.klippyMessage == "Shutdown due to M112 command")
  }

  @Test("the loss of Moonraker is no event of Klippy's") func linkGoes() {
    var script = StatusScript.idle()
    script.apply(.load(cpuPercent: 3, memoryPercent: 40))
    script.apply(.disk(percent: 12))
    let lost = script.apply(.link(isUp: false))
    #expect(lost.events == [.link(isUp: false), .printState(from: "standby", to: nil)])
    #expect(script.status.link == .away(since: script.now))
    #expect(script.status.klippy == .disconnected)
    #expect(!script.status.isCurrent)
    #expect(script.status.field("heater_bed", "target") == 60.0)
    #expect(script.state.host == HostLoad(diskPercent: 12))
    #expect(script.apply(.link(isUp: false)).events.isEmpty)
    #expect(script.apply(.link(isUp: true)).events == [.link(isUp: true)])
    #expect(script.apply(.klippy(.ready, message: nil)).events.isEmpty)
    #expect(script.full(StatusScript.objects).events == [.printState(from: nil, to: "standby")])
  }

  @Test("a failed subscription makes the values stale") func stale() {
    var script = StatusScript.idle()
    #expect(script.apply(.stale).events == [.printState(from: "standby", to: nil)])
    #expect(!script.status.isCurrent)
    #expect(!script.apply(.stale).isNewSnapshot)
  }

  @Test("metadata belong to the loaded file only") func metadata() {
    var script = StatusScript.idle()
    script.update(["print_stats": ["filename": "cube.gcode"]])
    #expect(
      !script.apply(.metadata(filename: "other.gcode", ["estimated_time": 5])).isNewSnapshot)
    #expect(script.apply(.metadata(filename: "cube.gcode", ["estimated_time": 90])).isNewSnapshot)
    #expect(script.status.fileMetadata == ["estimated_time": 90])
    script.update(["print_stats": ["state": "printing"]])
    #expect(script.status.fileMetadata == ["estimated_time": 90])
    script.update(["print_stats": ["filename": "next.gcode"]])
    #expect(script.status.fileMetadata.isEmpty)
  }

  @Test("the host's load makes no snapshot") func hostLoad() {
    var script = StatusScript.idle()
    let version = script.status.version
    #expect(!script.apply(.load(cpuPercent: 3, memoryPercent: 40)).isNewSnapshot)
    #expect(!script.apply(.disk(percent: 50)).isNewSnapshot)
    #expect(script.status.version == version)
    #expect(
      script.state.host == HostLoad(cpuPercent: 3, memoryPercent: 40, diskPercent: 50))
  }

  @Test("a change of the webcams is an event and no snapshot") func webcams() {
    var script = StatusScript.idle()
    let effects = script.apply(.webcams)
    #expect(effects.events == [.webcams])
    #expect(!effects.isNewSnapshot)
  }
}
