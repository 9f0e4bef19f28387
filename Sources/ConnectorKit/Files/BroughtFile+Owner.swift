internal import JSON
internal import Platform

extension BroughtFile {
  /// Whether somebody else has printed it while nobody here could see it: then it is the owner's, as after any print of his.
  /// Ask before a clean-up; it goes through the gate.
  ///
  /// - Parameters:
  ///   - known: the last print that is known of here, or its arrival, seconds since 1970.
  ///   - context: the backend that has brought it.
  /// - Returns: whether Moonraker knows of a print more than a minute later; true where it cannot be asked.
  package func isPrintedByOthers(since known: Int64, _ context: BackendContext) async -> Bool {
    guard
      let request = MoonrakerRequest(
        parts: ["server", "files", "metadata"], method: .get, query: [("filename", path.text)],
        body: JSONObject())
    else { return true }
    let contact = CommandContact(backend: context.name, at: context.time.now, previous: nil)
    let now = context.time.wallTime.millisecondsSinceEpoch
    let outcome = await context.commands.submit(
      CommandRequest(
        id: "own-metadata-\(now)-\(broughtAt.millisecondsSinceEpoch)-\(sha256.prefix(16))",
        wireName: "metadata",
        command: .query(request)), in: contact, work: nil, owing: { _ in nil })
    // What cannot be found out counts as somebody's.
    guard outcome.status == .done else { return true }
    guard let start = outcome.details?["print_start_time"]?.double else { return false }
    return start > Double(known) + 60
  }
}
