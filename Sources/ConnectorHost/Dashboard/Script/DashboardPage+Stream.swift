extension DashboardPage {
  /// The stream of events, and what to do without it.
  static let scriptStream = #"""
    let source = null;
    let again = 0;
    let watchdog = 0;
    let heardAt = null;

    const live = (text, tone) => {
      set($("live"), text);
      if ($("live").className !== "live " + tone) $("live").className = "live " + tone;
    };
    const alive = () => {
      heardAt = Date.now();
      if (silent !== "") {
        silent = "";
        showAlarm();
        setShown($("as-of"), "");
      }
      $("main").classList.remove("stale");
    };
    const lost = () => {
      if (document.hidden) return;
      live("Reconnecting…", "wait");
      $("main").classList.add("stale");
      silent = "The daemon does not answer" + (printer === null ? "" : "; these are the last known values") + ".";
      showAlarm();
      setShown($("as-of"), printer === null || heardAt === null ? "" :
        "This is how things stood " + ago((Date.now() - heardAt) / 1000) + ".");
    };

    const takes = {
      printer: (data) => {
        printer = data;
        showPrinter();
        extendCurves();
        announce();
      },
      program: (data) => {
        program = data;
        showProgram();
      },
      backends: (data) => {
        backends = data;
        showBackends();
        showFilters();
        announce();
      },
      commands: (data) => {
        commands = data;
        showCommands();
      },
      widened: (data) => {
        widened = data;
        showWidened();
      },
      outcome: (data) => addOutcome(data),
      gap: () => refreshHistory(),
      beat: () => {},
      hello: (data) => {
        startAt(data.uptime);
        loadCurves();
        refreshHistory();
      },
    };

    const close = () => {
      clearTimeout(again);
      clearTimeout(watchdog);
      if (source) source.close();
      source = null;
    };
    const open = () => {
      close();
      if (document.hidden) return;
      if (heardAt !== null && Date.now() - heardAt > 20000) {
        live("Connecting…", "wait");
        $("main").classList.add("stale");
      }
      const mine = source = new EventSource("api/events");
      const heard = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => {
          lost();
          open();
        }, 45000);
      };
      for (const [name, take] of Object.entries(takes)) {
        mine.addEventListener(name, (event) => {
          if (mine !== source) return;
          heard();
          alive();
          live("Live", "good");
          take(JSON.parse(event.data));
        });
      }
      mine.onerror = () => {
        if (mine !== source) return;
        if (mine.readyState === EventSource.CLOSED) return refused();
        /* The browser comes again by itself. */
        lost();
      };
      heard();
    };

    /* No stream to be had, as where too many pages are open: a look now and then, and another try. */
    const refused = async () => {
      close();
      again = setTimeout(open, 4000 + 2000 * Math.random());
      try {
        const answer = await fetch("api/status", { cache: "no-store", signal: AbortSignal.timeout(5000) });
        if (!answer.ok) throw new Error();
        const data = await answer.json();
        if (source) return;
        alive();
        live("Now and then: too many pages are open", "wait");
        const first = origin === null;
        startAt(data.program.uptime_seconds);
        const p = data.printer;
        const now = data.program.uptime_seconds;
        const past = (seconds) => seconds === null ? null : now - seconds;
        takes.program(data.program);
        takes.printer({ ...p, is_known: p.updated_at !== null,
          updated: p.is_current ? null : past(p.updated_seconds_ago) });
        takes.backends(data.backends.map((b) => ({ ...b, since: past(b.since_seconds),
          retry: b.retry_in_seconds === null ? null : now + b.retry_in_seconds })));
        takes.commands(data.commands);
        takes.widened(data.widened);
        if (first) loadCurves();
        refreshHistory();
      } catch {
        lost();
      }
    };

    /* Nobody looks at a tab in the background. */
    document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted) open(); });
    setInterval(() => {
      if (document.hidden || origin === null) return;
      showAges();
      if (program) showFooter();
      if (printer && !printer.is_current) showLink();
      if (silent !== "") lost();
    }, 1000);
    open();

    """#
}
