/// What the printer does, in the Polar Cloud's numbers.
enum StatusCode: Int, Sendable, Hashable {
  case idle = 0
  case printingLocally = 1
  case preparing = 2
  case printing = 3
  case paused = 4
  case postprocessing = 5
  case canceling = 6
  case complete = 7
  case error = 12
  case offline = 13

  /// The number for what the printer reads and the cloud's job.
  init(_ reading: PolarReading, _ tracker: JobTracker) {
    switch reading.standing {
    case .offline: self = .offline
    case .stopped: self = .error
    case .ready:
      if tracker.isCancelling, tracker.job != nil || reading.isJobOn {
        self = .canceling
        return
      }
      if let job = tracker.job {
        if job.phase == .preparing || (job.phase == .started && !reading.isJobOn) {
          self = .preparing
          return
        }
      }
      switch reading.printState {
      case "printing":
        self =
          reading.printDuration < 1
          ? .preparing
          : tracker.job.map { $0.path == reading.filename } == true ? .printing : .printingLocally
      case "paused": self = .paused
      case "error": self = .error
      case nil: self = .offline
      default:
        switch tracker.shadow {
        case .complete: self = .complete
        case .cancelled: self = .canceling
        case nil: self = .idle
        }
      }
    }
  }
}
