import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ReachRelay

/// A relay as far as tokens go.
struct RotatingRelay {
  /// What it makes of the token that it has just given.
  enum Habit: CaseIterable, Sendable {
    /// The former one is good until the new one is used.
    case keepsFormer
    /// The new one never becomes good: what it wrote down was lost.
    case forgetsNew
  }
  let habit: Habit
  private(set) var current = "t1"
  private var offered: String?
  private var number = 1
  /// Rotations that are still to come.
  var rotations: Int

  init(_ habit: Habit, rotations: Int) {
    self.habit = habit
    self.rotations = rotations
  }

  mutating func answer(_ call: RelayCall) -> RelayAnswer {
    let token = call.token.revealed
    if token == offered, habit == .keepsFormer {
      current = token
      offered = nil
    }
    guard token == current else { return .unauthorised("status 401") }
    guard call.endpoint == .heartbeat, offered != nil || rotations > 0 else {
      return .accepted([:])
    }
    if offered == nil || habit == .forgetsNew {
      number += 1
      rotations -= 1
      offered = rotations < 0 ? nil : "t\(number)"
    }
    return .accepted(offered.map { ["rotatedToken": .string($0)] } ?? [:])
  }
}

/// A session with its disk and its relay, which goes on step by step in any order and may end after each.
struct CrashingMachine {
  private enum Step {
    case handle(RelayCall)
    case deliver(RelayCall, RelayAnswer)
    case write(ReachIdentity)
    case tell(ReachIdentity)
  }
  var relay: RotatingRelay
  private(set) var disk = ReachIdentity(token: Secret("t1"), printerID: "p")
  private(set) var parked: String?
  private(set) var accepted = 0
  private var now = PrinterStatus.start
  private var generator: SeededGenerator

  init(_ relay: RotatingRelay, seed: UInt64) {
    self.relay = relay
    generator = SeededGenerator(seed: seed)
  }

  /// Starts from the disk, takes so many steps, and loses all that is in memory.
  mutating func live(steps: Int) {
    let reading = PrinterReading(.ready("printing"))
    var session = RelaySession(
      disk,
      rules: RelaySession.Rules(
        heartbeatInterval: .seconds(30), telemetryInterval: .seconds(10),
        telemetryIdleInterval: .seconds(30), host: "relay", random: { 1 }),
      reading: reading, now: now)
    var open: [Step] = []
    accepted = 0
    func take(_ actions: [RelaySession.Action], _ machine: inout CrashingMachine) {
      for action in actions {
        switch action {
        case .send(let call) where call.endpoint != .pull: open.append(.handle(call))
        case .save(let identity): open.append(.write(identity))
        case .park(let problem, _): machine.parked = problem
        default: break
        }
      }
    }
    take(session.handle(.tick, reading: reading, now: now), &self)
    for _ in 0..<steps where parked == nil {
      guard let index = open.indices.randomElement(using: &generator) else {
        now = max(now, session.nextDue(now) ?? now)
        take(session.handle(.tick, reading: reading, now: now), &self)
        continue
      }
      switch open.remove(at: index) {
      case .handle(let call):
        let answer = relay.answer(call)
        if case .accepted = answer { accepted += 1 }
        open.append(.deliver(call, answer))
      case .deliver(let call, let answer):
        take(session.handle(.answered(call, answer), reading: reading, now: now), &self)
      case .write(let identity):
        disk = identity
        open.append(.tell(identity))
      case .tell(let identity):
        take(session.handle(.saved(identity), reading: reading, now: now), &self)
      }
    }
  }

  /// How many steps until the next crash.
  mutating func patience() -> Int { Int.random(in: 0...24, using: &generator) }
}

@Suite("Reach tokens across crashes") struct TokenCrashTests {
  @Test(
    "A crash between any two steps of a rotation never costs the pairing",
    arguments: RotatingRelay.Habit.allCases)
  func crashes(habit: RotatingRelay.Habit) {
    for seed in 0..<150 {
      var machine = CrashingMachine(RotatingRelay(habit, rotations: 20), seed: UInt64(seed))
      for _ in 0..<12 {
        machine.live(steps: machine.patience())
        #expect(machine.parked == nil, "seed \(seed)")
      }
      machine.relay.rotations = 0
      machine.live(steps: 60)
      #expect(machine.parked == nil, "seed \(seed)")
      #expect(machine.accepted > 0, "seed \(seed)")
      #expect(machine.disk.token.revealed == machine.relay.current, "seed \(seed)")
      #expect(machine.disk.previousToken == nil, "seed \(seed)")
    }
  }
}
