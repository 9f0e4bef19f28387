import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: what a backend refuses itself") struct GateRefusalTests {
  private let refusal = CommandFailure(.superseded, "a cancel came before its turn")
  private let start = PrinterCommand.start(.of("a.gcode"), .person)

  @Test("It is not executed, owed, and told the same when it comes again, also to another life")
  func remembered() {
    let bench = GateBench.ready()
    let told = CommandOutcome(.refused, .superseded, "a cancel came before its turn")
    #expect(bench.submit(start, refusal: refusal) == told)
    #expect(bench.owed["a"]?.map(\.body) == [["status": "refused"]])
    #expect(bench.owed["a"]?.map(\.isExpendable) == [true])
    #expect(bench.row("1")?.outcome == told)
    #expect(bench.audit.records.withLock { $0.map(\.outcome.reason) } == [.superseded])
    for restart in [false, true] {
      let bench =
        restart ? GateBench.ready(disk: bench.disk, printer: bench.printer) : bench
      bench.disk.contents.withLock { $0.outbox = [:] }
      let again = bench.submit(start)
      #expect(again?.isRepeat == true)
      #expect(again?.message == told.message)
      #expect(bench.owed["a"]?.count == 1)
    }
    #expect(bench.printer.sent.isEmpty)
  }

  @Test("It takes none of its answer's places")
  func places() {
    let bench = GateBench.ready()
    let contact = bench.entrance().contact()
    for id in 0..<100 { bench.submit(.home([]), id: "r\(id)", contact: contact, refusal: refusal) }
    let outcomes = (0..<33).map { bench.submit(.home([]), id: "h\($0)", contact: contact) }
    #expect(outcomes.prefix(32).allSatisfy { $0 == .done() })
    #expect(outcomes.last??.reason == .tooMany)
  }

  @Test("Of a command that ran, the stored result is told", arguments: [false, true])
  func ran(restart: Bool) {
    var bench = GateBench.ready()
    bench.submit(.home([]))
    if restart { bench = GateBench.ready(disk: bench.disk, printer: bench.printer) }
    let again = bench.submit(.home([]), refusal: refusal)
    #expect(again?.status == .done)
    #expect(again?.isRepeat == true)
    #expect(bench.row("1")?.outcome == .done())
    #expect(bench.owed["a"]?.map(\.body) == [["status": "done"]])
  }

  @Test("Of a command that runs, it comes to nothing and does not wait for its end")
  func runs() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    let first = bench.post(.home([]), id: "1")
    bench.drain()
    #expect(bench.submit(.home([]), refusal: refusal)?.reason == .superseded)
    #expect(bench.owed.isEmpty)
    bench.printer.answer()
    bench.drain()
    #expect(first.current == .done())
    #expect(bench.owed["a"]?.map(\.body) == [["status": "done"]])
  }

  @Test("While the journal fails it is refused with its own words, and so when it comes again")
  func failing() {
    let bench = GateBench.ready()
    bench.store.become(.failing)
    #expect(bench.submit(start, refusal: refusal)?.reason == .superseded)
    #expect(bench.direct.withLock { $0 } == ["1"])
    bench.store.become(.well)
    #expect(bench.submit(start)?.isRepeat == true)
    #expect(bench.printer.sent.isEmpty)
  }

  @Test("It is remembered also while the gate is ending")
  func ending() {
    let bench = GateBench.ready()
    Task(executorPreference: bench.executor) { [gate = bench.gate] in
      await gate.finish(within: .seconds(1))
    }
    bench.drain()
    #expect(bench.submit(start, id: "2")?.reason == .interrupted)
    #expect(bench.submit(start, refusal: refusal)?.reason == .superseded)
    #expect(bench.row("1")?.outcome?.reason == .superseded)
    #expect(bench.row("2") == nil)
    #expect(bench.owed["a"]?.map(\.key) == ["1"])
  }

  @Test("An emergency stop goes out in spite of it")
  func stop() {
    let bench = GateBench.ready("printing")
    #expect(bench.submit(.emergencyStop, refusal: refusal) == .done())
    #expect(bench.printer.sent == [.emergencyStop])
  }
}
