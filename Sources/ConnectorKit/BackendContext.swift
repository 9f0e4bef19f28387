package import Networking
package import Platform

/// All that a backend gets from its host. Nothing is global.
package struct BackendContext: Sendable {
  /// The entry's name in the configuration, unique in this daemon.
  package var name: String
  /// The printer's name, as the owner calls it.
  package var printerName: String
  /// The configured address of Moonraker, as the file has it.
  package var moonrakerAddress: String
  /// The printer's status: newest snapshot, changes, events.
  package var status: any StatusSource
  /// HTTP with the configured CA and proxy.
  package var http: any HTTPTransport
  /// An HTTP client whose peer must hold this public key (libcurl's `sha256//…` form).
  package var pinnedHTTP: @Sendable (_ publicKey: String) -> any HTTPTransport
  /// WebSockets with the configured CA and proxy.
  package var webSockets: any WebSocketTransport
  /// What pairing yielded, kept 0600 in the state directory.
  package var identity: any IdentityStore
  /// Small files of its own, beside the identity.
  package var stateFiles: any StateFiles
  /// The one way to the printer.
  package var commands: any CommandGateway
  /// What the far side is owed.
  package var outbox: any Outbox
  /// Files to and from far sides.
  package var transfers: any FileTransfers
  /// The printer's files, for reading.
  package var files: any PrinterFiles
  /// Pictures of the camera.
  package var webcams: any WebcamService
  /// Its pages on the control server.
  package var pages: any PageService
  /// A server of the backend's own, for a far side that comes to us.
  package var listener: any ListenerService
  /// Makes the backend known on the local network.
  package var advertiser: any ServiceAdvertiser
  /// Whether a person has said that the bed is clear, and no job has run since. Never blocks.
  package var isBedClear: @Sendable () -> Bool
  /// What Moonraker's job queue starts by itself. It is asked each time, within 10 s.
  package var queueTransition: @Sendable () async throws(CommandFailure) -> QueueTransition
  /// The clock.
  package var time: any TimeSource
  /// A log that carries the backend's name.
  package var log: Log
  /// A uniform random number in 0..<1, for jitter.
  package var random: @Sendable () -> Double
  /// Tells the host how things stand; see ``BackendHealth``.
  package var report: @Sendable (BackendHealth) -> Void
  /// Says that the far side has just confirmed us, and for how long that counts. A backend that says so is well for
  /// `/health` as long as it counts, and no longer; one that never does is judged by its state.
  package var confirm: @Sendable (_ duration: Duration) -> Void
  /// Tells the owner something that stays as it is, such as a folder that is written to: a line of `status` and the page
  /// until this run of the backend ends. No secret; 8 lines at the most.
  package var note: @Sendable (_ line: String) -> Void
  /// Says that the one-time secret under this key has been spent: the host removes it from the file where it stands
  /// there literally, else remembers that it may be deleted.
  package var retireSecret: @Sendable (_ key: String) async -> Void

  /// A context.
  package init(
    name: String, printerName: String, moonrakerAddress: String, status: any StatusSource,
    http: any HTTPTransport,
    pinnedHTTP: @escaping @Sendable (_ publicKey: String) -> any HTTPTransport,
    webSockets: any WebSocketTransport, identity: any IdentityStore, commands: any CommandGateway,
    outbox: any Outbox, transfers: any FileTransfers,
    files: any PrinterFiles = UnavailableFiles(), webcams: any WebcamService,
    pages: any PageService = NoPages(), listener: any ListenerService = UnavailableListener(),
    advertiser: any ServiceAdvertiser = UnavailableAdvertiser(),
    isBedClear: @escaping @Sendable () -> Bool = { false }, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double,
    report: @escaping @Sendable (BackendHealth) -> Void,
    confirm: @escaping @Sendable (_ duration: Duration) -> Void = { _ in },
    note: @escaping @Sendable (_ line: String) -> Void = { _ in },
    stateFiles: any StateFiles = MemoryStateFiles(),
    queueTransition: @escaping @Sendable () async throws(CommandFailure) -> QueueTransition = {
      QueueTransition()
    },
    retireSecret: @escaping @Sendable (_ key: String) async -> Void
  ) {
    self.name = name
    self.printerName = printerName
    self.moonrakerAddress = moonrakerAddress
    self.status = status
    self.http = http
    self.pinnedHTTP = pinnedHTTP
    self.webSockets = webSockets
    self.identity = identity
    self.stateFiles = stateFiles
    self.commands = commands
    self.outbox = outbox
    self.transfers = transfers
    self.files = files
    self.webcams = webcams
    self.pages = pages
    self.listener = listener
    self.advertiser = advertiser
    self.isBedClear = isBedClear
    self.queueTransition = queueTransition
    self.time = time
    self.log = log
    self.random = random
    self.report = report
    self.confirm = confirm
    self.note = note
    self.retireSecret = retireSecret
  }
}

/// How a running backend stands, as it says itself.
package enum BackendHealth: Sendable, Hashable {
  /// The far side answers and knows us.
  case online
  /// Something is wrong that the backend goes on with: what, and what the owner can do.
  case degraded(problem: String, remedy: String)
}
