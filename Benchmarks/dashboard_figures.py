"""The dashboard: how soon it is seen, what an open page costs the daemon, how soon a change is told."""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

from browser import BROWSER, Browser
from event_stream import EventStream
from harness import Rig
from sample_gcode import gcode

from measuring import Figure, cpu_seconds, percentile

PAINT = "performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)[0] || 0"


def printing(rig: Rig) -> None:
    """Both clouds at their own intervals, the printer printing at real speed."""
    (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(minutes=60))
    rig.start_printer(speed=1)
    rig.start_clouds(heartbeat=10, snapshots=30, commands=3, next_check_in=30, telemetry=10, telemetry_idle=30)
    document = rig.configuration()
    document["log"] = {"level": "info"}
    rig.daemon.write(document)
    rig.start_daemon()
    rig.moonraker.call("printer.print.start", filename="bench.gcode")
    rig.printer.wait_for_print_state("printing")


def share(pid: int, seconds: float) -> float:
    """The processor's share over that time, percent of a core."""
    before, begin = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - begin) * 100


def open_page(binary: Path, seconds: float, rounds: int) -> list[float]:
    """What an open page adds to the processor's share while printing: pairs of without and with, percent of a core."""
    with Rig(binary=binary) as rig:
        printing(rig)
        time.sleep(15)
        pid = rig.daemon.process.pid
        added = []
        for _ in range(rounds):
            without = share(pid, seconds)
            page = EventStream(rig.daemon.port)
            page.wait_for("widened")
            time.sleep(1)
            known = len(page.of("printer"))
            added.append(share(pid, seconds) - without)
            assert len(page.of("printer")) - known >= seconds / 2 - 2, "the page is not told"
            page.close()
            time.sleep(4)
        return added


def changes(binary: Path, count: int) -> list[float]:
    """Milliseconds from a person's switch to its event on another page."""
    with Rig(binary=binary) as rig:
        rig.start_printer()
        rig.start_clouds()
        rig.start_daemon()
        page = EventStream(rig.daemon.port)
        page.wait_for("widened")
        connection = http.client.HTTPConnection("127.0.0.1", rig.daemon.port, timeout=5)
        times = []
        for number in range(count):
            time.sleep(0.6)
            on = number % 2 == 0
            known = len(page.events)
            begin = time.monotonic()
            body = json.dumps({"on": on})
            connection.request("POST", "/api/read-only", body, {"Content-Type": "application/json"})
            assert connection.getresponse().read()
            page.wait_for("commands", lambda body, on=on: body["read_only"]["is_on"] == on, after=known)
            times.append((time.monotonic() - begin) * 1000)
        page.close()
        return times


def paints(binary: Path, count: int) -> tuple[list[float], float]:
    """Milliseconds to the first content in Chromium, each time with an empty cache, and the page's weight in kB."""
    with Rig(binary=binary) as rig:
        rig.start_printer()
        rig.start_clouds()
        rig.start_daemon()
        weight = sum(len(rig.daemon.get(path)[1].encode()) for path in ("/", "/app.js", "/style.css")) / 1000
        if BROWSER is None:
            return [], weight
        browser = Browser(rig.folder)
        try:
            browser.call("Network.setCacheDisabled", cacheDisabled=True)
            times = []
            for _ in range(count + 1):
                browser.open("about:blank")
                browser.open(f"http://127.0.0.1:{rig.daemon.port}/")
                deadline = time.monotonic() + 10
                while not (paint := browser.run(PAINT)):
                    assert time.monotonic() < deadline, "nothing is painted"
                    time.sleep(0.05)
                times.append(float(paint))
            return times[1:], weight  # the first one starts the browser's own helpers
        finally:
            browser.close()


def figures(binary: Path, seconds: float, rounds: int, runs: int) -> list[Figure]:
    """The rows of the dashboard."""
    times, weight = paints(binary, min(runs, 9))
    told = changes(binary, runs * 2)
    added = open_page(binary, seconds, rounds)
    rows = [
        Figure("Dashboard: first paint in Chromium", "≤ 300 ms", times, "ms", lambda x: x <= 300, 0),
        Figure("Dashboard: its three files", "≤ 150 kB", [weight], "kB", lambda x: x <= 150, 1),
        Figure("Dashboard: an open page adds, printing", "≤ 0.05 %", added, "%", lambda x: x <= 0.05, 3),
        Figure("Dashboard: a switch → its event", "–", told, "ms", lambda x: True, 1),
        Figure("… its p99", "–", [percentile(told, 0.99)], "ms", lambda x: True, 1),
    ]
    return [row for row in rows if row.values]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    for figure in figures(chosen.binary.resolve(), chosen.seconds, chosen.rounds, 9):
        print(figure.row())
        print("  ", [round(value, 4) for value in figure.values], "median", statistics.median(figure.values))
