internal import ConnectorKit
internal import HTTPServer
internal import Networking
internal import Platform

/// All that the doctor has seen, as values; what it means, `checkups` says.
struct Observations: Sendable {
  /// The configuration file.
  struct File: Sendable {
    var path: String
    /// Errors and warnings with their places.
    var findings: [LocatedFinding]
  }
  /// The state directory.
  enum State: Sendable {
    /// It is not there yet.
    case missing(path: String)
    /// It is there; so many bytes may still be written.
    case usable(path: String, free: Int64, isReadOnly: Bool)
    /// It cannot be used: why.
    case unusable(String)
  }
  /// The daemon of this configuration.
  enum Daemon: Sendable {
    /// It answers; nil where it does not say so.
    case running(version: String?, journalProblem: String?, reloadProblem: String?)
    case absent
    /// Its place cannot be looked at.
    case unknown
    /// Something keeps us from asking it: what, and what to do.
    case unreachable(String, remedy: String)
  }
  /// Moonraker.
  enum Moonraker: Sendable {
    case answered(version: String, failedComponents: [String], klippy: Klippy)
    /// It wants an API key, or another one.
    case unauthorized(hasKey: Bool)
    /// Something else answers there: what it said.
    case foreign(String)
    case failed(NetworkError.Kind, String)
  }
  /// Klippy, as Moonraker knows it.
  struct Klippy: Sendable {
    /// `ready`, `startup`, `error`, `shutdown`, `disconnected`.
    var state: String
    /// Its own words.
    var message: String
  }
  /// The camera.
  enum Camera: Sendable {
    case none
    case picture(bytes: Int, type: String)
    case failed(WebcamFailure)
  }
  /// What the resolver said of a name.
  enum Lookup: Sendable, Hashable {
    case found
    /// There is no such name.
    case unknownName
    /// Nobody answered: why.
    case noAnswer(String)
    /// Nobody had to be asked: an address, or a proxy that asks for itself.
    case notNeeded
  }
  /// An answer of a web server, as far as it matters.
  struct Answer: Sendable {
    var status: Int
    /// Whether it is a page for a browser.
    var isPage = false
    /// Where a redirect leads.
    var location: String?
    /// The server's clock, and ours when its answer came.
    var clock: (theirs: WallTime, ours: WallTime)?
  }
  /// One cloud, as reached from here.
  struct Cloud: Sendable {
    /// The backend's name.
    var name: String
    /// The setting that holds its address, with its line where the file has it: `relay (line 12)`.
    var setting: String
    /// The address; nil where there is none yet.
    var address: URLParts?
    /// The proxy on the way; nil for none.
    var proxy: String?
    var lookup: Lookup
    var answer: Result<Answer, NetworkError>?
    /// What port 80 of the same host says without TLS, asked where TLS failed.
    var plainAnswer: Answer?
    var account: Account
  }
  /// How a cloud's account stands.
  enum Account: Sendable {
    /// What the running daemon says of it.
    case running(state: String, problem: String?, remedy: String?, isFailing: Bool)
    /// What a harmless call said.
    case probed(ProbeReport)
    /// The call did not come to its end: why.
    case probeFailed(String)
    /// There is no pairing, and nothing to pair the entry of this name with.
    case unpaired(String)
    /// There is no such call.
    case notCheckable
    /// It was not looked at: why.
    case notAsked(String)
  }
  /// A backend whose far side comes to us.
  struct Inbound: Sendable {
    var name: String
    /// Where it listens.
    var port: Int?
    /// Who holds that port in our place; nil: nobody.
    var holder: PortHolder?
    /// The address that the far side calls here, and what answered.
    var called: (url: String, answer: Result<Answer, NetworkError>)?
    /// Whether the responder for multicast DNS is there; nil: it is not needed.
    var responder: Responder?
    var account: Account
  }
  /// Avahi, which is reached over D-Bus.
  enum Responder: Sendable {
    case runs, doesNotRun, busDoesNotRun
  }
  /// A service's own agent that still runs here.
  struct Agent: Sendable {
    var backend: String
    var agent: ServiceAgent
    var processes: [Int]
  }

  var file: File
  var isUsable = true
  var state: State = .missing(path: "")
  var daemon: Daemon = .absent
  /// Whether there is a way out of this host.
  var hasRoute = true
  /// Whether the state folder's disk takes no further file.
  var hasNoInodes = false
  /// This host's clock.
  var wallTime: WallTime
  /// Whether a time service keeps that clock; nil: the kernel does not say.
  var isClockSynchronized: Bool?
  /// A proxy that is used, by its address, and whether it answers; nil: it does.
  var proxies: [(url: String, failure: NetworkError?)] = []
  var moonrakerAddress = ""
  var moonraker: Moonraker?
  var camera: Camera?
  var clouds: [Cloud] = []
  var inbound: [Inbound] = []
  var agents: [Agent] = []
  /// The control server's address, and who holds it in place of our daemon; nil: all is well.
  var control: (address: String, problem: String?)?

  /// What is known before anything was looked at.
  init(file: File, wallTime: WallTime) {
    self.file = file
    self.wallTime = wallTime
  }
}
