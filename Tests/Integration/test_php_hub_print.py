"""A whole print at the PHP hub, of either generation: what it is told, its files and pictures, a restart of its own."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import sample_gcode
from camera import picture
from harness import PHPHub, Rig, wait_until

from commanding import JSON
from php_hubs import INTERVAL, OWN_FOLDER, carry_out_all, ended, gaps, hub_entry, obey_hub, own_files, told_status
from test_php_hub_rig import recorded
from test_transcripts import shape

FILES = {"bare.gcode": 4.4, "cube_prusa.gcode": 40.7, "parts/bracket_prusa.gcode": 58.6}
"""Files of the original's session, in kB."""
PIECE = "pieza ñ 1.gcode"

OURS = {
    "command_results",
    "command_results[]",
    *(f"command_results[].{key}" for key in ("id", "action", "status", "message", "received_at", "finished_at")),
}
"""What an update of ours has and the original's has not."""
LEFT_OUT = {"time_remaining", "last_completed", "image", "system.cpu_temp"}
"""What stands in an update only when it is known, or new."""


def bodies(hub: PHPHub, *statuses: str) -> list[JSON]:
    return [r["body"] for r in hub.records("update") if r["status"] == 200 and told_status(r) in statuses]


def whole_print(rig: Rig, generation: str) -> PHPHub:
    """Every action and a whole print; what was wrong is in `rig.deviations()`."""
    camera = rig.add_camera()
    for name, size in FILES.items():
        path = rig.moonraker.gcodes / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"M105\n" * int(size * 1024 // 5))
    pictures = {"enabled": True, "capture_interval": 2, "idle_capture_interval": 4, "timelapse_interval": 1}
    keys: JSON = {"allowed_macros": ["PARK"], "permissions": "full", "camera": pictures}
    hub = obey_hub(rig, generation, moonraker=camera.section(), **keys)
    first = generation == "v1"
    actions: list[Any] = [
        {"action": "home"},
        {"action": "home_x"},
        {"action": "home_y"},
        {"action": "home_z"},
        {"action": "heat", "hotend_temp": 60, "bed_temp": 40},
        {"action": "cool_down"},
        {"action": "set_speed", "speed": "120"},
        {"action": "set_flow", "flow": 95},
        {"action": "toggle_fan"},
        {"action": "set_fan", "speed": 255},
        {"action": "fan_off"},
        {"action": "gcode", "gcode": "M117 hola"},
        {"action": "macro", "macro_name": "PARK", "params": []},
    ]
    if not first:
        actions = [("basic", name.upper()) for name in ("home", "home_x", "home_y", "home_z", "heat", "cool_down")]
        actions += [("gcode", "M220 S120"), ("gcode", "M221 S95"), ("basic", "TOGGLE_FAN"), ("basic", "FAN_OFF")]
        actions += [("gcode", "M104 S60\nM140 S40"), ("gcode", "M104 S0\nM140 S0"), ("macro", "PARK")]
    for result in carry_out_all(hub, actions):
        ended(result, "completed")

    # A file from the hub's page, which the printer fetches and prints.
    content = sample_gcode.gcode(2.5).encode()
    file = hub.upload(PIECE, content)
    if first:
        hub.press("print", file=file["name"])
    else:
        hub.page("api/files.php?action=send_to_printer", {"printer_id": hub.printer()["id"], "file_id": file["id"]})
    rig.printer.wait_for_print_state("printing", 15)
    assert own_files(rig) == [PIECE]
    assert (rig.moonraker.gcodes / OWN_FOLDER / PIECE).read_bytes() == content
    name = f"{OWN_FOLDER}/{PIECE}"
    hub.wait_for_printer(status="printing", current_file=name)
    hub.press("pause")
    rig.printer.wait_for_print_state("paused", 10)
    hub.wait_for("update", where=lambda record: told_status(record) == ("printing" if first else "paused"))
    time.sleep(0.6)
    hub.press("resume")
    rig.printer.wait_for_print_state("printing", 10)

    hub.restart()
    rig.disturbed()
    begin = time.monotonic()
    hub.wait_for("update", 10, begin, count=2)
    hub.wait_for("commands", 10, begin, count=2)
    rig.printer.wait_for_print_state("complete", 60)
    hub.wait_for_printer(status="idle" if first else "complete")
    wait_until(lambda: (hub.printer()["last_completed"] or "").startswith(f"{name} ("), 10, "last_completed")

    # Again from the printer's own list, and not to its end: the newest completed one stays what it is.
    listed = [file["name"] for file in bodies(hub, "idle", "complete")[-1]["files"]]
    assert {*FILES, name} <= set(listed)
    if first:
        hub.press("print_local", file=name)
    else:
        hub.page("api/files.php?action=send_to_printer", {"printer_id": hub.printer()["id"], "file_id": file["id"]})
    rig.printer.wait_for_print_state("printing", 15)
    hub.wait_for_printer(status="printing")
    hub.queue({"action": "cancel"} if first else ("basic", "CANCEL"))
    rig.printer.wait_for_print_state("cancelled", 10)
    hub.wait_for_printer(status="idle")
    time.sleep(2 * INTERVAL)
    assert hub.printer()["last_completed"].startswith(f"{name} ("), "the original: cancelled ones too"
    assert rig.printer.starts(name) == 2
    assert len(hub.records("download")) == 1, "the same file is not fetched again"

    pictures_of(hub, camera.jpeg)
    hub.press("emergency_stop")
    wait_until(lambda: rig.printer.journal("emergency_stop"), 5, "the emergency stop")
    hub.wait_for_printer(status="error")
    hub.queue({"action": "firmware_restart"} if first else ("basic", "FIRMWARE_RESTART"))
    rig.printer.wait_for_state("ready", 15)
    hub.wait_for_printer(status="idle")
    for number in hub.results():
        updates = lambda number=number: hub.control("GET", "state")["state"]["results"][number]["updates"]
        wait_until(lambda updates=updates: updates() >= 3, 10, "three updates")
    return hub


def pictures_of(hub: PHPHub, jpeg: bytes) -> None:
    if hub.generation == "v1":
        assert (hub.folder / "printer_images" / f"{hub.token}.jpg").read_bytes() == jpeg
        assert hub.printer()["image"].startswith(f"printer_images/{hub.token}.jpg?t=")
    else:
        hub.wait_for("update", where=lambda record: "image" in record["body"])
        first = next(i for i, r in enumerate(hub.records("update")) if "image" in r["body"])
        assert all("image" in record["body"] for record in hub.records("update")[first:]), "or the page flickers"
        assert hub.printer()["image"].startswith("data:image/jpeg;base64,/9j/")


@pytest.mark.parametrize("generation", ["v1", pytest.param("v2", marks=pytest.mark.soak)])
@pytest.mark.timeout(180)
def test_a_whole_print_without_a_deviation(rig: Rig, generation: str) -> None:
    hub = whole_print(rig, generation)
    assert rig.deviations() == []
    assert {result["status"] for result in hub.results().values()} == {"completed"}
    if generation == "v1":
        agrees_with_the_transcript(hub)
    else:
        printing = [body["time_remaining"] for body in bodies(hub, "printing") if "time_remaining" in body]
        assert max(printing) > 20, "seconds"
        assert hub.rows("SELECT raw_data FROM printers")[0]["raw_data"].startswith('{"action"')


def agrees_with_the_transcript(hub: PHPHub) -> None:
    theirs = [r["json"] for r in recorded("client") if r.get("json", {}).get("action") == "update_printer"]
    for status in ("idle", "printing"):
        a = shape([body for body in theirs if body["status"] == status])
        b = shape(bodies(hub, status))
        assert set(b) - OURS - LEFT_OUT == set(a) - LEFT_OUT, status
        for path in set(a) & set(b):
            assert b[path] <= a[path], path
        always = [set(body) for body in bodies(hub, status)]
        assert set.intersection(*always) >= set.intersection(
            *(set(body) for body in theirs if body["status"] == status)
        ) - LEFT_OUT - {"files"}
    # The same files under the same names and sizes; the newest first, and modified as Moonraker says.
    sizes = {file["name"]: file["size"] for file in bodies(hub, "idle")[-1]["files"]}
    for name in FILES:
        assert sizes[name] == next(file["size"] for file in theirs[0]["files"] if file["name"] == name)
    first = bodies(hub, "idle")[0]
    for key in ("action", "tags", "filament", "bed_status", "location", "fan_speed", "print_speed", "name"):
        assert first[key] == theirs[0][key], key
    # Headers: nothing that the original has not, but what says who we are.
    ours = {name for record in hub.records("update") for name in record["headers"]}
    assert ours - {"Host", "Accept"} == {"User-Agent", "Content-Type", "Content-Length"} - set()
    images = {name for record in hub.records("image") for name in record["headers"]}
    assert images - {"Host", "Accept"} == {"User-Agent", "Content-Type", "Content-Length"}


def test_figures_of_an_update(rig: Rig) -> None:
    """The mapping, value by value: what the original truncated, swapped or left at 0."""
    hub = obey_hub(rig, printer_data={"tags": ["Lab"], "bed_status": "perfecta", "location": "Aula 2"})
    rig.printer.order("set", object="gcode_move", fields={"speed_factor": 1.15})
    rig.printer.order("set", object="fan", fields={"speed": 0.498})
    rig.printer.order("set", object="extruder", fields={"temperature": 199.96, "target": 200.0})
    rig.printer.order("set", object="heater_bed", fields={"temperature": 59.949, "target": 60.0})
    body = hub.wait_for("update", where=lambda r: r["body"]["print_speed"] == 115)["body"]  # the original: 114
    wait_until(lambda: hub.records("update")[-1]["body"]["temp_bed_target"] == 60, 5, "the bed's target")
    body = hub.records("update")[-1]["body"]
    assert (body["fan_speed"], body["temp_hotend"], body["temp_bed"]) == (50, 200.0, 59.9)
    assert (body["temp_hotend_target"], body["tags"], body["bed_status"]) == (200, ["Lab"], "perfecta")
    assert body["location"] == "Aula 2"
    told = wait_until(lambda: hub.records("update")[-1]["body"].get("system"), 10, "the host's figures")
    assert 0 < told["memory_usage"] < 10_000_000, "MB that are used; the original: GiB that are free"
    assert told["memory_usage"] > 50
    assert "cpu_usage" in told
    rig.printer.order("unset")
    rig.printer.order("drop", object="display_status", field="progress")
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    record = hub.wait_for("update", 20, where=lambda r: r["body"].get("progress", -1) >= 1)
    assert record["body"]["current_file"] == "long.gcode"
    remaining = wait_until(lambda: hub.records("update")[-1]["body"].get("time_remaining"), 20, "time_remaining")
    assert 20 <= remaining <= 31, "minutes; the original: the time spent not printing"
    assert rig.deviations() == []


@pytest.mark.soak
def test_paused_is_told_as_it_is_configured(rig: Rig) -> None:
    hub = obey_hub(rig, paused_status="paused", sanitize_names=True)
    name = "a<b>.gcode"
    sample_gcode.write(rig.moonraker.gcodes / name, minutes=30)
    rig.moonraker.call("printer.print.start", filename=name)
    body = hub.wait_for("update", where=lambda r: told_status(r) == "printing")["body"]
    assert body["current_file"] == "a_b_.gcode", "the page shows it as HTML"
    rig.moonraker.call("printer.print.pause")
    hub.wait_for("update", where=lambda r: told_status(r) == "paused")
    assert "a_b_.gcode" in {file["name"] for file in hub.records("update")[-1]["body"]["files"]} or wait_until(
        lambda: "a_b_.gcode" in {file["name"] for file in hub.records("update")[-1]["body"]["files"]}, 10, "the file"
    )
    assert rig.deviations() == []


@pytest.mark.soak
def test_the_status_of_a_printer_that_is_away_is_told(rig: Rig) -> None:
    """The original told of an idle printer with 0 °C, whatever was dead."""
    hub = obey_hub(rig)
    rig.printer.shut_down()
    hub.wait_for("update", 10, where=lambda r: told_status(r) == "error")
    rig.printer.restart()
    hub.wait_for("update", 15, time.monotonic(), lambda r: told_status(r) == "idle")
    rig.printer.kill()
    hub.wait_for("update", 10, time.monotonic(), lambda r: told_status(r) == "offline")
    number = hub.command("home")
    ended(hub.result(number), "rejected")
    rig.moonraker.kill()
    begin = time.monotonic()
    time.sleep(3 * INTERVAL)
    assert {told_status(r) for r in hub.records("update", begin)} == {"offline"}
    assert len(hub.records("commands", begin)) >= 2, "polls go on"
    assert rig.deviations() == []


@pytest.mark.parametrize("count", [6, pytest.param(52, marks=pytest.mark.soak)])
def test_fifty_files_the_newest_first_and_any_name(rig: Rig, count: int) -> None:
    """The original died at the first file that it saw: Moonraker lists them, it expected a map."""
    rig.moonraker.gcodes.mkdir(exist_ok=True)
    # More than are told, and no more: Moonraker looks into each before it tells of another.
    for index in range(count):
        path = rig.moonraker.gcodes / f"f {index:02} é#%.gcode"
        path.write_text("M105\n")
        import os

        os.utime(path, (1_700_000_000 + index, 1_700_000_000 + index))
    hub = obey_hub(rig)
    told = min(count + 2, 50)  # two of the rig's own
    wait_until(lambda: len(hub.records("update")[-1]["body"]["files"]) == told, 10, f"{told} files")
    files = hub.records("update")[-1]["body"]["files"]
    assert [file["name"] for file in files if file["name"].startswith("f ")][:3] == [
        f"f {i:02} é#%.gcode" for i in (count - 1, count - 2, count - 3)
    ]
    added = rig.moonraker.gcodes / "neu.gcode"
    added.write_text("M105\n" * 2000)
    wait_until(lambda: "neu.gcode" in json.dumps(hub.records("update")[-1]["body"]["files"]), 60, "the new file")
    added.unlink()
    wait_until(lambda: "neu.gcode" not in json.dumps(hub.records("update")[-1]["body"]["files"]), 15, "its end")
    assert rig.deviations() == []


@pytest.mark.soak
def test_unchanged_updates_are_left_out_where_that_is_allowed(rig: Rig) -> None:
    hub = obey_hub(rig, skip_unchanged=True)

    def hold(celsius: float) -> None:
        for name in ("extruder", "heater_bed"):
            rig.printer.order("set", object=name, fields={"temperature": celsius})

    hold(22.0)
    time.sleep(2.5)
    begin = time.monotonic()
    for step in range(6):
        hold((22.2, 21.9, 22.1)[step % 3])  # as a heater is held
        time.sleep(1)
    # The host's own figures change by themselves, and a temperature by tenths: neither is news.
    assert len(hub.records("update", begin)) <= 1
    changed = time.monotonic()
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    told = hub.wait_for("update", 10, changed, lambda r: told_status(r) == "printing")
    assert told["mono"] - changed < 2.5
    assert rig.deviations() == []


def test_the_hubs_own_edits_are_kept_where_that_is_wanted(rig: Rig) -> None:
    """Tags, bed and filament edited on the page are overwritten by the next update: a weakness of the hub's."""
    hub = obey_hub(rig, preserve_hub_edits=True)
    hub.wait_for("edits", 10)
    hub.press("add_tag", tag="Frágil")
    hub.wait_for("update", 5, time.monotonic())  # not between a look at the page and the update behind it
    hub.press("update_bed_status", bed_status="calibrar")
    time.sleep(3 * INTERVAL)
    assert hub.printer()["tags"][-1] == "Frágil"
    assert hub.printer()["bed_status"] == "calibrar", "an update has written over it"
    assert hub.records("update")[-1]["body"]["tags"] == []
    assert hub.records("update")[-1]["body"]["bed_status"] == "calibrar"
    assert rig.deviations() == []


@pytest.mark.soak
def test_both_generations_are_found_by_the_address_of_their_folder(rig: Rig) -> None:
    """`auto` asks once, harmlessly: never for commands, never for all printers."""
    rig.php_hub.token = "LAB a&b=c+d%41/#?ñ".replace("ñ", "~")
    hub = rig.php_hub
    from php_hubs import start_hub

    rig.start_printer(speed=20)
    start_hub(rig, "v2")
    rig.daemon.write(rig.configuration() | {"backends": [hub_entry(rig, server_url=hub.base + "/")]})
    rig.daemon.start()
    hub.wait_for("commands", 20, count=2)
    assert [r["path"].rsplit("/", 1)[1] for r in hub.records("probe")] == ["api.php", "update.php"] or [
        r["path"] for r in hub.records("probe")
    ] == ["/printerhub/printer-api/update.php"]
    assert hub.printer()["status"] == "idle"
    refused = [text for text in rig.deviations() if "api.php" not in text]
    assert refused == []


def test_a_picture_is_what_the_hub_takes(rig: Rig) -> None:
    """PNG, pages and what is cut off are not sent; the first camera that gives a picture wins."""
    camera = rig.add_camera()
    keys = {"enabled": True, "capture_interval": 1, "idle_capture_interval": 1, "timelapse_enabled": False}
    urls = [f"{camera.url}/{name}" for name in ("png", "html", "lying", "jpeg")]
    hub = obey_hub(rig, camera={**keys, "urls": urls})
    hub.wait_for("image", 15)
    assert (hub.log / "image.jpg").read_bytes()[:2] == picture()[:2]
    told = hub.wait_for("update", 10, where=lambda r: "image" in r["body"])
    assert told["body"]["image"].startswith("printer_images/")
    asked = [path for _, path in camera.fetches]
    assert asked[:4] == ["/png", "/html", "/lying", "/jpeg"]
    entry = hub_entry(rig, camera={**keys, "urls": [f"{camera.url}/png"]})
    rig.daemon.change(rig.configuration() | {"backends": [entry]})
    wait_until(lambda: "/png" in [path for _, path in camera.fetches], 10, "the PNG")
    begin = time.monotonic()
    time.sleep(2 * INTERVAL)
    assert hub.records("image", begin) == []
    assert max(gaps(hub.records("update"))) < INTERVAL + 0.5
    assert rig.deviations() == []
