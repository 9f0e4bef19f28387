import ConnectorKit
import JSON
import Platform
import Testing

@testable import CuraConnect

@Suite("The jobs that Cura is shown") struct JobBookTests {
  private let wallTime = WallTime(millisecondsSinceEpoch: 1_700_000_000_000)

  private func at(_ seconds: Int) -> MonotonicInstant {
    MonotonicInstant(sinceOrigin: .seconds(seconds))
  }
  private func book() -> JobBook { JobBook(printerUUID: "11111111-1111-4111-a111-111111111111") }

  private func job(_ name: String, uuid: String = "u1", phase: CuraJob.Phase = .coming) -> CuraJob {
    CuraJob(
      uuid: uuid, name: name, path: GCodePath(name), owner: "alice", createdAt: wallTime,
      phase: phase)
  }
  private func reading(
    _ state: String?, _ filename: String = "a.gcode", elapsed: Int = 0, progress: Double = 0,
    isReachable: Bool = true
  ) -> PrinterReading {
    var reading = PrinterReading()
    reading.isReachable = isReachable
    reading.state = state
    reading.filename = filename
    reading.elapsed = elapsed
    reading.progress = progress
    return reading
  }
  private func words(_ book: JobBook, _ reading: PrinterReading) throws -> [String] {
    let printer = PrinterView(
      uuid: "p", instance: "i", name: "n", variant: "v", firmware: "7.1.0", bom: "9066",
      configuration: [], word: "idle")
    return try book.listed.map { job in
      try #require(JobView(job, reading)).body(printer)["status"]?.string ?? ""
    }
  }

  private func start(_ book: inout JobBook, _ uuid: String, at seconds: Int, isTaken: Bool = true) {
    let begins = book.beginStart(uuid, at: at(seconds))
    #expect(begins == isTaken)
  }

  @Test("a job goes from its arrival to its end under one UUID")
  func life() throws {
    var book = book()
    book.add(job("a.gcode"))
    #expect(try words(book, reading("standby")) == ["queued"])
    start(&book, "u1", at: 1)
    #expect(try words(book, reading("standby")) == ["sent_to_printer"])
    for (state, elapsed, word) in [
      ("printing", 0, "pre_print"), ("printing", 5, "printing"), ("paused", 6, "paused"),
      ("printing", 7, "printing"), ("complete", 8, "wait_cleanup"),
    ] {
      let seen = reading(state, elapsed: elapsed)
      book.observe(seen, at: at(elapsed + 2), wallTime: wallTime)
      #expect(try words(book, seen) == [word])
      #expect(book.listed.map(\.uuid) == ["u1"])
    }
    #expect(book.active?.elapsed == book.active?.total)
    book.observe(reading("standby"), at: at(20), wallTime: wallTime)
    #expect(book.listed.isEmpty)
  }

  @Test(
    "an end is told as Cura reads it",
    arguments: [
      ("complete", "wait_cleanup", true), ("cancelled", "wait_cleanup", false),
      ("error", "failed", false),
    ])
  func ends(_ state: String, _ word: String, _ isFull: Bool) throws {
    var book = book()
    book.observe(reading("printing", elapsed: 50), at: at(1), wallTime: wallTime)
    book.identify("u9")
    book.observe(reading(state, elapsed: 50), at: at(2), wallTime: wallTime)
    #expect(try words(book, reading(state)) == [word])
    let job = try #require(book.active)
    #expect((job.elapsed == job.total) == isFull)
  }

  @Test("an ended job goes after ten minutes, and when the next one begins")
  func rest() {
    var book = book()
    book.observe(reading("printing"), at: at(1), wallTime: wallTime)
    book.identify("u9")
    book.observe(reading("complete"), at: at(2), wallTime: wallTime)
    book.expire(at: at(600))
    #expect(book.listed.count == 1)
    book.expire(at: at(603))
    #expect(book.listed.isEmpty)
  }

  @Test(
    "a transition is believed for a minute",
    arguments: [("pausing", "paused"), ("resuming", "printing")])
  func transitions(_ word: String, _ reached: String) throws {
    let before = reached == "paused" ? "printing" : "paused"
    var book = book()
    book.observe(reading(before, elapsed: 9), at: at(1), wallTime: wallTime)
    book.identify("u9")
    book.begin(try #require(CuraJob.Transition.Word(rawValue: word)), of: "u9", at: at(2))
    #expect(try words(book, reading(before)) == [word])
    var other = book
    other.expire(at: at(63))
    #expect(try words(other, reading(before)) == [before])
    book.observe(reading(reached, elapsed: 9), at: at(3), wallTime: wallTime)
    #expect(try words(book, reading(reached)) == [reached])
  }

  @Test("what is not known of the printer changes nothing")
  func unreachable() {
    var book = book()
    book.observe(reading("printing"), at: at(1), wallTime: wallTime)
    book.identify("u9")
    book.observe(reading("standby", isReachable: false), at: at(2), wallTime: wallTime)
    #expect(book.active?.uuid == "u9")
  }

  private func entry(_ id: String, _ name: String, _ time: Double = 1) throws -> QueueEntry {
    QueueEntry(
      ticket: QueueTicket(jobID: id, timeAdded: time), path: try #require(GCodePath(name)))
  }

  @Test("two uploads of one name keep their UUIDs, whatever the queue's order")
  func twins() throws {
    var book = book()
    book.add(job("a.gcode", uuid: "u1"))
    book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
    book.add(job("a.gcode", uuid: "u2"))
    book.takeQueue(
      [try entry("1", "a.gcode"), try entry("2", "a.gcode", 2)], at: at(2), wallTime: wallTime)
    #expect(book.queue.map(\.uuid) == ["u1", "u2"])
    book.takeQueue(
      [try entry("2", "a.gcode", 2), try entry("1", "a.gcode")], at: at(3), wallTime: wallTime)
    #expect(book.queue.map(\.uuid) == ["u2", "u1"])
  }

  @Test(
    "a job that the owner starts from the queue keeps its UUID, whichever news comes first",
    arguments: [true, false])
  func popped(_ isQueueFirst: Bool) throws {
    var book = book()
    book.add(job("a.gcode"))
    book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
    if isQueueFirst { book.takeQueue([], at: at(2), wallTime: wallTime) }
    book.observe(reading("printing"), at: at(3), wallTime: wallTime)
    if !isQueueFirst { book.takeQueue([], at: at(4), wallTime: wallTime) }
    #expect(book.listed.map(\.uuid) == ["u1"])
    #expect(book.active?.owner == "alice")
  }

  @Test("a job that is being started is not listed twice while it still stands in the queue")
  func startedFromQueue() throws {
    var book = book()
    book.add(job("a.gcode"))
    book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
    start(&book, "u1", at: 2)
    book.takeQueue(
      [try entry("1", "a.gcode"), try entry("2", "b.gcode", 2)], at: at(3), wallTime: wallTime)
    #expect(book.listed.map(\.name) == ["a.gcode", "b.gcode"])
    // Its start fails: it is where it was.
    book.startFailed(
      "u1", back: .queued(QueueTicket(jobID: "1", timeAdded: 1)), "the bed is not clear")
    book.takeQueue(
      [try entry("1", "a.gcode"), try entry("2", "b.gcode", 2)], at: at(4), wallTime: wallTime)
    #expect(book.queue.map(\.uuid).first == "u1")
    #expect(book.queue.count == 2)
  }

  @Test("a start that is refused leaves the finished job in the list")
  func refusedAfterEnd() throws {
    var book = book()
    book.observe(reading("printing", "z.gcode"), at: at(1), wallTime: wallTime)
    book.identify("u9")
    book.observe(reading("complete", "z.gcode"), at: at(2), wallTime: wallTime)
    book.add(job("a.gcode"))
    start(&book, "u1", at: 3)
    book.startFailed("u1", back: .coming, "the bed is not clear")
    #expect(try words(book, reading("complete")) == ["wait_cleanup", "queued"])
  }

  @Test("the queue is known once it was seen, until Moonraker is away")
  func seen() throws {
    var book = book()
    #expect(!book.isQueueSeen)
    book.takeQueue([], at: at(1), wallTime: wallTime)
    #expect(book.isQueueSeen)
    book.loseQueue()
    #expect(!book.isQueueSeen)
  }

  @Test("who lays the queue anew gives jobs other places, not other names")
  func laidAnew() throws {
    var book = book()
    var griffin = job("a.gcode", uuid: "u1")
    griffin.isGriffin = true
    book.add(griffin)
    book.add(job("b.gcode", uuid: "u2"))
    book.takeQueue(
      [try entry("1", "a.gcode"), try entry("2", "b.gcode", 2)], at: at(1), wallTime: wallTime)
    book.takeQueue(
      [try entry("3", "b.gcode", 3), try entry("4", "a.gcode", 3)], at: at(2), wallTime: wallTime)
    #expect(book.queue.map(\.uuid) == ["u2", "u1"])
    #expect(book.job("u1")?.isGriffin == true)
    #expect(book.queue.map(\.owner) == ["alice", "alice"])
  }

  @Test("a job that somebody takes out of the queue goes")
  func removed() throws {
    var book = book()
    book.add(job("a.gcode"))
    book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
    book.takeQueue([], at: at(2), wallTime: wallTime)
    book.expire(at: at(18))
    #expect(book.listed.isEmpty)
  }

  @Test("others' queued jobs have the same UUID each time, and an owner of their own")
  func foreign() throws {
    var (first, second) = (book(), book())
    first.takeQueue([try entry("1", "b.gcode")], at: at(1), wallTime: wallTime)
    second.takeQueue([try entry("1", "b.gcode")], at: at(9), wallTime: wallTime)
    #expect(first.listed.map(\.uuid) == second.listed.map(\.uuid))
    #expect(first.listed.map(\.owner) == ["Klipper"])
  }

  @Test("jobs are found again after a restart of ours")
  func restart() throws {
    var book = book()
    book.add(job("a.gcode", uuid: "11111111-1111-4111-a111-000000000001"))
    book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
    book.add(job("b.gcode", uuid: "11111111-1111-4111-a111-000000000002"))
    start(&book, "11111111-1111-4111-a111-000000000002", at: 2)
    book.add(job("c.gcode", uuid: "11111111-1111-4111-a111-000000000003"))
    book.add(job("d.gcode", uuid: "11111111-1111-4111-a111-000000000004"))
    var next = self.book()
    next.load(JobStorage.jobs(JobStorage.stored(book)))
    next.observe(reading("printing", "b.gcode"), at: at(1), wallTime: wallTime)
    next.takeQueue(
      [try entry("1", "a.gcode"), try entry("4", "d.gcode", 4)], at: at(1), wallTime: wallTime)
    #expect(next.active?.uuid == "11111111-1111-4111-a111-000000000002")
    // The last one had got into the queue although nobody had told us.
    #expect(
      next.queue.map(\.uuid) == [
        "11111111-1111-4111-a111-000000000001", "11111111-1111-4111-a111-000000000004",
      ])
    // What had not got into the queue is not started behind anybody's back.
    let failed = try #require(next.job("11111111-1111-4111-a111-000000000003"))
    #expect(try words(next, reading("printing")).last == "error")
    #expect(failed.notice != nil)
  }

  @Test("only one job is being started at a time, and none while another runs")
  func oneStart() throws {
    var book = book()
    book.add(job("a.gcode", uuid: "u1"))
    book.add(job("b.gcode", uuid: "u2"))
    start(&book, "u1", at: 1)
    start(&book, "u2", at: 1, isTaken: false)
    start(&book, "u1", at: 1, isTaken: false)
    book.observe(reading("printing"), at: at(2), wallTime: wallTime)
    start(&book, "u2", at: 3, isTaken: false)
    book.observe(reading("complete"), at: at(4), wallTime: wallTime)
    start(&book, "u2", at: 5)
    start(&book, "gone", at: 5, isTaken: false)
  }

  @Test("a job that was started does not come back although it still stands in the queue")
  func spent() throws {
    var book = book()
    book.add(job("a.gcode"))
    let entries = [try entry("1", "a.gcode")]
    book.takeQueue(entries, at: at(1), wallTime: wallTime)
    start(&book, "u1", at: 2)
    book.observe(reading("printing"), at: at(3), wallTime: wallTime)
    book.observe(reading("complete"), at: at(4), wallTime: wallTime)
    book.takeQueue(entries, at: at(5), wallTime: wallTime)
    #expect(book.queue.isEmpty)
    #expect(book.spent == entries.map(\.ticket))
    // Also where nobody knows whether it began, and after a restart of ours.
    var next = self.book()
    next.load(
      JobStorage.jobs(JobStorage.stored(book)),
      spent: JobStorage.tickets(JobStorage.storedTickets(book)))
    next.takeQueue(entries, at: at(1), wallTime: wallTime)
    #expect(next.listed.isEmpty)
    // Once it is out of the queue it is forgotten; also a file whose name cannot be held has its place.
    next.takeQueue([], unnamed: entries.map(\.ticket), at: at(2), wallTime: wallTime)
    #expect(!next.spent.isEmpty)
    next.takeQueue([], at: at(2), wallTime: wallTime)
    #expect(next.spent.isEmpty)
  }

  @Test("a start that nobody saw the end of is told as failed after a restart, and not repeated")
  func restartWhileStarting() throws {
    let uuid = "11111111-1111-4111-a111-000000000001"
    var book = book()
    book.add(job("a.gcode", uuid: uuid))
    let entries = [try entry("1", "a.gcode")]
    book.takeQueue(entries, at: at(1), wallTime: wallTime)
    start(&book, uuid, at: 2)
    let (stored, tickets) = (JobStorage.stored(book), JobStorage.storedTickets(book))
    for state in ["standby", "printing"] {
      var next = self.book()
      next.load(JobStorage.jobs(stored), spent: JobStorage.tickets(tickets))
      next.observe(reading(state), at: at(1), wallTime: wallTime)
      next.takeQueue(entries, at: at(1), wallTime: wallTime)
      #expect(next.queue.isEmpty)
      #expect(next.listed.map(\.uuid) == [uuid])
      #expect(
        try words(next, reading(state)) == [state == "standby" ? "error" : "pre_print"])
    }
  }

  @Test("a queue that is laid anew keeps its jobs, in whatever order, and others' as well")
  func relaid() throws {
    var book = book()
    for name in ["a", "b"] { book.add(job("\(name).gcode", uuid: name)) }
    book.update("a") { $0.isGriffin = true }
    book.takeQueue(
      [try entry("1", "a.gcode"), try entry("2", "b.gcode"), try entry("3", "c.gcode")], at: at(1),
      wallTime: wallTime)
    let theirs = try #require(book.queue.last?.uuid)
    book.takeQueue(
      [try entry("4", "c.gcode", 2), try entry("5", "b.gcode", 2), try entry("6", "a.gcode", 2)],
      at: at(2), wallTime: wallTime)
    #expect(book.queue.map(\.uuid) == [theirs, "b", "a"])
    #expect(book.queue.last?.isGriffin == true)
    #expect(book.queue.last?.isForeign == false)
    // Which of two copies is which is told by what has kept its place.
    book.add(job("a.gcode", uuid: "a2"))
    book.takeQueue(
      [try entry("7", "a.gcode", 3), try entry("6", "a.gcode", 2)], at: at(3), wallTime: wallTime)
    #expect(book.queue.map(\.uuid) == ["a2", "a"])
  }

  @Test("all of a long queue is looked at, however many others' jobs stand in front")
  func longQueue() throws {
    var book = book()
    book.add(job("mine.gcode"))
    var entries = try (1...300).map { try entry("\($0)", "x\($0).gcode") }
    entries.append(try entry("301", "mine.gcode"))
    let isWhole = book.takeQueue(entries, at: at(1), wallTime: wallTime)
    #expect(!isWhole)
    #expect(book.queue.last?.uuid == "u1")
    #expect(book.queue.count == QueueStatus.most + 1)
    let status = QueueStatus([
      "queued_jobs": .array(
        (0..<150).map { ["job_id": .string("\($0)"), "filename": .string("\($0).gcode")] }
          + [["job_id": "x", "filename": ""]])
    ])
    #expect(status?.entries.count == 150)
    #expect(status?.unnamed.map(\.jobID) == ["x"])
  }

  @Test("a job that Moonraker forgot at its restart is told; one that somebody takes out goes")
  func forgotten() throws {
    for isLost in [true, false] {
      var book = book()
      book.add(job("a.gcode"))
      book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
      if isLost { book.loseQueue() }
      book.takeQueue([], at: at(2), wallTime: wallTime)
      book.expire(at: at(18))
      #expect(try words(book, reading("standby")) == (isLost ? ["error"] : []))
    }
    // Nor is it told where it is what is printed.
    var book = book()
    book.add(job("a.gcode"))
    book.takeQueue([try entry("1", "a.gcode")], at: at(1), wallTime: wallTime)
    book.loseQueue()
    book.takeQueue([], at: at(2), wallTime: wallTime)
    book.observe(reading("printing"), at: at(3), wallTime: wallTime)
    book.expire(at: at(30))
    #expect(try words(book, reading("printing")) == ["pre_print"])
  }

  @Test("what came to nothing, and what never reached the printer, is told after a restart too")
  func failedRestart() throws {
    let ids = (1...2).map { "11111111-1111-4111-a111-00000000000\($0)" }
    var book = book()
    book.add(job("a.gcode", uuid: ids[0]))
    book.fail(ids[0], "no room")
    var coming = job("b.gcode", uuid: ids[1])
    coming.path = nil
    book.add(coming)
    var next = self.book()
    next.load(JobStorage.jobs(JobStorage.stored(book)))
    next.takeQueue([], at: at(1), wallTime: wallTime)
    #expect(next.listed.map(\.uuid) == ids)
    #expect(try words(next, reading("standby")) == ["error", "error"])
    #expect(next.listed.first?.notice == "no room")
  }

  @Test(
    "a start that Klipper has not answered yet is not given up; after that it is, in two minutes")
  func patience() throws {
    var book = book()
    book.add(job("a.gcode"))
    start(&book, "u1", at: 1)
    book.expire(at: at(500))
    #expect(try words(book, reading("standby")) == ["sent_to_printer"])
    book.sent("u1", isTaken: false, at: at(500))
    book.expire(at: at(619))
    #expect(try words(book, reading("standby")) == ["sent_to_printer"])
    book.expire(at: at(621))
    #expect(try words(book, reading("standby")) == ["error"])
    // What the printer has taken shows soon, or was ended at once.
    book.add(job("b.gcode", uuid: "u2"))
    start(&book, "u2", at: 700)
    book.sent("u2", isTaken: true, at: at(700))
    book.expire(at: at(721))
    #expect(try words(book, reading("standby")) == ["error", "error"])
  }

  @Test(
    "a start that is refused brings the job before it back; one that has begun is not taken back")
  func refused() throws {
    var book = book()
    book.observe(reading("printing", "z.gcode"), at: at(1), wallTime: wallTime)
    book.identify("u0")
    book.observe(reading("complete", "z.gcode"), at: at(2), wallTime: wallTime)
    book.add(job("a.gcode"))
    start(&book, "u1", at: 3)
    book.startFailed("u1", back: .coming, "no")
    #expect(book.listed.map(\.uuid) == ["u0", "u1"])
    start(&book, "u1", at: 4)
    book.observe(reading("printing"), at: at(5), wallTime: wallTime)
    book.startFailed("u1", back: .coming, "no")
    #expect(book.active?.uuid == "u1")
    #expect(book.waiting.isEmpty)
  }

  @Test("a job before which another one begins is told as failed; one whose end was missed goes")
  func overtaken() throws {
    var book = book()
    book.add(job("a.gcode"))
    start(&book, "u1", at: 1)
    book.observe(reading("printing", "b.gcode"), at: at(2), wallTime: wallTime)
    book.identify("u9")
    #expect(try words(book, reading("printing")) == ["pre_print", "error"])
    book.observe(reading("printing", "c.gcode"), at: at(3), wallTime: wallTime)
    book.identify("u8")
    #expect(book.listed.map(\.uuid) == ["u8", "u1"])
  }

  @Test("failed jobs do not gather")
  func failed() {
    var book = book()
    for number in 0..<50 {
      book.add(job("a.gcode", uuid: "u\(number)"))
      book.fail("u\(number)", "no")
    }
    #expect(book.listed.count == 10)
    #expect(book.listed.last?.uuid == "u49")
  }

  @Test("a printer's times cannot break a number", arguments: [-1, .infinity, .nan, 1e300, 12.9])
  func times(_ value: Double) {
    let seconds = PrinterReading.seconds(value)
    #expect(seconds == nil || (0...100_000_000).contains(seconds ?? -1))
  }
}
