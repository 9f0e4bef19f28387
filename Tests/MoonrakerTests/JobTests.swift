import ConnectorKit
import JSON
import Moonraker
import Platform
import Testing

/// One step of a history of the printer.
enum Step: Sendable, CustomTestStringConvertible {
  case stats(String, file: String = "a.gcode", total: Double? = nil)
  case klippy(KlippyState)
  case link(Bool)
  /// The answer of a subscription after Klippy or Moonraker was away.
  case back(String, file: String = "a.gcode", total: Double? = nil)

  var testDescription: String { "\(self)" }

  var change: [StatusChange] {
    switch self {
    case .stats(let state, let file, let total):
      [.update(Self.objects(state, file, total), eventtime: nil)]
    case .klippy(let state): [.klippy(state, message: nil)]
    case .link(let isUp): [.link(isUp: isUp)]
    case .back(let state, let file, let total):
      [
        .link(isUp: true), .klippy(.ready, message: nil),
        .full(Self.objects(state, file, total), eventtime: nil, kept: [:], isComplete: true),
      ]
    }
  }

  private static func objects(_ state: String, _ file: String, _ total: Double?) -> JSONObject {
    var stats: JSONObject = ["state": .string(state), "filename": .string(file)]
    if let total { stats["total_duration"] = .double(total) }
    return ["print_stats": .object(stats)]
  }
}

@Suite("Print jobs") struct JobTests {
  struct History: Sendable, CustomTestStringConvertible {
    var name: String
    var steps: [Step]
    /// The events as `number event`.
    var events: [String]
    var testDescription: String { name }
  }

  static let histories: [History] = [
    History(
      name: "a print from start to end",
      steps: [
        .back("standby", file: ""), .stats("printing"), .stats("printing"), .stats("complete"),
        .stats("standby", file: ""),
      ],
      events: ["1 started", "1 finished"]),
    History(
      name: "pause and resume",
      steps: [
        .back("standby"), .stats("printing"), .stats("paused"), .stats("paused"),
        .stats("printing"), .stats("complete"),
      ],
      events: ["1 started", "1 paused", "1 resumed", "1 finished"]),
    History(
      name: "a cancel while paused",
      steps: [.back("standby"), .stats("printing"), .stats("paused"), .stats("cancelled")],
      events: ["1 started", "1 paused", "1 cancelled"]),
    History(
      name: "a macro that cancels by resetting the file",
      steps: [.back("standby"), .stats("printing"), .stats("standby", file: "")],
      events: ["1 started", "1 cancelled"]),
    History(
      name: "an error of the print",
      steps: [.back("standby"), .stats("printing"), .stats("error"), .stats("error")],
      events: ["1 started", "1 failed"]),
    History(
      name: "the same file twice",
      steps: [
        .back("standby"), .stats("printing"), .stats("complete"), .stats("printing"),
        .stats("complete"),
      ],
      events: ["1 started", "1 finished", "2 started", "2 finished"]),
    History(
      name: "an emergency stop, after which print_stats goes on printing for a second",
      steps: [
        .back("standby"), .stats("printing"), .klippy(.shutdown), .stats("printing", total: 9),
        .stats("printing", total: 10),
        .stats("error"), .klippy(.disconnected), .klippy(.ready), .back("standby", file: ""),
        .stats("printing"),
      ],
      events: ["1 started", "1 failed", "2 started"]),
    History(
      name: "Klippy is lost during a print",
      steps: [
        .back("standby"), .stats("printing"), .klippy(.disconnected), .klippy(.startup),
        .klippy(.ready), .back("standby", file: ""),
      ],
      events: ["1 started", "1 failed"]),
    History(
      name: "Klippy comes back in error",
      steps: [
        .back("standby"), .stats("printing"), .klippy(.disconnected), .klippy(.error),
        .klippy(.disconnected), .klippy(.ready), .back("standby"),
      ],
      events: ["1 started", "1 failed"]),
    History(
      name: "Moonraker restarts during a print",
      steps: [
        .back("standby"), .stats("printing", total: 5), .link(false), .link(true),
        .klippy(.startup), .klippy(.ready),
        .back("printing", total: 25), .stats("complete"),
      ],
      events: ["1 started", "1 finished"]),
    History(
      name: "a print ends while Moonraker is away",
      steps: [.back("standby"), .stats("printing"), .link(false), .back("complete")],
      events: ["1 started", "1 finished"]),
    History(
      name: "a print is paused while Moonraker is away",
      steps: [
        .back("standby"), .stats("printing", total: 5), .link(false), .back("paused", total: 30),
      ],
      events: ["1 started", "1 paused"]),
    History(
      name: "another print of the same file began while Moonraker was away",
      steps: [
        .back("standby"), .stats("printing", total: 500), .link(false),
        .back("printing", total: 30),
      ],
      events: ["1 started", "1 cancelled", "2 started"]),
    History(
      name: "a paused job is thrown out by the start of another file",
      steps: [
        .back("standby"), .stats("printing"), .stats("paused"), .stats("printing", file: "b.gcode"),
      ],
      events: ["1 started", "1 paused", "1 cancelled", "2 started"]),
    History(
      name: "a print that ran when we came has no start but an end",
      steps: [
        .back("printing", total: 1_000), .stats("paused"), .stats("printing"), .stats("complete"),
      ],
      events: ["1 paused", "1 resumed", "1 finished"]),
    History(
      name: "what had ended when we came is nothing",
      steps: [.back("complete"), .stats("standby", file: ""), .klippy(.disconnected)],
      events: []),
    History(
      name: "a restart of Klippy's after a lost shutdown does not hide the next print",
      steps: [
        .back("standby"), .stats("printing"), .klippy(.shutdown), .link(false),
        .back("printing", file: "b.gcode", total: 1),
      ],
      events: ["1 started", "1 failed", "2 started"]),
    History(
      name: "a state of tomorrow ends no job as finished",
      steps: [.back("standby"), .stats("printing"), .stats("levitating")],
      events: ["1 started", "1 cancelled"]),
  ]

  @Test("each job's life is told once", arguments: histories)
  func history(_ history: History) {
    var script = StatusScript()
    var events: [String] = []
    for step in history.steps {
      for change in step.change {
        for case .job(let event, let job, _) in script.apply(change).events {
          events.append("\(job) \(event.rawValue)")
        }
      }
    }
    #expect(events == history.events)
  }

  @Test("a job's events carry its own file") func filenames() {
    var script = StatusScript.idle()
    #expect(
      script.update(["print_stats": ["state": "printing", "filename": "a b/ü.gcode"]]).events == [
        .printState(from: "standby", to: "printing"),
        .job(.started, job: 1, filename: "a b/ü.gcode"),
      ])
    #expect(
      script.update(["print_stats": ["state": "standby", "filename": ""]]).events == [
        .printState(from: "printing", to: "standby"),
        .job(.cancelled, job: 1, filename: "a b/ü.gcode"),
      ])
  }
}
