extension PageFiles {
  static let code = #"""
    "use strict";
    (() => {
      const at = (id) => document.getElementById(id);
      const base = "../printer/polar_cloud/";
      const backend = new URLSearchParams(location.search).get("backend");
      const suffix = backend ? "?backend=" + encodeURIComponent(backend) : "";
      const fields = ["username", "pin", "manufacturer", "machine_type", "printer_type", "webcam_enabled"];
      let shown = false, last = null, makesFor = "";

      const say = (text, kind) => {
        const line = at("result");
        line.textContent = text;
        line.className = kind || "";
      };
      const value = (id) => id === "webcam_enabled" ? String(at(id).checked) : at(id).value;
      const headers = () => {
        const token = at("token").value.trim();
        return token ? { "Authorization": "Bearer " + token } : {};
      };

      const state = (s) => {
        if (s.authenticated) return ["Connected", "good"];
        if (s.last_error && !s.connected) return ["Not connected", "bad"];
        if (s.connected) return ["Connecting…", "wait"];
        return [s.registered ? "Offline" : "Not registered", "wait"];
      };

      const show = (s) => {
        last = s;
        const [text, kind] = state(s);
        if (at("state").textContent !== text) at("state").textContent = text;
        at("state").className = "pill " + kind;
        at("serial").textContent = s.serial_number || "none: not registered yet";
        at("account").textContent = s.username || "–";
        at("job").textContent = s.job || "none";
        at("since").textContent = s.last_update ? new Date(s.last_update).toLocaleString() : "–";
        at("program").textContent = "printer-uplink " + s.version_info.running_version + " · " + s.name;
        const problem = s.last_error ? s.last_error + (s.remedy ? ": " + s.remedy : "") : "";
        if (at("problem").textContent !== problem) at("problem").textContent = problem;
        at("problem").hidden = !problem;
        at("locked").hidden = s.may_change && !at("token").value;
        const fixed = Object.keys(s.fixed);
        at("fixed").hidden = !fixed.length;
        at("fixed").textContent = fixed.length
          ? "From the configuration file, and changed there only: "
            + fixed.map((k) => k + " (" + s.fixed[k] + ")").join(", ") : "";
        for (const id of fields) at(id).disabled = id in s.fixed;
        at("register").hidden = s.registered;
        at("unregister").hidden = !s.registered;
        at("username").disabled = at("username").disabled || s.registered;
        at("pin").disabled = at("pin").disabled || s.registered;
        at("pin").placeholder = "pin" in s.fixed || s.has_pin ? "••••" : "";
        if (!shown) {
          shown = true;
          if (s.may_change) at("username").value = s.username;
          at("manufacturer").value = s.manufacturer;
          at("machine_type").value = s.machine_type;
          at("printer_type").value = s.printer_type;
          at("webcam_enabled").checked = s.webcam_enabled;
          makes();
        }
      };

      const refresh = async () => {
        try {
          const answer = await fetch(base + "status" + suffix, { headers: headers(), cache: "no-store" });
          if (!answer.ok) throw new Error(answer.status);
          show(await answer.json());
        } catch {
          at("state").textContent = "printer-uplink does not answer";
          at("state").className = "pill bad";
        }
      };

      const makes = async () => {
        const query = "machine_type=" + encodeURIComponent(at("machine_type").value)
          + "&manufacturer=" + encodeURIComponent(at("manufacturer").value);
        if (query === makesFor) return;
        makesFor = query;
        try {
          const answer = await fetch("makes?" + query + (backend ? "&" + suffix.slice(1) : ""));
          const names = (await answer.json()).printerMakes;
          at("makes").replaceChildren(...(names.length ? names : [at("machine_type").value]).map((name) => {
            const option = document.createElement("option");
            option.value = name;
            return option;
          }));
        } catch { makesFor = ""; }
      };

      const send = async (path, body) => {
        say("…");
        for (const button of document.querySelectorAll("button")) button.disabled = true;
        try {
          const answer = await fetch(base + path + suffix, {
            method: "POST", body: JSON.stringify(body),
            headers: { ...headers(), "Content-Type": "application/json" } });
          const said = await answer.json().catch(() => ({}));
          say(said.message || ("Refused with status " + answer.status), answer.ok ? "good" : "bad");
          if (answer.status === 401 || answer.status === 403) {
            at("locked").hidden = false;
            at("token").focus();
          }
          if (answer.ok) at("pin").value = "";
        } catch {
          say("printer-uplink does not answer; nothing was changed as far as this page knows", "bad");
        }
        for (const button of document.querySelectorAll("button")) button.disabled = false;
        setTimeout(refresh, 500);
      };

      const entered = (ids) => {
        const body = {};
        for (const id of ids) {
          if (last && id in last.fixed) continue;
          if (id === "pin" && !value(id)) continue;
          body[id] = value(id);
        }
        return body;
      };

      at("form").addEventListener("submit", (event) => {
        event.preventDefault();
        if (at("register").hidden) return;
        for (const [id, text] of [["username", "Enter the e-mail of your account."], ["pin", "Enter the PIN."]]) {
          if (!at(id).disabled && !at(id).value && !(id === "pin" && last && last.has_pin)) {
            say(text, "bad");
            at(id).focus();
            return;
          }
        }
        send("register", entered(fields));
      });
      at("save").addEventListener("click", () => send(
        "config", entered(["manufacturer", "machine_type", "printer_type", "webcam_enabled"])));
      at("unregister").addEventListener("click", () => {
        if (confirm("Unregister this printer? The Polar Cloud forgets it.")) send("unregister", {});
      });
      at("machine_type").addEventListener("change", makes);
      at("manufacturer").addEventListener("change", makes);
      at("token").addEventListener("change", refresh);
      refresh();
      setInterval(() => { if (!document.hidden) refresh(); }, 3000);
    })();

    """#
}
