extension StatusPage {
  /// The page's program: asks for the data every two seconds while somebody looks, and sets texts.
  static let code = #"""
    "use strict";
    (() => {
      const $ = (id) => document.getElementById(id);
      const period = 2000;
      const conditions = {
        away: ["Moonraker is away", "bad"], disconnected: ["Klipper is not connected", "bad"],
        startup: ["Klipper is starting", "wait"], error: ["Klipper has an error", "bad"],
        shutdown: ["Klipper is shut down", "bad"], idle: ["Idle", "calm"],
        printing: ["Printing", "good"], paused: ["Paused", "wait"],
        finished: ["Finished", "good"], cancelled: ["Cancelled", "calm"],
        failed: ["Print failed", "bad"], unknown: ["Ready", "calm"],
      };
      const states = {
        online: ["Online", "good"], starting: ["Starting", "wait"],
        degraded: ["Degraded", "wait"], "backing off": ["Trying again", "wait"],
        parked: ["Needs you", "bad"], stopped: ["Stopped", "calm"], disabled: ["Off", "calm"],
      };
      const rows = new Map();
      const tiles = new Map();
      const entries = new Map();
      const outcomes = {
        done: ["Done", "good"], failed: ["Failed", "bad"], refused: ["Refused", "wait"],
        unknown: ["Outcome unknown", "bad"],
      };
      const notices = new Map();
      let readOnly = false;
      let newestNotice = 0;
      let acting = false;
      let lastGood = null;
      let timer = 0;
      let asking = false;

      /* What turns the writing direction or has no glyph must not garble its neighbours. */
      const odd =
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
      const set = (element, raw) => {
        const text = raw.replace(odd, "\ufffd");
        if (element.textContent !== text) element.textContent = text;
      };
      const show = (element, on) => { if (element.hidden === on) element.hidden = !on; };
      const make = (tag, name, parent) => {
        const element = document.createElement(tag);
        if (name) element.className = name;
        return parent ? parent.appendChild(element) : element;
      };
      const pill = (element, [text, tone]) => {
        set(element, text);
        element.className = "pill " + tone;
      };
      const time = (seconds) => {
        const s = Math.max(0, Math.round(seconds));
        const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
        const i = Math.max(0, units.findIndex(([size]) => s >= size));
        if (s === 0) return "0 s";
        const [size, unit] = units[i];
        const rest = i < 2 ? Math.floor((s % size) / units[i + 1][0]) : 0;
        return Math.floor(s / size) + " " + unit + (rest ? " " + rest + " " + units[i + 1][1] : "");
      };
      const ago = (seconds) => seconds < 2 ? "just now" : time(seconds) + " ago";
      const degrees = (value) => value === null ? "–" : value.toFixed(1) + " °C";

      const showPrinter = (printer) => {
        const condition = conditions[printer.condition] || [printer.condition, "calm"];
        set($("name"), printer.name);
        pill($("condition"), condition);
        const job = printer.job;
        show($("job"), job.file !== null);
        show($("no-job"), job.file === null);
        set($("no-job"), printer.updated_at === null ?
          "Nothing is known of the printer yet." : "No job is loaded.");
        set($("file"), job.file || "");
        const known = job.progress !== null;
        show($("bar"), known);
        if (known) $("bar").value = job.progress;
        const parts = [];
        if (known) parts.push(Math.floor(job.progress * 100) + " %");
        if (job.layer !== null && job.layers !== null) {
          parts.push("layer " + job.layer + " of " + job.layers);
        }
        if (job.print_seconds) parts.push(time(job.print_seconds) + " printed");
        if (job.message) parts.push(job.message);
        set($("detail"), parts.join(" · "));

        const ready = printer.klippy.state === "ready" || !printer.moonraker.is_connected;
        show($("klippy"), !ready && printer.klippy.message !== "");
        set($("klippy"), printer.klippy.message);

        const link = printer.moonraker;
        const heard = link.heard_seconds_ago;
        const about = [(link.is_connected ? "Moonraker" : "No Moonraker") +
          (link.condition ? ": " + link.condition : "")];
        if (heard !== null) about.push("heard " + ago(heard));
        if (printer.updated_seconds_ago !== null) {
          about.push((printer.is_current ? "changed " : "these are the last known values, ") +
            ago(printer.updated_seconds_ago));
        }
        set($("link"), about.join(" · "));
        $("temperatures").className = $("job").className = printer.is_current ? "" : "old";
        showTemperatures(printer.temperatures);
        return condition[0];
      };

      const showTemperatures = (temperatures) => {
        keep(tiles, temperatures.map((t) => t.object), $("temperatures"), () => {
          const tile = make("div", "tile");
          return { element: tile, title: make("dt", "", tile), value: make("dd", "", tile),
            target: make("dd", "quiet", tile) };
        });
        for (const t of temperatures) {
          const tile = tiles.get(t.object);
          set(tile.title, t.title);
          set(tile.value, degrees(t.celsius));
          set(tile.target, t.target === null ? "" :
            t.target > 0 ? "target " + t.target.toFixed(0) + " °C" : "off");
        }
      };

      const showBackends = (backends) => {
        keep(rows, backends.map((b) => b.name), $("backends"), () => {
          const row = make("tr");
          const cloud = make("th", "", row);
          cloud.scope = "row";
          /* On a phone the cells are blocks, which would end their being a table. */
          row.role = "row";
          cloud.role = "rowheader";
          const result = { element: row, title: make("span", "title", cloud),
            name: make("span", "quiet", cloud), insecure: make("span", "pill bad", cloud) };
          const state = make("td", "", row);
          result.state = make("span", "pill", state);
          result.since = make("span", "quiet", state);
          result.problem = make("p", "problem", state);
          result.remedy = make("p", "remedy", state);
          result.notes = make("ul", "notes", state);
          for (const [key, label] of [["permissions", "Permissions"], ["restarts", "Restarts"],
            ["owed", "Owed"]]) {
            result[key] = make("td", "", row);
            result[key].dataset.label = label;
          }
          for (const cell of row.querySelectorAll("td")) cell.role = "cell";
          set(result.insecure, "no TLS");
          return result;
        });
        for (const b of backends) {
          const row = rows.get(b.name);
          set(row.title, b.title);
          set(row.name, b.name === b.type ? b.type : b.name + " (" + b.type + ")");
          show(row.insecure, b.is_insecure);
          pill(row.state, states[b.state] || [b.state, "calm"]);
          set(row.since, "for " + time(b.since_seconds) + (b.retry_in_seconds === null ? "" :
            ", next try in " + time(b.retry_in_seconds)));
          set(row.problem, b.problem || "");
          set(row.remedy, b.remedy ? "What to do: " + b.remedy : "");
          if (row.notes.dataset.text !== b.notes.join("\n")) {
            row.notes.dataset.text = b.notes.join("\n");
            row.notes.replaceChildren(...b.notes.map((note) => {
              const item = make("li");
              set(item, note);
              return item;
            }));
          }
          set(row.permissions, b.permissions);
          set(row.restarts, String(b.restarts));
          set(row.owed, b.owed === null ? "–" : [String(b.owed),
            b.owed_dropped ? b.owed_dropped + " dropped" : "", b.owed_problem || ""]
            .filter((part) => part !== "").join(", "));
        }
        show($("no-backends"), backends.length === 0);
        show(document.querySelector("table"), backends.length > 0);
      };

      const moment = (text) => text === null ? "" :
        new Date(text).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
      const origin = (entry) => [entry.by || "", moment(entry.since)]
        .filter((part) => part !== "").join(", ");

      const showCommands = (commands) => {
        show($("safety"), commands !== null);
        show($("commands-section"), commands !== null);
        if (commands === null) return;
        readOnly = commands.read_only.is_on;
        pill($("bed"), commands.bed.is_clear ? ["Bed empty", "good"] : ["Bed occupied", "wait"]);
        set($("bed-detail"), origin(commands.bed));
        $("bed-cleared").disabled = acting || commands.bed.is_clear;
        pill($("read-only"), readOnly ? ["Read-only", "bad"] : ["Commands allowed", "calm"]);
        set($("read-only-detail"), readOnly ? "the clouds may look and stop in an emergency; " +
          origin(commands.read_only) : origin(commands.read_only));
        set($("read-only-switch"), readOnly ? "Allow commands again" : "Make all clouds read-only");
        $("read-only-switch").disabled = acting;
        set($("busy"), commands.busy === null ? "" :
          commands.busy.backend + " holds the printer: " + commands.busy.action);
        set($("safety-problem"), [commands.journal_problem, commands.audit_problem]
          .filter((problem) => problem !== null).join(" "));

        const seen = new Map();
        const keys = commands.last.map((c) => {
          const key = c.at + " " + c.backend + " " + c.id + " " + c.action + " " + c.status;
          seen.set(key, (seen.get(key) || 0) + 1);
          return key + " " + seen.get(key);
        });
        keep(entries, keys, $("commands"), () => {
          const row = make("tr");
          row.role = "row";
          const what = make("th", "", row);
          what.scope = "row";
          what.role = "rowheader";
          const entry = { element: row, action: make("span", "title", what),
            who: make("span", "quiet", what) };
          const outcome = make("td", "", row);
          outcome.role = "cell";
          entry.status = make("span", "pill", outcome);
          entry.why = make("span", "", outcome);
          return entry;
        });
        commands.last.forEach((c, index) => {
          const entry = entries.get(keys[index]);
          set(entry.action, c.action);
          set(entry.who, (c.title || c.backend) + ", " + moment(c.at));
          pill(entry.status, outcomes[c.status] || [c.status, "calm"]);
          set(entry.why, c.explanation + (c.is_repeat ? " (came again)" : ""));
        });
        show($("no-commands"), commands.last.length === 0);
      };

      const showWidened = (widened) => {
        show($("widened"), widened.length > 0);
        newestNotice = widened.reduce((newest, w) => Math.max(newest, w.number), 0);
        keep(notices, widened.map((w) => String(w.number)), $("widenings"), () => (
          { element: make("li") }));
        for (const w of widened) {
          set(notices.get(String(w.number)).element, moment(w.at) + ": " + w.text);
        }
        $("widenings-seen").disabled = acting;
      };

      /* Only this page can ask for it: JSON from elsewhere is refused by the browser and by the daemon. */
      const act = async (path, body) => {
        if (acting) return;
        acting = true;
        $("bed-cleared").disabled = $("read-only-switch").disabled = true;
        $("widenings-seen").disabled = true;
        set($("result"), "…");
        const headers = { "Content-Type": "application/json" };
        if ($("token").value !== "") headers.Authorization = "Bearer " + $("token").value;
        try {
          const answer = await fetch(path,
            { method: "POST", cache: "no-store", headers, body: JSON.stringify(body) });
          if (answer.status === 401) show($("token-row"), true);
          set($("result"), (await answer.json()).message);
        } catch {
          set($("result"), "The daemon does not answer.");
        } finally {
          acting = false;
          ask();
        }
      };
      $("bed-cleared").addEventListener("click", () => act("api/bed-cleared", {}));
      $("read-only-switch").addEventListener("click", () =>
        act("api/read-only", { on: !readOnly }));

      $("widenings-seen").addEventListener("click", () =>
        act("api/widenings-seen", { through: newestNotice }));

      /* One element for each key, in the order of the keys; made and removed where that changes. */
      const keep = (map, keys, parent, create) => {
        if ([...map.keys()].join("\n") === keys.join("\n")) return;
        const former = new Map(map);
        map.clear();
        for (const key of keys) map.set(key, former.get(key) || create());
        parent.replaceChildren(...[...map.values()].map((entry) => entry.element));
      };

      const render = (data) => {
        const condition = showPrinter(data.printer);
        showBackends(data.backends);
        showCommands(data.commands);
        showWidened(data.widened);
        const program = data.program;
        set($("program"), program.name + " " + program.version + " · up " +
          time(program.uptime_seconds) + " · " + program.configuration);
        document.title = condition + " – " + data.printer.name;
        const troubled = data.backends.filter((b) =>
          ["degraded", "backing off", "parked"].includes(b.state));
        set($("said"), data.printer.name + ": " + condition + ". " + (troubled.length ?
          troubled.map((b) => b.title + ": " + (states[b.state] || [b.state])[0]).join(", ") :
          "No cloud has a problem") + ".");
        alarm(program.reload_problem ?
          "The configuration file was not taken over: " + program.reload_problem : "");
      };
      const alarm = (text) => {
        show($("alarm"), text !== "");
        set($("alarm"), text);
      };

      const ask = async () => {
        clearTimeout(timer);
        if (asking || document.hidden) return;
        asking = true;
        const limit = new AbortController();
        const clock = setTimeout(() => limit.abort(), 5000);
        try {
          const answer = await fetch("api/status", { cache: "no-store", signal: limit.signal });
          if (!answer.ok) throw new Error("status " + answer.status);
          render(await answer.json());
          lastGood = Date.now();
          $("main").classList.remove("old");
        } catch {
          $("main").classList.add("old");
          alarm("The daemon does not answer" + (lastGood === null ? "" :
            "; this is how things stood " + ago((Date.now() - lastGood) / 1000)) + ".");
        } finally {
          clearTimeout(clock);
          asking = false;
          timer = setTimeout(ask, period);
        }
      };
      document.addEventListener("visibilitychange", ask);
      ask();
    })();

    """#
}
