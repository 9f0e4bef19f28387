extension DashboardPage {
  /// The page's looks: one column on a phone, two where there is room, light and dark.
  static let sheet = """
    :root {
      color-scheme: light dark;
      --ground: #f2f4f5; --card: #fff; --raised: #f6f8f9; --ink: #16202a; --quiet: #52606c;
      --line: #d9e0e5; --edge: #7d8a96; --accent: #0a6f6a; --on-accent: #fff;
      --good: #0c6134; --good-ground: #dcf3e5; --wait: #704400; --wait-ground: #fdeecb;
      --bad: #9c141d; --bad-ground: #fde6e7; --calm: #3f4c58; --calm-ground: #e6eaee;
      --c0: #c2410c; --c1: #1d4ed8; --c2: #0f766e; --c3: #7e22ce;
      --c4: #a16207; --c5: #be185d; --c6: #475569; --c7: #15803d;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #0f1418; --card: #182027; --raised: #1f2830; --ink: #e8edf2; --quiet: #a3b0bc;
        --line: #2b3640; --edge: #74828f; --accent: #4fd1c5; --on-accent: #06201e;
        --good: #86e0aa; --good-ground: #12351f; --wait: #f7ca70; --wait-ground: #3a2b0a;
        --bad: #ffa3a7; --bad-ground: #45191d; --calm: #bac5cf; --calm-ground: #29333d;
        --c0: #fb923c; --c1: #7cb0ff; --c2: #4fd1c5; --c3: #c99bff;
        --c4: #f2cc5c; --c5: #ff8fc0; --c6: #a9b7c6; --c7: #7fdca4;
      }
    }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    body {
      margin: 0 auto; max-width: 76rem; padding: 1.25rem 1rem 3rem; background: var(--ground);
      color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
    }
    h1, h2, h3, h4, h5, p, ul, dl, dd, figure { margin: 0; padding: 0; }
    h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; }
    h2 { font-size: 1.125rem; line-height: 1.4; }
    h3 { font-size: 1rem; line-height: 1.4; }
    h4 { margin-top: 1rem; font-size: .9375rem; }
    h5 { margin-top: .75rem; font: .8125rem/1.5 ui-monospace, monospace; color: var(--quiet); }
    a { color: var(--accent); }
    code, .code { font: .875em/1.5 ui-monospace, monospace; }
    .quiet { color: var(--quiet); font-size: .875rem; }
    header { display: flex; flex-wrap: wrap; align-items: center; gap: .375rem .75rem; }
    main { display: grid; gap: 1rem; margin-top: 1rem; }
    main:focus, h2:focus { outline: none; }
    section {
      min-width: 0; padding: 1.125rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem;
      background: var(--card);
    }
    .columns, .side, section { display: grid; grid-template-columns: minmax(0, 1fr); align-content: start; }
    .columns, .side { gap: 1rem; }
    section { gap: .875rem; }
    @media (min-width: 64rem) {
      .columns { grid-template: auto 1fr / minmax(0, 1.75fr) minmax(0, 1fr); }
      .side { grid-area: 1 / 2 / 3 / 3; }
    }
    .row, .switch {
      display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between;
      gap: .5rem 1rem;
    }
    .stale section, .old { border-style: dashed; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

    .pill {
      display: inline-block; padding: .0625rem .625rem; border-radius: 1rem; font-size: .875rem;
      font-weight: 600; color: var(--calm); background: var(--calm-ground); white-space: nowrap;
    }
    .good { color: var(--good); background: var(--good-ground); }
    .wait { color: var(--wait); background: var(--wait-ground); }
    .bad { color: var(--bad); background: var(--bad-ground); }
    .pill::before { content: "● "; font-size: .75em; }
    .pill.calm::before { content: "○ "; }
    .pill.wait::before { content: "▲ "; }
    .pill.bad::before { content: "✕ "; }
    .live { margin-left: auto; font-size: .875rem; color: var(--quiet); background: none; }
    .live.good { color: var(--good); }
    .live.good::before { content: "● "; font-size: .75em; }
    .live.wait { color: var(--wait); }
    .alarm {
      padding: .75rem 1rem; border-radius: .75rem; white-space: pre-line;
      color: var(--bad); background: var(--bad-ground);
    }
    .notice { border-color: var(--wait); border-left-width: .375rem; }
    .notice ul { padding-left: 1.125rem; }
    .problem { color: var(--bad); }
    .remedy { font-weight: 600; }
    .notes { padding-left: 1.125rem; color: var(--quiet); font-size: .875rem; }

    #file { font-size: 1.125rem; font-weight: 600; }
    #detail, .tile-value, dd, .took, .when, td { font-variant-numeric: tabular-nums; }
    progress {
      display: block; width: 100%; height: .625rem; margin: .5rem 0; border: 0; border-radius: 1rem;
      overflow: hidden; background: var(--calm-ground); appearance: none; color: var(--accent);
    }
    progress::-webkit-progress-bar { background: var(--calm-ground); }
    progress::-webkit-progress-value { background: var(--accent); }
    progress::-moz-progress-bar { background: var(--accent); }
    .tiles {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .625rem;
      list-style: none;
    }
    .tile {
      display: grid; padding: .5rem .75rem .625rem; border-radius: .5rem; background: var(--raised);
    }
    .tile-title { display: flex; align-items: center; gap: .5rem; font-size: .875rem; color: var(--quiet); }
    .tile-value { font-size: 1.375rem; line-height: 1.3; }
    .swatch { flex: none; }
    .plot { position: relative; height: 200px; overflow: hidden; }
    .plot svg { position: absolute; }
    .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke: var(--c0); }
    .c1 { stroke: var(--c1); stroke-dasharray: 7 3; }
    .c2 { stroke: var(--c2); stroke-dasharray: 2 2; }
    .c3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3; }
    .c4 { stroke: var(--c4); stroke-dasharray: 4 4; }
    .c5 { stroke: var(--c5); stroke-dasharray: 12 4; }
    .c6 { stroke: var(--c6); stroke-dasharray: 1 4; }
    .c7 { stroke: var(--c7); stroke-dasharray: 9 3 2 3 2 3; }
    .curve.target { stroke-width: 1; stroke-dasharray: 1 3; }
    .grid { stroke: var(--line); stroke-width: 1; }
    .axis { fill: var(--quiet); font: .75rem system-ui, sans-serif; }
    figcaption { margin-top: .25rem; }

    .switch { padding: .75rem; border-radius: .5rem; background: var(--raised); }
    .switch p { flex: 1 1 9rem; display: grid; gap: .25rem; justify-items: start; }
    button, input, select {
      min-height: 2.25rem; padding: .25rem .875rem; border: 1px solid var(--edge);
      border-radius: .5rem; font: inherit; font-size: .9375rem; color: var(--ink);
      background: var(--card);
    }
    input { min-width: 0; width: 100%; }
    select { padding: .25rem .5rem; max-width: 100%; }
    button { cursor: pointer; }
    button:hover { background: var(--raised); }
    button[aria-disabled="true"] { color: var(--quiet); border-color: var(--line); cursor: default; }
    .primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
    .primary:hover { background: var(--accent); }
    .danger { color: var(--bad); border-color: var(--bad); }
    .toggle { display: inline-flex; align-items: center; gap: .5rem; }
    .toggle::before {
      content: ""; width: 2rem; height: 1.125rem; border: 1px solid var(--edge); border-radius: 1rem;
      background: radial-gradient(circle at .5rem 50%, var(--edge) .3125rem, transparent .375rem);
    }
    .toggle[aria-checked="true"]::before {
      border-color: var(--accent); background:
        radial-gradient(circle at 1.375rem 50%, var(--on-accent) .3125rem, transparent .375rem)
        var(--accent);
    }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

    .cards {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr));
      gap: .875rem; list-style: none;
    }
    .card {
      display: grid; gap: .625rem; align-content: start; min-width: 0; padding: .875rem 1rem;
      border: 1px solid var(--line); border-radius: .625rem;
    }
    .card[data-tone="bad"] { border-color: var(--bad); }
    .card h3 .quiet { font-weight: 400; }
    .card h3 { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .5rem; }
    .state { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .625rem; }
    .facts { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; font-size: .875rem; }
    .facts div { display: flex; gap: .375rem; }
    dt { color: var(--quiet); }
    details { min-width: 0; border-top: 1px solid var(--line); padding-top: .5rem; font-size: .9375rem; }
    summary { cursor: pointer; border-radius: .25rem; color: var(--accent); }
    .disclosed { display: grid; gap: .5rem; padding-top: .625rem; min-width: 0; }
    .pair { display: flex; gap: .5rem; align-items: end; }
    .pair label { flex: 1; min-width: 0; display: grid; gap: .25rem; }
    .page { font-size: .9375rem; }

    .scroll { overflow: auto; max-height: 24rem; border-radius: .25rem; }
    table { width: 100%; border-collapse: collapse; text-align: left; font-size: .875rem; }
    th, td { padding: .375rem .75rem .375rem 0; vertical-align: top; font-weight: 400; }
    thead th { color: var(--quiet); white-space: nowrap; overflow-wrap: normal; }
    tbody tr { border-top: 1px solid var(--line); }
    .scroll td { min-width: 5rem; overflow-wrap: break-word; }
    th.code { min-width: 8rem; }

    .filters { display: flex; flex-wrap: wrap; gap: .5rem 1rem; font-size: .875rem; }
    #history { container-type: inline-size; }
    .history { max-height: 36rem; border-top: 1px solid var(--line); }
    @media (min-width: 64rem) {
      /* As long as its neighbours: what is in it gives it no height of its own. */
      #history { grid-template-rows: auto minmax(30rem, 1fr) auto; align-content: stretch; }
      .history-box { position: relative; }
      .history { position: absolute; inset: 0; max-height: none; }
    }
    .entry {
      display: grid; gap: .125rem 1rem; padding: .5rem .25rem; border-bottom: 1px solid var(--line);
      grid-template-columns: 8rem 9rem 11rem minmax(0, 1fr) 4.5rem; align-items: baseline;
      content-visibility: auto; contain-intrinsic-size: auto 2.75rem; font-size: .9375rem;
    }
    .what { font-weight: 600; }
    .end { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .625rem; }
    .took { text-align: right; white-space: nowrap; }
    @container (max-width: 52rem) {
      .entry {
        grid-template-columns: minmax(0, 1fr) auto; contain-intrinsic-size: auto 5.5rem;
        padding: .625rem .25rem;
      }
      .what { grid-row: 1; grid-column: 1; }
      .when { grid-row: 1; grid-column: 2; }
      .who { grid-row: 2; grid-column: 1; color: var(--quiet); font-size: .875rem; }
      .took { grid-row: 2; grid-column: 2; }
      .end { grid-column: 1 / -1; padding-top: .125rem; }
    }

    dialog {
      width: min(30rem, calc(100vw - 2rem)); padding: 1.25rem; border: 1px solid var(--edge);
      border-radius: .75rem; color: var(--ink); background: var(--card);
    }
    dialog::backdrop { background: rgb(0 0 0 / .5); }
    dialog, dialog form { gap: .875rem; }
    dialog[open], dialog form { display: grid; }
    .buttons { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: .5rem; }
    .toast {
      position: fixed; inset: auto 1rem 1rem; margin: 0 auto; width: fit-content; max-width: 40rem;
      padding: .625rem 1rem; border-radius: .5rem; color: var(--card); background: var(--ink);
    }
    .toast:empty { display: none; }
    footer {
      display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline;
      gap: .25rem 1rem; margin-top: 1rem; color: var(--quiet); font-size: .875rem;
    }
    nav a { margin-right: .75rem; display: inline-block; padding: .25rem 0; }

    """
}
