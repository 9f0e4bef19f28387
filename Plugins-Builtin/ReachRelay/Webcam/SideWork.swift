internal import ConnectorKit
internal import JSON
internal import Platform

/// What runs beside a session without being needed by it: pictures and the Firebase part. Nothing where neither is wanted.
struct SideWork: Sendable {
  private let desk: WebcamDesk
  private let webcam: WebcamLoop?
  private let firebase: FirebaseLoop?

  /// What this configuration wants.
  ///
  /// - Parameter hold: is told that the relay wants all calls to wait.
  init(
    _ configuration: ReachConfiguration, client: RelayClient, printerID: String,
    context: BackendContext, hold: @escaping @Sendable (Duration) -> Void
  ) {
    let rules = configuration.webcam
    let desk = WebcamDesk(rules.mode == .always ? .everybody : .nobody)
    self.desk = desk
    let watches = rules.mode == .viewer && configuration.firebase != nil
    webcam =
      watches || rules.mode == .always
      ? WebcamLoop(
        rules: rules, client: client, printerID: printerID, desk: desk, context: context,
        hold: hold) : nil
    firebase = configuration.firebase.map { firebase in
      FirebaseLoop(
        client: FirebaseClient(
          firebase, printerID: printerID, configuration: configuration, context: context),
        rules: FirebaseSession.Rules(
          watchesViewer: watches, pollInterval: rules.interval,
          viewerTimeout: rules.viewerTimeout, host: firebase.address.host, random: context.random),
        context: context, showViewer: { desk.show(viewerUntil: $0) })
    }
  }

  /// Runs it as children of `group`.
  func start(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
    if let webcam { group.addTask { try await webcam.run() } }
    if let firebase { group.addTask { try await firebase.run() } }
  }

  /// The session has moved on. Never blocks.
  func show(_ session: RelaySession) {
    if webcam != nil { desk.show(session.passage) }
  }

  /// A report goes to the relay. Never blocks.
  func tell(_ report: JSONObject) { firebase?.tell(report) }
}
