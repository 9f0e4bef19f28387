import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: a cancel before the job shows") struct GateCancelTests {
  private let bench = GateBench.ready()
  private let start = PrinterCommand.start(.of("x.gcode"), .person)

  @Test("A cancel while a start's file is being fetched ends that start, and is done")
  func fetching() {
    let fetched = Gate()
    let started = bench.post(
      start, id: "1",
      work: { _ throws(CommandFailure) in
        await fetched.wait()
        return nil
      })
    bench.drain()
    #expect(bench.submit(.cancel, id: "2") == .done())
    fetched.open()
    bench.drain()
    #expect(started.current?.reason == .superseded)
    #expect(bench.printer.sent.isEmpty)
  }

  @Test("A cancel ends a start that waits for its turn")
  func waiting() {
    bench.printer.answersAtOnce(false)
    bench.submit(.home([]), id: "1")
    let started = bench.post(start, id: "2")
    bench.drain()
    #expect(bench.submit(.cancel, id: "3") == .done())
    #expect(started.current?.reason == .superseded)
    bench.printer.answer()
    bench.drain()
    #expect(bench.printer.sent == [.home([])])
  }

  @Test(
    "A cancel or a stop ends a start that waits for a slow disk",
    arguments: [PrinterCommand.cancel, .emergencyStop])
  func slowDisk(ending: PrinterCommand) {
    bench.store.become(.hanging)
    let started = bench.post(start, id: "1")
    bench.drain()
    let ended = bench.post(ending, id: "2")
    bench.advance(by: .milliseconds(300))
    bench.store.become(.well)
    bench.drain()
    #expect(ended.current?.status == .done)
    #expect(started.current?.status == .refused)
    #expect(!bench.printer.sent.contains(start))
  }

  @Test("A cancel ends a G-code that begins a job and waits for its turn")
  func waitingCode() {
    bench.printer.answersAtOnce(false)
    bench.submit(.home([]), id: "1")
    let started = bench.post(.gcode("M24"), id: "2")
    bench.drain()
    #expect(started.current == nil)
    #expect(bench.submit(.cancel, id: "3") == .done())
    #expect(started.current?.reason == .superseded)
    bench.printer.answer()
    bench.drain()
    #expect(bench.printer.sent == [.home([])])
  }

  @Test("A cancel follows a start that was sent and whose job has not shown yet")
  func sent() {
    bench.printer.answersAtOnce(false)
    bench.submit(start, id: "1")
    bench.submit(.cancel, id: "2", of: "b")
    #expect(bench.printer.sent == [start, .cancel])
  }

  @Test("Without a start there is nothing to cancel")
  func nothing() {
    #expect(bench.submit(.cancel, id: "1")?.reason == .wrongState)
    bench.printer.answersAtOnce(false)
    bench.submit(.home([]), id: "2")
    #expect(bench.submit(.cancel, id: "3")?.reason == .wrongState)
    #expect(bench.printer.sent == [.home([])])
  }
}
