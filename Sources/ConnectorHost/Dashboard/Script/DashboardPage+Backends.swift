extension DashboardPage {
  /// The clouds: state, switch, pairing, what they are owed and what they are told.
  static let scriptBackends = #"""
    let backends = [];
    const cards = new Map();

    /* Something that is asked for when a person opens it, and again each time. */
    const disclosure = (parent, title, fill) => {
      const details = make("details", "", parent);
      const summary = make("summary", "", details, title);
      const body = make("div", "disclosed", details);
      if (fill) {
        details.addEventListener("toggle", () => {
          if (details.open) fill(body);
        });
      }
      return { details, summary, body };
    };
    const fetched = async (body, path, render) => {
      if (!body.firstChild) make("p", "quiet", body, "Asking the daemon…");
      try {
        const answer = await fetch(path, { cache: "no-store" });
        if (!answer.ok) throw new Error(await answer.text());
        const data = await answer.json();
        body.replaceChildren(...render(data));
      } catch (error) {
        body.replaceChildren(make("p", "problem", null, error instanceof TypeError ?
          "The daemon does not answer." : error.message));
      }
    };
    const tableOf = (caption, heads, rows) => {
      const box = make("div", "scroll");
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", caption);
      const table = make("table", "", box);
      const head = make("tr", "", make("thead", "", table));
      for (const text of heads) make("th", "", head, text).scope = "col";
      const body = make("tbody", "", table);
      for (const cells of rows) {
        const row = make("tr", "", body);
        cells.forEach((text, index) => {
          const cell = make(index ? "td" : "th", index ? "" : "code", row, text);
          if (!index) cell.scope = "row";
        });
      }
      return box;
    };

    const renderExplanation = (data) => {
      const parts = [make("p", "", null, data.summary + (data.intention ? " " + data.intention : ""))];
      parts.push(make("h4", "", null, "What leaves the house"));
      if (!data.sends.length) parts.push(make("p", "", null, "This connector does not list it yet."));
      for (const message of data.sends) {
        parts.push(make("h5", "", null, message.message));
        parts.push(tableOf("Fields of " + message.message, ["Field", "What it is"],
          message.fields.map((f) => [f.path, f.meaning])));
      }
      if (data.traffic) parts.push(make("p", "", null, "How much: " + data.traffic));
      parts.push(make("h4", "", null, "What your macros say"));
      parts.push(make("p", "", null, data.macro_messages));
      parts.push(make("h4", "", null, "What its cloud may ask for"));
      if (data.commands.length) {
        parts.push(tableOf("Commands", ["Command", "Needs", "Allowed", "What it does"],
          data.commands.map((c) => [c.name, c.needs, c.is_allowed ? "yes" : "no", c.summary])));
      } else {
        parts.push(make("p", "", null, "Nothing: it takes no commands."));
      }
      const remarks = make("ul", "notes");
      for (const remark of data.remarks) make("li", "", remarks, remark);
      return [...parts, remarks];
    };
    const renderOwed = (data) => data.owed.length === 0 ?
      [make("p", "quiet", null, "Nothing waits any more.")] :
      [tableOf("Owed results, the oldest first", ["What", "Since", "Tried"], data.owed.map((o) =>
        [o.kind, moment(o.since), o.attempts === 1 ? "once" : o.attempts + " times"]))];

    const makeCard = (name) => {
      const query = "?backend=" + encodeURIComponent(name);
      const card = { element: make("li", "card") };
      const head = make("div", "row", card.element);
      const title = make("h3", "", head);
      card.title = make("span", "", title);
      card.name = make("span", "quiet", title);
      card.toggle = button("", head, () => act("api/enabled",
        { backend: name, on: card.toggle.getAttribute("aria-checked") !== "true" }), "toggle");
      card.toggle.setAttribute("role", "switch");
      const state = make("p", "state", card.element);
      card.state = make("span", "pill", state);
      card.since = make("span", "quiet", state);
      card.insecure = make("span", "pill bad", state, "no TLS");
      card.problem = make("p", "problem", card.element);
      card.remedy = make("p", "remedy", card.element);
      card.file = make("p", "quiet", card.element);
      card.notes = make("ul", "notes", card.element);
      const facts = make("dl", "facts", card.element);
      for (const [key, text] of [["permissions", "Permissions"], ["owed", "Owed"], ["restarts", "Restarts"]]) {
        const fact = make("div", "", facts);
        make("dt", "", fact, text);
        card[key] = make("dd", "", fact);
      }
      card.results = disclosure(card.element, "Owed results", (body) =>
        fetched(body, "api/owed" + query, renderOwed));
      card.explain = disclosure(card.element, "What it is told, and what it may ask", (body) =>
        fetched(body, "api/explain" + query, renderExplanation));
      card.pairing = disclosure(card.element, "Pairing");
      const form = make("form", "pair", card.pairing.body);
      const label = make("label", "", form, "Code from the cloud");
      const field = make("input", "", label);
      field.autocomplete = "off";
      field.spellcheck = false;
      field.maxLength = 4096;
      const pairs = make("button", "", form, "Pair");
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (field.value.trim() === "") {
          say("Enter the code that the cloud shows.");
          field.focus();
          return;
        }
        if (await act("api/pair", { backend: name, code: field.value.trim() })) field.value = "";
      });
      pairs.type = "submit";
      const away = make("p", "", card.pairing.body);
      button("Forget the pairing…", away, async () => {
        const entry = backends.find((b) => b.name === name);
        const sure = await askUnpair((entry ? called(entry.title) : name) + " (" + name +
          ") is switched off and forgets its pairing. To come back it has to be paired again. " +
          "Remove the printer at the cloud as well.");
        if (sure) act("api/unpair", { backend: name });
      }, "danger");
      card.link = make("a", "", make("p", "page", card.element), "Its own page");
      return card;
    };

    const showBackends = () => {
      keep(cards, backends.map((b) => b.name), $("backends"), makeCard);
      for (const b of backends) {
        const card = cards.get(b.name);
        set(card.title, called(b.title));
        set(card.name, b.name === b.type ? "" : b.name);
        attribute(card.toggle, "aria-checked", String(b.is_enabled));
        attribute(card.toggle, "aria-label", called(b.title) + (b.name === b.type ? "" : " " + b.name));
        set(card.toggle, b.is_enabled ? "On" : "Off");
        attribute(card.element, "data-tone", (states[b.state] || [])[1] || "calm");
        pill(card.state, states[b.state] || [b.state, "calm"]);
        show(card.insecure, b.is_insecure);
        setShown(card.problem, b.problem || "");
        setShown(card.remedy, b.remedy ? "What to do: " + b.remedy : "");
        setShown(card.file, b.is_enabled === b.is_enabled_in_file ? "" :
          "The file says " + (b.is_enabled_in_file ? "on" : "off") + "; a person has switched it " +
          (b.is_enabled ? "on" : "off") + ".");
        const notes = b.notes.filter((note) => !note.startsWith("switched o"));
        show(card.notes, notes.length > 0);
        listed(card.notes, notes);
        set(card.permissions, b.permissions);
        set(card.restarts, String(b.restarts));
        const owed = [b.owed === null ? "–" : b.owed === 0 ? "nothing" :
          b.owed === 1 ? "1 result" : b.owed + " results"];
        if (b.owed_dropped) owed.push(b.owed_dropped + " dropped");
        if (b.owed_problem) owed.push(b.owed_problem);
        set(card.owed, owed.join(", "));
        show(card.results.details, b.owed > 0 || card.results.details.open);
        show(card.pairing.details, b.is_pairable);
        show(card.link.parentElement, b.page !== null);
        if (b.page) attribute(card.link, "href", b.page + "?backend=" + encodeURIComponent(b.name));
        attribute(card.link, "aria-label", "Its own page: " + called(b.title));
      }
      show($("no-backends"), backends.length === 0);
      showAges();
    };
    const showAges = () => {
      for (const b of backends) {
        const card = cards.get(b.name);
        if (!card) continue;
        set(card.since, "for " + time(uptime() - b.since) + (b.retry === null ? "" :
          ", next try in " + time(b.retry - uptime())));
      }
    };

    """#
}
