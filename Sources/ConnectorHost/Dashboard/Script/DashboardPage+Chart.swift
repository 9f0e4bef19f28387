extension DashboardPage {
  /// The temperatures as curves, and as a table.
  static let scriptChart = #"""
    const span = 1800;
    /* By object: its title and its points [moment, °C, target]; null for °C ends a curve. */
    const curves = new Map();
    const looks = 8;
    const look = (object) => {
      const index = [...curves.keys()].indexOf(object);
      return "curve c" + (Math.max(0, index) % looks);
    };
    const svg = (tag, attributes, parent) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      return parent ? parent.appendChild(element) : element;
    };
    const curve = (object, title) => {
      if (!curves.has(object)) curves.set(object, { title, points: [] });
      return curves.get(object);
    };
    const swatch = (object) => {
      curve(object, object);
      const box = svg("svg", { width: 22, height: 8, "aria-hidden": "true", class: "swatch" });
      svg("path", { d: "M1 4H21", class: look(object) }, box);
      return box;
    };

    const loadCurves = async () => {
      try {
        const answer = await fetch("api/temperatures", { cache: "no-store" });
        if (!answer.ok) return;
        const data = await answer.json();
        for (const known of curves.values()) known.points = [];
        for (const s of data.series) {
          const c = curve(s.object, s.title);
          c.title = s.title;
          c.points = data.at.map((at, i) => [at, s.celsius[i], s.target[i]]);
        }
        drawChart();
      } catch { /* the curve begins with what comes */ }
    };
    const extendCurves = () => {
      const now = uptime();
      for (const t of printer.temperatures) {
        const c = curve(t.object, t.title);
        c.title = t.title;
        const last = c.points[c.points.length - 1];
        if (!printer.is_current) {
          if (last && last[1] !== null) c.points.push([now, null, null]);
          continue;
        }
        /* Two points a second apart draw nothing that one would not. */
        if (last && last[1] !== null && now - last[0] < 4 && c.points.length > 1 &&
            last[0] - c.points[c.points.length - 2][0] < 4) c.points.pop();
        c.points.push([now, t.celsius, t.target]);
        while (c.points.length && c.points[0][0] < now - span) c.points.shift();
      }
      drawChart();
    };

    const pathOf = (points, value, x, y) => {
      let path = "";
      let pen = "M";
      for (const p of points) {
        const v = value(p);
        if (v === null || v === undefined) { pen = "M"; continue; }
        path += pen + x(p[0]).toFixed(1) + " " + y(v).toFixed(1);
        pen = "L";
      }
      return path;
    };
    let drawn = 0;
    const drawChart = () => {
      cancelAnimationFrame(drawn);
      drawn = requestAnimationFrame(draw);
    };
    const draw = () => {
      const shown = [...curves.entries()].filter(([, c]) => c.points.some((p) => p[1] !== null));
      show($("chart"), shown.length > 0);
      const width = $("plot").clientWidth;
      if (shown.length === 0 || width === 0) return;
      const height = 200, left = 34, right = 6, top = 8, bottom = 20;
      const now = uptime();
      /* A young daemon's few minutes fill the width too. */
      const oldest = Math.min(...shown.map(([, c]) => c.points[0][0]));
      const reach = Math.min(span, Math.max(300, Math.ceil((now - oldest) / 300) * 300));
      let most = 50;
      for (const [, c] of shown) for (const p of c.points) most = Math.max(most, p[1] || 0, p[2] || 0);
      const step = most > 150 ? 100 : most > 75 ? 50 : 25;
      const ceiling = Math.ceil((most + 5) / step) * step;
      const x = (at) => left + Math.max(0, 1 - (now - at) / reach) * (width - left - right);
      const y = (v) => top + (1 - Math.min(Math.max(v, 0), ceiling) / ceiling) * (height - top - bottom);
      const picture = svg("svg", { width, height, viewBox: "0 0 " + width + " " + height, role: "img" });
      attribute(picture, "aria-label", "Temperatures of the last 30 minutes: " + shown.map(([, c]) => {
        const values = c.points.map((p) => p[1]).filter((v) => v !== null);
        return c.title + " between " + Math.min(...values).toFixed(0) + " and " +
          Math.max(...values).toFixed(0) + " °C";
      }).join(", "));
      for (let v = 0; v <= ceiling; v += step) {
        svg("path", { d: "M" + left + " " + y(v) + "H" + (width - right), class: "grid" }, picture);
        svg("text", { x: left - 6, y: y(v) + 4, class: "axis", "text-anchor": "end" }, picture)
          .textContent = String(v);
      }
      for (let minutes = reach / 60; minutes >= 0; minutes -= reach / 60 > 10 && width > 420 ? 5 : reach / 60) {
        svg("text", { x: x(now - minutes * 60), y: height - 4, class: "axis",
          "text-anchor": minutes * 60 === reach ? "start" : minutes === 0 ? "end" : "middle" }, picture)
          .textContent = minutes === 0 ? "now" : "−" + minutes + " min";
      }
      for (const [object, c] of shown) {
        const points = c.points.filter((p) => p[0] >= now - reach);
        svg("path", { d: pathOf(points, (p) => p[2] > 0 ? p[2] : null, x, y),
          class: look(object) + " target" }, picture);
        svg("path", { d: pathOf(points, (p) => p[1], x, y), class: look(object) }, picture);
      }
      $("plot").replaceChildren(picture);
      if ($("chart-table").open) fillTable(shown, now);
    };
    /* Every five minutes: what a reader of tables wants of a curve. */
    let tableKey = "";
    const fillTable = (shown, now) => {
      const key = Math.floor(now / 60) + shown.map(([, c]) => c.title).join();
      if (key === tableKey && $("chart-rows").rows.length) return;
      tableKey = key;
      const head = make("thead");
      const titles = make("tr", "", head);
      for (const text of ["Before", ...shown.map(([, c]) => c.title + ", °C")]) {
        make("th", "", titles, text).scope = "col";
      }
      const body = make("tbody");
      for (let minutes = 0; minutes <= 30; minutes += 5) {
        const row = make("tr", "", body);
        make("th", "", row, minutes === 0 ? "now" : minutes + " min").scope = "row";
        for (const [, c] of shown) {
          const at = now - minutes * 60;
          const near = c.points.filter((p) => p[1] !== null && Math.abs(p[0] - at) < 60)
            .sort((a, b) => Math.abs(a[0] - at) - Math.abs(b[0] - at))[0];
          make("td", "", row, near ? near[1].toFixed(1) : "–");
        }
      }
      $("chart-rows").replaceChildren(head, body);
    };
    $("chart-table").addEventListener("toggle", () => {
      tableKey = "";
      drawChart();
    });
    new ResizeObserver(drawChart).observe($("plot"));

    """#
}
