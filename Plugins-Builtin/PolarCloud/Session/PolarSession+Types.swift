internal import ConnectorKit
internal import JSON
internal import Platform
internal import SocketIO

extension PolarSession {
  /// Where the connection stands.
  enum Phase: Sendable, Hashable {
    /// There is none; the next one is made then.
    case waiting(until: MonotonicInstant)
    case connecting
    /// It stands; the cloud's challenge is awaited.
    case welcoming(since: MonotonicInstant)
    case registering(since: MonotonicInstant)
    /// The cloud has given a number, which is being stored.
    case keeping(serialNumber: String, retryAt: MonotonicInstant?)
    case greeting(since: MonotonicInstant)
    /// The cloud knows us.
    case online(since: MonotonicInstant)
    case unregistering(since: MonotonicInstant)
    /// It is being closed from this side.
    case leaving(Farewell)
  }

  /// What follows when the connection has been closed from this side.
  enum Farewell: Sendable, Hashable {
    case comeBack(after: Duration)
    case park(problem: String, remedy: String)
    /// The one round is done.
    case finish
  }

  /// What happens to a session.
  enum Event: Sendable {
    /// Time has passed, or the printer reads otherwise.
    case tick
    /// A connection stands.
    case opened
    /// It has ended, or did not come about.
    case ended(SocketIOClosure)
    case received(CloudEvent)
    /// A change of the record is on the disk.
    case stored(PolarRecord.Change)
    case notStored(PolarRecord.Change, String)
    /// The end of a job lies in the outbox, and the record knows it.
    case reportKept(jobID: String)
    /// Something happened to a job at the printer.
    case job(JobEvent, filename: String)
    /// The start of a job has ended.
    case printEnded(jobID: String, CommandOutcome)
    /// A cancel has ended.
    case cancelEnded(CommandOutcome)
    case uploaded(ImageDesk.Kind, ImageDesk.Result)
    /// The oldest end of a job that is owed.
    case owed(OwedEnd)
    /// The report of this job's end has gone out.
    case reportSent(jobID: String)
    /// The cloud has read it.
    case reportTaken(jobID: String)
    /// Its WebSocket does not say whether.
    case reportUnanswered(jobID: String)
    /// What Moonraker's history knows of a job that is missing; nil: nothing.
    case history(jobID: String, PastJob?)
    /// It is out of the outbox.
    ///
    /// - isLast: whether nothing else is owed.
    case settled(isLast: Bool)
    /// The G-code that somebody typed has been run, or not: in words.
    case gcodeEnded(String)
    /// A person wants the printer given back.
    case unregister
  }

  /// How far the report that is owed has come on this connection.
  enum Delivery: Sendable, Hashable {
    /// Not under way.
    case due
    /// It was handed to the connection, and may still wait there.
    case given
    /// It has gone out; the cloud's WebSocket is asked whether it was read.
    case sent
    /// That one does not answer.
    case unanswered(since: MonotonicInstant)
    /// It is being taken out of the outbox.
    case settling
  }

  /// The end of a job that is owed.
  struct OwedEnd: Sendable, Hashable {
    var jobID: String
    var body: JSONObject
  }

  /// What a session wants done, in this order.
  enum Action: Sendable {
    case connect
    case close
    /// Send `register`.
    case register
    /// Send `hello`, with the signature over this challenge.
    case greet(challenge: String)
    case emit(String, JSONObject)
    case store(PolarRecord.Change)
    /// Make a new key and store it.
    case renewKey
    case print(PrintOrder, CloudJob, CommandContact)
    /// Takes the job's start back, as long as it has not been sent.
    case abortDownload
    /// Ask Moonraker's history how a job ended.
    case lookBack(CloudJob)
    case command(PolarCommand, CommandContact)
    /// Note a job that is not taken, and owe the cloud its end; nil: it has no id.
    case refuse(PrintOrder, CommandFailure, CommandContact, JobEnd?)
    /// Owe the cloud a job's end.
    case owe(JobEnd)
    case settle(OutboxVerdict)
    case upload(UploadForm, ImageDesk.Kind)
    case tidy
    case report(BackendHealth)
    case log(LogLevel, String)
    case park(problem: String, remedy: String)
    case finish
  }

  /// What the session goes by.
  struct Rules: Sendable {
    /// The server's host, for messages.
    var host: String
    /// Of e-mail, PIN, address and manufacturer.
    var credentials: String
    /// The account's e-mail; nil: none is known.
    var username: String?
    /// Whether there is an e-mail and a PIN to register with.
    var canRegister: Bool
    var statusInterval: Duration
    var allowsGcode: Bool
    /// Whether it ends after the first status.
    var isOnce: Bool
    /// A random number in 0..<1.
    var random: @Sendable () -> Double
    /// The wall clock.
    var wallTime: @Sendable () -> WallTime
  }
}

/// A command of the cloud for the printer, beside `print`.
enum PolarCommand: Sendable, Hashable {
  case pause, resume, cancel
  case temperature([TemperatureOrder])
  /// Lines of G-code that somebody typed.
  case gcode(String)

  /// The wire's name.
  var name: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .cancel: "cancel"
    case .temperature: "temperature"
    case .gcode: "command"
    }
  }
}
