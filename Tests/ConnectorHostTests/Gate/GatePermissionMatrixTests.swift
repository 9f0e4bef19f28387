import BuiltinConnectors
import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost
@testable import printer_uplink_scripted

/// Every command that a registered connector declares, at every level and with lists, from the text of `permissions:`
/// through the gate to the printer.
@Suite("Gate: the permission matrix of the registry") struct GatePermissionMatrixTests {
  static let registry: [any ConnectorBackend.Type] = builtinConnectors + [ScriptedBackend.self]
  static let declared = registry.map { $0.descriptor }.flatMap { descriptor in
    descriptor.commands.map { (type: descriptor.type, command: $0) }
  }
  static let ladder = PermissionExpectation.levels.map(\.key)

  @Test("Every declared command has its row, and no row speaks of another")
  func complete() {
    let rows = PermissionExpectation.rows
    for (type, command) in Self.declared {
      let its = rows.filter { $0.type == type && $0.wireName == command.wireName }
      #expect(!its.isEmpty, "\(type)'s command \(command.wireName) has no row")
      #expect(its.allSatisfy { $0.command.kind == command.kind }, "\(type) \(command.wireName)")
    }
    for row in rows {
      #expect(
        Self.declared.contains { $0.type == row.type && $0.command.wireName == row.wireName },
        "\(row.testDescription) is not declared")
    }
    #expect(Set(rows.map(\.command.kind)) == Set(PrinterCommand.Kind.allCases))
  }

  @Test("Each command at each level", arguments: PermissionExpectation.rows, ladder)
  func atLevel(row: PermissionExpectation, level: String) throws {
    let rank = try #require(Self.ladder.firstIndex(of: level))
    let least = row.from.flatMap { Self.ladder.firstIndex(of: $0) }
    try expect(row, "permissions: \(level)", isAllowed: least.map { rank >= $0 } ?? false)
  }

  @Test("A level is the list of its names", arguments: ladder)
  func levelsAreLists(level: String) throws {
    let names = try #require(PermissionExpectation.levels.first { $0.key == level }).value
    let row = try #require(PermissionExpectation.rows.first)
    #expect(
      try Self.entry(row, "permissions: \(level)").permissions
        == Self.entry(row, Self.list(names)).permissions)
  }

  @Test(
    "Each command with each name alone, with all but each, and with what it needs",
    arguments: PermissionExpectation.rows)
  func lists(row: PermissionExpectation) throws {
    let all = try #require(PermissionExpectation.levels.first { $0.key == "full" }).value
    #expect(all == Set(Permission.allCases.map(\.rawValue)))
    for name in all {
      try expect(row, [name])
      try expect(row, all.subtracting([name]))
    }
    let alternatives = row.needs.map { $0.split(separator: "|").map(String.init) }
    for names in [alternatives.compactMap(\.first), alternatives.compactMap(\.last)]
    where !names.isEmpty {
      try expect(row, Self.list(Set(names)), isAllowed: true)
    }
  }

  /// Asks the policy alone: the gate asks nobody else.
  private func expect(_ row: PermissionExpectation, _ names: Set<String>) throws {
    var status = PrinterStatus(
      startedAt: MonotonicInstant(sinceOrigin: .zero),
      wallTime: WallTime(millisecondsSinceEpoch: 0))
    status.objects = ["print_stats": ["state": .string(row.state)]]
    let entry = try Self.entry(row, Self.list(names))
    let policy = CommandPolicy(entry, requiresClearBed: false)
    var reason: CommandOutcome.Reason?
    do throws(CommandFailure) {
      try policy.check(try CommandReading(row.command), status)
    } catch {
      reason = error.reason
    }
    #expect(
      reason == (row.isAllowed(names) ? nil : .notPermitted), "\(row.testDescription) with \(names)"
    )
  }

  /// Asks the gate, and looks at the printer.
  private func expect(
    _ row: PermissionExpectation, _ permissions: String, isAllowed: Bool
  ) throws {
    let bench = GateBench.ready(row.state)
    bench.admit(CommandPolicy(try Self.entry(row, permissions), requiresClearBed: false))
    let outcome = bench.submit(row.command)
    let isRefused = outcome?.status == .refused && outcome?.reason == .notPermitted
    #expect(isRefused != isAllowed, "\(row.testDescription) with \(permissions): \(outcome as Any)")
    if !isAllowed {
      #expect(bench.printer.sent.isEmpty && bench.printer.uploads.isEmpty)
    } else if !Self.needsMore.contains(row.command.kind) {
      #expect(!bench.printer.sent.isEmpty, "\(row.testDescription) with \(permissions)")
    }
  }

  /// What more than a permission decides of: bytes to be brought, a file of one's own, a clear bed.
  private static let needsMore: Set<PrinterCommand.Kind> = [
    .upload, .deleteFile, .backup, .startQueue,
  ]

  private static func list(_ names: Set<String>) -> String {
    "permissions: [\(names.sorted().joined(separator: ", "))]"
  }

  /// The entry of a configuration file as the daemon would read it.
  private static func entry(
    _ row: PermissionExpectation, _ permissions: String
  ) throws -> BackendConfiguration {
    let smallest = ConfigurationReference(registry: registry).smallestFile(types: [row.type])
    // An empty list is not the same as none, where patterns stand for the usual ones.
    let quoted = row.allowedPatterns.map { "\"\($0)\"" }.joined(separator: ", ")
    let patterns = row.allowedPatterns.isEmpty ? "" : "allowed_gcode_patterns: [\(quoted)]"
    let text =
      smallest + """

            \(permissions)
            allowed_macros: [\(row.allowedMacros.joined(separator: ", "))]
            \(patterns)

        """
    if let known = known.withLock({ $0[text] }) { return known }
    let folder = try TemporaryFolder()
    let loaded = ConfigurationLoader(registry: registry, environment: [:])
      .load(try folder.write("printer-uplink.yaml", text))
    let entry = try #require(
      loaded.configuration?.backends.first,
      "\(loaded.findings.map(\.description)) in \(text)")
    known.withLock { $0[text] = entry }
    return entry
  }

  private static let known = Guarded<[String: BackendConfiguration]>([:])
}
