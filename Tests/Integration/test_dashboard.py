"""The dashboard in a browser: what a person sees, does, and reaches by keyboard; on a phone, in the dark, from elsewhere."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import sample_gcode
from accessibility import violations
from browser import BROWSER, Browser
from harness import PATIENCE, QuietServer, Rig, free_port, wait_until

from commanding import printdock_entry, start_job

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here")
ROWS = 1_200
TOKEN = "0123456789abcdef-for-this-test"


def old_commands(count: int) -> str:
    """The audit of a busy month."""
    lines = []
    for number in range(count):
        refused = number % 7 == 0
        record = {
            "at": f"2026-10-{1 + number // 60 % 28:02}T{number // 3600 % 24:02}:{number % 60:02}:00.000Z",
            "backend": ("scripted", "printdock", "host")[number % 3],
            "id": f"old-{number}",
            "action": ("home", "set_temperature", "bed_cleared")[number % 3],
            "digest": "ab" * 32,
            "status": "refused" if refused else "done",
            "reason": "wrong_state" if refused else "ok",
            "message": "the printer is printing" if refused else "",
            "latency_ms": number % 900,
        }
        lines.append(json.dumps(record, separators=(",", ":")) + "\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def board() -> Iterator[Rig]:
    """A printing printer, a cloud that obeys scripts, one that waits for its pairing, and a month of commands."""
    with Rig() as rig:
        sample_gcode.write(rig.moonraker.gcodes / "long.gcode", minutes=60)
        cloud = rig.add_scripted()[0]
        rig.start_printer(speed=20)
        rig.printdock.start("--heartbeat", "2", "--snapshots", "3", "--token", "PAIR_first")
        waiting = printdock_entry(rig)
        waiting.pop("pairing_token", None)
        token = rig.folder / "control.token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        document = rig.configuration() | {"backends": [cloud.entry(permissions="full"), waiting]}
        document["control"]["token_file"] = str(token)
        rig.daemon.write(document)
        rig.daemon.state.mkdir(mode=0o700, exist_ok=True)
        audit = rig.daemon.state / "audit.jsonl"
        audit.write_text(old_commands(ROWS))
        audit.chmod(0o600)
        rig.daemon.start()
        cloud.wait_for_contact()
        start_job(rig)
        yield rig


@pytest.fixture(scope="module")
def window(board: Rig) -> Iterator[Browser]:
    browser = Browser(board.folder)
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture
def page(board: Rig, window: Browser) -> Browser:
    """The page, freshly opened, live."""
    window.headers()
    window.size(1280)
    window.scheme("light")
    window.asked.clear()
    window.open(address(board))
    until_live(window)
    return window


def address(rig: Rig) -> str:
    return f"http://127.0.0.1:{rig.daemon.port}/"


def until_live(page: Browser, timeout: float = 20) -> None:
    wait_until(
        lambda: page.text("live") == "Live" and page.run("document.querySelectorAll('.card').length") > 0,
        timeout,
        "a live page",
    )


def state(rig: Rig) -> Any:
    return json.loads(rig.daemon.get("/api/status")[1])


def card(name: str) -> str:
    """The element of a cloud, as an expression of the page's."""
    number = {"scripted": 0, "printdock": 1}[name]
    return f"document.querySelectorAll('.card')[{number}]"


def disclose_everything(page: Browser) -> None:
    page.run("for (const d of document.querySelectorAll('details')) if (!d.hidden) d.open = true")
    wait_until(
        lambda: not page.run("document.body.textContent.includes('Asking the daemon')"), 10, "all that was asked for"
    )


def test_the_page_is_live_by_one_stream_and_asks_nobody_else(board: Rig, page: Browser) -> None:
    assert page.text("condition") == "Printing"
    assert page.text("file") == "long.gcode"
    before = page.run("document.getElementById('bar').value")
    wait_until(lambda: page.run("document.getElementById('bar').value") > before, 15, "progress")
    assert "°C" in page.run("document.querySelector('.tile-value').textContent")
    label = wait_until(
        lambda: page.run("(document.querySelector('#plot svg') || {ariaLabel: ''}).ariaLabel"), 10, "a curve"
    )
    assert label.startswith("Temperatures of the last 30 minutes: Extruder between")
    asked = [url.removeprefix(address(board)) for url in page.asked if url.startswith("http")]
    assert sorted(url.partition("?")[0] for url in asked) == sorted(
        ["", "style.css", "app.js", "api/events", "api/temperatures", "api/history"]
    )
    assert {url.split("/")[2] for url in page.asked if url.startswith("http")} == {f"127.0.0.1:{board.daemon.port}"}
    assert page.run("localStorage.length + sessionStorage.length") == 0


def test_a_cloud_is_switched_off_and_on(board: Rig, page: Browser) -> None:
    toggle = card("scripted") + ".querySelector('[role=switch]')"
    assert page.run(f"{toggle}.getAttribute('aria-checked')") == "true"
    page.run(f"{toggle}.focus(), {toggle}.click()")
    wait_until(lambda: page.run(f"{toggle}.getAttribute('aria-checked')") == "false", 10, "off")
    text = page.run(card("scripted") + ".innerText")
    assert "Off" in text and "The file says on; a person has switched it off." in text
    assert page.run(f"document.activeElement === {toggle}"), "the keyboard stays where it was"
    assert state(board)["backends"][0]["state"] == "disabled"
    page.press(" ")
    wait_until(lambda: "Online" in page.run(card("scripted") + ".innerText"), 10, "online again")
    assert "The file says" not in page.run(card("scripted") + ".innerText")


def test_commands_appear_as_they_end(board: Rig, page: Browser) -> None:
    newest = "document.querySelector('.entry') ? document.querySelector('.entry').textContent : ''"
    wait_until(lambda: page.run(newest), 10, "the history")
    page.run("document.getElementById('read-only-switch').click()")
    wait_until(lambda: "read-only switched on" in page.run(newest), 10, "the switch in the history")
    assert "A person here" in page.run(newest)
    assert page.text("read-only") == "Read-only"
    page.run("document.getElementById('read-only-switch').click()")
    wait_until(lambda: "read-only switched off" in page.run(newest), 10, "the switch in the history")
    assert page.text("read-only") == "Commands allowed"


def test_the_bed_is_cleared(board: Rig, page: Browser) -> None:
    board.moonraker.call("printer.print.cancel")
    wait_until(lambda: page.text("condition") == "Cancelled", 10, "the job's end")
    wait_until(lambda: page.text("bed") == "Bed occupied", 5, "an occupied bed")
    page.click("bed-cleared")
    wait_until(lambda: page.text("bed") == "Bed empty", 10, "an empty bed")
    assert state(board)["commands"]["bed"]["is_clear"]
    assert page.run("document.getElementById('bed-cleared').getAttribute('aria-disabled')") == "true"
    start_job(board)
    wait_until(lambda: page.text("condition") == "Printing", 10, "the next job")


def test_a_cloud_is_paired_and_forgotten(board: Rig, page: Browser) -> None:
    here = card("printdock")
    assert "Needs you" in page.run(here + ".innerText")
    pairing = here + ".querySelectorAll('details')[2]"
    page.run(f"{pairing}.open = true, {pairing}.querySelector('input').focus()")
    page.press("Enter")
    wait_until(lambda: page.text("result") == "Enter the code that the cloud shows.", 5, "a hint")
    page.write("PAIR_wrong")
    page.press("Enter")
    wait_until(lambda: "…" != page.text("result") != "Enter the code that the cloud shows.", 30, "the refusal")
    wait_until(lambda: "Needs you" in page.run(here + ".innerText"), 10, "parked again")
    page.run(f"{pairing}.querySelector('input').select()")
    page.write("PAIR_first")
    page.press("Enter")
    wait_until(lambda: "Online" in page.run(here + ".innerText"), 30, "paired")
    wait_until(lambda: "paired and online" in page.text("result"), 25, "the result in words")
    assert page.run(f"{pairing}.querySelector('input').value") == ""

    forget = f"{pairing}.querySelector('button.danger')"
    page.run(f"{forget}.focus(), {forget}.click()")
    assert page.run("document.getElementById('unpair-dialog').open")
    page.press("Escape")
    assert not page.run("document.getElementById('unpair-dialog').open")
    assert page.run(f"document.activeElement === {forget}"), "the keyboard is back"
    assert state(board)["backends"][1]["state"] == "online"
    page.run(f"{forget}.click()")
    page.click("unpair-confirm")
    wait_until(lambda: state(board)["backends"][1]["state"] == "disabled", 15, "forgotten")


def test_from_elsewhere_the_token_is_asked_for(board: Rig, page: Browser) -> None:
    page.headers(X_Forwarded_For="192.0.2.7")
    page.open(address(board))
    until_live(page)
    page.click("read-only-switch")
    wait_until(lambda: page.run("document.getElementById('token-dialog').open"), 10, "the question")
    assert page.run("document.activeElement.id") == "token"
    assert not state(board)["commands"]["read_only"]["is_on"]
    page.write("not-the-token-of-this-host")
    page.press("Enter")
    wait_until(lambda: page.text("result") == "That token is not the right one.", 10, "no")
    wait_until(lambda: page.run("document.getElementById('token-dialog').open"), 10, "the question again")
    page.write(TOKEN)
    page.press("Enter")
    wait_until(lambda: state(board)["commands"]["read_only"]["is_on"], 10, "yes")
    wait_until(lambda: page.text("read-only") == "Read-only", 10, "seen on the page")
    assert page.run("localStorage.length") == 0
    page.click("read-only-switch")
    wait_until(lambda: not state(board)["commands"]["read_only"]["is_on"], 10, "without another question")
    assert TOKEN not in page.run("document.documentElement.outerHTML")
    page.run("sessionStorage.clear()")


class Elsewhere(BaseHTTPRequestHandler):
    """A page of a stranger."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>elsewhere</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def test_a_strangers_page_changes_and_reads_nothing(board: Rig, page: Browser) -> None:
    port = free_port()
    server = QuietServer(("127.0.0.1", port), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page.open(f"http://127.0.0.1:{port}/")
        target = address(board)
        for mode in ("cors", "no-cors"):
            for kind in ("application/json", "text/plain"):
                page.run(
                    f"fetch('{target}api/read-only', {{method: 'POST', mode: '{mode}', "
                    f"headers: {{'Content-Type': '{kind}'}}, body: '{{\"on\": true}}'}}).then(() => 0, () => 0)"
                )
        page.run(
            f"new Promise((done) => {{ const f = document.createElement('form'); f.method = 'POST'; f.target = 'x';"
            f"f.action = '{target}api/bed-cleared'; const i = document.createElement('iframe'); i.name = 'x';"
            "document.body.append(i, f); i.onload = done; f.submit(); setTimeout(done, 1000); })"
        )
        assert not state(board)["commands"]["read_only"]["is_on"]
        read = page.run(f"fetch('{target}api/status').then((a) => a.text()).then(() => 'read', () => 'refused')")
        assert read == "refused"
        told = page.run(
            f"new Promise((done) => {{ const s = new EventSource('{target}api/events');"
            "s.addEventListener('hello', () => done('told')); s.onerror = () => { s.close(); done('refused'); }; })"
        )
        assert told == "refused"
    finally:
        server.shutdown()
        server.server_close()


def test_a_thousand_commands_are_scrolled_without_a_jerk(page: Browser) -> None:
    wait_until(lambda: page.run("document.querySelectorAll('.entry').length") >= 50, 10, "the first of them")
    while page.run("document.querySelectorAll('.entry').length") < 1_000:
        known = page.run("document.querySelectorAll('.entry').length")
        page.click("history-more")
        wait_until(
            lambda known=known: page.run("document.querySelectorAll('.entry').length") > known, 10, "more of them"
        )
    frames = page.run("""new Promise((done) => {
        const box = document.getElementById('history-scroll');
        box.scrollIntoView();
        const long = [];
        new PerformanceObserver((list) => long.push(...list.getEntries().map((e) => e.duration)))
          .observe({ type: 'longtask' });
        const frames = [];
        let last = null;
        const step = (now) => {
          if (last !== null) frames.push(now - last);
          last = now;
          box.scrollTop += 500;
          if (box.scrollTop + box.clientHeight >= box.scrollHeight - 2 || frames.length > 400) {
            return done({ frames, long, rows: document.querySelectorAll('.entry').length });
          }
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    })""")
    ordered = sorted(frames["frames"])
    print(
        f"{frames['rows']} rows: {len(ordered)} frames, median {ordered[len(ordered) // 2]:.1f} ms, "
        f"longest {ordered[-1]:.1f} ms, long tasks {frames['long']}"
    )
    assert len(ordered) > 40
    assert ordered[len(ordered) // 2] < 34 * PATIENCE
    assert ordered[-1] < 250 * PATIENCE, "the page stands still"
    assert sum(frame > 51 for frame in ordered) < 0.25 * len(ordered)


def test_a_filter_shows_what_was_refused(page: Browser) -> None:
    wait_until(lambda: page.run("document.querySelectorAll('.entry').length") >= 50, 10, "the history")
    page.run(
        "const s = document.getElementById('history-status'); s.value = 'refused'; s.dispatchEvent(new Event('change'))"
    )
    only = "[...new Set([...document.querySelectorAll('.entry .pill')].map((p) => p.textContent))].join()"
    wait_until(lambda: page.run(only) == "Refused", 10, "refused ones only")
    assert "the printer is printing" in page.run("document.querySelector('.entry .why').textContent")


def test_it_comes_back_after_a_restart_of_the_daemon(board: Rig, page: Browser) -> None:
    board.daemon.kill()
    wait_until(lambda: page.text("live") == "Reconnecting…", 10, "the loss on the page")
    assert "does not answer" in page.text("alarm")
    assert page.text("file") == "long.gcode", "what was known stays, and is said to be old"
    board.daemon.start()
    until_live(page)
    assert page.run("document.getElementById('alarm').hidden")
    wait_until(lambda: "up " in page.text("program"), 5, "the new daemon's time")
    assert page.run("document.querySelectorAll('.entry').length") >= 50


def test_a_tab_that_nobody_looks_at_holds_no_stream(board: Rig, page: Browser) -> None:
    page.asked.clear()
    hide = "Object.defineProperty(document, 'hidden', {{configurable: true, value: {}}});document.dispatchEvent(new Event('visibilitychange'))"
    page.run(hide.format("true"))
    time.sleep(3)
    page.run("1")
    assert page.asked == [], "it comes again by itself"
    page.run(hide.format("false"))
    wait_until(lambda: page.run("1") and any(url.endswith("/api/events") for url in page.asked), 10, "the stream")
    until_live(page)


WALK = """(() => {
  const a = document.activeElement;
  if (!a || a === document.body) return null;
  if (!a.dataset.walk) a.dataset.walk = String(++window.walked);
  const style = getComputedStyle(a);
  const box = a.getBoundingClientRect();
  return { number: Number(a.dataset.walk), seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    on: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    what: (a.getAttribute('aria-label') || a.id || a.textContent || a.tagName).slice(0, 40) };
})()"""


def test_everything_is_reached_by_the_keyboard_alone(page: Browser) -> None:
    disclose_everything(page)
    page.run("window.walked = 0, scrollTo(0, 0), document.activeElement.blur()")
    found = []
    for _ in range(200):
        page.press("Tab")
        here = page.run(WALK)
        if here is None or (found and here["number"] <= found[-1]["number"]):
            break
        found.append(here)
    assert all(stop["seen"] and stop["on"] for stop in found), [
        stop for stop in found if not (stop["seen"] and stop["on"])
    ]
    missing = page.run("""[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
      .filter((e) => e.checkVisibility() && !e.dataset.walk && !e.closest('dialog:not([open])'))
      .map((e) => e.outerHTML.slice(0, 90))""")
    assert missing == []
    tops = page.run("""[...document.querySelectorAll('[data-walk]')].sort((a, b) => a.dataset.walk - b.dataset.walk)
      .map((e) => e.closest('section') ? [...document.querySelectorAll('section')].indexOf(e.closest('section')) : 99)""")
    assert tops == sorted(tops), "the order is that of the page"


def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Browser) -> None:
    page.size(360, 740)
    disclose_everything(page)
    wide = page.run("""[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() &&
      e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll') && !e.closest('.unseen'))
      .map((e) => e.outerHTML.slice(0, 100))""")
    assert wide == []
    assert page.run("document.documentElement.scrollWidth") <= 360
    small = page.run("""[...document.querySelectorAll('button, select, input')].filter((e) => e.checkVisibility() &&
      e.getBoundingClientRect().height < 32).map((e) => e.outerHTML.slice(0, 100))""")
    assert small == [], "for a thumb"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(page: Browser, scheme: str) -> None:
    page.scheme(scheme)
    page.click("read-only-switch")
    wait_until(lambda: page.text("read-only") == "Read-only", 10, "another state")
    assert violations(page) == []
    page.click("read-only-switch")
    wait_until(lambda: page.text("read-only") == "Commands allowed", 10, "as before")
    page.size(360, 740)
    disclose_everything(page)
    assert violations(page) == []
    for name in ("unpair-dialog", "token-dialog"):
        page.run(f"document.getElementById('{name}').showModal()")
        assert violations(page) == []
        page.run(f"document.getElementById('{name}').close()")


def test_pictures_for_whoever_wants_to_look(page: Browser) -> None:
    folder = os.environ.get("UPLINK_SCREENSHOTS")
    if folder is None:
        pytest.skip("UPLINK_SCREENSHOTS names no folder")
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            page.scheme(scheme)
            page.size(width)
            time.sleep(0.5)
            page.screenshot(Path(folder) / f"dashboard-{scheme}-{width}.png")
