import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: bed, jobs and files") struct GateBedTests {
  private let itself = PrinterCommand.start(.of("x.gcode"), .itself)
  private let pressed = PrinterCommand.start(.of("x.gcode"), .person)

  private func clear(_ bench: GateBench, isRemote: Bool = false) -> CommandOutcome.Reason? {
    let answer = Promise<CommandOutcome.Reason>()
    let gate = bench.gate
    Task(executorPreference: bench.executor) {
      do throws(CommandFailure) {
        try await gate.clearBed(by: "page", isRemote: isRemote)
        answer.resolve(.ok)
      } catch {
        answer.resolve(error.reason)
      }
    }
    bench.drain()
    return answer.current
  }

  @Test("What starts by itself needs a clear bed, a person's start only where that is asked for")
  func needsClear() {
    let bench = GateBench.ready()
    #expect(bench.submit(itself, id: "1")?.reason == .bedOccupied)
    #expect(bench.submit(pressed, id: "2") == .done())
    let strict = GateBench.ready()
    _ = strict.entrance("s", PermissionLevel.full.permissions, requiresClearBed: true)
    #expect(strict.submit(pressed, id: "1", of: "s")?.reason == .bedOccupied)
    #expect(strict.submit(.gcode("M23 x.gcode\nM24"), id: "2", of: "s")?.reason == .bedOccupied)
    #expect(clear(strict) == .ok)
    #expect(strict.submit(pressed, id: "3", of: "s") == .done())
  }

  @Test("The owner may let a bed count as clear after a while that was watched without a gap")
  func assumed() {
    func start(_ bench: GateBench, _ id: String, of backend: String = "a") -> CommandOutcome.Reason?
    {
      let outcome = bench.post(
        itself, id: id, of: backend, age: .zero, assumesClearAfter: .seconds(600))
      bench.drain()
      return outcome.current?.reason
    }
    let bench = GateBench.ready("complete")
    bench.advance(by: .seconds(599))
    #expect(start(bench, "1") == .bedOccupied)
    bench.advance(by: .seconds(2))
    // Whoever does not ask for it does not get it.
    #expect(bench.submit(itself, id: "2", age: .zero)?.reason == .bedOccupied)
    // A gap begins it anew, and so does a job.
    bench.leave()
    bench.come("complete")
    #expect(start(bench, "3") == .bedOccupied)
    bench.advance(by: .seconds(601))
    bench.print("printing", "y.gcode")
    bench.print("complete", "y.gcode")
    bench.advance(by: .seconds(599))
    #expect(start(bench, "4") == .bedOccupied)
    // Where a clear bed is required of everybody, nothing is assumed.
    _ = bench.entrance("s", PermissionLevel.full.permissions, requiresClearBed: true)
    bench.advance(by: .seconds(2))
    #expect(start(bench, "5", of: "s") == .bedOccupied)
    #expect(start(bench, "6") == .ok)
  }

  @Test(
    "Every end of a job occupies the bed", arguments: ["complete", "cancelled", "error", "standby"])
  func ends(state: String) {
    let bench = GateBench.ready()
    #expect(clear(bench) == .ok)
    #expect(bench.submit(itself, id: "1") == .done())
    bench.print("printing", "x.gcode")
    #expect(bench.gate.view.job?.owner == "a")
    bench.print(state, "x.gcode")
    #expect(bench.gate.view.bed.state == .occupied)
    #expect(bench.gate.view.bed.by == "the end of x.gcode")
    #expect(bench.submit(itself, id: "2")?.reason == .bedOccupied)
  }

  @Test("Klipper's shutdown during a job occupies it too")
  func shutdown() {
    let bench = GateBench.ready()
    #expect(clear(bench) == .ok)
    bench.print("printing", "x.gcode")
    bench.klippy(.shutdown)
    #expect(bench.gate.view.bed.state == .occupied)
  }

  @Test(
    "A job shorter than Klipper tells its state is seen by its end, and is not about to begin",
    arguments: [
      ("complete", "x.gcode", 1.0, true), ("cancelled", "x.gcode", 0.1, true),
      ("complete", "y.gcode", 1.0, false), ("standby", "x.gcode", 0.0, false),
    ])
  func shortJob(state: String, file: String, total: Double, isSeen: Bool) {
    let bench = GateBench.ready()
    #expect(clear(bench) == .ok)
    #expect(bench.submit(.start(.of("x.gcode"), .person)) == .done())
    let home = bench.post(.home([]), id: "2")
    bench.drain()
    #expect(home.current == nil)
    bench.update([
      "print_stats": [
        "state": .string(state), "filename": .string(file), "total_duration": .double(total),
      ]
    ])
    bench.advance(by: .milliseconds(1_100))
    #expect(home.current?.status == (isSeen ? .done : .refused))
    if isSeen { #expect(bench.gate.view.bed.state == .occupied) }
  }

  @Test("A job that was started at the printer clears the bed until its end")
  func outside() {
    let bench = GateBench.ready()
    bench.print("printing", "own.gcode")
    #expect(bench.gate.view.bed.isClear)
    #expect(
      bench.gate.view.job
        == RunningJob(
          filename: "own.gcode", owner: nil, start: bench.gate.view.job?.start ?? JobStart()))
    bench.print("complete", "own.gcode")
    #expect(!bench.gate.view.bed.isClear)
  }

  @Test("A job that a cloud's macro starts is not started outside")
  func macro() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    bench.submit(.macro("PRINT_IT", []))
    bench.print("printing", "own.gcode")
    #expect(!bench.gate.view.bed.isClear)
    #expect(bench.gate.view.job?.owner == "a")
  }

  @Test(
    "A person's word survives a kill, and so does what ended meanwhile",
    arguments: [
      ("standby", "", "standby", "", true), ("complete", "x.gcode", "complete", "x.gcode", true),
      ("standby", "", "complete", "y.gcode", false),
      ("complete", "x.gcode", "cancelled", "y.gcode", false),
    ])
  func survives(before: String, file: String, after: String, other: String, isClear: Bool) {
    let disk = FakeDisk()
    let first = GateBench(disk: disk)
    first.open()
    first.come(before, file: file)
    #expect(clear(first) == .ok)
    first.die()
    let second = GateBench(disk: disk)
    second.open()
    second.come(after, file: other)
    #expect(second.gate.view.bed.isClear == isClear)
    #expect((second.submit(itself) == .done()) == isClear)
  }

  @Test(
    "A job that ran at the kill and is over after it has occupied the bed",
    arguments: [false, true])
  func endedAway(wasSeen: Bool) {
    let disk = FakeDisk()
    let first = GateBench.ready(disk: disk)
    #expect(clear(first) == .ok)
    first.printer.answersAtOnce(false)
    first.submit(itself)
    // Seen to run, or killed before that.
    if wasSeen { first.print("printing", "x.gcode") }
    first.die()
    disk.contents.withLock { $0.recover() }
    let second = GateBench.ready("standby", disk: disk)
    #expect(!second.gate.view.bed.isClear)
    #expect(second.gate.view.job == nil)
  }

  @Test("A job that goes on over a kill keeps its owner")
  func keepsOwner() {
    let disk = FakeDisk()
    let first = GateBench.ready(disk: disk)
    first.submit(pressed)
    first.print("printing", "x.gcode")
    first.die()
    let second = GateBench(disk: disk)
    second.open()
    second.come("printing", file: "x.gcode")
    #expect(second.gate.view.job?.owner == "a")
  }

  @Test(
    "A lost value is an unknown bed, and an unknown bed is occupied",
    arguments: [
      nil, JSONValue.null, ["state": "clear"], ["state": "CLEAR", "by": "x", "since_ms": 1],
      "clear",
    ])
  func lost(stored: JSONValue?) {
    #expect(!Bed(stored).isClear)
  }

  @Test("Clearing is refused while a job runs; over Moonraker also while a command is unfinished")
  func guards() {
    let bench = GateBench.ready("printing")
    #expect(clear(bench) == .wrongState)
    bench.print("complete")
    bench.printer.answersAtOnce(false)
    bench.submit(.fan(1))
    #expect(clear(bench, isRemote: true) == .busy)
    #expect(clear(bench) == .ok)
    bench.store.become(.failing)
    #expect(clear(bench) == .journal)
  }

  @Test("No second start while the first one's job is about to show")
  func dueJob() {
    let bench = GateBench.ready()
    #expect(bench.submit(pressed, id: "1") == .done())
    let second = bench.post(pressed, id: "2")
    bench.drain()
    bench.advance(by: .seconds(1))
    #expect(second.current?.reason == .wrongState)
    bench.advance(by: .seconds(9))
    #expect(bench.submit(pressed, id: "3") == .done())
  }

  // MARK: Files

  private let path = GCodePath.of("part.gcode")

  private func bring(
    _ bench: GateBench, id: String = "up", of backend: String
  ) -> CommandOutcome? {
    _ = bench.entrance(backend, PermissionLevel.print.permissions)
    return bench.submit(
      .upload(path), id: id, of: backend,
      work: { printer throws(CommandFailure) in
        try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "ab"))
      })
  }

  @Test("Nothing goes through a symbolic link, whatever is permitted")
  func links() {
    let bench = GateBench.ready()
    _ = bench.entrance("p", PermissionLevel.full.permissions)
    bench.printer.link(path)
    #expect(bench.submit(.deleteFile(path), id: "1", of: "p")?.reason == .invalid)
    #expect(bring(bench, of: "p")?.reason == .invalid)
    #expect(bench.printer.sent == [] && bench.printer.uploads == [])
  }

  @Test("What a backend brought, and only that, it may delete")
  func own() {
    let bench = GateBench.ready()
    #expect(bring(bench, of: "p")?.details == ["path": "part.gcode"])
    _ = bench.entrance("q", PermissionLevel.print.permissions)
    #expect(bench.submit(.deleteFile(path), id: "1", of: "q")?.reason == .notOwn)
    #expect(bench.submit(.deleteFile(.of("other.gcode")), id: "2", of: "p")?.reason == .notOwn)
    #expect(bench.submit(.deleteFile(path), id: "3", of: "p") == .done())
    #expect(bench.submit(.deleteFile(path), id: "4", of: "p")?.reason == .notOwn)
    #expect(bench.printer.sent == [.deleteFile(path)])
  }

  @Test("Not when it was changed, is printed or queued, or was printed by the owner")
  func notOwn() {
    let bench = GateBench.ready()
    #expect(bring(bench, of: "p")?.status == .done)
    bench.printer.queue(["part.gcode"])
    #expect(bench.submit(.deleteFile(path), id: "1", of: "p")?.reason == .wrongState)
    bench.printer.queue([])
    let brought = bench.printer.present(path)
    bench.printer.put(path, FileState(size: 6, modified: brought?.modified ?? 0))
    #expect(bench.submit(.deleteFile(path), id: "2", of: "p")?.reason == .notOwn)
    bench.printer.put(path, FileState(size: 5, modified: 9))
    #expect(bench.submit(.deleteFile(path), id: "3", of: "p")?.reason == .notOwn)
    bench.printer.put(path, brought)
    // Another one, as large and as old.
    bench.printer.rewrite(path, sha256: "ff")
    #expect(bench.submit(.deleteFile(path), id: "9", of: "p")?.reason == .notOwn)
    #expect(bring(bench, id: "10", of: "p")?.reason == .notOwn)
    bench.printer.rewrite(path, sha256: "ab")
    // Started through the cloud it stays the cloud's.
    #expect(bench.submit(.start(path, .person), id: "4", of: "p") == .done())
    bench.print("printing", "part.gcode")
    #expect(bench.submit(.deleteFile(path), id: "5", of: "p")?.reason == .wrongState)
    #expect(bench.submit(.deleteFile(path), id: "6", of: "a")?.reason == .wrongState)
    bench.print("complete", "part.gcode")
    // The owner prints it again at the printer.
    bench.advance(by: .seconds(700))
    bench.print("printing", "part.gcode")
    bench.print("complete", "part.gcode")
    #expect(bench.submit(.deleteFile(path), id: "7", of: "p")?.reason == .notOwn)
    #expect(bench.submit(.deleteFile(path), id: "8", of: "a") == .done())
  }

  @Test("A backend's own clean-up deletes only what is its own, whatever is permitted")
  func ownClean() {
    let bench = GateBench.ready()
    #expect(bring(bench, of: "p")?.status == .done)
    bench.admit(CommandPolicy(permissions: PermissionLevel.full.permissions), as: "p")
    let brought = bench.printer.present(path)
    bench.printer.put(path, FileState(size: 6, modified: brought?.modified ?? 0))
    let cleanUp = bench.post(.deleteFile(path), id: "1", of: "p", deletesOwnOnly: true)
    bench.drain()
    #expect(cleanUp.current?.reason == .notOwn)
    #expect(bench.printer.sent.isEmpty)
    // A person in the cloud may, who says so.
    #expect(bench.submit(.deleteFile(path), id: "2", of: "p") == .done())
  }

  @Test("A file that the owner prints while we are away is the owner's too")
  func printedAway() {
    let bench = GateBench.ready()
    #expect(bring(bench, of: "p")?.status == .done)
    bench.die()
    let second = GateBench(disk: bench.disk, printer: bench.printer)
    second.open()
    second.come("printing", file: "part.gcode")
    second.print("complete", "part.gcode")
    _ = second.entrance("p", PermissionLevel.print.permissions)
    #expect(second.submit(.deleteFile(path), id: "1", of: "p")?.reason == .notOwn)
    #expect(second.printer.sent.isEmpty)
  }

  @Test("The same file printed again while we were away occupies the bed")
  func printedAgainAway() {
    for (after, isClear) in [(100.5, true), (250.25, false)] as [(JSONValue, Bool)] {
      let disk = FakeDisk()
      let first = GateBench(disk: disk)
      first.open()
      first.come("complete", file: "x.gcode", total: 100.5)
      #expect(clear(first) == .ok)
      first.die()
      let second = GateBench(disk: disk)
      second.open()
      second.come("complete", file: "x.gcode", total: after)
      #expect(second.gate.view.bed.isClear == isClear)
    }
  }

  @Test("A start whose file took more than 30 minutes to fetch is refused")
  func slowWork() {
    let bench = GateBench.ready()
    let gate = Gate()
    let outcome = bench.post(
      pressed, id: "1",
      work: { _ throws(CommandFailure) in
        await gate.wait()
        return nil
      })
    bench.drain()
    bench.advance(by: .seconds(1_800))
    #expect(outcome.current?.reason == .stale)
    #expect(bench.printer.sent.isEmpty)
    gate.open()
    bench.drain()
    #expect(bench.printer.sent.isEmpty)
  }

  @Test("A job that began while the file was fetched keeps the start from being sent")
  func workThenJob() {
    let bench = GateBench.ready()
    let gate = Gate()
    let outcome = bench.post(
      pressed, id: "1",
      work: { _ throws(CommandFailure) in
        await gate.wait()
        return nil
      })
    bench.drain()
    bench.print("printing", "own.gcode")
    gate.open()
    bench.drain()
    #expect(outcome.current?.reason == .wrongState)
    #expect(bench.printer.sent.isEmpty)
    #expect(bench.gate.view.job?.owner == nil)
  }
}
