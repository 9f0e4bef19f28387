package import ConnectorKit
internal import JSON
package import Platform

/// A gate on paper: it records what is submitted and answers as the test's script says. It does not judge.
package final class ScriptedGateway: CommandGateway {
  /// What it answers for a request.
  package typealias Script = @Sendable (CommandRequest) async -> CommandOutcome

  private struct State {
    var script: Script = { _ in .done() }
    var submitted: [CommandRequest] = []
    var refused: [CommandRequest] = []
    var uploads: [(path: String, bytes: [UInt8])] = []
    var ended: [String: CommandOutcome] = [:]
    var owed: [String: OwedItem] = [:]
    var lastContact: MonotonicInstant?
    var contacts: [CommandContact] = []
    var refusals: [String: CommandFailure] = [:]
    var owesNothing = false
    var own: [BroughtFile] = []
  }
  private struct Printer: GatedPrinter {
    let gateway: ScriptedGateway
    let command: PrinterCommand
    func checkPermission() throws(CommandFailure) {}
    func upload(_ file: StagedFile) async throws(CommandFailure) -> JSONValue {
      let named: GCodePath? =
        switch command {
        case .upload(let path), .start(let path, _): path
        default: nil
        }
      guard let path = named,
        let bytes = try? Files.read(file.path, limit: 64 << 20)
      else { throw CommandFailure(.transfer, "no upload") }
      let now = gateway.time.wallTime
      gateway.state.withLock { state in
        state.uploads.append((path.text, bytes))
        state.own.removeAll { $0.path == path }
        state.own.append(
          BroughtFile(
            path: path, size: file.size, sha256: file.sha256, broughtAt: now,
            modified: Double(now.millisecondsSinceEpoch) / 1_000))
      }
      return ["path": .string(path.text), "root": "gcodes", "size": .integer(file.size)]
    }
  }
  private let time: any TimeSource
  private let state = Guarded(State())
  /// Where the gate puts what is owed.
  package let outbox: MemoryOutbox

  /// A gate that says `done` to everything.
  package init(time: any TimeSource, outbox: MemoryOutbox) {
    self.time = time
    self.outbox = outbox
  }

  /// What its backend has refused itself, in order.
  package var refused: [CommandRequest] { state.withLock { $0.refused } }
  /// What has been submitted to be done, in order; repeats of an id included.
  package var submitted: [CommandRequest] { state.withLock { $0.submitted } }
  /// What has been uploaded, in order.
  package var uploads: [(path: String, bytes: [UInt8])] { state.withLock { $0.uploads } }
  /// The answers that were noted, in order.
  package var contacts: [CommandContact] { state.withLock { $0.contacts } }
  /// Says what the backend has brought.
  package func owns(_ files: [BroughtFile]) { state.withLock { $0.own = files } }
  package func ownFiles() async -> [BroughtFile]? { state.withLock { $0.own } }
  package func isUnchanged(_ path: GCodePath) async -> Bool {
    state.withLock { state in state.own.contains { $0.path == path } }
  }
  /// From now on nothing is owed for any command, as for one whose id another one has had.
  package func owesNothing() { state.withLock { $0.owesNothing = true } }
  /// What connectors refused themselves, by id.
  package var refusals: [String: CommandFailure] { state.withLock { $0.refusals } }
  package func noteRefusal(id: String, wireName: String, _ refusal: CommandFailure) {
    state.withLock { $0.refusals[id] = refusal }
  }
  /// Answers by `script` from now on.
  package func answer(_ script: @escaping Script) { state.withLock { $0.script = script } }

  package func contact(continuing former: CommandContact?) -> CommandContact {
    let now = time.now
    return state.withLock { state in
      let contact = CommandContact(
        backend: "test", at: now, previous: former.map(\.previous) ?? state.lastContact)
      state.lastContact = now
      state.contacts.append(contact)
      return contact
    }
  }

  package func submit(
    _ request: CommandRequest, in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome {
    let (script, stored) = state.withLock { state in
      if request.refusal == nil {
        state.submitted.append(request)
      } else {
        state.refused.append(request)
      }
      return (state.script, state.ended[request.id])
    }
    var outcome: CommandOutcome
    if var stored {
      stored.isRepeat = true
      outcome = stored
    } else if let refusal = request.refusal {
      outcome = CommandOutcome(.refused, refusal.reason, refusal.message)
      let ended = outcome
      state.withLock { $0.ended[request.id] = ended }
    } else if !contact.takePlace() {
      outcome = CommandOutcome(.refused, .tooMany, "more than 32 commands in one answer")
    } else {
      outcome = await script(request)
      if outcome.status == .done, let work {
        do throws(CommandFailure) {
          outcome.details = try await work(Printer(gateway: self, command: request.command))
        } catch {
          outcome = CommandOutcome(
            error.mayHaveHappened ? .unknown : .failed, error.reason, error.message)
        }
      }
      let ended = outcome
      state.withLock { $0.ended[request.id] = ended }
    }
    // As the store has it: what was owed the first time is owed again.
    if !state.withLock({ $0.owesNothing }), let item = owing(outcome) {
      let first = state.withLock { state in
        let first = state.owed[request.id] ?? item
        state.owed[request.id] = first
        return first
      }
      await outbox.put(first)
    }
    return outcome
  }
}
