internal import ConnectorKit
internal import Platform

extension PolarRecord {
  /// What a session wants kept.
  enum Change: Sendable, Hashable {
    /// The cloud has given this printer a number.
    case registered(serialNumber: String, as: String?)
    /// The cloud does not want this printer, or not these credentials; `forgets` the number too.
    case blocked(Block, forgets: Bool)
    /// The number is given back; nothing is tried with these credentials until a person registers again.
    case unregistered(credentials: String)
    /// A cloud job is on.
    case job(CloudJob)
    /// A cloud job's end is on its way to the cloud.
    case reported(String)
    /// Something is wrong; nil: nothing any more.
    case error(String?)
    /// Another key is needed.
    case newKey(Secret)
  }

  /// Takes a change in.
  mutating func apply(_ change: Change, at now: WallTime) {
    switch change {
    case .registered(let serial, let name):
      serialNumber = serial
      registeredAs = name
      block = nil
      // Needed once only.
      entered.pin = nil
    case .blocked(let block, let forgets):
      self.block = block
      if forgets {
        serialNumber = nil
        forgetJob()
      }
      entered.pin = nil
    case .unregistered(let credentials):
      block = Block(
        problem: PolarSession.wasGivenBack, remedy: PolarSession.register, credentials: credentials)
      serialNumber = nil
      registeredAs = nil
      forgetJob()
      entered.username = nil
      entered.pin = nil
    case .job(let job):
      // Work that was cut short may still say that it had begun.
      if !reported.contains(job.id) { self.job = job }
    case .reported(let id):
      if job?.id == id { job = nil }
      note(reported: id)
    case .error(let text):
      lastError = text
      lastErrorAt = text == nil ? nil : now
    case .newKey(let key): self.key = key
    }
  }

  /// A job of a registration that is no more: no other one is told of it.
  private mutating func forgetJob() {
    if let job { note(reported: job.id) }
    job = nil
  }

  private mutating func note(reported id: String) {
    if !reported.contains(id) { reported.append(id) }
    reported.removeFirst(max(0, reported.count - Self.mostReported))
  }
}
