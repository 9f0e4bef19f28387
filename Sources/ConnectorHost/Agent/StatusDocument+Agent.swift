internal import ConnectorKit
internal import JSON

// What every client of Moonraker may read: the same documents, from a view that says less.

extension StatusDocument {
  /// The document of `/api/status` without what is told of this house and its people: no file
  /// names but the job's, no addresses, no ids and words of commands.
  static func status(forAgents view: DaemonView) -> JSONValue {
    guard var document = make(view.public).object, var program = document["program"]?.object else {
      return .null
    }
    program["configuration"] = .null
    document["program"] = .object(program)
    return .object(document)
  }

  /// The backends of that document alone.
  static func backends(forAgents view: DaemonView) -> JSONValue {
    let document = make(view.public)
    return ["version": .integer(version), "backends": document["backends"] ?? []]
  }
}

extension DaemonView {
  /// The view as others may have it.
  var `public`: DaemonView {
    var view = self
    view.linkCondition = PublicText.of(linkCondition)
    view.reloadProblem = reloadProblem.map { _ in
      "the configuration file was not taken over; the status page says why"
    }
    view.widenings = []
    view.waiting = waiting.map { WaitingChanges(file: "", changes: [], since: $0.since) }
    view.backends = backends.map(\.public)
    view.commands = commands?.public
    return view
  }
}

extension DaemonView.Backend {
  fileprivate var `public`: DaemonView.Backend {
    var backend = self
    backend.state = state.public
    backend.notes = []
    return backend
  }
}

extension BackendState {
  /// The state with words that everybody may read.
  var `public`: BackendState {
    switch self {
    case .degraded(let problem, let remedy):
      .degraded(problem: PublicText.of(problem), remedy: PublicText.of(remedy))
    case .parked(let problem, let remedy):
      .parked(problem: PublicText.of(problem), remedy: PublicText.of(remedy))
    case .backingOff(let problem, let until):
      .backingOff(problem: PublicText.of(problem), until: until)
    case .disabled, .starting, .online, .stopped: self
    }
  }

  /// What is wrong; nil where nothing is.
  var problem: String? {
    switch self {
    case .degraded(let problem, _), .parked(let problem, _), .backingOff(let problem, _): problem
    case .disabled, .starting, .online, .stopped: nil
    }
  }
}

extension CommandsView {
  fileprivate var `public`: CommandsView {
    var view = self
    view.bed.by = bed.by.map(PublicText.person)
    view.readOnly.by = readOnly.by.map(PublicText.person)
    let problem = "the disk does not take it"
    view.journalProblem = journalProblem.map { _ in problem }
    view.auditProblem = auditProblem.map { _ in problem }
    view.owed = owed.mapValues { owed in
      var owed = owed
      owed.problem = owed.problem.map { _ in problem }
      return owed
    }
    view.recent = recent.map { record in
      var record = record
      record.commandID = ""
      record.action = PublicText.of(record.action)
      record.outcome.message = ""
      return record
    }
    return view
  }
}
