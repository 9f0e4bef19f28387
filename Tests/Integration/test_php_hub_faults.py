"""A PHP hub that fails in every way that PHP fails: nothing is lost that need not be, nothing is done twice or late."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import PATIENCE, PHPHub, Rig, wait_until
from php_hub import FATAL, WARNING

from commanding import JSON, start_job
from observe import size
from php_hubs import (
    INTERVAL,
    answered,
    ended,
    gaps,
    hub_entry,
    large,
    obey_hub,
    scripts,
    settle_hub,
    start_hub,
    told_status,
)

QUICK = {"timeouts": {"server": 1}, "retries": {"base_delay": 0.5}}


@pytest.fixture(scope="module", params=["v1", pytest.param("v2", marks=pytest.mark.soak)])
def failing_rig(request: pytest.FixtureRequest) -> Iterator[tuple[Rig, PHPHub]]:
    with Rig() as rig:
        yield rig, obey_hub(rig, request.param, **QUICK)
        assert rig.deviations() == []


@pytest.fixture
def failing(failing_rig: tuple[Rig, PHPHub]) -> tuple[Rig, PHPHub]:
    rig, hub = failing_rig
    hub.clear_faults()
    hub.set(keep_alive=False)
    settle_hub(hub)
    return rig, hub


def text_command(hub: PHPHub, text: str) -> str:
    """Queue a harmless line of G-code; the command's id."""
    line = f"M117 {text}"
    return hub.queue({"action": "gcode", "gcode": line} if hub.generation == "v1" else ("gcode", line))[0]


FORMS: list[tuple[str, JSON]] = [
    ("page", {"body": FATAL}),
    ("html", {}),
    ("garbage", {}),
    ("empty", {"status": 200}),
    ("truncate", {}),
    ("json", {"body": []}),
    ("json", {"body": "OK"}),
    ("json", {"body": None}),
    ("json", {"body": {"success": "true"}}),
    ("json", {"body": {"success": 1, "commands": []}}),
    ("json", {"body": {"success": False, "message": "Error actualizando estado: database is locked"}}),
    ("status", {"status": 500, "body": ""}),
    ("status", {"status": 404}),
    ("status", {"status": 403}),
    ("status", {"status": 413}),
    ("status", {"status": 503}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("broken_http", {}),
    ("hang", {"seconds": 30}),
    ("flood", {"size": 20_000_000}),
    ("redirect", {"status": 302, "location": "http://127.0.0.1:1/api.php"}),
]


def test_every_form_of_failure_is_got_over(rig: Rig) -> None:
    """Six behind each other, without a good answer between: the next try comes soon, and nothing is repeated."""
    hub = obey_hub(rig, timeouts={"server": 1}, retries={"base_delay": 0.5, "exponential_backoff": False})
    for start in range(0, len(FORMS), 6):
        forms = FORMS[start : start + 6]
        begin = time.monotonic()
        for action, details in forms:
            for endpoint in ("update", "commands"):
                hub.fault(endpoint, action, **details)
        for endpoint in ("update", "commands"):
            last = hub.wait_for(endpoint, 20 * PATIENCE, begin, lambda r: r["fault"] is not None, count=len(forms))
            hub.wait_for(endpoint, 8 * PATIENCE, last["mono"], answered)
            failed = [record for record in hub.records(endpoint, begin) if record["fault"] is not None]
            assert len(failed) == len(forms), "each form was met once"
            # Half a second after each, and a second more where nothing answered; the other request may be before it.
            assert max(gaps(failed), default=0) < 4 * PATIENCE
    ended(hub.result(text_command(hub, "after all"), 15), "completed")
    assert rig.printer.executed("M117 after all") == 1
    assert rig.daemon.process.running
    assert rig.deviations() == []


@pytest.mark.soak
def test_every_form_of_failure_is_got_over_by_itself(failing: tuple[Rig, PHPHub]) -> None:
    """One after the other at both requests: each time a good answer comes soon, and nothing is repeated."""
    rig, hub = failing
    for action, details in FORMS:
        begin = time.monotonic()
        for endpoint in ("update", "commands"):
            hub.fault(endpoint, action, **details)
        for endpoint in ("update", "commands"):
            failed = hub.wait_for(endpoint, 8 * PATIENCE, begin, lambda record: record["fault"] is not None)
            hub.wait_for(endpoint, 8 * PATIENCE, failed["mono"], answered)
    result = hub.result(text_command(hub, "after all"), 15)
    assert result["status"] == "completed", result
    assert rig.printer.executed("M117 after all") == 1
    assert rig.daemon.process.running


@pytest.mark.soak
def test_warnings_and_a_byte_order_mark_before_the_json_cost_nothing(failing: tuple[Rig, PHPHub]) -> None:
    """The hub has forgotten the commands of an answer already: one that can be read is read."""
    rig, hub = failing
    prefixes = ["\ufeff", "\n\n", WARNING, WARNING * 3, "\ufeff" + WARNING, "<br />\n<b>Notice</b>: {\n<br />\n"]
    for number, prefix in enumerate(prefixes):
        hub.fault("commands", "prefix", None, body=prefix)
        hub.fault("update", "prefix", 1, body=prefix)
        command = text_command(hub, f"prefix {number}")
        wait_until(lambda number=number: rig.printer.executed(f"M117 prefix {number}"), 10, f"command {number}")
        hub.clear_faults()
        ended(hub.result(command), "completed")
        assert rig.printer.executed(f"M117 prefix {number}") == 1
    assert len(rig.daemon.process.lines("PHP warnings")) >= 1 or rig.daemon.process.lines("warnings before")
    assert len(rig.daemon.process.lines("PHP warnings")) <= 4, "said once, not each time"


@pytest.mark.soak
def test_php_types_are_taken_as_they_come(failing: tuple[Rig, PHPHub]) -> None:
    rig, hub = failing
    ids: list[Any] = [700001, "700002", 700001, "700001", "0700003"]
    orders = []
    for index, number in enumerate(ids):
        command = {"id": number, "action": "gcode", "gcode": f"M117 type {index}", "token": hub.token}
        second = {"id": number, "type": "gcode", "command": f"M117 type {index}", "priority": "5"}
        now = str(int(time.time()))
        orders.append(command | {"timestamp": now} if hub.generation == "v1" else second)
    hub.set(
        handed_out=hub.control("GET", "state")["state"]["handed_out"]
        | {str(n): {"times": 1, "mono": 0, "seq": 1} for n in ids}
    )
    hub.fault("commands", "json", body={"success": True, "message": None, "commands": orders})
    wait_until(lambda: rig.printer.executed("M117 type 4"), 10, "the last command")
    time.sleep(0.5)
    done = [line for line in rig.printer.gcode_lines() if line.startswith("M117 type")]
    assert done == ["M117 type 0", "M117 type 1", "M117 type 4"], "700001 and '700001' are one command"
    for body in ({"success": True, "printer_id": "1"}, {"success": True, "printer_id": 1}, {"success": True}):
        hub.fault("update", "json", body=body)
        hub.wait_for("update", 5, time.monotonic(), answered)
    hub.fault("commands", "json", body={"success": True, "message": "OK", "commands": {}})
    hub.fault("commands", "json", body={"success": True, "message": "OK", "commands": None})
    hub.wait_for("commands", 10, time.monotonic(), answered, count=2)


@pytest.mark.soak
def test_a_kept_connection_that_died_is_no_failure(failing: tuple[Rig, PHPHub]) -> None:
    rig, hub = failing
    hub.set(keep_alive=True)
    settle_hub(hub)
    begin = time.monotonic()
    for _ in range(3):
        hub.fault("update", "drop_before")
        hub.fault("commands", "drop_before")
        time.sleep(2 * INTERVAL)
    good = [record for record in hub.records("update", begin) if answered(record)]
    assert max(gaps(good)) < INTERVAL + 0.6
    assert rig.daemon.get("/health") == (200, "OK")
    hub.set(keep_alive=False)


@pytest.mark.soak
def test_retry_after_is_honoured(failing: tuple[Rig, PHPHub]) -> None:
    _, hub = failing
    begin = time.monotonic()
    hub.fault("update", "status", status=503, retry_after=4)
    refused = hub.wait_for("update", 10, begin, lambda record: record["fault"] is not None)
    again = hub.wait_for("update", 15, refused["mono"] + 0.01)
    assert 3.8 < again["mono"] - refused["mono"] < 6.5 * PATIENCE


@pytest.mark.soak
def test_a_refusal_is_logged_once(failing: tuple[Rig, PHPHub]) -> None:
    rig, hub = failing
    hub.fault("update", "json", 4, body={"success": False, "message": "Mantenimiento hasta las 12"})
    hub.wait_for("update", 25, time.monotonic(), answered)
    assert len(rig.daemon.process.lines("Mantenimiento hasta las 12")) <= 2
    assert hub.token not in rig.daemon.log()


@pytest.mark.soak
def test_a_moved_post_stays_a_post(rig: Rig) -> None:
    """The original turned it into a GET, and the hub answered that there is no such action."""
    hub = obey_hub(rig, **QUICK)
    hub.fault("update", "redirect", 3, status=307, location="/printerhub/api.php")
    begin = time.monotonic()
    hub.wait_for("update", 20, begin, answered)
    for status in (301, 302, 303, 308):
        hub.fault("update", "redirect", 1, status=status, location=f"http://localhost:{hub.port}/printerhub/api.php")
        hub.wait_for("update", 20, time.monotonic(), lambda r: r["fault"] == "redirect")
        hub.wait_for("update", 20, time.monotonic(), answered)
    assert hub.records("probe") == [], "never a GET of api.php"
    assert rig.daemon.process.lines("localhost"), "an error names the target"
    assert rig.deviations() == []


def test_real_errors_of_php(rig: Rig) -> None:
    """A disk that cannot be written, tables that are gone: PHP's own words, not ours."""
    hub = start_hub(rig, "v1,v2", "--display-errors")
    rig.start_printer(speed=20)
    rig.daemon.write(rig.configuration() | {"backends": [hub_entry(rig, **QUICK)]})
    rig.daemon.start()
    settle_hub(hub)
    path = hub.folder / "printers.json"
    path.unlink()
    path.mkdir()
    begin = time.monotonic()
    hub.wait_for("update", 10, begin, count=3)
    assert rig.daemon.process.lines("PHP"), "said in the log"
    path.rmdir()
    hub.wait_for_printer(status="idle")
    rig.daemon.stop()
    hub.sql("DROP TABLE commands")
    hub.generation = "v2"
    rig.disturbed()
    calm = QUICK | {"retries": {"base_delay": 1, "exponential_backoff": False}}
    rig.daemon.write(rig.configuration() | {"backends": [hub_entry(rig, **calm)]})
    begin = time.monotonic()
    rig.daemon.start()
    hub.wait_for("update", 15, begin, count=5)
    assert max(gaps(hub.records("update", begin))) < 2.5, "failing polls do not hold the updates back"
    hub.sql((hub.folder / "schema.sql").read_text().split(";")[1])
    hub.wait_for("commands", 70, time.monotonic(), lambda r: r["status"] == 200)
    assert rig.deviations() == []


# Time


def steady(records: list[JSON], interval: float) -> None:
    """The schedule is kept: ± 5 % of the interval, and what a timer and a busy machine take."""
    found = gaps(records)
    assert abs(statistics.mean(found) - interval) <= 0.05 * interval, found
    slack = max(0.05 * interval, 0.1 * PATIENCE)
    late = [gap for gap in found if abs(gap - interval) > slack]
    assert len(late) <= len(found) * 0.1, found
    assert max(found) < interval + 0.6 * PATIENCE, found


def schedule(rig: Rig, interval: float, megabytes: float, seconds: float) -> None:
    """A download that takes so long, and a camera that never answers: neither delays an update or a poll."""
    camera = rig.add_camera()
    camera.answer = "hang"
    moving = {"status_update": interval, "command_check": interval}
    keys: JSON = {"enabled": True, "capture_interval": 1, "idle_capture_interval": 1}
    hub = obey_hub(rig, moonraker=camera.section(), camera=keys, intervals=moving)
    hub.set(update_seconds=interval, poll_seconds=interval, download_rate=int(megabytes * 1e6 / seconds))
    hub.upload("large.gcode", large(int(megabytes * 1e6)))
    number = hub.command("print", file="large.gcode")
    begin = hub.wait_for("download", 4 * interval + 5)["mono"]
    ended(hub.result(number, seconds * 2 + 30), "completed")
    during = [record for record in hub.records("update", begin) if record["mono"] < begin + seconds]
    assert len(during) >= seconds / interval - 1
    steady(during, interval)
    steady([record for record in hub.records("commands", begin) if record["mono"] < begin + seconds], interval)
    # One that is asked again and again does not answer for five seconds each time.
    assert any(begin - 5 < moment < begin + seconds for moment, _ in camera.fetches), camera.fetches
    assert rig.deviations() == []


def test_the_schedule_is_kept_beside_a_download_and_a_hanging_camera(rig: Rig) -> None:
    """The original: half a minute without an update for a camera that does not answer."""
    schedule(rig, interval=1.0, megabytes=3, seconds=6)


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_the_schedule_is_kept_beside_ninety_megabytes(rig: Rig) -> None:
    schedule(rig, interval=5.0, megabytes=90, seconds=120)


def slow_answers(rig: Rig, interval: float, answer: float, seconds: float) -> None:
    """Requests alternate without a pause, and no update is later than 20 s."""
    moving = {"status_update": interval, "command_check": interval}
    hub = obey_hub(rig, intervals=moving, camera={"enabled": False})
    hub.set(update_seconds=interval, poll_seconds=interval)
    hub.fault("update", "delay", None, seconds=answer)
    hub.fault("commands", "delay", None, seconds=answer)
    begin = time.monotonic()
    number = text_command(hub, "slowly")
    time.sleep(seconds)
    ended(hub.result(number, 4 * answer + 5), "completed")
    told = [record for record in hub.records(after=begin) if record["endpoint"] in ("update", "commands")]
    kinds = [record["endpoint"] for record in told]
    assert all(a != b for a, b in itertools.pairwise(kinds)), kinds
    pauses = [later["mono"] - earlier["mono"] - answer for earlier, later in itertools.pairwise(told)]
    assert max(pauses) < 0.5 * PATIENCE, pauses
    assert max(gaps(hub.records("update", begin))) < 20
    assert rig.printer.executed("M117 slowly") == 1
    assert rig.deviations() == []


@pytest.mark.soak
def test_slow_answers_alternate_without_a_pause(rig: Rig) -> None:
    slow_answers(rig, interval=1.0, answer=2.0, seconds=12)


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_answers_after_eight_seconds(rig: Rig) -> None:
    slow_answers(rig, interval=5.0, answer=8.0, seconds=180)


def test_an_absence_of_the_hub_costs_old_states_and_no_results(rig: Rig) -> None:
    """The original kept a hundred updates in memory and never sent one."""
    hub = obey_hub(rig, retries={"base_delay": 0.5, "max_attempts": 3})
    rig.printer.slow("M117", 2)
    number = text_command(hub, "before")
    hub.wait_handed_out(number)
    hub.kill()
    start_job(rig)
    wait_until(lambda: rig.daemon.process.lines("degraded"), 15, "degraded")
    assert rig.daemon.process.lines("degraded") or rig.daemon.get("/health")[0] != 200
    rig.daemon.restart()  # what is owed is on the disk
    time.sleep(2)
    rig.disturbed()
    begin = time.monotonic()
    hub.relaunch()
    first = hub.wait_for("update", 20, begin)
    assert first["mono"] - begin < 20
    hub.wait_for("update", 20, begin, lambda record: told_status(record) == "printing")
    told = [told_status(record) for record in hub.records("update", begin)]
    assert "idle" not in told, "no old state is sent"
    assert hub.result(number)["status"] in ("completed", "unknown")
    assert rig.printer.executed("M117 before") == 1
    assert rig.deviations() == []


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_wait_for_a_hub_that_is_away_is_capped(rig: Rig) -> None:
    hub = obey_hub(rig)
    hub.fault("*", "status", None, status=500)
    time.sleep(150)
    late = gaps(hub.records("update")[-6:])
    assert 10 < max(late) <= 20.5, late
    hub.clear_faults()
    begin = time.monotonic()
    hub.wait_for("update", 21, begin, answered)
    assert rig.deviations() == []


# Beside the original


THEIRS = {"idle": 25_000 + 8_500, "printing": 26_000 + 8_700}
"""Bytes a minute of the original, both ways: 12 updates, 20 polls, 2 images of 2.7 kB, six files."""
IMAGES = {"idle": 60 / 300, "printing": 60 / 30}
HEAD_OF_ANSWER = len(
    "HTTP/1.1 200 OK\r\nHost: 127.0.0.1:18000\r\nDate: Sat, 21 Nov 2026 18:44:57 GMT\r\nConnection: close\r\n"
    "X-Powered-By: PHP/8.2.36\r\nContent-Type: application/json\r\n\r\n"
)
ANSWERS = {
    "update": len('{"success":true,"message":"Impresora actualizada","printer_id":"printer_6b0003a5cbc6f"}'),
    "commands": len('{"success":true,"message":"OK","commands":[]}'),
    "image": len('{"success":true,"message":"Imagen guardada","image_url":"printer_images\\/T.jpg?t=1795163135"}'),
}


def bytes_per_minute(hub: PHPHub, state: str, after: float) -> float:
    """What both say to each other in a minute at the default intervals, as large as it was here."""
    total = 0.0
    for endpoint, count in (("update", 12), ("commands", 20), ("image", IMAGES[state])):
        sizes = [size(record) for record in hub.records(endpoint, after)]
        assert sizes, endpoint
        total += count * (statistics.mean(sizes) + HEAD_OF_ANSWER + ANSWERS[endpoint])
    return total


@pytest.mark.soak
def test_fewer_bytes_than_the_original(rig: Rig) -> None:
    names = ["bare", "cube_prusa", "disc_cura", "parts/bracket_prusa", "répétition d'essai #1 (50%)", "vase_orca"]
    for name in names:
        path = rig.moonraker.gcodes / f"{name}.gcode"
        path.parent.mkdir(exist_ok=True)
        path.write_text("M105\n")
    camera = rig.add_camera()
    camera.jpeg = camera.jpeg[:2] + b"\xff\xfe\x00\x10" + bytes(14) + camera.jpeg[2:]
    pictures = {"enabled": True, "capture_interval": 1, "idle_capture_interval": 1, "timelapse_enabled": False}
    hub = obey_hub(rig, moonraker=camera.section(), camera=pictures)
    os.unlink(rig.moonraker.gcodes / "tower.gcode")
    hub.wait_for("image", 10)
    begin = time.monotonic()
    hub.wait_for("update", 10, begin, count=3)
    hub.wait_for("image", 10, begin)
    missing = 2_700 - len(camera.jpeg)
    idle = bytes_per_minute(hub, "idle", begin) + missing * IMAGES["idle"]
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    begin = hub.wait_for("update", 15, where=lambda record: told_status(record) == "printing")["mono"]
    hub.wait_for("update", 10, begin, count=3)
    hub.wait_for("image", 10, begin)
    printing = bytes_per_minute(hub, "printing", begin) + missing * IMAGES["printing"]
    print(f"idle {idle:.0f} B/min, the original {THEIRS['idle']}; printing {printing:.0f}, {THEIRS['printing']}")
    assert idle < THEIRS["idle"]
    assert printing < THEIRS["printing"]
    assert rig.deviations() == []


@pytest.mark.soak
def test_nothing_of_it_reaches_the_log(rig: Rig) -> None:
    hub = obey_hub(rig, **QUICK)
    hub.fault("commands", "hang", 1, seconds=5)
    hub.fault("update", "status", 1, status=500, body={"error": hub.token})
    hub.wait_for("update", 15, time.monotonic(), answered, count=2)
    rig.printer.gcode("M117 x")
    shown = rig.daemon.log() + rig.daemon.get("/")[1] + rig.daemon.get("/metrics")[1] + json.dumps(scripts(rig))
    assert hub.token not in shown
