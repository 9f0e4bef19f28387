"""The gate, end to end: a scripted connector asks over a real socket, and the printer shows what came of it."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_moonraker import FakeMoonraker
from harness import Rig, wait_until
from scripted_cloud import HELD_SECONDS, ScriptedCloud, ServedFile

from commanding import (
    files_of,
    left_behind,
    obey_printdock,
    obey_script,
    only_what_is_safe_works,
    outcome_is,
    start_job,
    wait_for_line,
    wait_until_obeyed,
    write_backends,
)
from preload import hang_syncs

EMERGENCY_LIMIT = 0.1
"""Seconds until the simulated printer has an emergency stop."""


@pytest.fixture
def script(rig: Rig) -> ScriptedCloud:
    """One scripted backend at level full, obeyed."""
    return obey_script(rig)[0]


@pytest.fixture
def two(rig: Rig) -> list[ScriptedCloud]:
    """Two scripted backends at level full."""
    return obey_script(rig, "left", "right")


def stopped_after(rig: Rig, cloud: ScriptedCloud, number: str, timeout: float = 5.0) -> float:
    """Seconds from the end of the cloud's answer until the printer had the emergency stop."""
    entry = wait_until(lambda: rig.printer.journal("emergency_stop"), timeout, "the emergency stop")[0]
    return entry["mono"] - cloud.answered[number]


# What each order does


def test_each_order_is_seen_at_the_printer(script: ScriptedCloud, rig: Rig) -> None:
    for order, line in (
        ({"do": "home", "axes": ["Z", "X"]}, "G28 Z X"),
        ({"do": "home"}, "G28"),
        ({"do": "temperature", "heater": "extruder", "celsius": 60}, None),
        ({"do": "gcode", "script": "M117 hello"}, "M117 hello"),
        ({"do": "macro", "name": "PARK"}, "PARK"),
    ):
        outcome_is(script.outcome(script.orders([order])[0]), "done", "ok")
        if line is not None:
            assert any(text.startswith(line) for text in rig.printer.gcode_lines()), rig.printer.gcode_lines()
    assert rig.printer.object("extruder")["target"] == 60
    outcome_is(script.obey("fan", value=0.5), "done", "ok")
    assert rig.printer.object("fan")["speed"] == pytest.approx(0.5, abs=0.01)
    outcome_is(script.obey("speed", value=120), "done", "ok")
    assert rig.printer.object("gcode_move")["speed_factor"] == pytest.approx(1.2)
    outcome_is(script.obey("flow", value=95), "done", "ok")
    assert rig.printer.object("gcode_move")["extrude_factor"] == pytest.approx(0.95)
    outcome_is(script.obey("start", file="long.gcode", cause="person"), "done", "ok")
    assert rig.printer.print_state == "printing"
    for do in ("pause", "resume", "cancel"):
        time.sleep(0.6)  # two ticks of Klipper's
        outcome_is(script.obey(do), "done", "ok")
    assert rig.printer.print_state == "cancelled"
    outcome_is(script.obey("upload", file="a/b.gcode", content="G28\n"), "done", "ok")
    assert (rig.moonraker.gcodes / "a" / "b.gcode").read_text() == "G28\n"
    assert "a/b.gcode" in str(script.obey("list_files")["details"])
    assert "long.gcode" in str(script.obey("history", limit=5)["details"])
    outcome_is(script.obey("delete_file", file="a/b.gcode"), "done", "ok")
    assert not (rig.moonraker.gcodes / "a" / "b.gcode").exists()
    outcome_is(script.obey("emergency_stop"), "done", "ok")
    assert len(rig.printer.journal("emergency_stop")) == 1


LEVELS: list[tuple[Any, str, dict[str, Any]]] = [
    ("monitor", "pause", {}),
    ("monitor", "cancel", {}),
    ("monitor", "emergency_stop", {}),
    ("monitor", "home", {}),
    ("control", "home", {}),
    ("control", "start", {"file": "tower.gcode"}),
    ("control", "temperature", {"celsius": 50}),
    ("control", "upload", {"file": "x.gcode", "content": "G28\n"}),
    ("print", "restart", {}),
    ("print", "reboot", {}),
    ("print", "shutdown_host", {}),
    ("print", "power", {"device": "psu", "on": False}),
    ("print", "macro", {"name": "PARK"}),
    ("print", "backup", {}),
    ("print", "delete_file", {"file": "tower.gcode"}),
    (["status", "pause"], "cancel", {}),
    (["status", "pause"], "list_files", {}),
    (["status"], "emergency_stop", {}),
]


@pytest.fixture(scope="module")
def permitted() -> Iterator[Any]:
    """A backend for each set of permissions of the table, all on one printer."""
    with Rig() as rig:
        sets: list[Any] = []
        for permissions, _, _ in LEVELS:
            if permissions not in sets:
                sets.append(permissions)
        clouds = rig.add_scripted(*(f"set-{index}" for index in range(len(sets))))
        rig.start_printer()
        (rig.moonraker.gcodes / "tower.gcode").write_text("G28\n")
        pairs = zip(clouds, sets, strict=True)
        write_backends(rig, *(cloud.entry(permissions=permissions) for cloud, permissions in pairs))
        rig.start_daemon()
        yield rig, {str(permissions): cloud for cloud, permissions in zip(clouds, sets, strict=True)}


@pytest.mark.parametrize(("permissions", "do", "details"), LEVELS)
def test_what_is_not_permitted_never_reaches_moonraker(
    permitted: Any, permissions: Any, do: str, details: dict[str, Any]
) -> None:
    rig, clouds = permitted
    before = files_of(rig), len(rig.printer.journal())
    outcome = clouds[str(permissions)].obey(do, **details)
    assert (outcome["status"], outcome["reason"]) in {("refused", "not_permitted"), ("refused", "not_own")}, outcome
    assert (files_of(rig), len(rig.printer.journal())) == before


# The G-code filter

REFUSED_GCODE = [
    "M112",
    "N1 M112",
    " m112 ; stop",
    "M999",
    "M502",
    "FIRMWARE_RESTART",
    "RESTART",
    "SAVE_CONFIG",
    "RUN_SHELL_COMMAND CMD=x",
    "SET_GCODE_VARIABLE MACRO=x VARIABLE=y VALUE=1",
    "UPDATE_DELAYED_GCODE ID=x DURATION=1",
    "M117 fine\nM112",
    "M117 fine\rM112",
    "G28 X;\nFIRMWARE_RESTART",
    "M109 S9999999999999999999",
    "PARK",
    "UNKNOWN_MACRO",
    "CALL_REMOTE_METHOD METHOD=printer_uplink_bed_cleared",
    "\u00c0 1",
    "M117 a\u2028M112",
]


@pytest.fixture(scope="module")
def filtered() -> Iterator[Any]:
    """One backend at level print."""
    with Rig() as rig:
        yield rig, obey_script(rig, permissions="print")[0]


@pytest.mark.parametrize("text", REFUSED_GCODE)
def test_dangerous_lines_never_reach_the_printer(filtered: Any, text: str) -> None:
    rig, script = filtered
    before = len(rig.printer.journal())
    assert script.obey("gcode", script=text)["status"] == "refused"
    assert len(rig.printer.journal()) == before


@pytest.mark.parametrize("text", ["M117 hello there", "M104 S50", "M140 S40", "G28 X", "M106 S100", "M220 S90"])
def test_harmless_lines_reach_the_printer(filtered: Any, text: str) -> None:
    rig, script = filtered
    before = rig.printer.executed(text)
    outcome_is(script.obey("gcode", script=text), "done", "ok")
    assert rig.printer.executed(text) == before + 1


def test_movement_is_refused_while_printing(script: ScriptedCloud, rig: Rig) -> None:
    start_job(rig)
    for order in ({"do": "gcode", "script": "G1 X10 F600"}, {"do": "gcode", "script": "G28"}, {"do": "home"}):
        outcome_is(script.outcome(script.orders([order])[0]), "refused", "wrong_state")
    for order in ({"do": "restart"}, {"do": "reboot"}, {"do": "shutdown_host"}):
        outcome_is(script.outcome(script.orders([order])[0]), "refused", "wrong_state")
    assert rig.printer.print_state == "printing"
    assert rig.printer.requests() == [e for e in rig.printer.requests() if "SDCARD" in e["script"]]


def test_states_are_checked_before_anything_is_sent(script: ScriptedCloud, rig: Rig) -> None:
    for do in ("pause", "resume", "cancel"):
        outcome_is(script.obey(do), "refused", "wrong_state")
    rig.printer.shut_down()
    rig.printer.wait_for_state("shutdown")
    time.sleep(1)
    for order in ({"do": "home"}, {"do": "start", "file": "tower.gcode"}, {"do": "temperature", "celsius": 40}):
        assert script.outcome(script.orders([order])[0])["status"] in ("refused", "failed")
    assert rig.printer.requests() == []


# Turns


def test_emergency_stop_during_twenty_seconds_of_gcode(script: ScriptedCloud, rig: Rig) -> None:
    rig.printer.slow("M117", 20)
    running = script.order("gcode", script="M117 long")
    wait_for_line(rig, "M117 long")
    waiting = [script.order("home"), script.order("temperature", celsius=60)]
    time.sleep(0.5)
    number = script.order("emergency_stop")
    assert stopped_after(rig, script, number) < EMERGENCY_LIMIT
    outcome_is(script.outcome(number), "done", "ok")
    for each in waiting:
        outcome_is(script.outcome(each), "refused", "superseded")
    assert script.outcome(running)["status"] in ("failed", "unknown")
    assert rig.printer.executed("G28") == 0


@pytest.mark.parametrize("times", [4, pytest.param(40, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_emergency_stop_stays_within_the_limit(rig: Rig, times: int) -> None:
    script = obey_script(rig)[0]
    taken = []
    for index in range(times):
        rig.printer.slow("M117", 20)
        script.order("gcode", script=f"M117 {index}")
        wait_for_line(rig, f"M117 {index}")
        before = len(rig.printer.journal("emergency_stop"))
        number = script.order("emergency_stop")
        entries = wait_until(
            lambda before=before: rig.printer.journal("emergency_stop")[before:], 5, "the emergency stop"
        )
        taken.append(entries[0]["mono"] - script.answered[number])
        rig.printer.slow("M117", 0)
        rig.printer.restart()
        wait_until_obeyed(script)
    print("emergency stop at the printer after", [f"{1000 * seconds:.1f} ms" for seconds in taken])
    assert max(taken) < EMERGENCY_LIMIT


def test_two_connectors_do_not_move_the_printer_at_once(two: list[ScriptedCloud], rig: Rig) -> None:
    left, right = two
    rig.printer.slow("G28", 3)
    first = left.order("home")
    wait_until(lambda: rig.printer.requests(), 10, "the homing")
    refused = right.obey("temperature", celsius=60)
    outcome_is(refused, "refused", "busy", "left")
    assert right.obey("list_files")["status"] == "done"
    second = left.order("temperature", celsius=45)
    outcome_is(left.outcome(first), "done", "ok")
    outcome_is(left.outcome(second), "done", "ok")
    assert [line.split()[0] for line in rig.printer.gcode_lines()] == ["G28", "M104"]
    assert rig.printer.object("extruder")["target"] == 45
    outcome_is(right.obey("temperature", celsius=60), "done", "ok")


def test_fighting_connectors_never_overlap(two: list[ScriptedCloud], rig: Rig) -> None:
    """Both order as fast as they can; at the printer no two of their commands run at once."""
    rig.printer.slow("G28", 0.3)
    numbers: list[list[str]] = [[], []]
    for _ in range(20):
        for index, cloud in enumerate(two):
            numbers[index].append(cloud.order("home", axes=["X"] if index == 0 else ["Y"]))
        time.sleep(0.1)
    outcomes = [[cloud.outcome(n, 60) for n in mine] for cloud, mine in zip(two, numbers, strict=True)]
    assert {o["status"] for o in itertools.chain(*outcomes)} == {"done", "refused"}
    entries = [entry for entry in rig.printer.journal("gcode") if entry["line"].startswith("G28")]
    requests = [entry for entry in rig.printer.requests() if entry["script"].startswith("G28")]
    done = [o for o in itertools.chain(*outcomes) if o["status"] == "done"]
    assert len(entries) == len(done)
    ends = [entry["mono"] + entry["done"] - entry["t"] for entry in entries]
    for request, end in zip(requests[1:], ends, strict=False):
        assert request["mono"] >= end - 0.02, "a command was sent while another had not ended"


def test_at_most_thirty_two_of_one_answer_are_taken(script: ScriptedCloud, rig: Rig) -> None:
    numbers = script.orders([{"do": "gcode", "script": f"M117 {index}"} for index in range(100)])
    outcomes = [script.outcome(number, 60) for number in numbers]
    done = [o for o in outcomes if o["status"] == "done"]
    assert len(done) == 32
    assert {o["reason"] for o in outcomes if o["status"] != "done"} == {"too_many"}
    assert len([line for line in rig.printer.gcode_lines() if line.startswith("M117")]) == 32


def test_commands_in_quick_succession_are_obeyed(script: ScriptedCloud, rig: Rig) -> None:
    """Each follows from the one before: it may not be refused since Klipper has not told of its effect yet."""
    for _ in range(3):
        for do in ("start", "pause", "resume", "cancel"):
            outcome_is(script.obey(do, file="long.gcode", cause="person"), "done", "ok")
        rig.printer.wait_for_print_state("cancelled", 5)
        time.sleep(0.6)


# The same id


def test_the_same_id_runs_once_and_another_command_under_it_never(script: ScriptedCloud, rig: Rig) -> None:
    number = script.order("home", axes=["X"], id="same")
    outcome_is(script.outcome(number), "done", "ok")
    script.order("home", axes=["X"], id="same")
    wait_until(lambda: len(script.outcomes("same")) == 2, 10, "the outcome again")
    assert script.outcomes("same")[1]["status"] == "done"
    script.order("home", axes=["Y"], id="same")
    time.sleep(2)
    assert rig.printer.executed("G28 X") == 1
    assert rig.printer.executed("G28 Y") == 0


def test_an_outcome_whose_answer_is_lost_comes_again_the_same(script: ScriptedCloud, rig: Rig) -> None:
    script.lose_answers = 2
    number = script.order("home", axes=["X"])
    wait_until(lambda: len(script.outcomes(number)) == 3, 20, "the outcome three times")
    first, *others = [{k: v for k, v in o.items() if k != "mono"} for o in script.outcomes(number)]
    assert all(other == first for other in others)
    time.sleep(2)
    assert len(script.outcomes(number)) == 3
    assert rig.printer.executed("G28 X") == 1


# Freshness


def test_an_old_order_is_refused_and_an_emergency_stop_never(script: ScriptedCloud, rig: Rig) -> None:
    for do in ("home", "temperature", "restart"):
        outcome_is(script.obey(do, age=121), "refused", "stale")
    outcome_is(script.obey("start", file="tower.gcode", age=500), "refused", "stale")
    outcome_is(script.obey("home", axes=["X"], age=100), "done", "ok")
    outcome_is(script.obey("emergency_stop", age=5000), "done", "ok")
    assert len(rig.printer.journal("emergency_stop")) == 1
    assert [entry["script"] for entry in rig.printer.requests()] == ["G28 X"]


def test_the_first_answer_after_a_start_moves_nothing(rig: Rig) -> None:
    script = obey_script(rig)[0]
    rig.daemon.kill()
    time.sleep(HELD_SECONDS + 0.3)  # the dead daemon's request is answered
    number = script.order("home")
    rig.daemon.start()
    outcome_is(script.outcome(number), "refused", "stale")
    script.wait_for_contact()
    outcome_is(script.obey("home"), "done", "ok")
    assert rig.printer.executed("G28") + rig.printer.executed("G28 X Y Z") == 1


# The bed


def job_ends(rig: Rig) -> None:
    start_job(rig, "tower.gcode")
    rig.moonraker.call("printer.print.cancel")
    rig.printer.wait_for_print_state("cancelled")
    time.sleep(0.5)


def starts_by_itself(script: ScriptedCloud, rig: Rig) -> bool:
    """Whether a start by itself is obeyed; the job is ended again by a person."""
    before = rig.printer.starts("tower.gcode")
    outcome = script.obey("start", file="tower.gcode", cause="itself")
    began = rig.printer.starts("tower.gcode") - before
    if outcome["status"] == "done":
        assert began == 1
        rig.moonraker.call("printer.print.cancel")
        rig.printer.wait_for_print_state("cancelled")
        time.sleep(0.5)
        return True
    outcome_is(outcome, "refused", "bed_occupied")
    assert began == 0
    return False


def clear_by_command(rig: Rig) -> None:
    result = rig.daemon.command("bed-cleared", "--config", str(rig.daemon.config))
    assert result.returncode == 0, result.stderr


def test_what_starts_by_itself_needs_a_clear_bed(script: ScriptedCloud, rig: Rig) -> None:
    assert not starts_by_itself(script, rig), "an unknown bed counts as occupied"
    clear_by_command(rig)
    assert starts_by_itself(script, rig)
    assert not starts_by_itself(script, rig), "the end of that job occupied the bed"
    outcome_is(script.obey("start", file="tower.gcode", cause="person"), "done", "ok")
    rig.moonraker.call("printer.print.cancel")
    assert not starts_by_itself(script, rig)


def test_the_bed_survives_a_kill_and_a_restart_never_clears_it(script: ScriptedCloud, rig: Rig) -> None:
    clear_by_command(rig)
    rig.daemon.kill()
    rig.daemon.start()
    script.wait_for_contact()
    assert starts_by_itself(script, rig)
    rig.daemon.kill()
    rig.daemon.start()
    script.wait_for_contact()
    assert not starts_by_itself(script, rig)
    rig.moonraker.restart()
    rig.moonraker.wait_for_klippy()
    rig.printer.restart()
    rig.moonraker.wait_for_klippy()
    time.sleep(3)
    assert not starts_by_itself(script, rig)


def test_a_job_that_ended_while_we_were_away_occupies_the_bed(script: ScriptedCloud, rig: Rig) -> None:
    clear_by_command(rig)
    rig.daemon.stop()
    job_ends(rig)
    rig.daemon.start()
    script.wait_for_contact()
    time.sleep(1)
    assert not starts_by_itself(script, rig)


def let_macros_clear_the_bed(rig: Rig) -> None:
    """Grants what is not granted by itself, beneath the running daemon."""
    document = rig.configuration() | {"backends": [cloud.entry(permissions="full") for cloud in rig.scripted]}
    document["control"] |= {"macros": ["notify", "bed_cleared"]}
    rig.daemon.change(document)
    wait_until(lambda: "reloaded" in rig.daemon.log(), 10, "the reload")


def test_a_macro_clears_the_bed_only_where_the_file_says_so(script: ScriptedCloud, rig: Rig) -> None:
    call = "CALL_REMOTE_METHOD METHOD=printer_uplink_bed_cleared"
    job_ends(rig)
    rig.printer.gcode(call)
    wait_until(lambda: "control.macros does not hold 'bed_cleared'" in rig.daemon.log(), 10, "a refusal")
    assert not starts_by_itself(script, rig)
    let_macros_clear_the_bed(rig)
    rig.printer.gcode(call)
    time.sleep(0.5)
    assert starts_by_itself(script, rig)


def test_the_remote_method_clears_the_bed_but_not_during_a_job(script: ScriptedCloud, rig: Rig) -> None:
    let_macros_clear_the_bed(rig)
    call = "CALL_REMOTE_METHOD METHOD=printer_uplink_bed_cleared"
    job_ends(rig)
    rig.printer.gcode(call)
    time.sleep(1)
    assert starts_by_itself(script, rig)
    start_job(rig)
    rig.printer.gcode(call)
    time.sleep(0.5)
    rig.moonraker.call("printer.print.cancel")
    rig.printer.wait_for_print_state("cancelled")
    time.sleep(0.5)
    assert not starts_by_itself(script, rig)


def test_the_remote_method_is_ignored_while_a_command_of_ours_is_unfinished(script: ScriptedCloud, rig: Rig) -> None:
    let_macros_clear_the_bed(rig)
    job_ends(rig)
    rig.printer.slow("G28", 2)
    number = script.order("home")
    wait_until(lambda: [entry for entry in rig.printer.requests() if entry["script"].startswith("G28")], 10, "homing")
    rig.printer.order("remote", method="printer_uplink_bed_cleared")
    outcome_is(script.outcome(number), "done", "ok")
    assert not starts_by_itself(script, rig)
    rig.printer.order("remote", method="printer_uplink_bed_cleared")
    time.sleep(0.5)
    assert starts_by_itself(script, rig)


def test_a_cloud_cannot_clear_the_bed_through_gcode(script: ScriptedCloud, rig: Rig) -> None:
    let_macros_clear_the_bed(rig)
    job_ends(rig)
    script.obey("gcode", script="CALL_REMOTE_METHOD METHOD=printer_uplink_bed_cleared")
    script.obey("macro", name="CALL_REMOTE_METHOD", arguments={"METHOD": "printer_uplink_bed_cleared"})
    time.sleep(1)
    assert not starts_by_itself(script, rig)


def test_a_job_started_outside_of_us_counts_as_a_person_at_the_bed(script: ScriptedCloud, rig: Rig) -> None:
    """Who starts a job at the printer has looked; its end occupies the bed again."""
    start_job(rig)
    assert rig.daemon.get("/api/status")[1].count("occupied") == 0
    rig.moonraker.call("printer.print.cancel")
    rig.printer.wait_for_print_state("cancelled")
    time.sleep(0.5)
    assert not starts_by_itself(script, rig)


def test_require_clear_bed_counts_for_persons_too(rig: Rig) -> None:
    script = obey_script(rig, printer={"require_clear_bed": True})[0]
    outcome_is(script.obey("start", file="tower.gcode", cause="person"), "refused", "bed_occupied")
    assert rig.printer.starts("tower.gcode") == 0
    clear_by_command(rig)
    outcome_is(script.obey("start", file="tower.gcode", cause="person"), "done", "ok")
    assert rig.printer.starts("tower.gcode") == 1


# Owners and files


def test_one_connector_does_not_delete_what_another_brought(rig: Rig) -> None:
    left, right = obey_script(rig, "left", "right", permissions="print")
    outcome_is(left.obey("upload", file="mine.gcode", content="G28\n"), "done", "ok")
    assert right.obey("delete_file", file="mine.gcode")["status"] == "refused"
    assert left.obey("delete_file", file="tower.gcode")["status"] == "refused"
    outcome_is(left.obey("upload", file="changed.gcode", content="G28\n"), "done", "ok")
    (rig.moonraker.gcodes / "changed.gcode").write_text("; the owner's\n")
    time.sleep(1)
    assert left.obey("delete_file", file="changed.gcode")["status"] == "refused"
    outcome_is(left.obey("upload", file="printed.gcode", content="G4 P600000\n"), "done", "ok")
    start_job(rig, "printed.gcode")
    assert left.obey("delete_file", file="printed.gcode")["status"] in ("refused", "failed")
    assert {"mine.gcode", "changed.gcode", "printed.gcode"} <= {path.name for path in rig.moonraker.gcodes.iterdir()}
    rig.daemon.kill()
    rig.daemon.start()
    left.wait_for_contact()
    outcome_is(left.obey("delete_file", file="mine.gcode"), "done", "ok")
    assert not (rig.moonraker.gcodes / "mine.gcode").exists()


# Downloads

LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "127.0.0.1.",
    "LOCALHOST",
    "user@127.0.0.1",
]
ELSEWHERE = [
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]/x",
    "http://10.0.0.1/x",
    "http://192.168.1.1/x",
    "http://172.16.0.1/x",
    "http://[fd00::1]/x",
    "http://100.64.0.1/x",
    "http://224.0.0.1/x",
    "http://[ff02::1]/x",
    "http://[64:ff9b::7f00:1]/x",
    "file:///etc/passwd",
    "ftp://127.0.0.1/x",
    "gopher://127.0.0.1:70/x",
    "dict://127.0.0.1/x",
    "http:///x",
    "",
]


@pytest.fixture(scope="module")
def fetching() -> Iterator[Any]:
    """A backend that may fetch from public addresses only."""
    with Rig() as rig:
        yield rig, obey_script(rig)[0]


def nothing_came(rig: Rig, outcome: dict[str, Any], name: str) -> None:
    assert outcome["status"] in ("failed", "refused"), outcome
    assert not (rig.moonraker.gcodes / name).exists()
    assert left_behind(rig.daemon.state) == []


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_a_download_does_not_reach_loopback_in_any_spelling(fetching: Any, host: str) -> None:
    rig, script = fetching
    script.files["x"] = ServedFile(b"G28\n")
    outcome = script.obey("upload", file="fetched.gcode", url=f"http://{host}:{script.port}/files/x")
    nothing_came(rig, outcome, "fetched.gcode")
    assert script.files["x"].fetched == 0


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_download_does_not_reach_the_owners_network(fetching: Any, address: str) -> None:
    rig, script = fetching
    begin = time.monotonic()
    outcome = script.obey("upload", file="fetched.gcode", url=address)
    nothing_came(rig, outcome, "fetched.gcode")
    assert time.monotonic() - begin < 3, "it was tried"


@pytest.fixture(scope="module")
def fetching_here() -> Iterator[Any]:
    """A backend that may fetch from 127.0.0.1 too."""
    with Rig() as rig:
        yield rig, obey_script(rig, reachable_hosts=["127.0.0.1"])[0]


def test_an_allowed_host_is_fetched_and_its_redirects_are_checked_anew(fetching_here: Any) -> None:
    rig, script = fetching_here
    here = f"{script.url}/files"
    script.files |= {
        "good": ServedFile(b"G28\n"),
        "same": ServedFile(status=302, location=f"{here}/good"),
        "other": ServedFile(status=302, location=f"http://localhost:{script.port}/files/secret"),
        "six": ServedFile(status=307, location=f"http://[::1]:{script.port}/files/secret"),
        "file": ServedFile(status=302, location="file:///etc/passwd"),
        "loop": ServedFile(status=302, location=f"{here}/loop"),
        "secret": ServedFile(b"G28\n"),
    }
    outcome_is(script.obey("upload", file="good.gcode", url=f"{here}/good"), "done", "ok")
    assert (rig.moonraker.gcodes / "good.gcode").read_bytes() == b"G28\n"
    outcome_is(script.obey("upload", file="same.gcode", url=f"{here}/same", redirects=1), "done", "ok")
    nothing_came(rig, script.obey("upload", file="none.gcode", url=f"{here}/same"), "none.gcode")
    for name in ("other", "six", "file", "loop"):
        outcome = script.obey("upload", file=f"{name}.gcode", url=f"{here}/{name}", redirects=3)
        nothing_came(rig, outcome, f"{name}.gcode")
    assert script.files["secret"].fetched == 0


@pytest.fixture
def slow_start(rig: Rig) -> tuple[ScriptedCloud, str]:
    """A start whose file is on its way for some seconds."""
    script = obey_script(rig, reachable_hosts=["127.0.0.1"])[0]
    script.files["slow"] = ServedFile(b"G28\n", seconds=4)
    number = script.order("start", file="slow.gcode", url=f"{script.url}/files/slow", cause="person")
    wait_until(lambda: script.files["slow"].fetched, 10, "the file to be fetched")
    return script, number


def test_a_cancel_ends_a_start_whose_file_is_on_its_way(slow_start: tuple[ScriptedCloud, str], rig: Rig) -> None:
    script, number = slow_start
    outcome_is(script.obey("cancel"), "done", "ok")
    outcome_is(script.outcome(number, 20), "refused", "superseded")
    assert rig.printer.starts("slow.gcode") == 0


def test_a_reload_that_narrows_stops_a_start_that_is_under_way(slow_start: tuple[ScriptedCloud, str], rig: Rig) -> None:
    script, number = slow_start
    entry = script.entry(permissions="monitor", reachable_hosts=["127.0.0.1"])
    rig.daemon.change(rig.configuration() | {"backends": [entry]})
    outcome_is(script.outcome(number, 20), "failed", "transfer", "permissions")
    assert rig.printer.starts("slow.gcode") == 0
    assert not (rig.moonraker.gcodes / "slow.gcode").exists()


BAD_FILES: dict[str, ServedFile] = {
    "large": ServedFile(b"x" * 2_000_000),
    "cut": ServedFile(b"G28\n" * 100, announced=5000),
    "page": ServedFile(b"<html>", "text/html"),
    "json": ServedFile(b"{}", "application/json"),
    "absent": ServedFile(b"", status=404),
    "broken": ServedFile(b"", status=500),
    "endless": ServedFile(b"x" * 2_000_000, announced=10**15),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_download_leaves_nothing(fetching_here: Any, name: str) -> None:
    rig, script = fetching_here
    script.files[name] = BAD_FILES[name]
    outcome = script.obey("upload", file=f"{name}.gcode", url=f"{script.url}/files/{name}", limit=1_000_000)
    nothing_came(rig, outcome, f"{name}.gcode")


# Broken disks


def test_with_a_hanging_disk_an_emergency_stop_reaches_the_printer_in_time(rig: Rig) -> None:
    switch = hang_syncs(rig)
    script = obey_script(rig)[0]
    start_job(rig)
    switch.touch()
    pause = script.order("pause")
    reached = wait_until(lambda: rig.printer.requests("pause_resume/pause"), 5, "the pause at Klippy")
    assert reached[0]["mono"] - script.answered[pause] < 0.25 + 0.1
    number = script.order("emergency_stop")
    assert stopped_after(rig, script, number) < EMERGENCY_LIMIT
    rig.printer.restart()
    rig.moonraker.wait_for_klippy()
    requests = len(rig.printer.requests())
    homing = script.order("home")
    time.sleep(4)
    assert len(rig.printer.requests()) == requests, "it moved without a journal"
    switch.unlink()
    script.outcome(homing, 20)
    script.outcome(number, 20)
    script.outcome(pause, 20)


def test_with_a_hanging_disk_a_command_that_is_refused_holds_up_no_pause(rig: Rig) -> None:
    """The refusal is owed and wants to be on the disk; PrintDock is asked for commands all the same."""
    switch = hang_syncs(rig)
    cloud = obey_printdock(rig)
    start_job(rig)
    switch.touch()
    refused = cloud.command("dance")
    cloud.wait_handed_out(refused)
    cloud.command("pause")
    wait_until(lambda: rig.printer.requests("pause_resume/pause"), 5, "the pause at Klippy")
    switch.unlink()
    assert cloud.completion(refused)["status"] == "failed"


def full_disk(rig: Rig) -> Iterator[Path]:
    """A small file system for the state directory, filled when the test says so."""
    rig.daemon.state.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(rig.daemon.state)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        yield rig.daemon.state
    finally:
        rig.daemon.kill()
        subprocess.run(["umount", "-l", str(rig.daemon.state)], check=False)


@pytest.mark.parametrize("full", ["at the start", "later"])
def test_on_a_full_disk_only_what_is_safe_works(rig: Rig, full: str) -> None:
    mounted = full_disk(rig)
    state = next(mounted)
    try:
        if full == "at the start":
            fill(state)
        script = obey_script(rig)[0]
        if full == "later":
            outcome_is(script.obey("home", axes=["X"]), "done", "ok")
            fill(state)
            while script.obey("fan", value=0.1)["status"] == "done":
                assert len(script.outcomes()) < 500, "the disk never filled"
            rig.printer.restart_process()
            rig.moonraker.wait_for_klippy()
            time.sleep(1)
        only_what_is_safe_works(script, rig)
        said = [line for line in rig.daemon.log().splitlines() if "journal" in line.lower() or "disk" in line.lower()]
        assert 1 <= len(said) < 40, said
    finally:
        next(mounted, None)


def fill(folder: Path) -> None:
    """Write until nothing more fits."""
    for size in (65536, 4096, 512, 1):
        try:
            with (folder / f"filler-{size}").open("wb", buffering=0) as file:
                while True:
                    if file.write(b"x" * size) < size:
                        break
        except OSError:
            continue


def test_a_read_only_state_directory_leaves_what_is_safe(rig: Rig) -> None:
    rig.daemon.state.mkdir(parents=True)
    bound = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro,mode=0700", "tmpfs", str(rig.daemon.state)], capture_output=True, check=False
    )
    if bound.returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        script = obey_script(rig)[0]
        only_what_is_safe_works(script, rig)
    finally:
        rig.daemon.kill()
        subprocess.run(["umount", "-l", str(rig.daemon.state)], check=False)


@pytest.mark.parametrize("damage", ["garbage", "a page", "truncated", "empty", "a folder"])
def test_a_damaged_journal_is_set_aside_and_said_so(rig: Rig, damage: str) -> None:
    script = obey_script(rig)[0]
    clear_by_command(rig)
    outcome_is(script.obey("home", axes=["X"]), "done", "ok")
    rig.daemon.stop()
    database = rig.daemon.state / "commands.db"
    data = database.read_bytes()
    assert data
    for name in ("commands.db-wal", "commands.db-shm"):
        (rig.daemon.state / name).unlink(missing_ok=True)
    match damage:
        case "garbage":
            database.write_bytes(b"this is no database" * 1000)
        case "a page":
            database.write_bytes(data[:4096] + b"\xaa" * 4096 + data[8192:])
        case "truncated":
            database.write_bytes(data[: len(data) // 2 + 100])
        case "empty":
            database.write_bytes(b"")
        case "a folder":
            database.unlink()
            database.mkdir()
    rig.daemon.start()
    script.wait_for_contact()
    assert rig.daemon.process.running
    outcome_is(script.obey("list_files"), "done", "ok")
    if damage != "a folder":
        outcome_is(script.obey("home", axes=["Y"], timeout=20), "done", "ok")
        assert not starts_by_itself(script, rig), "a lost state counts as an occupied bed"
    if damage != "empty":
        assert [path for path in rig.daemon.state.iterdir() if path.name.startswith("commands.db.damaged-")]
        assert "damaged" in rig.daemon.log()


# Latency


def test_the_way_of_a_command_takes_ten_milliseconds_at_the_most(rig: Rig) -> None:
    """From the end of the cloud's answer to the request at Moonraker, journal included; `make bench` has the p99."""
    fake = FakeMoonraker()
    script = rig.add_scripted()[0]
    document = rig.configuration() | {"backends": [script.entry(permissions="full")], "log": {"level": "info"}}
    document["printer"]["moonraker"] = f"http://127.0.0.1:{fake.port}"
    rig.daemon.write(document)
    rig.daemon.start()
    assert fake.ready.wait(15)
    script.wait_for_contact()
    taken = []
    for index in range(200):
        number = script.order("temperature", celsius=20 + index % 100)
        outcome_is(script.outcome(number), "done", "ok")
        taken.append(fake.scripts[-1][0] - script.answered[number])
    taken.sort()
    print(f"median {1000 * taken[100]:.2f} ms, p99 {1000 * taken[197]:.2f} ms, most {1000 * taken[-1]:.2f} ms")
    assert len(fake.scripts) == 200
    # By the quickest tenth: the others may have waited for a core, and what is wrong with the way hits them all.
    assert taken[20] < 0.010 * PATIENCE


PATIENCE = 3.0
"""The debug build on a busy machine; `make bench` measures the release build."""
