"""What the original promises and does not keep, and what it does and should not: ours beside it, row by row.

| the original (seen by running it) | ours, shown by |
| --- | --- |
| dies at the first update with a G-code file present | test_fifty_files_the_newest_first_and_any_name |
| deletes the owner's files | test_the_owners_files_are_never_deleted |
| repeats failing, slow and waiting commands up to five times | test_a_command_is_sent_once_whatever_moonraker_says |
| blocks everything: an emergency stop after 53 s | test_an_emergency_stop_never_waits |
| no update for 30 s for each camera that does not answer | test_the_schedule_is_kept_beside_a_download_and_a_hanging_camera |
| loses commands after its first health check, and those that come together | test_rate_limited_commands_wait_and_are_not_dropped |
| the batch `[cool_down, emergency_stop]` never stops | test_a_batch_with_an_emergency_stop_runs_it_and_nothing_else |
| prints error pages and halves of files | test_what_did_not_come_whole_is_not_printed_nor_kept |
| path traversal, unescaped names, injection into G-code | test_what_is_wrong_or_hostile_is_rejected_and_reaches_nothing, test_any_lawful_name_is_fetched_and_printed |
| never reports a result | test_each_result_stands_in_three_updates_and_twenty_are_told |
| no checksum is compared | test_checksums_of_the_command_count_first |
| settings without effect | test_settings_that_did_nothing_are_refused_with_what_to_write |
| `toggle_fan` only switches on | test_each_action_of_an_idle_printer |
| only the first camera | test_a_picture_is_what_the_hub_takes |
| timelapse frames in memory, dropped | test_frames_of_a_timelapse_are_on_the_disk |
| exits without Moonraker; a minute until SIGTERM ends it | test_it_starts_without_moonraker_and_ends_at_once |
| remaining time wrong | test_figures_of_an_update |
| CPU and temperature always 0, memory wrong | test_figures_of_an_update |
| `last_completed` also for cancelled jobs | test_a_whole_print_without_a_deviation |
| `offline` never, `error` only for a failed print | test_the_status_of_a_printer_that_is_away_is_told |
| reconnects to Moonraker only with the next request | test_it_starts_without_moonraker_and_ends_at_once |
| nothing kept while disconnected | test_an_absence_of_the_hub_costs_old_states_and_no_results |
| retries block everything | test_every_form_of_failure_is_got_over |
| ends at the first unexpected error | test_every_form_of_failure_is_got_over, test_elements_that_are_no_commands_are_dropped |
| dangerous commands: a line in the log | test_the_full_level_takes_what_is_dangerous_only_while_idle |
| no list of allowed G-code | test_what_is_wrong_or_hostile_is_rejected_and_reaches_nothing |
| macros with `params: []` fail | test_each_action_of_an_idle_printer |
| pictures also while idle, always | test_a_whole_print_without_a_deviation |
| downloads only with an address that the hub never sends | test_a_whole_print_without_a_deviation |
| progress of downloads only at whole MiB | test_progress_is_told_in_quarters |
| token in the log | test_nothing_of_it_reaches_the_log |
| `printer_state.json`: keys change, counters do not | test_statistics_are_counted_and_kept |
| generation 2: the status alone | test_each_type_of_the_second_generation |
| its own configuration | test_the_originals_configuration_is_taken_over |
| reconnects to the hub | test_an_absence_of_the_hub_costs_old_states_and_no_results |
| list of local files | test_fifty_files_the_newest_first_and_any_name |
| second camera where the first fails | test_a_picture_is_what_the_hub_takes |

What holds for every command:

| rule | shown by |
| --- | --- |
| G-code passes a list of patterns, line by line, as the corpus says | test_the_corpus_through_the_php_hub |
| some words are refused whatever is allowed | test_what_is_wrong_or_hostile_is_rejected_and_reaches_nothing |
| temperatures above what the heater takes are refused | test_what_is_wrong_or_hostile_is_rejected_and_reaches_nothing |
| restarts and the host's end: at `full`, while idle, or never | test_the_full_level_takes_what_is_dangerous_only_while_idle |
| emergency stop, pause and cancel wait for nothing | test_rate_limited_commands_wait_and_are_not_dropped, test_an_emergency_stop_never_waits |
| later commands wait, 32 at the most | test_rate_limited_commands_wait_and_are_not_dropped |
| old ones are refused, by the hub's clock | test_old_commands_are_rejected_and_an_emergency_stop_never, test_the_age_is_taken_by_the_hubs_clock |
| without a time the first ones after a gap are | test_the_second_generations_first_batch_after_a_start_is_stale |
| an id is executed once | test_redelivery_for_ever_is_executed_once_over_restarts, test_the_second_generation_replays_ten_for_ever_without_a_loop |
| an emergency stop ends its batch | test_a_batch_with_an_emergency_stop_runs_it_and_nothing_else |
| what was begun is never repeated | test_a_crash_in_a_command_leaves_it_unknown_and_the_rest_is_not_lost |
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import sample_gcode
from harness import ROOT, Rig, wait_until

from commanding import start_job, wait_for_line
from php_hubs import INTERVAL, SHORT, ended, finish, gaps, hub_entry, obey_hub, settle_hub, start_hub, told_status

KEYS = {
    "server_url": "test_both_generations_are_found_by_the_address_of_their_folder HubAddressTests.siblings",
    "printer_token": "test_the_token_has_to_be_ones_own HubAnswerTests.fields",
    "printer_name": "test_the_originals_configuration_is_taken_over UpdateBodyTests.card",
    "generation": "test_both_generations_are_found_by_the_address_of_their_folder HubAddressTests.probing",
    "update_url": "PHPHubBackendTests.ownAddresses",
    "commands_url": "PHPHubBackendTests.ownAddresses",
    "files_url": "PHPHubBackendTests.ownAddresses",
    "image_url": "PHPHubBackendTests.ownAddresses",
    "image_public_url": "PHPHubBackendTests.publicPicture",
    "printer_data.tags": "test_figures_of_an_update",
    "printer_data.filament.material": "test_the_originals_configuration_is_taken_over",
    "printer_data.filament.color": "test_the_originals_configuration_is_taken_over",
    "printer_data.filament.remaining": "test_the_originals_configuration_is_taken_over",
    "printer_data.bed_status": "test_figures_of_an_update",
    "printer_data.location": "test_figures_of_an_update",
    "preserve_hub_edits": "test_the_hubs_own_edits_are_kept_where_that_is_wanted",
    "sanitize_names": "test_paused_is_told_as_it_is_configured UpdateBodyTests.sanitizing",
    "paused_status": "test_paused_is_told_as_it_is_configured",
    "time_remaining_unit": "UpdateBodyTests.units",
    "skip_unchanged": "test_unchanged_updates_are_left_out_where_that_is_allowed HubSessionTests.heldTemperature",
    "report_command_results": "test_results_are_not_told_where_that_is_off",
    "intervals.status_update": "test_the_schedule_is_kept_beside_a_download_and_a_hanging_camera",
    "intervals.command_check": "test_the_schedule_is_kept_beside_a_download_and_a_hanging_camera",
    "timeouts.server": "test_every_form_of_failure_is_got_over",
    "timeouts.camera": "PHPHubBackendTests.cameras",
    "timeouts.file_download": "test_a_download_that_stalls_is_given_up_and_disturbs_nothing",
    "retries.max_attempts": "HubSessionTests.backoff",
    "retries.exponential_backoff": "HubSessionTests.constant",
    "retries.base_delay": "HubSessionTests.backoff",
    "camera.enabled": "PHPHubBackendTests.pictures",
    "camera.urls": "test_a_picture_is_what_the_hub_takes PHPHubBackendTests.cameras",
    "camera.capture_interval": "FileRulesTests.intervals",
    "camera.idle_capture_interval": "FileRulesTests.intervals",
    "camera.timelapse_enabled": "FileRulesTests.own",
    "camera.timelapse_interval": "test_frames_of_a_timelapse_are_on_the_disk",
    "camera.timelapse_directory": "test_frames_of_a_timelapse_are_on_the_disk",
    "file_management.auto_cleanup": "test_nothing_is_cleaned_up_at_the_start_nor_where_that_is_off",
    "file_management.max_age_days": "test_the_owners_files_are_never_deleted",
    "file_management.verify_checksums": "test_checksums_of_the_command_count_first",
    "file_management.gcode_directory": "test_a_full_disk_of_the_printers_files_refuses_a_file",
    "file_management.allowed_download_hosts": "test_a_further_origin_is_allowed_by_name_and_never_gets_the_token",
    "mark_downloaded": "test_the_hub_is_told_only_where_that_is_harmless",
    "gcode_subdirectory": "PHPHubBackendTests.ownAddresses",
    "max_download_mb": "test_what_did_not_come_whole_is_not_printed_nor_kept",
    "statistics_file": "test_statistics_are_counted_and_kept",
    "heat_defaults.hotend": "HubOrderTests.rules",
    "heat_defaults.bed": "HubOrderTests.rules",
    "speed_range.minimum": "HubOrderTests.rules",
    "speed_range.maximum": "HubOrderTests.rules",
    "security.validate_dangerous_commands": "PHPHubSettingsTests.findings",
    "security.dangerous_commands": "test_the_full_level_takes_what_is_dangerous_only_while_idle",
    "security.rate_limit_seconds": "test_rate_limited_commands_wait_and_are_not_dropped",
}
"""What shows the effect of each key: a test here, or one of the unit tests by its suite and name."""


def test_each_row_names_tests_that_there_are() -> None:
    """The tables above: no name in them without its test, and no key without one."""
    tests = [*Path(__file__).parent.glob("test_php_hub*.py"), Path(__file__).parent / "test_gcode_corpus.py"]
    written = "\n".join(path.read_text() for path in tests)
    table = (ROOT / "docs" / "connectors" / "php-hub.md").read_text().split("<!-- settings:end")[0]
    assert set(re.findall(r"^\| `([a-z_.]+)`", table, re.MULTILINE)) == set(KEYS)
    units = ROOT / "Tests" / "PHPHubTests"
    for name in " ".join(KEYS.values()).split():
        suite, _, test = name.rpartition(".")
        text = (units / f"{suite}.swift").read_text() if suite else written
        assert re.search(rf"(def|func) {test}\(", text), name
    named = set(re.findall(r"\| (?:test_\w+, )*(test_\w+)", __doc__)) | set(re.findall(r"\b(test_\w+)", __doc__))
    assert len(named) > 25
    for name in named:
        assert re.search(rf"def {name}\(", written), name


def test_a_command_is_sent_once_whatever_moonraker_says(rig: Rig) -> None:
    """The original: a failing G-code five times in 30 s, a homing of 7 s homed five times, a pause POSTed twice."""
    sent_once(rig, slow=1.0)


@pytest.mark.soak
def test_a_command_is_sent_once_however_slow_it_is(rig: Rig) -> None:
    sent_once(rig, slow=7.0)


def sent_once(rig: Rig, slow: float) -> None:
    hub = obey_hub(rig)
    failing, home = hub.queue({"action": "gcode", "gcode": "G1 X9999"}, {"action": "home"})
    rig.printer.slow("G28", slow)
    ended(hub.result(failing), "failed")
    ended(hub.result(home, 25), "completed")
    rig.printer.slow("G28", 0)
    start_job(rig)
    rig.printer.slow("PAUSE", slow)
    number = hub.command("pause")
    result = hub.result(number, 25)
    assert result["status"] in ("completed", "unknown"), result
    rig.printer.wait_for_print_state("paused", 15)
    time.sleep(slow)
    sent = [entry["script"] for entry in rig.printer.requests("gcode/script")]
    assert sent.count("G1 X9999") == 1
    assert sent.count("G28") == 1
    pauses = [e for e in rig.printer.journal("request") if "pause" in e["method"]] or [
        line for line in rig.printer.gcode_lines() if line == "PAUSE"
    ]
    assert len(pauses) == 1
    assert rig.deviations() == []


def test_an_emergency_stop_never_waits(rig: Rig) -> None:
    """The original: 53 s behind a homing, 40 s behind a camera that was not there."""
    camera = rig.add_camera()
    camera.answer = "hang"
    hub = obey_hub(rig, moonraker=camera.section(), camera={"enabled": True, "idle_capture_interval": 1})
    rig.printer.slow("G28", 20)
    home = hub.command("home")
    wait_for_line(rig, "G28")
    begin = time.monotonic()
    time.sleep(1)
    assert len(hub.records("update", begin)) >= 1
    assert max(gaps(hub.records("update"))) < INTERVAL + 0.5, "updates go on"
    stop = hub.command("emergency_stop")
    handed = hub.wait_handed_out(stop)
    record = hub.records()[handed["seq"] - 1]
    entry = wait_until(lambda: rig.printer.journal("emergency_stop"), 5, "the emergency stop")[0]
    assert entry["mono"] - record["answered"] < 0.3
    ended(hub.result(stop), "completed")
    assert hub.result(home)["status"] in ("failed", "unknown")
    hub.wait_for("update", where=lambda record: told_status(record) == "error")
    assert rig.deviations() == []


def test_settings_that_did_nothing_are_refused_with_what_to_write(rig: Rig) -> None:
    hub = start_hub(rig)
    entry = hub_entry(rig)
    wrong = {
        "moonraker_url": "http://localhost:7125",
        "logging": {"level": "INFO"},
        "auto_update": {"enabled": False},
        "camera.resolution": "high",
        "intervals.health_check": 60,
        "intervals.reconnect_attempt": 10,
        "timeouts.moonraker": 5,
    }
    for key, value in wrong.items():
        changed = json.loads(json.dumps(entry))
        place = changed
        *way, last = key.split(".")
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
        rig.daemon.write(rig.configuration() | {"backends": [changed]})
        done = rig.daemon.command("validate", "--config", str(rig.daemon.config))
        said = done.stdout + done.stderr
        assert done.returncode == 78, (key, said)
        assert last in said
        assert "remove it" in said or "write " in said, said
    rig.daemon.write(rig.configuration() | {"backends": [entry]})
    done = rig.daemon.command("validate", "--config", str(rig.daemon.config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert hub.records() == [], "validate asks nobody"


def test_the_token_has_to_be_ones_own(rig: Rig) -> None:
    start_hub(rig)

    def validated(**keys: object) -> tuple[int, str]:
        entry = {key: value for key, value in (hub_entry(rig) | keys).items() if value is not None}
        rig.daemon.write(rig.configuration() | {"backends": [entry]})
        done = rig.daemon.command("validate", "--config", str(rig.daemon.config))
        return done.returncode, done.stdout + done.stderr

    status, said = validated(printer_token=None)
    assert status == 78, said
    assert "token" in said
    status, said = validated(printer_token="TECMED_PRINTER_001")
    assert status == 0, said
    assert "warning" in said
    assert validated(printer_token="x" * 129)[0] == 78
    assert validated(printer_token="ñ")[0] == 78
    assert validated(server_url="http://hub.example.org/api.php")[0] == 78, "no TLS, and not said so"
    assert validated(server_url="http://hub.example.org/api.php", insecure=True)[0] == 0
    assert validated(intervals={"status_update": 21})[0] == 78


@pytest.mark.soak
def test_frames_of_a_timelapse_are_on_the_disk(rig: Rig) -> None:
    camera = rig.add_camera()
    folder = rig.folder / "timelapse"
    pictures = {"enabled": True, "capture_interval": 2, "timelapse_interval": 1, "timelapse_directory": str(folder)}
    hub = obey_hub(rig, moonraker=camera.section(), camera=pictures)
    start_job(rig)
    frames = lambda: sorted(folder.rglob("frame_*.jpg"))
    wait_until(lambda: len(frames()) >= 3, 15, "three frames")
    assert [path.name for path in frames()[:2]] == ["frame_000001.jpg", "frame_000002.jpg"]
    assert frames()[0].read_bytes() == camera.jpeg
    rig.moonraker.call("printer.print.cancel")
    rig.printer.wait_for_print_state("cancelled")
    time.sleep(1.5)
    count = len(frames())
    time.sleep(2.5)
    assert len(frames()) == count, "only while printing"
    assert rig.daemon.process.lines(str(folder)), "it is said where they are"
    said = rig.daemon.command("status", "--config", str(rig.daemon.config))
    assert str(folder) in said.stdout, said.stdout + said.stderr
    assert rig.deviations() == []
    assert hub.printer()["image"].startswith("printer_images/")


def test_it_starts_without_moonraker_and_ends_at_once(rig: Rig) -> None:
    hub = start_hub(rig)
    rig.daemon.write(rig.configuration() | {"backends": [hub_entry(rig)]})
    begin = time.monotonic()
    rig.daemon.start()
    first = hub.wait_for("update", 10, begin)
    assert told_status(first) == "offline"
    assert (first["body"]["temp_hotend"], first["body"]["temp_bed"]) == (0, 0)
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=1)
    rig.start_printer(speed=20)
    hub.wait_for("update", 20, where=lambda record: told_status(record) == "idle")
    rig.moonraker.kill()
    hub.wait_for("update", 10, time.monotonic(), lambda record: told_status(record) == "offline")
    rig.moonraker.relaunch()
    hub.wait_for("update", 20, time.monotonic(), lambda record: told_status(record) == "idle")
    hub.kill()
    time.sleep(2)
    assert rig.daemon.stop() < 3
    assert rig.deviations() == []


def test_statistics_are_counted_and_kept(rig: Rig) -> None:
    path = rig.folder / "printer_state.json"
    path.write_text("{ broken")
    hub = obey_hub(rig, statistics_file=str(path))
    hub.upload("x.gcode", SHORT)
    ended(hub.carry_out("print", file="x.gcode"), "completed")
    finish(rig)
    ended(hub.carry_out("gcode", gcode="M117 x"), "completed")
    updates = len(hub.records("update"))
    rig.daemon.stop()
    state = json.loads(path.read_text())
    assert {"last_update", "total_updates", "failed_updates", "uptime_start", "last_commands", "statistics"} == set(
        state
    )
    names = {"commands_executed", "files_downloaded", "errors", "updates_sent", "commands_received", "reconnections"}
    assert set(state["statistics"]) == names
    assert updates <= state["total_updates"] <= updates + 3
    counted = state["statistics"]
    assert (counted["commands_executed"], counted["commands_received"], counted["files_downloaded"]) == (2, 2, 1)
    assert list(rig.folder.glob("printer_state.json*bad*")), "a broken file is set aside"
    rig.disturbed()
    begin = time.monotonic()
    rig.daemon.start()
    settle_hub(hub, begin)
    rig.daemon.stop()
    again = json.loads(path.read_text())
    assert again["uptime_start"] == state["uptime_start"]
    assert again["total_updates"] > state["total_updates"]
    assert again["statistics"]["commands_executed"] == 2
    assert rig.deviations() == []


THEIR_CONFIGURATION = {
    "_comment": "Configuración",
    "server_url": "http://127.0.0.1:1/api.php",
    "printer_token": "LAB_TEST_0001",
    "printer_name": "Prusa de prueba",
    "moonraker_url": "http://localhost:7125",
    "camera": {
        "enabled": True,
        "urls": ["http://localhost:8080/?action=snapshot"],
        "capture_interval": 30,
        "timelapse_enabled": True,
        "timelapse_interval": 60,
        "resolution": "high",
    },
    "intervals": {"status_update": 1, "command_check": 1, "health_check": 60, "reconnect_attempt": 10},
    "timeouts": {"moonraker": 5, "server": 10, "camera": 5, "file_download": 60},
    "retries": {"max_attempts": 5, "exponential_backoff": True, "base_delay": 2},
    "file_management": {
        "auto_cleanup": True,
        "max_age_days": 30,
        "verify_checksums": True,
        "gcode_directory": "/home/pi/printer_data/gcodes",
    },
    "logging": {"level": "INFO", "max_size_mb": 10, "backup_count": 5, "verbose": False},
    "security": {
        "validate_dangerous_commands": True,
        "rate_limit_seconds": 1,
        "allowed_gcode_patterns": ["G*", "M*", "T*"],
    },
    "auto_update": {"enabled": False, "check_interval": 3600, "update_url": ""},
    "printer_data": {
        "tags": ["Prusa", "PETG"],
        "filament": {"material": "PETG", "color": "Azul", "remaining": 80},
        "bed_status": "limpia",
        "location": "Aula 3",
    },
}


def test_the_originals_configuration_is_taken_over(rig: Rig) -> None:
    hub = start_hub(rig)
    rig.start_printer(speed=20)
    given = rig.folder / "printer_config.json"
    theirs = THEIR_CONFIGURATION | {"server_url": hub.server_url, "moonraker_url": rig.moonraker.url}
    given.write_text(json.dumps(theirs, ensure_ascii=False))
    document = rig.configuration()
    document["backends"] = [{"type": "printdock", "enabled": False, "pairing_token": "PAIR_unused"}]
    rig.daemon.write(document)
    done = rig.daemon.command("import", str(given), "--config", str(rig.daemon.config), "--write")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for word in ("resolution", "health_check", "auto_update", "allowed_macros"):
        assert word in said, (word, said)
    assert hub.token not in said + rig.daemon.config.read_text()
    begin = time.monotonic()
    rig.daemon.start()
    body = hub.wait_for("update", 20, begin, lambda record: told_status(record) == "idle")["body"]
    assert body["tags"] == ["Prusa", "PETG"]
    assert body["filament"] == {"material": "PETG", "color": "Azul", "remaining": 80}
    assert (body["name"], body["location"]) == ("Prusa de prueba", "Aula 3")
    assert rig.deviations() == []
