internal import ConnectorKit
internal import JSON
internal import Platform

/// Writes updates: from the printer's status, the shelf, the last picture and the results on the board.
struct UpdateDesk: Sendable {
  let context: BackendContext
  let configuration: HubConfiguration
  let generation: Generation
  let startedAt: MonotonicInstant
  let shelf: PrinterShelf
  let picture: PictureDesk
  let memory: HubMemory
  private let edits = Guarded<HubEdits?>(nil)

  init(
    context: BackendContext, configuration: HubConfiguration, generation: Generation,
    startedAt: MonotonicInstant, shelf: PrinterShelf, picture: PictureDesk, memory: HubMemory
  ) {
    self.context = context
    self.configuration = configuration
    self.generation = generation
    self.startedAt = startedAt
    self.shelf = shelf
    self.picture = picture
    self.memory = memory
  }

  /// What the hub's page shows by now.
  func take(_ new: HubEdits?) { edits.withLock { $0 = new ?? $0 } }

  /// The update as it would be sent now.
  func body() -> JSONObject {
    let now = context.time.now
    let contents = shelf.contents
    return UpdateBody(
      token: configuration.token, rules: configuration, generation: generation,
      uptime: startedAt.duration(to: now),
      edits: generation == .v1 && configuration.preservesEdits
        ? edits.withLock { $0 ?? HubEdits() } : nil,
      listing: contents.listing, lastCompleted: contents.lastCompleted, image: picture.told,
      results: memory.contents.board.told
    ).json(context.status.trusted(at: now), at: context.time.wallTime)
  }

  /// An update has been accepted: what it told once need not be told again.
  ///
  /// - Returns: whether something has left the board, which makes room for another result.
  func accepted(_ body: JSONObject) -> Bool {
    picture.accepted(body["image"]?.string)
    let told = body["command_results"]?.array ?? []
    return memory.change { $0.board.accepted(told) }
  }
}
