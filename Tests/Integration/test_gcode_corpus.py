"""The G-code filter's corpus, through each connector that takes G-code: what is allowed arrives, the rest never does."""

from __future__ import annotations

import json
import time

import pytest
from harness import ROOT, Rig, wait_until

from commanding import JSON, obey_reach
from php_hubs import obey_hub, scripts

CORPUS = [
    json.loads(line) for line in (ROOT / "Tests" / "Fixtures" / "gcode" / "corpus.jsonl").read_text().splitlines()
]
ALLOWED = [script for verdict, script in CORPUS if verdict == "allow"]
REFUSED = [script for verdict, script in CORPUS if verdict != "allow"]
LAST = "M117 the end of the corpus"
BATCH = 30
"""Commands of one answer of the hub's: at most 32 wait."""


def judge(rig: Rig) -> None:
    sent = scripts(rig)
    joined = "\n".join(sent).upper()
    for word in ("M112", "M999", "M502", "RESTART", "SAVE_CONFIG", "SDCARD_", "FORCE_MOVE", "RUN_SHELL"):
        lines = [line for line in joined.split("\n") if word in line and not line.startswith(("M117", "M118"))]
        assert lines == [], (word, lines[:5])
    assert rig.printer.journal("emergency_stop") == []
    assert rig.printer.journal("restart") == []
    assert rig.daemon.process.running


def test_the_corpus_through_the_php_hub(rig: Rig) -> None:
    """Every fourth of what is refused; at the gate itself all of it is judged, for each connector's own rules."""
    through_the_php_hub(rig, REFUSED[::4], ALLOWED[:: len(ALLOWED) // BATCH + 1])


@pytest.mark.soak
def test_the_whole_corpus_through_the_php_hub(rig: Rig) -> None:
    through_the_php_hub(rig, REFUSED, ALLOWED)


def through_the_php_hub(rig: Rig, refused: list[str], allowed: list[str]) -> None:
    hub = obey_hub(rig, speed=1000.0)
    before = len(scripts(rig))
    for start in range(0, len(refused), BATCH):
        last = hub.queue(*({"action": "gcode", "gcode": script} for script in refused[start : start + BATCH]))[-1]
        hub.wait_handed_out(last)
    line = hub.command("gcode", gcode=LAST)
    hub.wait_handed_out(line)
    wait_until(lambda: LAST in scripts(rig), 20, "the end")
    assert scripts(rig)[before:] == [LAST], "nothing of what is refused"
    judge(rig)
    for start in range(0, len(allowed), BATCH):
        part: list[JSON] = [{"action": "gcode", "gcode": script} for script in allowed[start : start + BATCH]]
        known = len(scripts(rig))
        hub.queue(*part)
        wait_until(lambda known=known, part=part: len(scripts(rig)) >= known + len(part), 60, "what is allowed", 0.1)
    judge(rig)
    assert rig.deviations() == []


def test_the_corpus_through_reach(rig: Rig) -> None:
    relay = obey_reach(rig, speed=1000.0)
    before = len(scripts(rig))
    numbers = [relay.command("printer.gcode.script", script=script) for script in REFUSED]
    relay.carry_out("printer.gcode.script", script=LAST, timeout=60)
    statuses = {relay.result(number)["status"] for number in numbers}
    assert statuses == {"failed"}
    assert scripts(rig)[before:] == [LAST]
    judge(rig)
    time.sleep(0.1)
    assert rig.deviations() == []
