internal import JSON
internal import Networking

/// A `print` event, judged as far as it can be without the printer.
struct PrintOrder: Sendable, Hashable {
  /// The cloud's id; empty where it cannot be used: then nothing can be answered either.
  var jobID: String
  /// What the owner calls it.
  var name: String?
  /// Where the G-code is.
  var url: String
  var stlFile: String?
  var configFile: String?
  /// Why it cannot be printed; nil: it can.
  var defect: String?

  /// Reads an event.
  init(_ payload: JSONValue) {
    let id = payload["jobId"]?.string ?? ""
    let isUsable =
      (1...128).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    jobID = isUsable ? id : ""
    name = payload["jobName"]?.string.map { String($0.prefix(120)) }
    url = payload["gcodeFile"]?.string ?? ""
    stlFile = Self.kept(payload["stlFile"])
    configFile = Self.kept(payload["configFile"])
    defect = nil
    let wanted = payload["fileToPrint"]?.string
    if !isUsable {
      defect = "the job has no usable id"
    } else if let wanted, !wanted.isEmpty, wanted != "gcodeFile" {
      defect = "the job needs a slicer (\(wanted.logged)), which is the cloud's part"
    } else if url.isEmpty {
      defect = "the job has no G-code: slicing is the cloud's part"
    } else if !Self.isWeb(url) {
      defect = "the address of the G-code is no http or https address"
    }
  }

  /// An address that is told again as it came, when it can be one.
  private static func kept(_ value: JSONValue?) -> String? {
    guard let text = value?.string, text.utf8.count <= 2_048, isWeb(text) else { return nil }
    return text
  }

  private static func isWeb(_ text: String) -> Bool {
    guard text.utf8.count <= 8_192, let parts = URLParts(text), !parts.hasCredentials else {
      return false
    }
    return parts.scheme == "http" || parts.scheme == "https"
  }
}
