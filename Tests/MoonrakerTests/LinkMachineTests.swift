import ConnectorKit
import JSON
import Moonraker
import Platform
import Testing

@Suite("The link machine") struct LinkMachineTests {
  // MARK: Connecting

  @Test("connects, identifies, asks for the server's state, lists and subscribes") func wholeWay() {
    var script = LinkScript()
    #expect(script.tell(.start) == [.connect])
    #expect(
      script.tell(.opened) == [.call(.identify(name: "printer-uplink", asAgent: true))])
    #expect(
      script.tell(
        .answer(.identify(name: "printer-uplink", asAgent: true), .success(["connection_id": 1])))
        == [.call(.serverInfo)])
    #expect(
      script.serverInfo("ready") == [
        .cache(.link(isUp: true)), .cache(.klippy(.ready, message: nil)), .call(.printerInfo),
        .call(.objectsList(generation: 1)),
      ])
    #expect(
      script.listObjects(generation: 1) == [
        .call(
          .subscribe(
            generation: 1,
            [
              "extruder": ["target", "temperature"],
              "print_stats": ["filename", "message", "state"],
              "webhooks": ["state", "state_message"],
            ]))
      ])
    let full = script.subscribed(generation: 1)
    guard case .cache(.full(let objects, let eventtime, _, let isComplete, _)) = full.first else {
      Issue.record("no full status: \(full)")
      return
    }
    #expect(objects["webhooks"]?["state"] == "ready")
    #expect(eventtime?.double == 100)
    #expect(isComplete)
    #expect(script.machine.condition == "connected; Klippy is ready")
  }

  @Test("waits 1, 2, 4, 8, 16 and then 30 s between attempts, at least a half of it")
  func backOff() throws {
    for (jitter, share) in [(0.0, 0.5), (0.5, 0.75)] {
      var script = LinkScript()
      script.tell(.start)
      for seconds in [1, 2, 4, 8, 16, 30, 30] {
        #expect(script.tell(.closed("connection refused", jitter: jitter)) == [])
        #expect(script.untilDeadline == .seconds(seconds) * share)
        #expect(script.tickAtDeadline() == [.connect])
        #expect(script.machine.deadline == nil, "never two attempts at once")
      }
    }
  }

  @Test("a connection that worked makes the back-off start anew") func backOffResets() {
    var script = LinkScript()
    script.tell(.start)
    for _ in 0..<4 {
      script.tell(.closed("refused", jitter: 1))
      script.tickAtDeadline()
    }
    script.tell(.opened)
    script.tell(.answer(.identify(name: "printer-uplink", asAgent: true), .success(nil)))
    script.serverInfo("ready")
    #expect(script.tell(.closed("gone", jitter: 1)) == [.cache(.link(isUp: false))])
    #expect(script.untilDeadline == .seconds(1))
  }

  @Test("the same failure is logged as news once, another one again") func failuresAreLoggedOnce() {
    var script = LinkScript()
    script.tell(.start)
    let reasons = ["refused after 1 ms", "refused after 20 ms", "no route", "no route"]
    let levels = reasons.map { reason -> LogLevel? in
      let lines = script.logged(.closed(reason, jitter: 0))
      script.tickAtDeadline()
      guard case .log(let level, _) = lines.first else { return nil }
      return level
    }
    #expect(levels == [.warning, .debug, .info, .debug])
  }

  @Test("a taken agent name is tried again, then we are an ordinary client and say so")
  func nameTaken() {
    var script = LinkScript()
    let asAgent = LinkCall.identify(name: "printer-uplink", asAgent: true)
    let asClient = LinkCall.identify(name: "printer-uplink-client", asAgent: false)
    let taken = Result<JSONValue, RPCFailure>.failure(
      .refused(code: 400, message: "Agent 'printer-uplink' already registered and connected'"))
    script.tell(.start)
    for seconds in [1, 2, 4] {
      #expect(script.tell(.opened) == [.call(asAgent)])
      #expect(script.tell(.answer(asAgent, taken)).disconnects)
      script.tell(.closed("taken", jitter: 0))
      #expect(script.untilDeadline == .seconds(seconds))
      #expect(script.tickAtDeadline() == [.connect])
    }
    script.tell(.opened)
    #expect(script.tell(.answer(asAgent, taken)).disconnects)
    script.tell(.closed("taken", jitter: 0))
    #expect(script.untilDeadline == .zero)
    #expect(script.tickAtDeadline() == [.connect])
    #expect(script.tell(.opened) == [.call(asClient)])
    #expect(script.tell(.answer(asClient, .success(nil))) == [.call(.serverInfo)])
    script.serverInfo("ready")
    #expect(script.machine.condition.contains("is taken by another client"))
    #expect(script.machine.condition.contains("printer-uplink-client"))

    // The next connection tries the name once, and without a pause.
    script.tell(.closed("gone", jitter: 0))
    script.tickAtDeadline()
    #expect(script.tell(.opened) == [.call(asAgent)])
    script.tell(.answer(asAgent, taken))
    script.tell(.closed("taken", jitter: 0))
    #expect(script.untilDeadline == .zero)
    script.tickAtDeadline()
    #expect(script.tell(.opened) == [.call(asClient)])
  }

  @Test(
    "a Moonraker that wants other credentials is tried every 30 s and the remedy is named",
    arguments: ["Unauthorized", "Invalid API Key"])
  func unauthorized(message: String) {
    var script = LinkScript()
    script.tell(.start)
    script.tell(.opened)
    let answer = script.tell(
      .answer(
        .identify(name: "printer-uplink", asAgent: true),
        .failure(.refused(code: -32602, message: message))))
    #expect(answer.disconnects)
    script.tell(.closed("Unauthorized", jitter: 1))
    #expect(script.untilDeadline == .seconds(30))
    #expect(script.machine.condition.contains("api_key_file"))
  }

  @Test("a Moonraker that identifies us but answers nothing else is no connection")
  func unauthorizedLater() {
    var script = LinkScript()
    script.connect()
    let answer = script.tell(
      .answer(.serverInfo, .failure(.refused(code: -32602, message: "Unauthorized"))))
    #expect(answer.disconnects)
    #expect(!answer.contains(.cache(.link(isUp: true))))
  }

  @Test(
    "a frozen Moonraker is left when it does not answer",
    arguments: [LinkCall.identify(name: "printer-uplink", asAgent: true), .serverInfo, .probe])
  func frozen(call: LinkCall) {
    var script = LinkScript()
    script.tell(.start)
    script.tell(.opened)
    if call.method != "server.connection.identify" {
      script.tell(.answer(.identify(name: "printer-uplink", asAgent: true), .success(nil)))
    }
    #expect(script.tell(.answer(call, .failure(.timedOut))).disconnects)
  }

  // MARK: Klippy's states

  @Test(
    "Klippy's state decides what follows",
    arguments: [
      ("disconnected", Duration.seconds(2), [String]()),
      ("startup", .seconds(2), []),
      ("error", .seconds(5), ["printer.info"]),
      ("shutdown", .seconds(5), ["printer.info", "printer.objects.list"]),
      ("a state of tomorrow", .seconds(2), []),
    ])
  func klippyStates(state: String, pause: Duration, methods: [String]) {
    var script = LinkScript()
    script.connect()
    #expect(script.serverInfo(state).methods == methods)
    #expect(script.untilDeadline == pause)
    #expect(script.tickAtDeadline()?.methods == ["server.info"])
  }

  @Test(
    "an answer without Klippy's state is not Moonraker's",
    arguments: [nil, [], "ready", ["klippy_state": 5], ["state": "ready"]] as [JSONValue])
  func notMoonraker(answer: JSONValue) {
    var script = LinkScript()
    script.connect()
    let actions = script.tell(.answer(.serverInfo, .success(answer)))
    #expect(actions.disconnects)
    #expect(!actions.contains(.cache(.link(isUp: true))))
    #expect(script.machine.condition == "connecting")
  }

  @Test("ready is not polled") func readyIsNotPolled() {
    let script = LinkScript.live()
    #expect(script.untilDeadline == .seconds(20), "only the connection itself is tried")
  }

  @Test("a missing Klippy counts as starting for 10 s after a connection, then as away")
  func grace() {
    var script = LinkScript()
    script.connect()
    #expect(script.serverInfo("disconnected").klippyStates == [.startup])
    #expect(script.machine.condition == "connected; Klippy is starting")
    for _ in 0..<4 {
      script.tickAtDeadline()
      #expect(script.serverInfo("disconnected").klippyStates == [.startup])
    }
    script.tickAtDeadline()
    #expect(script.serverInfo("disconnected").klippyStates == [.disconnected])
  }

  @Test("a Klippy that has been met and goes is away at once") func noGraceAfterMeeting() {
    var script = LinkScript()
    script.connect()
    script.serverInfo("startup")
    #expect(script.tell(.klippyDisconnected).klippyStates == [.disconnected])
    script.tickAtDeadline()
    #expect(script.serverInfo("disconnected").klippyStates == [.disconnected])
  }

  @Test("a restart of Klippy's is followed by a new subscription of the next generation")
  func restart() {
    var script = LinkScript.live()
    let lost = script.tell(.klippyDisconnected)
    #expect(lost == [.cache(.klippy(.disconnected, message: nil))])
    #expect(script.untilDeadline == .seconds(2))
    #expect(
      script.tell(.klippyReady) == [
        .cache(.klippy(.ready, message: nil)), .call(.printerInfo),
        .call(.objectsList(generation: 2)),
      ])
    #expect(script.untilDeadline == .seconds(20))
    #expect(script.listObjects(generation: 2).subscribedNames?.contains("extruder") == true)
    #expect(script.subscribed(generation: 2).count == 1)
  }

  @Test(
    "a restart that ends without a notification is found by polling",
    arguments: ["error", "shutdown"])
  func restartIntoTrouble(state: String) throws {
    var script = LinkScript.live()
    script.tell(.klippyDisconnected)
    #expect(script.tickAtDeadline()?.methods == ["server.info"])
    script.serverInfo("startup")
    script.tickAtDeadline()
    let found = script.serverInfo(state)
    #expect(found.klippyStates == [], "it is told together with its words")
    #expect(found.methods.first == "printer.info")
    let words = script.tell(
      .answer(
        .printerInfo, .success(["state": .string(state), "state_message": "MCU 'mcu' is lost"])))
    #expect(
      words == [
        .cache(.klippy(try #require(KlippyState(rawValue: state)), message: "MCU 'mcu' is lost"))
      ])
    #expect(script.untilDeadline == .seconds(5))
    #expect(script.tell(.klippyReady).methods == ["printer.info", "printer.objects.list"])
  }

  @Test("a Klippy in error is told without words where it has none for us") func noWords() {
    var script = LinkScript()
    script.connect()
    script.serverInfo("error")
    let refused = RPCFailure.refused(code: -32601, message: "Method not found")
    #expect(
      script.tell(.answer(.printerInfo, .failure(refused)))
        == [.cache(.klippy(.error, message: nil))])
  }

  @Test("a shutdown keeps the subscription") func shutdownKeepsSubscription() {
    var script = LinkScript.live()
    let actions = script.tell(.klippyShutdown)
    #expect(actions.methods == ["printer.info"])
    #expect(actions.klippyStates == [.shutdown])
    let update: JSONObject = ["webhooks": ["state": "shutdown"]]
    #expect(
      script.tell(.statusUpdate(update, eventtime: JSONNumber(101.0)))
        == [.cache(.update(update, eventtime: JSONNumber(101.0)))])
  }

  @Test("ready before the answer that says the same makes one subscription")
  func readyBeforeAnswer() {
    var script = LinkScript()
    script.connect()
    #expect(script.tell(.klippyReady).methods == ["printer.info", "printer.objects.list"])
    #expect(script.serverInfo("ready").methods == [])
    #expect(script.listObjects(generation: 1).methods == ["printer.objects.subscribe"])
  }

  @Test("an answer that a notification has overtaken is not believed")
  func outdatedAnswer() {
    var script = LinkScript()
    script.connect()
    script.tell(.klippyReady)
    #expect(script.serverInfo("startup").klippyStates == [])
    #expect(script.listObjects(generation: 1).methods == ["printer.objects.subscribe"])

    var gone = LinkScript.live()
    gone.tell(.klippyDisconnected)
    gone.tickAtDeadline()
    gone.tell(.klippyDisconnected)
    #expect(gone.serverInfo("ready").methods == [])
    #expect(gone.untilDeadline == .seconds(2))
  }

  @Test("ready after the answer subscribes again, and the first attempt's answers count no more")
  func readyAfterAnswer() {
    var script = LinkScript()
    script.connect()
    script.serverInfo("ready")
    script.listObjects(generation: 1)
    #expect(script.tell(.klippyReady).contains(.call(.objectsList(generation: 2))))
    #expect(script.subscribed(generation: 1) == [])
    #expect(script.listObjects(generation: 1) == [])
    #expect(script.listObjects(generation: 2).methods == ["printer.objects.subscribe"])
    #expect(script.subscribed(generation: 2).count == 1)
  }

  @Test(
    "a Klippy that goes while we subscribe is asked about again",
    arguments: [
      RPCFailure.refused(code: 503, message: "Klippy Disconnected"),
      .refused(code: -32601, message: "Method not found"),
      .refused(code: 500, message: "Klippy Request Timed Out"),
      .timedOut,
    ])
  func subscriptionFails(failure: RPCFailure) {
    var script = LinkScript()
    script.connect()
    script.serverInfo("ready")
    let actions = script.tell(.answer(.objectsList(generation: 1), .failure(failure)))
    #expect(actions == [.cache(.stale)])
    #expect(script.untilDeadline == .seconds(2))
    script.tickAtDeadline()
    #expect(script.serverInfo("ready").contains(.call(.objectsList(generation: 2))))
  }

  @Test("an answer without a status is a failure, not a trap") func nonsenseAnswer() {
    var script = LinkScript()
    script.connect()
    script.serverInfo("ready")
    script.listObjects(generation: 1)
    let answer = script.tell(
      .answer(.subscribe(generation: 1, JSONObject()), .success(["status": 5])))
    #expect(answer == [.cache(.stale)])
  }

  @Test("updates count from the subscription's answer on and not before its time")
  func updatesAreGated() {
    var script = LinkScript()
    let update: JSONObject = ["extruder": ["temperature": 20]]
    script.connect()
    script.serverInfo("ready")
    script.listObjects(generation: 1)
    #expect(script.tell(.statusUpdate(update, eventtime: JSONNumber(200.0))) == [])
    script.subscribed(generation: 1, eventtime: 100)
    #expect(script.tell(.statusUpdate(update, eventtime: JSONNumber(99.9))) == [])
    #expect(script.tell(.statusUpdate(update, eventtime: JSONNumber(100.0))).count == 1)
    #expect(script.tell(.statusUpdate(update, eventtime: nil)).count == 1)
    script.tell(.klippyReady)
    #expect(script.tell(.statusUpdate(update, eventtime: JSONNumber(200.0))) == [])
  }

  // MARK: What is read

  @Test("another interest subscribes again at once, an equal one does nothing")
  func interestChanges() {
    var script = LinkScript.live()
    #expect(script.tell(.interest(LinkScript.interest)) == [])
    let wider = StatusInterest(["temperature_sensor *": .all, "heater_bed": .all])
    let actions = script.tell(.interest(wider))
    #expect(actions.methods == ["printer.objects.subscribe"])
    #expect(
      actions.subscribedNames == ["print_stats", "temperature_sensor chamber", "webhooks"])
    #expect(script.subscribed(generation: 2).count == 1)
  }

  @Test("an interest that comes before the list is used when the list comes")
  func interestWhileListing() {
    var script = LinkScript()
    script.connect()
    script.serverInfo("ready")
    #expect(script.tell(.interest(StatusInterest(["toolhead": .named(["position"])]))) == [])
    #expect(
      script.listObjects(generation: 1).subscribedNames
        == ["print_stats", "toolhead", "webhooks"])
  }

  static let onceInterest = StatusInterest(
    ["toolhead": .named(["position"])], once: ["toolhead": ["estimated_print_time"]])

  @Test("what is read once is read beside the subscription and merged, whichever comes first")
  func once() {
    let query = LinkCall.query(generation: 1, ["toolhead": ["estimated_print_time"]])
    let values: JSONObject = ["toolhead": ["estimated_print_time": 12.5]]
    let answer = Result<JSONValue, RPCFailure>.success(
      ["eventtime": 100.0, "status": .object(values)])

    var script = LinkScript(interest: Self.onceInterest)
    script.connect()
    script.serverInfo("ready")
    let asked = script.listObjects(generation: 1)
    #expect(asked.first == .call(query))
    #expect(asked.methods == ["printer.objects.query", "printer.objects.subscribe"])
    let full = script.subscribed(generation: 1)
    guard case .cache(.full(_, _, let kept, let isComplete, _)) = full.first else {
      Issue.record("no full status: \(full)")
      return
    }
    #expect(!isComplete)
    #expect(kept == ["toolhead": ["estimated_print_time"]])
    #expect(script.tell(.answer(query, answer)) == [.cache(.once(values))])

    var reversed = LinkScript(interest: Self.onceInterest)
    reversed.connect()
    reversed.serverInfo("ready")
    reversed.listObjects(generation: 1)
    #expect(reversed.tell(.answer(query, answer)) == [])
    let both = reversed.subscribed(generation: 1)
    #expect(both.last == .cache(.once(values)))
    guard case .cache(.full(_, _, _, isComplete: false, _)) = both.first else {
      Issue.record("current before it is complete: \(both)")
      return
    }
  }

  @Test("a failed reading of what is read once does not hold the status back") func onceFails() {
    var script = LinkScript(interest: Self.onceInterest)
    script.connect()
    script.serverInfo("ready")
    script.listObjects(generation: 1)
    script.subscribed(generation: 1)
    let query = LinkCall.query(generation: 1, JSONObject())
    #expect(
      script.tell(.answer(query, .failure(.timedOut))) == [.cache(.once(JSONObject()))])
  }

  @Test("what a reload adds is covered once the new subscription is answered, and not before")
  func covered() {
    var script = LinkScript.live(interest: StatusInterest(["print_stats": .named(["state"])]))
    let more = StatusInterest(["print_stats": .all])
    func told(_ actions: [LinkMachine.Action]) -> Bool {
      actions.contains {
        if case .cache(.full(_, _, _, _, let covering)) = $0 { covering == more } else { false }
      }
    }
    #expect(!told(script.tell(.interest(more))))
    #expect(told(script.subscribed(generation: 2)))
  }

  @Test("the disk is asked about every 5 minutes, once for all, and only where wanted")
  func disk() {
    var script = LinkScript.live(
      interest: StatusInterest(["extruder": .all], wantsDiskUsage: true))
    var asked = 0
    let end = script.now.advanced(by: .seconds(3_000))
    while script.now < end {
      script.lastHeard = script.now
      let methods = script.tickAtDeadline()?.methods ?? []
      asked += methods.filter { $0 == "server.files.get_directory" }.count
    }
    #expect(asked == 10)
    #expect(
      script.tell(
        .answer(
          .diskUsage,
          .success(["disk_usage": ["total": 1_000, "used": 250, "free": 750]])))
        == [.cache(.disk(percent: 25))])
    #expect(LinkScript.live().untilDeadline == .seconds(20))
  }

  @Test("a reconnection does not ask about the disk before its time") func diskAfterReconnection() {
    var script = LinkScript(interest: StatusInterest([:], wantsDiskUsage: true))
    script.connect()
    #expect(script.serverInfo("startup").methods.contains("server.files.get_directory"))
    script.tell(.closed("gone", jitter: 0))
    script.tickAtDeadline()
    script.tell(.opened)
    script.tell(.answer(.identify(name: "printer-uplink", asAgent: true), .success(nil)))
    #expect(!script.serverInfo("startup").methods.contains("server.files.get_directory"))
  }

  @Test("the loaded file's metadata are asked for, again after 1, 2 and 4 s, and then given up")
  func metadata() {
    var script = LinkScript()
    script.connect()
    script.serverInfo("ready")
    script.listObjects(generation: 1)
    let call = LinkCall.metadata(filename: "cube.gcode")
    #expect(script.subscribed(generation: 1, filename: "cube.gcode").contains(.call(call)))
    let missing = Result<JSONValue, RPCFailure>.failure(
      .refused(code: -32601, message: "Metadata not available for <cube.gcode>"))
    for seconds in [1, 2, 4] {
      #expect(script.tell(.answer(call, missing)) == [])
      #expect(script.untilDeadline == .seconds(seconds))
      #expect(script.tickAtDeadline() == [.call(call)])
    }
    #expect(
      script.tell(.answer(call, missing))
        == [.cache(.metadata(filename: "cube.gcode", JSONObject()))])

    let change: JSONValue = [
      "action": "modify_file", "item": ["root": "gcodes", "path": "cube.gcode", "size": 7],
    ]
    #expect(script.tell(.fileListChanged(change)) == [.call(call)])
    // What Moonraker has is of the file before the change.
    #expect(script.tell(.answer(call, .success(["size": 5, "estimated_time": 60]))) == [])
    #expect(script.tickAtDeadline() == [.call(call)])
    let found = script.tell(
      .answer(call, .success(["size": 7, "estimated_time": 90, "thumbnails": []])))
    #expect(
      found == [.cache(.metadata(filename: "cube.gcode", ["size": 7, "estimated_time": 90]))])
  }

  @Test("files elsewhere are no business of ours", arguments: ["config", "gcodes"])
  func otherFiles(root: String) {
    var script = LinkScript.live()
    let change: JSONValue = [
      "action": "create_file", "item": ["root": .string(root), "path": "other.gcode", "size": 7],
    ]
    #expect(script.tell(.fileListChanged(change)) == [])
    #expect(script.tell(.fileListChanged("nonsense")) == [])
  }

  // MARK: Life of the connection

  @Test("a WebSocket is pinged every 20 s and left when the answer stays away") func ping() {
    var script = LinkScript.live()
    for _ in 0..<3 {
      #expect(script.untilDeadline == .seconds(20))
      #expect(script.tickAtDeadline() == [.ping])
      #expect(script.tell(.pingAnswered) == [])
    }
    #expect(script.tell(.pingFailed("timed out")).disconnects)
    #expect(script.tell(.closed("no pong", jitter: 0)) == [.cache(.link(isUp: false))])
  }

  @Test("a Unix socket is tried only when it has been silent for 15 s") func probe() {
    var script = LinkScript.live(usesPing: false)
    script.lastHeard = script.now.advanced(by: .seconds(19))
    #expect(script.tickAtDeadline() == [])
    #expect(script.untilDeadline == .seconds(14))
    #expect(script.tickAtDeadline() == [.call(.probe)])
    #expect(script.tell(.answer(.probe, .success(nil))) == [])
    #expect(script.untilDeadline == .seconds(20))
  }

  @Test("nothing of a lost connection is left on the next one") func nothingIsLeft() {
    var script = LinkScript.live(interest: Self.onceInterest)
    script.tell(.closed("1001 Server Shutdown", jitter: 0))
    let update: JSONObject = ["extruder": ["temperature": 20]]
    #expect(script.tell(.statusUpdate(update, eventtime: nil)) == [])
    #expect(script.tell(.klippyReady) == [])
    script.tickAtDeadline()
    script.tell(.opened)
    script.tell(.answer(.identify(name: "printer-uplink", asAgent: true), .success(nil)))
    #expect(script.serverInfo("ready").contains(.call(.objectsList(generation: 2))))
  }

  @Test("events in an order that cannot be do nothing") func impossibleOrders() {
    var script = LinkScript()
    #expect(script.tell(.opened) == [])
    #expect(script.tell(.closed("?", jitter: 0)) == [])
    #expect(script.tell(.answer(.serverInfo, .success(nil))) == [])
    #expect(script.tell(.klippyReady) == [])
    #expect(script.tell(.tick(lastHeard: nil)) == [])
    #expect(script.machine.deadline == nil)
    script.tell(.start)
    #expect(script.tell(.start) == [])
  }
}
