extension DashboardPage {
  /// What a person changes, and the token that it may take.
  static let scriptActions = #"""
    /* An origin may have the pages of several printers. */
    const kept = "printer-uplink-token " + location.pathname;
    const acting = new Set();
    let quieten = 0;
    const say = (text) => {
      clearTimeout(quieten);
      set($("result"), text);
      if (text !== "…") quieten = setTimeout(() => set($("result"), ""), 15000);
    };

    /* A question in a dialog: what was answered, or null. The keyboard goes back to where it was. */
    const ask = (dialog, prepare) => new Promise((resolve) => {
      const back = document.activeElement;
      let answer = null;
      const done = () => {
        /* The end of the question before, asked again meanwhile. */
        if (dialog.open) return;
        dialog.removeEventListener("close", done);
        if (back && back.isConnected) back.focus();
        resolve(answer);
      };
      dialog.addEventListener("close", done);
      prepare((value) => {
        answer = value;
        dialog.close();
      });
      dialog.showModal();
    });
    const askToken = () => ask($("token-dialog"), (answer) => {
      $("token").value = "";
      $("token-cancel").onclick = () => answer(null);
      $("token-form").onsubmit = (event) => {
        event.preventDefault();
        answer($("token").value.trim() || null);
      };
    });
    const askUnpair = (text) => ask($("unpair-dialog"), (answer) => {
      set($("unpair-text"), text);
      $("unpair-cancel").onclick = () => answer(null);
      $("unpair-confirm").onclick = () => answer(true);
    });

    /* Only this page can ask for it: JSON from elsewhere is refused by the browser and by the daemon. */
    const post = (path, body) => {
      const headers = { "Content-Type": "application/json" };
      const token = sessionStorage.getItem(kept);
      if (token) headers.Authorization = "Bearer " + token;
      return fetch(path, { method: "POST", cache: "no-store", headers, body: JSON.stringify(body) });
    };
    const act = async (path, body) => {
      const order = path + JSON.stringify(body);
      if (acting.has(order)) return false;
      acting.add(order);
      document.body.setAttribute("aria-busy", "true");
      say("…");
      try {
        let answer = await post(path, body);
        while (answer.status === 401) {
          if (sessionStorage.getItem(kept)) {
            sessionStorage.removeItem(kept);
            say("That token is not the right one.");
          } else {
            say("");
          }
          const token = await askToken();
          if (token === null) {
            say("Nothing was changed.");
            return false;
          }
          sessionStorage.setItem(kept, token);
          say("…");
          answer = await post(path, body);
        }
        const text = await answer.text();
        let said = "";
        try { said = JSON.parse(text).message; } catch { /* a proxy's answer, or a refusal in plain words */ }
        say(said || "Not done (" + answer.status + "): " + text.replace(/<[^>]*>/g, " ").trim().slice(0, 200));
        return answer.ok;
      } catch {
        say("The daemon does not answer; nothing was changed as far as this page knows.");
        return false;
      } finally {
        acting.delete(order);
        if (!acting.size) document.body.removeAttribute("aria-busy");
      }
    };

    """#
}
