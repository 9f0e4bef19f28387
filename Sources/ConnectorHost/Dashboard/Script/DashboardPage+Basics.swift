extension DashboardPage {
  /// Elements, texts, words and times.
  static let scriptBasics = #"""
    const $ = (id) => document.getElementById(id);
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
    const outcomes = {
      done: ["Done", "good"], failed: ["Failed", "bad"], refused: ["Refused", "wait"],
      unknown: ["Outcome unknown", "bad"],
    };

    const deeds = {
      bed_cleared: "bed cleared", read_only_on: "read-only switched on",
      read_only_off: "read-only switched off", enable: "cloud switched on",
      disable: "cloud switched off", reload: "configuration read", pair: "pairing",
      unpair: "pairing forgotten", widened: "configuration allows more",
      widenings_seen: "notice seen",
    };
    /* Services call themselves as in a sentence. */
    const called = (title) => {
      const name = title.replace(/^(the|an?) /, "");
      return name.charAt(0).toUpperCase() + name.slice(1);
    };

    /* What turns the writing direction or has no glyph must not garble its neighbours. */
    const odd =
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
    const set = (element, raw) => {
      const text = raw.replace(odd, "\ufffd");
      if (element.textContent !== text) element.textContent = text;
    };
    const attribute = (element, name, value) => {
      if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    };
    /* The keyboard must not fall off the page with what goes: it moves to the title of its section. */
    const show = (element, on) => {
      if (element.hidden !== on) return;
      if (!on && element.contains(document.activeElement)) {
        const section = (element.parentElement || document.body).closest("section");
        const title = section ? section.querySelector("h2[tabindex]") : null;
        (title && !element.contains(title) ? title : $("main")).focus();
      }
      element.hidden = !on;
    };
    const setShown = (element, text) => {
      show(element, text !== "");
      set(element, text);
    };
    const make = (tag, name, parent, text) => {
      const element = document.createElement(tag);
      if (name) element.className = name;
      if (text !== undefined) set(element, text);
      return parent ? parent.appendChild(element) : element;
    };
    const button = (text, parent, action, name) => {
      const element = make("button", name || "", parent, text);
      element.type = "button";
      element.addEventListener("click", action);
      return element;
    };
    const pill = (element, [text, tone]) => {
      set(element, text);
      if (element.className !== "pill " + tone) element.className = "pill " + tone;
    };
    /* One element for each key, in the order of the keys; made, moved and removed only where that changes. */
    const keep = (map, keys, parent, create) => {
      for (const [key, entry] of map) {
        if (keys.includes(key)) continue;
        show(entry.element, false);
        entry.element.remove();
        map.delete(key);
      }
      keys.forEach((key, index) => {
        if (!map.has(key)) map.set(key, create(key));
        const element = map.get(key).element;
        if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] || null);
      });
    };

    /* Moments are seconds since the daemon's start; a clock that is set changes none of them. */
    let origin = null;
    const uptime = () => origin === null ? 0 : (performance.now() - origin) / 1000;
    const startAt = (seconds) => { origin = performance.now() - seconds * 1000; };
    const time = (seconds) => {
      const s = Math.max(0, Math.round(seconds));
      const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
      const i = units.findIndex(([size]) => s >= size);
      if (i < 0) return "0 s";
      const [size, unit] = units[i];
      const rest = i < 2 ? Math.floor((s % size) / units[i + 1][0]) : 0;
      return Math.floor(s / size) + " " + unit + (rest ? " " + rest + " " + units[i + 1][1] : "");
    };
    const ago = (seconds) => seconds < 2 ? "just now" : time(seconds) + " ago";
    const clock = new Intl.DateTimeFormat([], { timeStyle: "medium" });
    const calendar = new Intl.DateTimeFormat([], { dateStyle: "short", timeStyle: "medium" });
    const moment = (text) => {
      const date = new Date(text);
      if (text === null || Number.isNaN(date.getTime())) return "";
      const isToday = date.toDateString() === new Date().toDateString();
      return (isToday ? clock : calendar).format(date);
    };
    const degrees = (value) => value === null ? "–" : value.toFixed(1) + " °C";
    const by = (entry) => [entry.by || "", moment(entry.since)]
      .filter((part) => part !== "").join(", ");
    const listed = (list, texts) => {
      const key = texts.join("\n");
      if (list.dataset.texts === key) return;
      list.dataset.texts = key;
      list.replaceChildren(...texts.map((text) => make("li", "", null, text)));
    };

    """#
}
