import ConnectorKit
import JSON
import Moonraker
import Platform

/// A machine with a clock that the test turns: events in, and what it did as short lines.
struct LinkScript {
  var machine: LinkMachine
  var now = MonotonicInstant(sinceOrigin: .seconds(1_000))
  /// When a frame came last, as `tick` tells the machine.
  var lastHeard: MonotonicInstant?

  init(usesPing: Bool = true, interest: StatusInterest = LinkScript.interest) {
    machine = LinkMachine(
      agentName: "printer-uplink", hasKey: true, usesPing: usesPing, interest: interest)
  }

  static let interest = StatusInterest(["extruder": .named(["temperature", "target"])])
  static let objects: JSONValue = [
    "objects": ["webhooks", "print_stats", "extruder", "toolhead", "temperature_sensor chamber"]
  ]

  /// Delivers an event and returns the actions, log lines left out.
  @discardableResult
  mutating func tell(_ event: LinkMachine.Event) -> [LinkMachine.Action] {
    machine.handle(event, at: now).filter { if case .log = $0 { false } else { true } }
  }

  /// Delivers an event and returns the log lines only.
  mutating func logged(_ event: LinkMachine.Event) -> [LinkMachine.Action] {
    machine.handle(event, at: now).filter { if case .log = $0 { true } else { false } }
  }

  /// Turns the clock to the machine's next deadline and ticks; nil where there is none.
  @discardableResult
  mutating func tickAtDeadline() -> [LinkMachine.Action]? {
    guard let deadline = machine.deadline else { return nil }
    now = max(now, deadline)
    return tell(.tick(lastHeard: lastHeard))
  }

  /// Turns the clock and ticks.
  @discardableResult
  mutating func pass(_ duration: Duration) -> [LinkMachine.Action] {
    now = now.advanced(by: duration)
    return tell(.tick(lastHeard: lastHeard))
  }

  /// How long until the next deadline.
  var untilDeadline: Duration? { machine.deadline.map { now.duration(to: $0) } }

  /// Opens a connection and identifies on it.
  mutating func connect() {
    tell(.start)
    tell(.opened)
    tell(.answer(.identify(name: "printer-uplink", asAgent: true), .success(["connection_id": 1])))
  }

  /// Answers `server.info` with a state of Klippy's.
  @discardableResult
  mutating func serverInfo(_ state: String) -> [LinkMachine.Action] {
    tell(
      .answer(.serverInfo, .success(["klippy_connected": true, "klippy_state": .string(state)])))
  }

  /// Answers the list of objects of the machine's present generation.
  @discardableResult
  mutating func listObjects(generation: Int) -> [LinkMachine.Action] {
    tell(.answer(.objectsList(generation: generation), .success(Self.objects)))
  }

  /// Answers the subscription of a generation.
  @discardableResult
  mutating func subscribed(
    generation: Int, eventtime: Double = 100, filename: String = ""
  ) -> [LinkMachine.Action] {
    tell(
      .answer(
        .subscribe(generation: generation, JSONObject()),
        .success(Self.full(eventtime: eventtime, filename: filename))))
  }

  /// The whole way to a living subscription of generation 1.
  static func live(
    interest: StatusInterest = LinkScript.interest, usesPing: Bool = true
  ) -> LinkScript {
    var script = LinkScript(usesPing: usesPing, interest: interest)
    script.connect()
    script.serverInfo("ready")
    script.listObjects(generation: 1)
    script.subscribed(generation: 1)
    return script
  }

  static func full(eventtime: Double, filename: String) -> JSONValue {
    [
      "eventtime": .double(eventtime),
      "status": [
        "webhooks": ["state": "ready", "state_message": "Printer is ready"],
        "print_stats": ["state": "standby", "filename": .string(filename)],
      ],
    ]
  }
}

extension [LinkMachine.Action] {
  /// The calls among the actions, by method.
  var methods: [String] {
    compactMap { if case .call(let call) = $0 { call.method } else { nil } }
  }

  /// What the subscription asks for, by object.
  var subscribedNames: [String]? {
    for case .call(.subscribe(_, let objects)) in self { return objects.keys.sorted() }
    return nil
  }

  /// Klippy's states that the cache is told.
  var klippyStates: [KlippyState] {
    compactMap { if case .cache(.klippy(let state, _)) = $0 { state } else { nil } }
  }

  /// Whether the connection is given up.
  var disconnects: Bool { contains { if case .disconnect = $0 { true } else { false } } }
}
