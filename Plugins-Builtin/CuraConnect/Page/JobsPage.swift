internal import ConnectorKit
internal import HTTPServer

/// The page behind Cura's "Manage in browser": what is printed and what waits, and why. It changes nothing.
enum JobsPage {
  private static let policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  private static let style = """
    body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
    table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd}
    small{color:#666}@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}th,td{border-color:#444}small{color:#aaa}}
    """

  /// The page as of now.
  static func response(_ hub: CuraHub) -> HTTPServer.Response {
    let jobs = hub.jobs
    let reading = hub.reading
    var rows = ""
    for job in jobs {
      let notice = job.notice.map { "<br><small>\(PageText.escaped($0))</small>" } ?? ""
      rows +=
        "<tr><td>\(PageText.escaped(job.name))\(notice)</td><td>\(PageText.escaped(job.owner))</td><td>\(state(job, reading))</td></tr>"
    }
    if jobs.isEmpty {
      rows = "<tr><td colspan=\"3\">Nothing is printed, and nothing waits.</td></tr>"
    }
    let name = PageText.escaped(hub.printer.name)
    let rule =
      hub.configuration.assumeClearAfter == nil
      ? "Nothing starts by itself before somebody has said that the bed is empty"
      : "The bed counts as empty some time after a job; before that somebody may say so"
    let html = """
      <!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10">
      <meta name="viewport" content="width=device-width"><title>\(name)</title><style>\(style)</style></head><body>
      <h1>\(name)</h1><p>The printer is \(PageText.escaped(words(hub.printer.word))).</p>
      <table><thead><tr><th>Job</th><th>From</th><th>State</th></tr></thead><tbody>\(rows)</tbody></table>
      <p><small>What waits is started in Mainsail or Fluidd, under “Job queue”. \(rule): <code>printer-uplink bed-cleared</code>, or the button on printer-uplink’s page.</small></p></body></html>

      """
    return HTTPServer.Response(
      status: 200, type: "text/html; charset=utf-8", body: Array(html.utf8),
      fields: [("Content-Security-Policy", policy)])
  }

  private static func words(_ word: String) -> String {
    word == "wait_cleanup" ? "waiting for an empty bed" : word
  }

  private static func state(_ job: CuraJob, _ reading: PrinterReading) -> String {
    switch job.phase {
    case .coming: "arriving"
    case .queued, .popped: "waiting"
    case .failed: "failed"
    case .starting: "starting"
    case .running(let transition?): transition.word.rawValue
    case .running(nil):
      reading.state == "paused"
        ? "paused" : "printing, \(job.elapsed / 60) of about \(max(job.total, 60) / 60) min"
    case .ended(.complete, _): "finished"
    case .ended(.cancelled, _): "aborted"
    case .ended(.failed, _): "failed"
    }
  }
}
