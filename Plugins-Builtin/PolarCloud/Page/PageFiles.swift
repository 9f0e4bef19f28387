internal import ConnectorKit

/// The page's three files: nothing in them comes from elsewhere, and what does is set as text, never as markup.
enum PageFiles {
  static let document = PageResponse(file: "text/html", markup)
  static let script = PageResponse(file: "text/javascript", code)
  static let style = PageResponse(file: "text/css", sheet)

  private static let markup = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Polar Cloud – printer-uplink</title>
    <link rel="icon" href="\(PageResponse.icon)">
    <link rel="stylesheet" href="style.css">
    <script src="app.js" defer></script>
    </head>
    <body>
    <header><h1>Polar Cloud</h1><p id="state" class="pill" role="status">…</p></header>
    <noscript><p class="alarm">This page needs JavaScript. Without it: username and pin in the
    configuration file, and <code>printer-uplink status</code>.</p></noscript>
    <main>
    <p id="problem" class="alarm" role="alert" hidden></p>
    <section aria-labelledby="printer-title">
    <h2 id="printer-title">This printer</h2>
    <dl>
    <dt>Serial number</dt><dd id="serial">–</dd>
    <dt>Account</dt><dd id="account">–</dd>
    <dt>Job of the cloud</dt><dd id="job">–</dd>
    <dt>Since</dt><dd id="since">–</dd>
    </dl>
    </section>
    <section id="locked" aria-labelledby="locked-title" hidden>
    <h2 id="locked-title">You are on another machine</h2>
    <p>Whoever is in this network can see this page, so changing something takes the control token.
    On the printer's host it is shown by</p>
    <p><code>printer-uplink status --token</code></p>
    <p class="row"><label for="token">Control token</label>
    <input id="token" type="password" autocomplete="off" spellcheck="false"></p>
    </section>
    <section aria-labelledby="form-title">
    <h2 id="form-title">Registration</h2>
    <form id="form" novalidate>
    <p class="row"><label for="username">E-mail of your account</label>
    <input id="username" type="email" autocomplete="username" maxlength="255"></p>
    <p class="row"><label for="pin">PIN</label>
    <input id="pin" type="password" inputmode="numeric" autocomplete="off" maxlength="8"
    aria-describedby="pin-help"></p>
    <p id="pin-help" class="quiet">4 to 8 digits, from your account's settings in the Polar Cloud. It is used once
    and never shown.</p>
    <p class="row"><label for="manufacturer">Manufacturer</label>
    <select id="manufacturer">
    <option value="kl">Any Klipper printer</option><option value="el">Elegoo</option>
    <option value="CR">Creality</option><option value="ac">Anycubic</option></select></p>
    <p class="row"><label for="machine_type">Kind of machine</label>
    <select id="machine_type"><option>Cartesian</option><option>Delta</option><option>Belt</option></select></p>
    <p class="row"><label for="printer_type">Make</label>
    <input id="printer_type" list="makes" maxlength="120" autocomplete="off"
    aria-describedby="make-help"><datalist id="makes"></datalist></p>
    <p id="make-help" class="quiet">Choose from the cloud's list, or write any name.</p>
    <p class="row"><label for="webcam_enabled">Send pictures of the camera</label>
    <input id="webcam_enabled" type="checkbox"></p>
    <p id="fixed" class="quiet" hidden></p>
    <p class="buttons"><button id="register" type="submit">Register</button>
    <button id="save" type="button">Save settings</button>
    <button id="unregister" type="button" hidden>Unregister</button></p>
    <p id="result" role="status" aria-live="polite"></p>
    </form>
    </section>
    </main>
    <footer><p id="program"></p></footer>
    </body>
    </html>

    """

  private static let sheet = """
    :root { --ink: #17202a; --paper: #f4f6f8; --card: #fff; --line: #d5dbe1; --quiet: #56626e;
      --good: #0b6b3a; --bad: #a3211b; --wait: #8a5300; --act: #0b6f6a; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --paper: #12171c; --card: #1b2229;
      --line: #37424d; --quiet: #a5b1bd; --good: #5fd092; --bad: #ff8a80; --wait: #f0b35a; --act: #4fc3bd; } }
    * { box-sizing: border-box }
    body { margin: 0 auto; max-width: 44rem; padding: 1rem; color: var(--ink); background: var(--paper);
      font: 1rem/1.5 system-ui, sans-serif }
    header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline }
    h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 0 0 .5rem }
    section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
      padding: 1rem; margin: 1rem 0 }
    .pill { margin: 0; padding: .1rem .7rem; border: 1px solid currentColor; border-radius: 1rem }
    .good { color: var(--good) } .wait { color: var(--wait) } .bad { color: var(--bad) }
    .alarm { border-left: .3rem solid var(--bad); padding: .5rem .8rem; background: var(--card) }
    .quiet { color: var(--quiet); margin: .2rem 0 .8rem }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 }
    dt { color: var(--quiet) } dd { margin: 0; overflow-wrap: anywhere }
    .row { display: grid; grid-template-columns: minmax(10rem, 14rem) 1fr; gap: .3rem 1rem;
      align-items: center; margin: .5rem 0 }
    input, select, button { font: inherit; color: inherit; background: var(--paper);
      border: 1px solid var(--quiet); border-radius: .3rem; padding: .4rem .6rem; min-width: 0 }
    input[type=checkbox] { width: 1.3rem; height: 1.3rem; justify-self: start }
    button { border-color: var(--act); color: var(--act); cursor: pointer; padding: .4rem 1rem }
    button[type=submit] { background: var(--act); color: var(--card) }
    :disabled { opacity: .6; cursor: not-allowed }
    :focus-visible { outline: .2rem solid var(--act); outline-offset: .1rem }
    .buttons { display: flex; flex-wrap: wrap; gap: .6rem }
    code { background: var(--paper); padding: .1rem .4rem; border-radius: .2rem }
    @media (max-width: 30rem) { .row, dl { grid-template-columns: 1fr } }

    """
}
