import ConnectorKit
import JSON
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach: whose turn it is") struct CommandDeskTests {
  private let contact = CommandContact(
    backend: "reach", at: MonotonicInstant(sinceOrigin: .seconds(1)), previous: nil)

  private func job(_ id: String, _ order: RelayOrder) -> CommandDesk.Job {
    CommandDesk.Job(
      command: RelayCommand(id: id, name: "n", params: [:]), order: order, contact: contact)
  }
  private func look(_ id: String) -> CommandDesk.Job { job(id, .printer(.listFiles)) }
  private func change(_ id: String) -> CommandDesk.Job { job(id, .printer(.resume)) }

  @Test("What changes something goes one after the other, in order")
  func worker() {
    var desk = CommandDesk()
    #expect(desk.take(change("1")) == .start)
    #expect(desk.take(change("2")) == .wait)
    #expect(desk.take(change("3")) == .wait)
    #expect(desk.ended(change("1"), acted: true).next?.command.id == "2")
    #expect(desk.ended(change("2"), acted: true).next?.command.id == "3")
    #expect(desk.ended(change("3"), acted: true).next == nil)
    #expect(desk.take(change("4")) == .start)
  }

  @Test("Four looks go beside it, the fifth waits for one of them")
  func reads() {
    var desk = CommandDesk()
    #expect(desk.take(change("0")) == .start)
    for id in 1...4 { #expect(desk.take(look("\(id)")) == .start) }
    #expect(desk.take(look("5")) == .wait)
    #expect(desk.ended(change("0"), acted: true).next == nil)
    #expect(desk.ended(look("3"), acted: true).next?.command.id == "5")
  }

  @Test("Pause, cancel and stop wait for nobody, not even when too many are unfinished")
  func urgent() {
    var desk = CommandDesk()
    for id in 1...32 { #expect(desk.take(change("\(id)")) != .busy) }
    #expect(desk.take(change("33")) == .busy)
    #expect(desk.take(look("33")) == .busy)
    for (id, command) in [("a", PrinterCommand.pause), ("b", .cancel), ("c", .emergencyStop)] {
      #expect(desk.take(job(id, .printer(command))) == .start)
    }
    #expect(desk.take(job("d", .shutDown)) == .start)
    // The stop takes no place of theirs.
    for id in 1...29 { #expect(desk.take(job("u\(id)", .printer(.pause))) == .start) }
    #expect(desk.take(job("u30", .printer(.pause))) == .busy)
    #expect(desk.take(job("u31", .printer(.emergencyStop))) == .start)
  }

  @Test("Stops under ever new ids are bounded while none of them ends, and the first ones go out")
  func stops() {
    var desk = CommandDesk()
    let stops = (1...100).map { job("\($0)", .printer(.emergencyStop)) }
    let answers = stops.map { desk.take($0) }
    #expect(answers == Array(repeating: .start, count: 32) + Array(repeating: .busy, count: 68))
    _ = desk.ended(stops[0], acted: true)
    #expect(desk.take(stops[99]) == .start)
    #expect(desk.take(job("p", .printer(.pause))) == .start)
  }

  @Test("Behind a stop nothing is started that waited, behind a cancel no start and no resume")
  func overtaken() throws {
    let start = PrinterCommand.start(try #require(GCodePath("a.gcode")), .person)
    for (order, ended, next) in [
      (PrinterCommand.emergencyStop, ["2", "3"], nil), (.cancel, ["2"], "3"), (.pause, [], "2"),
    ] as [(PrinterCommand, [String], String?)] {
      for acted in [true, false] {
        var desk = CommandDesk()
        for (id, command) in [("1", PrinterCommand.resume), ("2", start), ("3", .gcode("G28"))] {
          _ = desk.take(job(id, .printer(command)))
        }
        for id in 4...9 { _ = desk.take(look("\(id)")) }
        let urgent = job("0", .printer(order))
        #expect(desk.take(urgent) == .start)
        // While it is under way, nothing begins that it may overtake.
        let early = desk.ended(change("1"), acted: true)
        #expect(early.next?.command.id == (order == .pause ? "2" : nil))
        let aftermath = desk.ended(urgent, acted: acted)
        guard order != .pause else { continue }
        #expect(aftermath.overtaken.map(\.command.id) == (acted ? ended : []))
        #expect(aftermath.next?.command.id == (acted ? next : "2"))
        #expect(desk.isUnfinished("9"))
      }
    }
  }

  @Test("An id that is unfinished is taken once")
  func known() {
    var desk = CommandDesk()
    #expect(desk.take(change("1")) == .start)
    #expect(desk.take(change("1")) == .known)
    #expect(desk.take(job("1", .printer(.pause))) == .known)
    #expect(desk.isUnfinished("1"))
    #expect(desk.ended(change("1"), acted: true).next == nil)
    #expect(!desk.isUnfinished("1"))
    #expect(desk.take(change("1")) == .start)
  }

  @Test("A stop acts also under an id that another command has")
  func stopUnderKnownID() {
    var desk = CommandDesk()
    let stop = job("1", .printer(.emergencyStop))
    #expect(desk.take(change("1")) == .start)
    #expect(desk.take(change("2")) == .wait)
    #expect(desk.take(stop) == .start)
    #expect(desk.take(stop) == .known)
    #expect(desk.ended(change("1"), acted: true).next == nil)
    #expect(desk.ended(stop, acted: true).overtaken.map(\.command.id) == ["2"])
    #expect(!desk.isUnfinished("1"))
    #expect(desk.take(change("3")) == .start)
  }

  @Test("At the end what waits is handed back, in order")
  func close() {
    var desk = CommandDesk()
    for id in ["1", "2", "3"] { _ = desk.take(change(id)) }
    #expect(desk.close().map(\.command.id) == ["2", "3"])
    #expect(desk.ended(change("1"), acted: true).next == nil)
  }
}
