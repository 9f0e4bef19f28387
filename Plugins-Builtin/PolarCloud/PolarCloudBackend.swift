package import ConnectorKit
internal import Platform

/// Connects a printer to the Polar Cloud. The wire: `docs/connectors/polar.md`.
package struct PolarCloudBackend: ConnectorBackend {
  private let settings: Settings
  private let store: PolarStore
  private let desk = PolarDesk()
  private let context: BackendContext

  /// Reads the entry's record; touches nothing else.
  package init(settings: Settings, context: BackendContext) async throws {
    self.settings = settings
    self.context = context
    store = try await PolarStore(context.identity, time: context.time)
    let page = PolarPage(settings: settings, store: store, desk: desk, context: context)
    context.pages.serve(PolarPage.paths) { request in await page.answer(request) }
  }

  /// Registers if need be, then serves the cloud until cancelled.
  package func run() async throws {
    while true {
      let wishes = desk.wishes
      do {
        _ = try await loop().run(isOnce: false)
      } catch let failure as BackendFailure where failure.action == .park && desk.wishes != wishes {
        // A person has acted between the refusal and its end: nobody else would wake us for that.
        context.log(.info, "\(failure.problem); what was entered meanwhile is tried")
      }
    }
  }

  /// Registers if need be, greets, sends one status and what is owed.
  package func runOnce() async throws { _ = try await loop().run(isOnce: true) }

  private func loop() throws -> SessionLoop {
    let configuration = try PolarConfiguration(settings, entered: store.record.entered)
    return SessionLoop(configuration: configuration, store: store, desk: desk, context: context)
  }
}
