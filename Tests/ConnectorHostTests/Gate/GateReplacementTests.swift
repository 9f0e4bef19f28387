import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: replacing files") struct GateReplacementTests {
  private let bench = GateBench.ready()
  private let path = GCodePath.of("a.gcode")

  private func upload(_ id: String, of backend: String) -> CommandOutcome? {
    bench.submit(
      .upload(path), id: id, of: backend,
      work: { printer throws(CommandFailure) in
        try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "00"))
      })
  }

  @Test("A backend replaces its own file, and no other one")
  func own() {
    _ = bench.entrance("p", PermissionLevel.print.permissions)
    _ = bench.entrance("q", PermissionLevel.print.permissions)
    #expect(upload("1", of: "p")?.status == .done)
    #expect(upload("2", of: "p")?.status == .done)
    let refused = upload("3", of: "q")
    #expect(refused?.status == .refused)
    #expect(refused?.reason == .notOwn)
    #expect(
      refused?.message == "a file of that name exists and is not one that this connector brought")
    #expect(bench.printer.uploads.count == 2)
  }

  @Test("A file that was there before, or that was changed since, is the owner's")
  func owners() {
    _ = bench.entrance("p", PermissionLevel.print.permissions)
    bench.printer.put(path, FileState(size: 5, modified: 1))
    #expect(upload("1", of: "p")?.reason == .notOwn)
    bench.printer.put(path, nil)
    #expect(upload("2", of: "p")?.status == .done)
    bench.printer.put(path, FileState(size: 5, modified: 2))
    #expect(upload("3", of: "p")?.reason == .notOwn)
    #expect(bench.printer.uploads.count == 1)
  }

  @Test("What Moonraker unpacks to another name needs that name to be its own")
  func unpacked() {
    _ = bench.entrance("p", PermissionLevel.print.permissions)
    bench.printer.put(path, FileState(size: 5, modified: 1))
    for name in ["a.ufp", "a.UFP"] {
      let outcome = bench.submit(
        .upload(.of(name)), id: name, of: "p",
        work: { printer throws(CommandFailure) in
          try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "00"))
        })
      #expect(outcome?.reason == .notOwn)
    }
    #expect(bench.printer.uploads.isEmpty)
  }

  @Test("What Moonraker has unpacked is the backend's own, which it alone may delete")
  func unpackedOwn() {
    _ = bench.entrance("p", PermissionLevel.print.permissions)
    _ = bench.entrance("q", PermissionLevel.print.permissions)
    let outcome = bench.submit(
      .upload(.of("a.ufp")), id: "1", of: "p",
      work: { printer throws(CommandFailure) in
        try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "00"))
      })
    #expect(outcome?.status == .done)
    #expect(bench.submit(.deleteFile(path), id: "2", of: "q")?.reason == .notOwn)
    #expect(bench.submit(.deleteFile(path), id: "3", of: "p")?.status == .done)
  }

  @Test("A start that brings its file needs upload too")
  func broughtStart() {
    _ = bench.entrance("p", [.start])
    _ = bench.entrance("q", [.start, .upload])
    for (backend, isAllowed) in [("p", false), ("q", true)] {
      let outcome = bench.submit(
        .start(path, .person), id: backend, of: backend,
        work: { printer throws(CommandFailure) in
          try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "00"))
        })
      #expect((outcome?.reason == .notPermitted) != isAllowed)
    }
    #expect(bench.printer.uploads.count == 1)
  }

  @Test("Once read-only is on, a file that was being fetched is not put there")
  func readOnly() {
    let fetched = Gate()
    let outcome = bench.post(
      .upload(path), id: "1",
      work: { printer throws(CommandFailure) in
        await fetched.wait()
        return try await printer.upload(StagedFile(path: "/nonexistent", size: 5, sha256: "00"))
      })
    bench.drain()
    let gate = bench.gate
    Task(executorPreference: bench.executor) { try await gate.setReadOnly(true, by: "page") }
    bench.drain()
    fetched.open()
    bench.drain()
    #expect(outcome.current?.status == .refused)
    #expect(outcome.current?.reason == .readOnly)
    #expect(bench.printer.uploads.isEmpty)
  }

  @Test("With files.delete_any others' files are replaced too")
  func any() {
    bench.printer.put(path, FileState(size: 5, modified: 1))
    #expect(upload("1", of: "a")?.status == .done)
  }
}
