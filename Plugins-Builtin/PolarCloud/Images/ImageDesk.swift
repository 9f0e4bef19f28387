internal import ConnectorKit
internal import JSON
internal import Platform

/// Which picture is due when, and with which form. A pure value: answers and results in, one step out.
struct ImageDesk: Sendable {
  /// What a picture is of: the wire's word, and the job it belongs to.
  enum Kind: Sendable, Hashable {
    case idle
    case printing(jobID: String)

    /// The wire's word.
    var word: String { self == .idle ? "idle" : "printing" }
  }
  /// What is to be done now.
  enum Step: Sendable, Hashable {
    /// Ask for a form.
    case ask(Kind)
    /// Take a picture and upload it.
    case upload(UploadForm, Kind)
  }
  /// How an upload ended.
  enum Result: Sendable, Hashable {
    case done
    /// The form is not taken any more.
    case formRefused
    /// There is no camera, or none that is allowed: nothing went wrong.
    case noCamera
    case failed(String)
  }
  private struct Held: Sendable {
    var form: UploadForm
    var expiresAt: MonotonicInstant
  }
  /// A form is not used any more so long before its end.
  static let margin = Duration.seconds(30)
  /// So long the answer to a question may take.
  static let patience = Duration.seconds(30)
  /// Forms of former jobs are thrown away.
  private static let backoffPolicy = ExponentialBackoff.Policy(
    first: .seconds(10), cap: .seconds(600), factors: 0.75...1.25)

  private let printingInterval: Duration
  private let idleInterval: Duration
  private var forms: [Kind: Held] = [:]
  /// Questions without an answer, oldest first.
  private var asked: [(kind: Kind, at: MonotonicInstant)] = []
  private var lastStart: [Kind: MonotonicInstant] = [:]
  private var isUploading = false
  private var heldUntil: MonotonicInstant?
  private var backoff = ExponentialBackoff(Self.backoffPolicy)
  /// Whether the form of this kind has been renewed since the last success: once at once, then with patience.
  private var wasRenewed = false
  var isOn: Bool

  init(isOn: Bool, printingInterval: Duration, idleInterval: Duration) {
    self.isOn = isOn
    self.printingInterval = printingInterval
    self.idleInterval = idleInterval
  }

  /// What is due now, marked as begun; nil: nothing.
  mutating func step(_ kind: Kind, _ now: MonotonicInstant) -> Step? {
    drop(kind, now)
    guard isOn, due(kind, now) <= now else { return nil }
    guard let held = forms[kind] else {
      asked.append((kind, now))
      return .ask(kind)
    }
    isUploading = true
    lastStart[kind] = now
    return .upload(held.form, kind)
  }

  /// When the next step is due; nil: only an answer is awaited, or nothing ever.
  func nextDue(_ kind: Kind, _ now: MonotonicInstant) -> MonotonicInstant? {
    guard isOn, !isUploading else { return nil }
    if let question = asked.first { return question.at.advanced(by: Self.patience) }
    return due(kind, now)
  }

  /// An answer to a question; the oldest of its kind, else the oldest.
  ///
  /// - Returns: what to log; nil: nothing.
  mutating func take(
    _ answer: FormAnswer, _ now: MonotonicInstant, random: Double
  ) -> String? {
    switch answer {
    case .form(let form, let type):
      let index = asked.firstIndex { type == nil || $0.kind.word == type }
      guard let index else { return "an upload form came that nobody asked for" }
      let kind = asked.remove(at: index).kind
      guard form.lifetime > 0 else {
        hold(now, random)
        return "an upload form came that had expired already"
      }
      forms[kind] = Held(form: form, expiresAt: now.advanced(by: .seconds(form.lifetime)))
      return nil
    case .refused(let message):
      guard !asked.isEmpty else { return nil }
      asked.removeFirst()
      hold(now, random)
      return "the cloud gives no upload form: \(message)"
    }
  }

  /// An upload has ended.
  mutating func ended(
    _ result: Result, _ kind: Kind, _ now: MonotonicInstant, random: Double
  ) {
    isUploading = false
    switch result {
    case .done:
      backoff.succeeded()
      wasRenewed = false
      heldUntil = nil
    case .formRefused:
      forms[kind] = nil
      lastStart[kind] = nil
      if wasRenewed { hold(now, random) }
      wasRenewed = true
    case .noCamera, .failed: hold(now, random)
    }
  }

  /// The connection is gone: what was asked there is not answered any more; forms stay good.
  mutating func disconnected() { asked = [] }

  /// This printer is nobody's any more.
  mutating func forget() {
    forms = [:]
    asked = []
    lastStart = [:]
  }

  private func due(_ kind: Kind, _ now: MonotonicInstant) -> MonotonicInstant {
    guard !isUploading, asked.isEmpty else { return .never }
    let interval = kind == .idle ? idleInterval : printingInterval
    let due = lastStart[kind].map { $0.advanced(by: interval) } ?? now
    return max(due, heldUntil ?? due)
  }

  private mutating func hold(_ now: MonotonicInstant, _ random: Double) {
    heldUntil = now.advanced(by: backoff.failed(random: random))
  }

  /// Lets go of what cannot be used any more.
  private mutating func drop(_ kind: Kind, _ now: MonotonicInstant) {
    asked.removeAll { $0.at.advanced(by: Self.patience) <= now }
    forms = forms.filter { key, held in
      (key == .idle || key == kind) && held.expiresAt.advanced(by: .zero - Self.margin) > now
    }
    lastStart = lastStart.filter { $0.key == .idle || $0.key == kind }
  }
}

extension MonotonicInstant {
  /// Later than anything that is waited for.
  static let never = MonotonicInstant(sinceOrigin: .seconds(1_000_000_000_000))
}
