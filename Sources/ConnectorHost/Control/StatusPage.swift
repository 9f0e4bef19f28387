internal import HTTPServer

/// The status page: three small files without anything from elsewhere; ``PlainPage`` is for reading without JavaScript.
///
/// They are constants: all that comes from the printer or the clouds reaches the page as JSON and is set as text, never
/// as markup. Links are relative, so that the page also works under a path of a proxy.
enum StatusPage {
  /// `/`
  static let document = answer(
    200, "text/html", markup, fields: [("Content-Security-Policy", policy)])
  /// `/app.js`
  static let script = answer(200, "text/javascript", code)
  /// `/style.css`
  static let style = answer(200, "text/css", sheet)
  /// Any other path.
  static let notFound = answer(
    404, "text/html", missing, fields: [("Content-Security-Policy", policy)])

  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private static func answer(
    _ status: Int, _ type: String, _ text: String, fields: [(name: String, value: String)] = []
  ) -> HTTPServer.Response {
    HTTPServer.Response(
      status: status, type: "\(type); charset=utf-8", body: Array(text.utf8), fields: fields)
  }

  private static let icon =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    + "%3Cpath fill='%230b7a75' d='M2 2h12v3h-5l-1 4-1-4H2zM2 12h12v2H2z'/%3E%3C/svg%3E"

  private static let markup = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>printer-uplink</title>
    <link rel="icon" href="\(icon)">
    <link rel="stylesheet" href="style.css">
    <script src="app.js" defer></script>
    <noscript><meta http-equiv="refresh" content="0; url=plain"></noscript>
    </head>
    <body>
    <header>
    <h1 id="name">printer-uplink</h1>
    <p id="condition" class="pill">…</p>
    </header>
    <p id="alarm" class="alarm" role="alert" hidden></p>
    <noscript><p class="alarm">This page needs JavaScript; for reading there is
    <a href="plain">the same without</a>.</p></noscript>
    <p id="said" class="unseen" aria-live="polite"></p>
    <main id="main">
    <section aria-labelledby="printer-title">
    <h2 id="printer-title">Printer</h2>
    <p id="klippy" class="notice" hidden></p>
    <div id="job" hidden>
    <p id="file"></p>
    <progress id="bar" max="1" aria-labelledby="file"></progress>
    <p id="detail"></p>
    </div>
    <p id="no-job">Asking the daemon…</p>
    <dl id="temperatures"></dl>
    <p id="link" class="quiet"></p>
    </section>
    <section id="safety" aria-labelledby="safety-title" hidden>
    <h2 id="safety-title">Safety</h2>
    <p class="switch"><span id="bed" class="pill"></span> <span id="bed-detail" class="quiet"></span>
    <button id="bed-cleared" type="button">The bed is empty</button></p>
    <p class="switch"><span id="read-only" class="pill"></span>
    <span id="read-only-detail" class="quiet"></span>
    <button id="read-only-switch" type="button"></button></p>
    <p id="busy" class="quiet"></p>
    <p id="safety-problem" class="problem"></p>
    <p id="token-row" class="switch" hidden><label for="token">Token for changes from elsewhere</label>
    <input id="token" type="password" autocomplete="off" spellcheck="false"></p>
    <p id="result" role="status"></p>
    </section>
    <section id="widened" aria-labelledby="widened-title" hidden>
    <h2 id="widened-title">The configuration allows more than before</h2>
    <ul id="widenings" class="notes"></ul>
    <p class="switch"><span class="quiet">If that was not you: change the file back, and look who can write it.</span>
    <button id="widenings-seen" type="button">I have seen this</button></p>
    </section>
    <section aria-labelledby="backends-title">
    <h2 id="backends-title">Clouds</h2>
    <table role="table">
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Cloud</th><th role="columnheader" scope="col">State</th>
    <th role="columnheader" scope="col">Permissions</th><th role="columnheader" scope="col">Restarts</th>
    <th role="columnheader" scope="col">Owed</th></tr></thead>
    <tbody role="rowgroup" id="backends"></tbody>
    </table>
    <p id="no-backends" hidden>The configuration names no clouds.</p>
    </section>
    <section id="commands-section" aria-labelledby="commands-title" hidden>
    <h2 id="commands-title">Last commands</h2>
    <table role="table">
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Command</th>
    <th role="columnheader" scope="col">What came of it</th></tr></thead>
    <tbody role="rowgroup" id="commands"></tbody>
    </table>
    <p id="no-commands" hidden>None yet.</p>
    </section>
    </main>
    <footer>
    <p id="program"></p>
    <nav aria-label="Data"><a href="health">Health</a> <a href="metrics">Metrics</a>
    <a href="api/status">JSON</a> <a href="plain">Plain</a></nav>
    </footer>
    </body>
    </html>

    """

  private static let missing = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Not here – printer-uplink</title>
    <link rel="icon" href="\(icon)">
    <link rel="stylesheet" href="/style.css">
    </head>
    <body>
    <header><h1>Nothing stands here</h1></header>
    <main><section><p>There is the <a href="/">status page</a>, its data at
    <a href="/api/status">/api/status</a>, <a href="/health">/health</a> and
    <a href="/metrics">/metrics</a>.</p></section></main>
    </body>
    </html>

    """
}
