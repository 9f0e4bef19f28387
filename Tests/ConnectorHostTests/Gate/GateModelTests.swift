import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

/// Random lives of a gate, checked against what a small model of its own knows. `UPLINK_SEED=7` replays one,
/// `UPLINK_SEEDS=1000` lives so many.
@Suite("Gate: model") struct GateModelTests {
  static let seeds: Range<UInt64> = {
    let variables = ProcessInfo.processInfo.environment
    if let one = variables["UPLINK_SEED"].flatMap(UInt64.init) { return one..<(one + 1) }
    return 0..<(variables["UPLINK_SEEDS"].flatMap(UInt64.init) ?? 300)
  }()

  @Test("Whatever two backends, the printer, the disk and a kill do, the rules hold")
  func rules() {
    for seed in Self.seeds {
      let life = ModelLife(seed: seed)
      life.live()
      guard life.faults.isEmpty else {
        Issue.record(
          "seed \(seed): \(life.faults.joined(separator: "; "))\n\(life.story.joined(separator: "\n"))\nreplay with UPLINK_SEED=\(seed)"
        )
        return
      }
    }
  }
}

/// One random life. It knows the rules from the documentation, not from the gate.
// @unchecked: one thread runs it all, job by job.
private final class ModelLife: @unchecked Sendable {
  private struct Known {
    var backend: String
    var command: PrinterCommand
    var outcome: Promise<CommandOutcome>
  }
  private let random: Guarded<SeededGenerator>
  private let disk = FakeDisk()
  private let time = ManualTime()
  private var printer = FakePrinter()
  private var bench: GateBench
  /// Whether everything that is ready runs after each step: then the model knows the printer's state at each sending.
  private let isStrict: Bool
  private var posted: [String: Known] = [:]
  /// What happened; made into text only when it is wanted, since that takes longer than the life.
  private var happened: [() -> String] = []
  var story: [String] { happened.map { $0() } }
  private let noted = Guarded<[String]>([])

  // What the model knows.
  private var state = "standby"
  private var file = ""
  private var isUp = true
  private var klippy = KlippyState.ready
  private var isBedClear = false
  private var isReadOnly = false
  private var owners: [String: String] = [:]
  private let sentOnce = Guarded<[PrinterCommand: Int]>([:])

  var faults: [String] { noted.withLock { $0 } }

  init(seed: UInt64) {
    let random = Guarded(SeededGenerator(seed: seed))
    self.random = random
    isStrict = seed % 2 == 0
    bench = GateBench(disk: disk, printer: printer, time: time)
    begin()
  }

  private func below(_ limit: Int) -> Int {
    random.withLock { Int.random(in: 0..<limit, using: &$0) }
  }

  private func begin() {
    bench.pick = { [random] count in random.withLock { Int.random(in: 0..<count, using: &$0) } }
    bench.open()
    if !isStrict {
      bench.jobsPerStep = { [random] in random.withLock { Int.random(in: 0..<25, using: &$0) } }
    }
    _ = bench.entrance("a", PermissionLevel.full.permissions)
    _ = bench.entrance("b", PermissionLevel.print.permissions)
    isUp = true
    klippy = .ready
    bench.come(state, file: file)
    printer.answersAtOnce(false)
    printer.onSend { [unowned self] command in check(command) }
  }

  private func fault(_ text: String) { noted.withLock { $0.append(text) } }
  private func tell(_ text: @autoclosure @escaping () -> String) { happened.append(text) }

  // MARK: The rules

  private func check(_ command: PrinterCommand) {
    if command.kind.movesOrHeats {
      let others = printer.unanswered.filter { $0.command.kind.movesOrHeats }
      if !others.isEmpty { fault("\(command) sent while \(others.map(\.command)) is unfinished") }
    }
    if isUnique(command) {
      let count = sentOnce.withLock { sent in
        sent[command, default: 0] += 1
        return sent[command] ?? 0
      }
      if count > 1 { fault("\(command) was executed twice") }
    }
    guard isStrict else { return }
    if isReadOnly, command != .emergencyStop, !command.kind.isRead {
      fault("\(command) sent while read-only is on")
    }
    let isJobOn = state == "printing" || state == "paused"
    let fits =
      switch command {
      case .pause: state == "printing"
      case .resume: state == "paused"
      // Behind a start that Klipper has not taken yet, too: it takes one after the other.
      case .cancel: isJobOn || printer.unanswered.contains { $0.command.kind == .start }
      case .start, .home: !isJobOn
      default: true
      }
    if !fits { fault("\(command) sent while \(state)") }
    if command != .emergencyStop, !isUp || (klippy != .ready && !command.kind.isFile) {
      fault("\(command) sent to a printer that is away")
    }
    if case .start(_, .itself) = command, !isBedClear { fault("\(command) on an occupied bed") }
    if case .deleteFile(let path) = command {
      if isJobOn, file == path.text { fault("\(command) of the current file") }
      // `a` may delete any file, and asks for the owner's only; `b` asks for its own and for those of `a`.
      if let known = posted.values.first(where: { $0.command == command }), known.backend == "b",
        owners[path.text] != "b"
      {
        fault("\(command) by b of \(owners[path.text] ?? "the owner")'s file")
      }
    }
  }

  private func isUnique(_ command: PrinterCommand) -> Bool {
    switch command {
    case .gcode, .start, .macro: true
    default: false
    }
  }

  // MARK: What happens

  func live() {
    for _ in 0..<30 where faults.isEmpty { step() }
    guard faults.isEmpty else { return }
    settle()
  }

  private func step() {
    switch below(20) {
    case 0..<9: submit()
    case 9..<12: answer()
    case 12..<15: printerMoves()
    case 15:
      let seconds = below(4) == 0 ? 700 : below(20)
      tell("\(seconds) s pass")
      bench.advance(by: .seconds(seconds))
      // A far side that is polled all the time.
      for backend in ["a", "b"] { _ = bench.entrance(backend).contact() }
    case 16: changeDisk()
    case 17: person()
    case 18: upload()
    default: if below(4) == 0 { kill() }
    }
  }

  private func submit() {
    let backend = below(2) == 0 ? "a" : "b"
    let number = below(12)
    let id = "\(backend)-\(number)"
    let path = GCodePath.of("\(id).gcode")
    let command: PrinterCommand =
      switch number {
      case 0: .emergencyStop
      case 1: .pause
      case 2: .resume
      case 3: .cancel
      case 4: .home([])
      case 5: .gcode("M118 \(id)")
      case 6: .start(path, .itself)
      case 7: .start(path, .person)
      case 8: .temperature(heater: "extruder", celsius: 200)
      case 9:
        .deleteFile(
          .of(backend == "a" ? "own.gcode" : "\(below(2) == 0 ? "a" : "b")-file.gcode"))
      case 10: .listFiles
      default: .fan(0.5)
      }
    // One id is one command for good; pause, resume, cancel and stops come under new ids now and then.
    let isRenewed = number < 4 || number == 9
    post(command, id: isRenewed ? "\(id)-\(below(6))" : id, of: backend)
  }

  private func post(_ command: PrinterCommand, id: String, of backend: String) {
    if let known = posted[id], known.command != command { return }
    let stops = printer.sent.filter { $0 == .emergencyStop }.count
    let isNew = posted[id] == nil
    tell("\(backend) submits \(id) \(command)")
    let outcome = bench.post(command, id: id, of: backend)
    posted[id] = Known(backend: backend, command: command, outcome: outcome)
    if command == .emergencyStop, isNew {
      // Whatever hangs, and without a moment passing.
      bench.executor.drain(bench.pick)
      if printer.sent.filter({ $0 == .emergencyStop }).count != stops + 1 {
        fault("the emergency stop \(id) waits")
      }
    } else {
      bench.drain()
    }
  }

  private func answer() {
    guard let sent = printer.unanswered.first else { return }
    let failure: CommandFailure? =
      switch below(5) {
      case 0: CommandFailure(.printerRefused, "no")
      case 1: CommandFailure(.notConnected, "gone", mayHaveHappened: true)
      default: nil
      }
    tell("the printer answers \(sent.command): \(failure.map { "\($0.reason)" } ?? "ok")")
    // What was done shows before the answer comes, as Klipper's updates do.
    if failure == nil { show(sent.command) }
    sent.answer.resolve(failure.map { .failure($0) } ?? .success(nil))
    bench.drain()
  }

  private func show(_ command: PrinterCommand) {
    guard isUp, klippy == .ready else { return }
    switch command {
    case .start(let path, _) where state != "printing" && state != "paused":
      move(to: "printing", path.text)
    case .pause where state == "printing": move(to: "paused", file)
    case .resume where state == "paused": move(to: "printing", file)
    case .cancel where state == "printing" || state == "paused": move(to: "cancelled", file)
    default: break
    }
  }

  private func printerMoves() {
    switch below(6) {
    case 0:
      guard isUp else { return }
      klippy = klippy == .ready ? .shutdown : .ready
      let new = klippy
      tell("klippy \(new)")
      if state == "printing" || state == "paused" {
        state = "error"
        isBedClear = false
      }
      bench.klippy(klippy)
      bench.print(state, file)
      if klippy == .ready { bench.come(state, file: file) }
    case 1:
      isUp.toggle()
      let text = isUp ? "moonraker comes" : "moonraker goes"
      tell(text)
      if isUp {
        klippy = .ready
        bench.come(state, file: file)
      } else {
        bench.leave()
      }
    default:
      guard isUp, klippy == .ready else { return }
      switch state {
      case "printing": move(to: below(2) == 0 ? "complete" : "paused", file)
      case "paused": move(to: below(2) == 0 ? "cancelled" : "printing", file)
      default: move(to: "printing", below(2) == 0 ? "own.gcode" : "b-file.gcode", byOwner: true)
      }
    }
  }

  private func move(to new: String, _ newFile: String, byOwner: Bool = false) {
    tell("the printer is \(new) \(newFile)")
    let wasOn = state == "printing" || state == "paused"
    let isOn = new == "printing" || new == "paused"
    if wasOn, !isOn { isBedClear = false }
    if byOwner { owners[newFile] = nil }
    state = new
    file = newFile
    bench.print(new, newFile)
  }

  private func changeDisk() {
    let mood: FakeStore.Mood = [.well, .well, .failing, .hanging][below(4)]
    tell("the disk is \(mood)")
    bench.store.become(mood)
    bench.drain()
  }

  private func person() {
    let isOn = below(2) == 0
    switch below(2) {
    case 0:
      let answer = Promise<Bool>()
      Task(executorPreference: bench.executor) { [gate = bench.gate] in
        do throws(CommandFailure) {
          try await gate.clearBed(by: "page", isRemote: false)
          answer.resolve(true)
        } catch {
          answer.resolve(false)
        }
      }
      // It may take effect as soon as it is said.
      let was = isBedClear
      isBedClear = true
      hear(answer)
      isBedClear = answer.current == true || was
      tell("a person clears the bed: \(answer.current == true)")
    default:
      let answer = Promise<Bool>()
      Task(executorPreference: bench.executor) { [gate = bench.gate] in
        do throws(CommandFailure) {
          try await gate.setReadOnly(isOn, by: "page")
          answer.resolve(true)
        } catch {
          answer.resolve(false)
        }
      }
      let was = isReadOnly
      if !isOn { isReadOnly = false }
      hear(answer)
      isReadOnly = isOn || (was && answer.current != true)
      tell("read-only \(isOn): \(answer.current == true)")
    }
  }

  /// Nothing else happens while a person speaks.
  private func hear(_ answer: Promise<Bool>) {
    bench.executor.drain(bench.pick)
    if answer.current == nil { bench.store.become(.well) }
    bench.executor.drain(bench.pick)
  }

  private func upload() {
    let backend = below(2) == 0 ? "a" : "b"
    let path = GCodePath.of("\(backend)-file.gcode")
    let before = printer.uploads.count
    bench.store.become(.well)
    let outcome = bench.post(
      .upload(path), id: "up-\(happened.count)", of: backend,
      work: { printer throws(CommandFailure) in
        try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "00"))
      })
    bench.executor.drain(bench.pick)
    if printer.uploads.count > before { owners[path.text] = backend }
    tell("\(backend) uploads \(path): \(outcome.current.map { "\($0.status)" } ?? "unfinished")")
  }

  private func kill() {
    tell("the daemon is killed")
    bench.die()
    // The printer goes on with what it has.
    let former = printer
    printer = FakePrinter()
    for path in ["a-file.gcode", "b-file.gcode"].map({ GCodePath.of($0) }) {
      printer.put(path, former.present(path))
    }
    for sent in former.unanswered { sent.answer.resolve(.success(nil)) }
    former.onSend { _ in }
    if isUp, klippy != .ready { klippy = .ready }
    disk.contents.withLock { $0.recover() }
    // Read-only that was said while the disk did not take it is lost with the process.
    isReadOnly = disk.contents.withLock { $0.values["read_only"]?["on"]?.bool } ?? false
    // What is not on the disk was never said: neither an outcome that the disk did not take, nor one that never came.
    let written = disk.contents.withLock { $0.rows }
    posted = posted.filter { id, known in
      written[CommandID(backend: known.backend, id: id)] != nil && known.outcome.current != nil
    }
    bench = GateBench(disk: disk, printer: printer, time: time)
    begin()
    // The far side delivers again what it has no answer to.
    isBedClear = isBedClear && bench.gate.view.bed.isClear
  }

  /// Lets everything end, and looks at what is left.
  private func settle() {
    bench.store.become(.well)
    bench.jobsPerStep = nil
    bench.drain()
    for _ in 0..<40 where bench.gate.view.unfinished > 0 {
      bench.drain()
      for sent in printer.unanswered { sent.answer.resolve(.success(nil)) }
      // What follows may wait a second for the printer's word.
      bench.advance(by: .seconds(1))
    }
    bench.advance(by: .seconds(61))
    bench.drain()
    for (id, known) in posted.sorted(by: { $0.key < $1.key }) {
      guard let outcome = known.outcome.current else {
        fault("\(id) \(known.command) has no outcome")
        continue
      }
      guard !known.command.kind.isRead, outcome.reason != .journal, outcome.reason != .interrupted
      else { continue }
      let items = disk.contents.withLock { $0.outbox[known.backend] ?? [] }
      if items.count(where: { $0.key == id }) != 1 { fault("\(id) is not owed once: \(outcome)") }
    }
    let view = bench.gate.view
    if view.unfinished != 0 || view.busy != nil || view.waiting != 0 {
      fault("something is unfinished: \(view.unfinished), \(String(describing: view.busy))")
    }
    bench.die()
    bench.drain()
  }
}

extension PrinterCommand.Kind {
  /// Whether it is about files, which are there without Klipper.
  fileprivate var isFile: Bool { self == .deleteFile || isRead }
}
