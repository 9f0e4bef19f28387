extension StatusPage {
  /// The page's looks: one column on a phone, a table where there is room, light and dark.
  static let sheet = """
    :root {
      color-scheme: light dark;
      --ground: #f3f5f6; --card: #fff; --ink: #16202a; --quiet: #55616d; --line: #dce2e7;
      --accent: #0b7a75; --good: #0e6b38; --good-ground: #dcf3e5; --wait: #7a4b00;
      --wait-ground: #fdeecb; --bad: #a3161f; --bad-ground: #fde3e4; --calm: #43505c;
      --calm-ground: #e6eaee;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #11161b; --card: #1a2129; --ink: #e8edf2; --quiet: #9aa7b4; --line: #2c3742;
        --accent: #3fbfb7; --good: #7fdca4; --good-ground: #143823; --wait: #f5c566;
        --wait-ground: #3d2e0c; --bad: #ff9a9e; --bad-ground: #471a1e; --calm: #b4c0cb;
        --calm-ground: #2a343e;
      }
    }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    body {
      margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground);
      color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
    }
    header { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; }
    header .pill { font-size: 1rem; }
    h1 { margin: 0; font-size: 1.5rem; line-height: 1.3; }
    h2 { margin: 0 0 .75rem; font-size: 1rem; color: var(--quiet); font-weight: 600; }
    p { margin: 0; }
    a { color: var(--accent); }
    section {
      margin-top: 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: .75rem;
      background: var(--card);
    }
    .quiet { color: var(--quiet); font-size: .875rem; }
    .pill {
      display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-size: .875rem;
      font-weight: 600; color: var(--calm); background: var(--calm-ground); white-space: nowrap;
    }
    .good { color: var(--good); background: var(--good-ground); }
    .wait { color: var(--wait); background: var(--wait-ground); }
    .bad { color: var(--bad); background: var(--bad-ground); }
    .pill::before { content: "● "; }
    .wait::before { content: "▲ "; }
    .bad::before { content: "✕ "; }
    .alarm, .notice {
      margin-top: 1rem; padding: .75rem 1rem; border-radius: .75rem; white-space: pre-line;
      color: var(--bad); background: var(--bad-ground);
    }
    .notice { margin: 0 0 1rem; }
    .old { opacity: .7; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    #file { font-size: 1.125rem; font-weight: 600; }
    progress {
      display: block; width: 100%; height: .75rem; margin: .5rem 0; border: 0; border-radius: 1rem;
      overflow: hidden; background: var(--calm-ground); appearance: none; color: var(--accent);
    }
    progress::-webkit-progress-bar { background: var(--calm-ground); }
    progress::-webkit-progress-value { background: var(--accent); }
    progress::-moz-progress-bar { background: var(--accent); }
    #no-job { color: var(--quiet); }
    dl {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .75rem;
      margin: 1rem 0;
    }
    .tile { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .5rem; }
    dt { color: var(--quiet); font-size: .875rem; }
    dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
    dd.quiet { font-size: .875rem; }
    table { width: 100%; border-collapse: collapse; text-align: left; }
    th, td { padding: .75rem .75rem .75rem 0; vertical-align: top; font-weight: 400; }
    thead th { padding-top: 0; white-space: nowrap; color: var(--quiet); font-size: .875rem; }
    tbody tr { border-top: 1px solid var(--line); }
    th span, td span { margin-right: .5rem; }
    .title { display: block; font-weight: 600; }
    .problem { margin-top: .35rem; }
    .remedy { font-weight: 600; }
    .notes { margin: .35rem 0 0; padding-left: 1.1rem; color: var(--quiet); font-size: .875rem; }
    .problem:empty, .remedy:empty, .notes:empty { display: none; }
    .switch { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; margin-bottom: .5rem; }
    button, input {
      padding: .35rem .9rem; border: 1px solid var(--line); border-radius: .5rem; font: inherit;
      color: var(--ink); background: var(--ground);
    }
    button { margin-left: auto; cursor: pointer; }
    button:disabled { opacity: .5; cursor: default; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    footer {
      display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .25rem 1rem;
      margin-top: 1rem; color: var(--quiet); font-size: .875rem;
    }
    nav a { margin-right: .75rem; display: inline-block; padding: .25rem 0; }
    @media (max-width: 40rem) {
      thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      table, tbody, tr, th, td { display: block; }
      tbody tr { padding: .75rem 0; }
      tbody tr:first-child { border: 0; padding-top: 0; }
      tbody th, td { padding: .15rem 0; }
      td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); }
      td[data-label] { display: inline-block; margin-right: 1rem; font-size: .875rem; }
    }

    """
}
