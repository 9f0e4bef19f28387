extension DashboardPage {
  /// The printer and its job.
  static let scriptPrinter = #"""
    let printer = null;
    const tiles = new Map();

    const showPrinter = () => {
      const condition = conditions[printer.condition] || [printer.condition, "calm"];
      set($("name"), printer.name);
      pill($("condition"), condition);
      const job = printer.job;
      show($("job"), job.file !== null);
      show($("no-job"), job.file === null);
      set($("no-job"), printer.is_known ? "No job is loaded." : "Nothing is known of the printer yet.");
      set($("file"), job.file || "");
      const known = job.progress !== null;
      show($("bar"), known);
      if (known && $("bar").value !== job.progress) $("bar").value = job.progress;
      const parts = [];
      if (known) parts.push(Math.floor(job.progress * 100) + " %");
      if (job.layer !== null && job.layers !== null) {
        parts.push("layer " + job.layer + " of " + job.layers);
      }
      if (job.print_seconds) parts.push(time(job.print_seconds) + " printed");
      if (job.message) parts.push(job.message);
      set($("detail"), parts.join(" · "));
      const ready = printer.klippy.state === "ready" || !printer.moonraker.is_connected;
      setShown($("klippy"), ready ? "" : printer.klippy.message);
      const muted = printer.is_current ? "" : "old";
      if ($("job").className !== muted) $("job").className = muted;
      attribute($("temperatures"), "class", ("tiles " + muted).trim());
      showTemperatures(printer.temperatures);
      showLink();
      document.title = (known && printer.condition === "printing" ?
        Math.floor(job.progress * 100) + " % " : "") + condition[0] + " – " + printer.name;
    };
    const showLink = () => {
      const link = printer.moonraker;
      const parts = [link.condition || (link.is_connected ? "Moonraker is connected" : "No Moonraker")];
      if (!printer.is_current && printer.updated !== null) {
        parts.push("these are the last known values, from " + ago(uptime() - printer.updated));
      }
      set($("link"), parts.join(" · "));
    };
    const showTemperatures = (temperatures) => {
      keep(tiles, temperatures.map((t) => t.object), $("temperatures"), (object) => {
        const tile = make("li", "tile");
        const head = make("span", "tile-title", tile);
        return { element: tile, line: head.appendChild(swatch(object)), title: make("span", "", head),
          value: make("span", "tile-value", tile), target: make("span", "quiet", tile) };
      });
      for (const t of temperatures) {
        const tile = tiles.get(t.object);
        set(tile.title, t.title);
        set(tile.value, degrees(t.celsius));
        set(tile.target, t.target === null ? "measured" :
          t.target > 0 ? "target " + t.target.toFixed(0) + " °C" : "off");
      }
    };

    """#
}
