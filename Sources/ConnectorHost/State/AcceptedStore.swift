internal import ConnectorKit
internal import Cryptography
internal import JSON
internal import Platform

/// The configuration that was accepted last, kept over a restart: what it trusts in `accepted.json`, and with
/// `control.pin_permissions` its text in `accepted.yaml`, both 0600. Safe from any thread.
final class AcceptedStore: Sendable {
  /// A configuration that was accepted.
  struct Accepted: Sendable, Hashable {
    /// What it trusts.
    var trust: Trust
    /// The file's bytes; nil where they were not kept.
    var text: [UInt8]?
  }
  private static let textName = "accepted.yaml"
  private static let limit = 1 << 20

  private let file: StateFile
  private let log: Log
  private let kept: Guarded<Accepted?>
  private let writing = Guarded(())
  /// Whether something was kept that cannot be read.
  let isDamaged: Bool

  /// Reads what was kept; writes nothing. Blocks.
  init(directory: StateDirectory, log: Log) {
    file = StateFile(directory: directory, name: "accepted.json")
    self.log = log
    do {
      let document = try file.read()
      let trust = (document?["trust"]?.object).flatMap(Trust.init)
      isDamaged = document != nil && trust == nil
      let text = try? Files.read(directory.path(of: Self.textName), limit: Self.limit)
      let isWhole = text.map(Digest.sha256Hex) == document?["text_digest"]?.string
      kept = Guarded(trust.map { Accepted(trust: $0, text: isWhole ? text : nil) })
    } catch {
      isDamaged = true
      kept = Guarded(nil)
      log(.error, "\(error); what was accepted before is not known")
    }
  }

  /// What was accepted last; nil where nothing was kept.
  var accepted: Accepted? { kept.withLock { $0 } }

  /// Keeps what is accepted now. Blocks.
  func keep(_ trust: Trust, text: [UInt8]) {
    let new = Accepted(trust: trust, text: trust.pinsPermissions ? text : nil)
    writing.withLock { _ in
      guard new != accepted else { return }
      do throws(PlatformError) {
        var document: JSONObject = ["trust": .object(trust.document)]
        if let text = new.text {
          try file.directory.replace(Self.textName, with: text)
          document["text_digest"] = .string(Digest.sha256Hex(text))
        }
        try file.write(document)
        if new.text == nil { try Files.remove(file.directory.path(of: Self.textName)) }
        kept.withLock { $0 = new }
      } catch {
        log(.warning, "\(error); a restart takes what was accepted before")
      }
    }
  }
}
