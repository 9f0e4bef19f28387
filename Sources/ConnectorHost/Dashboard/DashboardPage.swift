internal import ConnectorKit
internal import HTTPServer

/// The dashboard: three small files without anything from elsewhere; ``PlainPage`` is for reading without JavaScript.
///
/// They are constants: all that comes from the printer or the clouds reaches the page as JSON and is set as text, never
/// as markup. Links are relative, so that the page also works under a path of a proxy.
enum DashboardPage {
  /// `/`
  static let document = answer("text/html", markup)
  /// `/app.js`
  static let script = answer("text/javascript", code)
  /// `/style.css`
  static let style = answer("text/css", sheet)
  /// Any other path.
  static let notFound = answer("text/html", missing, status: 404)

  private static func answer(
    _ type: String, _ text: String, status: Int = 200
  ) -> HTTPServer.Response {
    HTTPServer.Response(PageResponse(status: status, file: type, text))
  }

  /// The page's program, a module; its parts in the order in which they build on each other.
  static let code = [
    scriptBasics, scriptActions, scriptPrinter, scriptChart, scriptBackends, scriptSafety,
    scriptHistory, scriptStream,
  ].joined(separator: "\n")

  private static let markup = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>printer-uplink</title>
    <link rel="icon" href="\(PageResponse.icon)">
    <link rel="stylesheet" href="style.css">
    <script type="module" src="app.js"></script>
    <noscript><meta http-equiv="refresh" content="0; url=plain"></noscript>
    </head>
    <body>
    <header>
    <h1 id="name">printer-uplink</h1>
    <p id="condition" class="pill calm">Connecting…</p>
    <p id="live" class="live">Connecting</p>
    </header>
    <noscript><p class="alarm">This page needs JavaScript; for reading there is
    <a href="plain">the same without</a>.</p></noscript>
    <p id="said" class="unseen" aria-live="polite"></p>
    <main id="main" tabindex="-1">
    <p id="alarm" class="alarm" role="alert" hidden></p>
    <p id="as-of" class="quiet" hidden></p>
    <section id="waiting" class="notice" aria-labelledby="waiting-title" hidden>
    <h2 id="waiting-title" tabindex="-1">A change of the configuration waits for you</h2>
    <p>The file was changed and would allow more than before. <code>control.pin_permissions</code> holds it back,
    and the former configuration goes on.</p>
    <ul id="waiting-changes"></ul>
    <p class="row"><span class="quiet">If that was not you: change the file back, and look who can write it.</span>
    <button id="waiting-accept" type="button">Accept these changes</button></p>
    </section>
    <section id="widened" class="notice" aria-labelledby="widened-title" hidden>
    <h2 id="widened-title" tabindex="-1">The configuration allows more than before</h2>
    <ul id="widenings"></ul>
    <p class="row"><span class="quiet">If that was not you: change the file back, and look who can write it.</span>
    <button id="widenings-seen" type="button">I have seen this</button></p>
    </section>
    <div class="columns">
    <section id="printer" aria-labelledby="printer-title">
    <h2 id="printer-title" tabindex="-1">Printer</h2>
    <p id="klippy" class="alarm" hidden></p>
    <div id="job" hidden>
    <p id="file"></p>
    <progress id="bar" max="1" aria-labelledby="file"></progress>
    <p id="detail"></p>
    </div>
    <p id="no-job" class="quiet">Asking the daemon…</p>
    <ul id="temperatures" class="tiles" aria-label="Temperatures now"></ul>
    <figure id="chart" hidden>
    <div id="plot" class="plot"></div>
    <figcaption class="quiet">The last 30 minutes; a thin dotted line is a target.</figcaption>
    <details id="chart-table"><summary>The curve as a table</summary>
    <div class="scroll" tabindex="0" role="group" aria-label="Temperatures of the last 30 minutes"><table id="chart-rows"></table></div></details>
    </figure>
    <p id="link" class="quiet"></p>
    </section>
    <div class="side">
    <section id="safety" aria-labelledby="safety-title" hidden>
    <h2 id="safety-title" tabindex="-1">Safety</h2>
    <div class="switch">
    <p><span id="bed" class="pill"></span> <span id="bed-detail" class="quiet"></span></p>
    <button id="bed-cleared" type="button">The bed is empty</button>
    </div>
    <div class="switch">
    <p><span id="read-only" class="pill"></span> <span id="read-only-detail" class="quiet"></span></p>
    <button id="read-only-switch" type="button"></button>
    </div>
    <p id="busy" class="quiet" hidden></p>
    <p id="safety-problem" class="problem" hidden></p>
    </section>
    <section aria-labelledby="backends-title">
    <h2 id="backends-title" tabindex="-1">Clouds</h2>
    <ul id="backends" class="cards"></ul>
    <p id="no-backends" class="quiet" hidden>The configuration names no clouds.</p>
    </section>
    </div>
    <section id="history" aria-labelledby="history-title" hidden>
    <div class="row">
    <h2 id="history-title" tabindex="-1">Commands</h2>
    <p class="filters"><label>From <select id="history-backend"><option value="">everybody</option></select></label>
    <label>Outcome <select id="history-status"><option value="">any</option><option value="done">done</option>
    <option value="refused">refused</option><option value="failed">failed</option>
    <option value="unknown">unknown</option></select></label></p>
    </div>
    <div class="history-box"><div id="history-scroll" class="scroll history" tabindex="0" role="group" aria-labelledby="history-title">
    <div role="table" aria-labelledby="history-title">
    <div role="rowgroup" class="unseen"><div role="row"><span role="columnheader">When</span>
    <span role="columnheader">From</span><span role="columnheader">Command</span>
    <span role="columnheader">What came of it</span><span role="columnheader">Took</span></div></div>
    <div id="history-rows" role="rowgroup"></div>
    </div>
    </div></div>
    <p class="row"><span id="history-count" class="quiet"></span>
    <button id="history-more" type="button" hidden>Show older</button></p>
    </section>
    </div>
    </main>
    <footer>
    <p id="program"></p>
    <nav aria-label="Data"><a href="plain">Plain</a> <a href="health">Health</a>
    <a href="metrics">Metrics</a> <a href="api/status">JSON</a></nav>
    </footer>
    <p id="result" class="toast" role="status"></p>
    <dialog id="token-dialog" aria-labelledby="token-title">
    <form id="token-form">
    <h2 id="token-title">This needs the control token</h2>
    <p>You are on another machine. On the printer’s host <code>printer-uplink status --token</code> shows it.
    This tab remembers it until it is closed.</p>
    <p><label for="token">Control token</label>
    <input id="token" type="password" autocomplete="off" spellcheck="false" required></p>
    <p class="buttons"><button id="token-cancel" type="button">Cancel</button>
    <button type="submit" class="primary">Go on</button></p>
    </form>
    </dialog>
    <dialog id="unpair-dialog" aria-labelledby="unpair-title">
    <h2 id="unpair-title">Forget the pairing?</h2>
    <p id="unpair-text"></p>
    <p class="buttons"><button id="unpair-cancel" type="button">Keep it</button>
    <button id="unpair-confirm" type="button" class="danger">Forget it</button></p>
    </dialog>
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
    <link rel="icon" href="\(PageResponse.icon)">
    <link rel="stylesheet" href="/style.css">
    </head>
    <body>
    <header><h1>Nothing stands here</h1></header>
    <main><section><p>There is the <a href="/">dashboard</a>, its data at
    <a href="/api/status">/api/status</a>, <a href="/health">/health</a> and
    <a href="/metrics">/metrics</a>.</p></section></main>
    </body>
    </html>

    """
}
