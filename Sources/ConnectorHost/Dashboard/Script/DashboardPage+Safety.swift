extension DashboardPage {
  /// The bed, the switch for all clouds, and changes of the configuration that a person should know of.
  static let scriptSafety = #"""
    let commands = null;
    let program = null;
    let widened = [];

    const showCommands = () => {
      show($("safety"), commands !== null);
      show($("history"), commands !== null);
      if (commands === null) return;
      const on = commands.read_only.is_on;
      pill($("bed"), commands.bed.is_clear ? ["Bed empty", "good"] : ["Bed occupied", "wait"]);
      set($("bed-detail"), by(commands.bed));
      attribute($("bed-cleared"), "aria-disabled", String(commands.bed.is_clear));
      pill($("read-only"), on ? ["Read-only", "bad"] : ["Commands allowed", "calm"]);
      set($("read-only-detail"), on ? "the clouds may look and stop in an emergency; " +
        by(commands.read_only) : by(commands.read_only));
      set($("read-only-switch"), on ? "Allow commands again" : "Make all clouds read-only");
      setShown($("busy"), commands.busy === null ? "" :
        commands.busy.backend + " holds the printer: " + commands.busy.action);
      setShown($("safety-problem"), [commands.journal_problem, commands.audit_problem]
        .filter((problem) => problem !== null).join(" "));
    };
    $("bed-cleared").addEventListener("click", () => {
      if (commands && !commands.bed.is_clear) act("api/bed-cleared", {});
    });
    $("read-only-switch").addEventListener("click", () => {
      if (commands) act("api/read-only", { on: !commands.read_only.is_on });
    });

    const showWidened = () => {
      show($("widened"), widened.length > 0);
      listed($("widenings"), widened.map((w) => moment(w.at) + ": " + w.text));
    };
    $("widenings-seen").addEventListener("click", () => act("api/widenings-seen",
      { through: widened.reduce((newest, w) => Math.max(newest, w.number), 0) }));

    const showProgram = () => {
      const waiting = program.waiting;
      show($("waiting"), waiting !== null);
      if (waiting !== null) listed($("waiting-changes"), waiting.changes);
      showFooter();
      showAlarm();
    };
    const showFooter = () => set($("program"), program.name + " " + program.version + " · up " +
      time(uptime()) + " · " + program.configuration);
    $("waiting-accept").addEventListener("click", () => {
      if (program && program.waiting) act("api/reload", { only: program.waiting.file });
    });

    let silent = "";
    const showAlarm = () => setShown($("alarm"), silent !== "" ? silent :
      program && program.reload_problem && !program.waiting ?
        "The configuration file was not taken over: " + program.reload_problem : "");

    /* For who listens instead of looking: only what changes the picture. */
    const announce = () => {
      if (printer === null) return;
      const troubled = backends.filter((b) => ["degraded", "backing off", "parked"].includes(b.state));
      set($("said"), printer.name + ": " + (conditions[printer.condition] || [printer.condition])[0] +
        ". " + (troubled.length ? troubled.map((b) =>
          called(b.title) + ": " + (states[b.state] || [b.state])[0]).join(", ") : "No cloud has a problem") + ".");
    };

    """#
}
