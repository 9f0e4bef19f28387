extension DashboardPage {
  /// The commands: page by page from the audit, and new ones as they come.
  static let scriptHistory = #"""
    const rows = $("history-rows");
    let older = null;
    let loading = null;
    let seen = new Set();
    const keyOf = (c) => [c.at, c.backend, c.id, c.action, c.status, c.is_repeat, c.explanation].join(" ");

    const makeRow = (c) => {
      const row = make("div", "entry");
      row.setAttribute("role", "row");
      const cell = (name, text) => {
        const element = make("span", name, row, text);
        element.setAttribute("role", "cell");
        return element;
      };
      cell("when quiet", moment(c.at));
      if (c.missing !== undefined) {
        cell("what", c.missing + " records before this could not be written").setAttribute("aria-colspan", "4");
        return row;
      }
      cell("who", c.backend === "host" ? "A person here" : called(c.title || c.backend) +
        (c.title && called(c.title).toLowerCase() !== c.backend.toLowerCase() ? " (" + c.backend + ")" : ""));
      cell("what", c.backend === "host" && deeds[c.action] || c.action.replace(/_/g, " "));
      const end = cell("end");
      const tone = make("span", "", end);
      pill(tone, outcomes[c.status] || [c.status, "calm"]);
      make("span", "why", end, c.explanation + (c.is_repeat ? " (came again)" : ""));
      cell("took quiet", c.backend === "host" ? "" : c.latency_ms < 10000 ? c.latency_ms + " ms" :
        time(c.latency_ms / 1000));
      return row;
    };
    const wanted = (c) =>
      [["backend", c.backend], ["status", c.status]].every(([key, value]) => {
        const filter = $("history-" + key).value;
        return filter === "" || filter === value;
      });
    const count = () => {
      const n = rows.children.length;
      set($("history-count"), n === 0 ? (loading ? "Asking the daemon…" :
        $("history-backend").value || $("history-status").value ? "None like that." : "None yet.") :
        n + (n === 1 ? " command" : " commands") + (older ? ", and older ones" : ""));
      const more = $("history-more");
      if (!older && more === document.activeElement) $("history-scroll").focus();
      show(more, older !== null);
    };
    const add = (list, atTop) => {
      const fresh = list.filter((c) => !seen.has(keyOf(c)));
      for (const c of fresh) seen.add(keyOf(c));
      const made = fresh.map(makeRow);
      if (atTop) rows.prepend(...made); else rows.append(...made);
    };

    const loadPage = async (limit) => {
      const filter = new URLSearchParams({ limit: String(limit) });
      for (const key of ["backend", "status"]) {
        if ($("history-" + key).value) filter.set(key, $("history-" + key).value);
      }
      if (older) filter.set("before", older);
      const mine = loading = {};
      try {
        const answer = await fetch("api/history?" + filter, { cache: "no-store" });
        if (mine !== loading) return;
        if (!answer.ok) throw new Error(await answer.text());
        const data = await answer.json();
        if (mine !== loading) return;
        const first = older === null;
        if (first) {
          rows.replaceChildren();
          seen = new Set();
        }
        older = data.next;
        add(data.rows, false);
        loading = null;
        /* A filter may find little in the part that was looked through. */
        if (older && data.rows.length === 0) return loadPage(limit);
      } catch (error) {
        if (mine === loading) {
          loading = null;
          say(error instanceof TypeError ? "The daemon does not answer." : error.message);
        }
      }
      count();
    };
    const loadHistory = () => {
      older = null;
      return loadPage(50);
    };
    /* After a gap: what is new goes on top, and who has scrolled far stays there. */
    const refreshHistory = async () => {
      if (rows.children.length === 0 || loading) return loadHistory();
      const before = new Set(seen);
      try {
        const answer = await fetch("api/history?limit=50", { cache: "no-store" });
        const data = await answer.json();
        if (!data.rows.some((c) => before.has(keyOf(c)))) return loadHistory();
        add(data.rows.filter(wanted), true);
        count();
      } catch { /* the next event comes with the next try */ }
    };
    $("history-more").addEventListener("click", () => {
      if (!loading) loadPage(200);
    });
    for (const id of ["history-backend", "history-status"]) {
      $(id).addEventListener("change", () => {
        $("history-scroll").scrollTop = 0;
        loadHistory();
      });
    }
    const addOutcome = (c) => {
      if (!wanted(c)) return;
      /* A page that stands open for weeks begins anew, unless somebody reads far down. */
      if (rows.children.length > 2000 && $("history-scroll").scrollTop === 0 && !loading) return loadHistory();
      add([c], true);
      count();
    };
    const showFilters = () => {
      const select = $("history-backend");
      const names = [["", "everybody"], ["host", "a person here"],
        ...backends.map((b) => [b.name, called(b.title) + (b.name === b.type ? "" : " (" + b.name + ")")])];
      if (select.dataset.names === JSON.stringify(names)) return;
      select.dataset.names = JSON.stringify(names);
      const chosen = select.value;
      select.replaceChildren(...names.map(([name, text]) => {
        const option = make("option", "", null, text);
        option.value = name;
        return option;
      }));
      if (names.some(([name]) => name === chosen)) select.value = chosen;
    };

    """#
}
