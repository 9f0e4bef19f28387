/// One cloud account (or other far side) that a printer is connected to.
///
/// The three phases, in this order:
///
/// | phase | may | may not |
/// | --- | --- | --- |
/// | ``validate(_:)`` | look at its settings | do I/O of any kind |
/// | ``init(settings:context:)`` | open its own state | start anything, touch the network |
/// | ``run()`` | own everything it starts; returns only when all of it has ended | outlive its cancellation |
///
/// How to write one: `CONTRIBUTING.md`.
package protocol ConnectorBackend: Sendable {
  /// What the connector is: type, settings, what it reads of the printer. Data, no I/O.
  static var descriptor: ConnectorDescriptor { get }

  /// Checks what single settings cannot say: combinations, meanings.
  ///
  /// Types, ranges, unknown keys and secrets have been checked from the declarations before. Pure.
  static func validate(_ settings: Settings) -> [Finding]

  /// Makes the backend: may read its identity, must not start anything nor touch the network.
  ///
  /// - Throws: `BackendFailure` when it cannot ever run with these settings; any other error counts as *retry*.
  init(settings: Settings, context: BackendContext) async throws

  /// Serves the far side until cancelled.
  ///
  /// Returns (or throws `CancellationError`) soon after its task is cancelled, with everything it started ended.
  ///
  /// - Throws: `BackendFailure` to say *retry* or *park*; any other error counts as *retry*.
  func run() async throws

  /// Does one full round (register, heartbeat, report) and returns; for `printer-uplink run --once`.
  ///
  /// - Throws: what went wrong in the first step that failed.
  func runOnce() async throws

  /// Checks the far side with short-lived resources of its own and changes nothing there.
  ///
  /// - Returns: nil where no harmless call exists.
  static func probe(settings: Settings, context: BackendContext) async throws -> ProbeReport?

  /// Makes an entry of the configuration file of the service's own agent. Pure.
  ///
  /// - Parameter text: the file's content.
  /// - Returns: nil where the file is not of that agent.
  /// - Throws: `ImportFailure` where it is, and cannot be used.
  static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry?

  /// Makes an entry of two files of the service's own agent that belong together. Pure.
  ///
  /// - Parameter companion: the content of the file that ``companion(of:)`` names; nil where it is not there.
  static func importing(
    _ text: [UInt8], with companion: [UInt8]?
  ) throws(ImportFailure) -> ImportedEntry?

  /// The file that belongs to one of that agent: a path, relative to that one's folder. Pure.
  ///
  /// - Returns: nil where there is none, or where the file is not of that agent.
  static func companion(of text: [UInt8]) -> String?

  /// Does what one of the descriptor's ``ConnectorDescriptor/tools`` is for. Pure.
  ///
  /// - Parameter tool: its name.
  /// - Throws: `ToolFailure`.
  static func use(_ tool: String, _ call: ToolCall) throws(ToolFailure) -> ToolResult
}

extension ConnectorBackend {
  /// Nothing to check beyond the declarations.
  package static func validate(_ settings: Settings) -> [Finding] { [] }

  /// There is nothing to import.
  package static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry? { nil }

  /// The one file is all there is.
  package static func importing(
    _ text: [UInt8], with companion: [UInt8]?
  ) throws(ImportFailure) -> ImportedEntry? { try importing(text) }

  /// There is no other file.
  package static func companion(of text: [UInt8]) -> String? { nil }

  /// There is no such tool.
  package static func use(_ tool: String, _ call: ToolCall) throws(ToolFailure) -> ToolResult {
    throw ToolFailure("\(descriptor.type) has no '\(tool)'", remedy: "see 'printer-uplink --help'")
  }

  /// No harmless call exists.
  package static func probe(
    settings: Settings, context: BackendContext
  ) async throws -> ProbeReport? { nil }
}

/// What a probe of the far side found.
package struct ProbeReport: Sendable {
  /// One line for the owner.
  package var summary: String
  /// Whether the far side answered and knows us.
  package var isHealthy: Bool
  /// A finding of a probe.
  package init(summary: String, isHealthy: Bool) {
    self.summary = summary
    self.isHealthy = isHealthy
  }
}
