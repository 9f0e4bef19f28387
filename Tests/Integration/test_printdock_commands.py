"""PrintDock's commands, from the cloud's answer to the effect at the printer and back: docs/connectors/printdock.md.

What a command did is looked up at the simulated printer and in the printer's files, never in our own words.
"""

from __future__ import annotations

import base64
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sample_gcode
from harness import PATIENCE, PrintDockCloud, Rig, wait_until

from commanding import (
    failed,
    files_of,
    left_behind,
    obey_printdock,
    printdock_entry,
    settle,
    start_job,
    succeeded,
    wait_for_line,
    write_backends,
)
from observe import accepted, status_of
from preload import hang_syncs


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


CUBE = sample_gcode.gcode(minutes=1).encode()


@pytest.fixture
def cloud(rig: Rig) -> PrintDockCloud:
    """PrintDock, obeyed at the default level; at the end it may have nothing to complain about."""
    return obey_printdock(rig)


# Each action


@pytest.mark.parametrize("strings", [False, True], ids=["numbers", "strings"])
def test_each_action_is_done_at_the_printer(rig: Rig, strings: bool) -> None:
    cloud = obey_printdock(rig)
    numbers = iter(range(5000, 6000))

    def carry_out(action: str, **params: Any) -> dict[str, Any]:
        number = next(numbers)
        return cloud.carry_out(action, id=f"cmd {number}/x?" if strings else number, **params)

    succeeded(carry_out("homing", axes=["x", "Y"]), axes=["x", "Y"])
    assert rig.printer.executed("G28 X Y") == 1
    succeeded(carry_out("homing"), axes="all")
    assert rig.printer.object("toolhead")["homed_axes"] == "xyz"

    succeeded(
        carry_out("upload_file", filename="cubes/one two.gcode", content=base64_of(CUBE)),
        filename="cubes/one two.gcode",
        size=len(CUBE),
    )
    assert (rig.moonraker.gcodes / "cubes" / "one two.gcode").read_bytes() == CUBE
    files = carry_out("sync_files")["result"]
    assert {file["path"] for file in files["files"]} == {"cubes/one two.gcode", "tower.gcode", "long.gcode"}

    succeeded(carry_out("start_print", filename="cubes/one two.gcode"), filename="cubes/one two.gcode")
    assert rig.printer.starts("cubes/one two.gcode") == 1
    assert rig.printer.print_state == "printing"
    succeeded(carry_out("pause"))
    assert rig.printer.print_state == "paused"
    succeeded(carry_out("resume"))
    assert rig.printer.print_state == "printing"
    succeeded(carry_out("cancel"))
    assert rig.printer.print_state == "cancelled"

    succeeded(carry_out("delete_file", filename="cubes/one two.gcode"))
    assert not (rig.moonraker.gcodes / "cubes" / "one two.gcode").exists()
    history = carry_out("import_history", limit=7)["result"]
    assert [job["filename"] for job in history["history"]["result"]["jobs"]] == ["cubes/one two.gcode"]
    for word in ("PAUSE", "RESUME", "CANCEL_PRINT"):
        assert rig.printer.executed(word) == 1
    assert rig.deviations() == []
    assert left_behind(rig.daemon.state) == []


def test_a_whole_print_by_command(cloud: PrintDockCloud, rig: Rig) -> None:
    succeeded(cloud.carry_out("start_print", filename="tower.gcode"))
    rig.printer.wait_for_print_state("complete", 60)
    cloud.wait_for("snapshots", where=lambda record: status_of(record)["print_stats"]["state"] == "complete")
    assert rig.printer.starts("tower.gcode") == 1
    assert rig.deviations() == []


def test_the_snapshot_after_a_command_shows_its_effect_and_comes_first(cloud: PrintDockCloud, rig: Rig) -> None:
    start_job(rig)
    for action, state in (("pause", "paused"), ("resume", "printing"), ("cancel", "cancelled")):
        number = cloud.command(action)
        assert cloud.completion(number)["result"]["post_snapshot"] == "captured"
        completed = cloud.completions(number)[0]
        before = [record for record in cloud.records("snapshots") if record["seq"] < completed["seq"]][-1]
        assert before["mono"] > cloud.wait_handed_out(number)
        assert status_of(before)["print_stats"]["state"] == state
    assert rig.deviations() == []


@pytest.mark.parametrize(
    ("action", "params", "reason"),
    [
        ("pause", {}, "print"),
        ("resume", {}, ""),
        ("cancel", {}, ""),
        ("start_print", {"filename": "absent.gcode"}, ""),
        ("start_print", {}, "missing params.filename for start_print"),
        ("upload_file", {"filename": "x.gcode"}, "missing params.content for upload_file"),
        ("upload_file", {"filename": "x.gcode", "content": ""}, "missing params.content for upload_file"),
        ("upload_file", {"filename": "x.gcode", "content": "@@@@"}, "failed to decode base64 content"),
        ("delete_file", {}, "missing params.filename for delete_file"),
        ("delete_file", {"filename": "tower.gcode"}, ""),
        ("homing", {"axes": ["E"]}, "invalid axis: E"),
        ("reboot", {}, "unsupported action: reboot"),
    ],
)
def test_what_cannot_be_done_fails_and_touches_nothing(
    idle_cloud: tuple[Rig, PrintDockCloud], action: str, params: dict[str, Any], reason: str
) -> None:
    rig, cloud = idle_cloud
    before, requests = files_of(rig), rig.printer.requests()
    failed(cloud.carry_out(action, params=params), reason)
    assert files_of(rig) == before
    reached = [entry["script"] for entry in rig.printer.requests()[len(requests) :]]
    assert [script for script in reached if "absent" not in script] == []
    assert rig.printer.print_state == "standby"


@pytest.fixture(scope="module")
def idle_cloud() -> Any:
    """One rig for a table of commands that must do nothing."""
    with Rig() as rig:
        yield rig, obey_printdock(rig)
        assert rig.deviations() == []


def test_an_unknown_printer_is_refused(idle_cloud: tuple[Rig, PrintDockCloud]) -> None:
    rig, cloud = idle_cloud
    completion = cloud.carry_out("homing", printer_id=999)
    assert completion == {
        "status": "failed",
        "error_message": "unknown printer_id 999",
        "result": {"printer_id": 999},
    }
    assert not [entry for entry in rig.printer.requests() if entry["script"].startswith("G28")]


def test_homing_is_refused_while_printing_or_paused(cloud: PrintDockCloud, rig: Rig) -> None:
    start_job(rig)
    failed(cloud.carry_out("homing"), "printer is busy")
    rig.moonraker.call("printer.print.pause")
    failed(cloud.carry_out("homing"), "printer is busy")
    assert not [entry for entry in rig.printer.requests("gcode/script") if entry["script"].startswith("G28")]
    assert rig.deviations() == []


def test_a_second_start_while_printing_or_paused_leaves_the_job_alone(cloud: PrintDockCloud, rig: Rig) -> None:
    start_job(rig)
    failed(cloud.carry_out("start_print", filename="tower.gcode"))
    rig.moonraker.call("printer.print.pause")
    failed(cloud.carry_out("start_print", filename="tower.gcode"))
    assert rig.printer.print_state == "paused"
    assert rig.printer.object("print_stats")["filename"] == "long.gcode"
    assert rig.printer.starts("tower.gcode") == 0


# Names that lead elsewhere

TRICKS = [
    "../config/moonraker.conf",
    "..",
    ".",
    "/etc/passwd",
    "/dev/null",
    "a/../../config/moonraker.conf",
    "a//b.gcode",
    "./x.gcode",
    "a/./x.gcode",
    "x.gcode/",
    "~/x.gcode",
    "~root/x.gcode",
    "..\\config\\moonraker.conf",
    "a\\b.gcode",
    "x\r\nM112.gcode",
    "x\nM112.gcode",
    "x\u0000.gcode",
    "x\u0007.gcode",
    "x\u0085.gcode",
    "x\u2028y.gcode",
    "n" * 300 + ".gcode",
    "/".join(["d" * 200] * 6) + "/x.gcode",
    "",
    "   /../x.gcode",
]
ODD_BUT_LEGAL = ["%2e%2e%2fconfig%2fmoonraker.conf", "..%2fconfig%2fmoonraker.conf", "\u2025/x.gcode", "con.gcode"]
"""No file has such a name; taken literally they lead nowhere."""


def test_no_name_leads_out_of_the_gcodes(idle_cloud: tuple[Rig, PrintDockCloud]) -> None:
    rig, cloud = idle_cloud
    before, requests, content = files_of(rig), rig.printer.requests(), base64_of(CUBE)
    wanted: list[tuple[str, dict[str, Any]]] = []
    for name in TRICKS:
        wanted.append(("start_print", {"filename": name}))
        wanted.append(("delete_file", {"filename": name}))
        wanted.append(("upload_file", {"filename": name, "content": content}))
    for name in ODD_BUT_LEGAL:
        wanted.append(("start_print", {"filename": name}))
        wanted.append(("delete_file", {"filename": name}))
    numbers = cloud.commands(*wanted)
    for number, (action, params) in zip(numbers, wanted, strict=True):
        completion = cloud.completion(number, 60)
        failed(completion)
        if params["filename"] in TRICKS and params["filename"]:
            failed(completion, "invalid params.filename"), (action, params)
    assert files_of(rig) == before
    sent = [entry["script"] for entry in rig.printer.requests()[len(requests) :]]
    assert not [script for script in sent if not script.startswith("SDCARD_PRINT_FILE") or "\n" in script]
    assert rig.printer.print_state == "standby"


def test_a_symbolic_link_out_of_the_gcodes_is_not_followed_by_a_delete(rig: Rig) -> None:
    cloud = obey_printdock(rig, permissions="full")
    (rig.moonraker.gcodes / "out").symlink_to(rig.moonraker.data / "config")
    (rig.moonraker.gcodes / "link.gcode").symlink_to(rig.moonraker.data / "config" / "moonraker.conf")
    before = (rig.moonraker.data / "config" / "moonraker.conf").read_bytes()
    cloud.carry_out("delete_file", filename="out/moonraker.conf")
    cloud.carry_out("delete_file", filename="link.gcode")
    assert (rig.moonraker.data / "config" / "moonraker.conf").read_bytes() == before


@pytest.mark.parametrize("name", ["x.cfg", "x", "x.gcode.txt", "x.sh", ".gcode", "config/printer.cfg"])
def test_only_gcode_is_uploaded(idle_cloud: tuple[Rig, PrintDockCloud], name: str) -> None:
    rig, cloud = idle_cloud
    before = files_of(rig)
    failed(cloud.carry_out("upload_file", filename=name, content=base64_of(CUBE)), "invalid params.filename")
    assert files_of(rig) == before


WRONG_TYPES: list[tuple[str, Any]] = [
    ("start_print", {"filename": 7}),
    ("start_print", {"filename": None}),
    ("start_print", {"filename": ["tower.gcode"]}),
    ("start_print", {"filename": {"a": 1}}),
    ("start_print", [1, 2]),
    ("start_print", "not json"),
    ("start_print", 7),
    ("upload_file", {"filename": "x.gcode", "content": 5}),
    ("upload_file", {"filename": "x.gcode", "content": ["eA=="]}),
    ("upload_file", {"filename": "x.gcode", "content": "eA="}),
    ("upload_file", {"filename": "x.gcode", "content": "\u00e9A=="}),
    ("delete_file", {"filename": True}),
    ("create_backup", {"backup_id": 3, "presigned_url": "https://example.org/x"}),
    ("create_backup", {"backup_id": "x"}),
]


@pytest.mark.parametrize(("action", "params"), WRONG_TYPES)
def test_parameters_of_a_wrong_type_fail(idle_cloud: tuple[Rig, PrintDockCloud], action: str, params: Any) -> None:
    rig, cloud = idle_cloud
    before = files_of(rig)
    failed(cloud.carry_out(action, params=params))
    assert files_of(rig) == before
    assert rig.printer.starts("tower.gcode") == 0


# Answers to the poll


def test_bad_elements_fail_alone_and_good_ones_are_done(cloud: PrintDockCloud, rig: Rig) -> None:
    good = {"id": 7002, "printer_id": "262", "action": "homing", "params": '{"axes": ["X"]}'}
    bad = [
        None,
        7,
        "homing",
        [],
        {},
        {"action": "homing", "printer_id": 262},
        {"id": None, "action": "homing", "printer_id": 262},
        {"id": "", "action": "homing", "printer_id": 262},
        {"id": {"a": 1}, "action": "homing", "printer_id": 262},
        {"id": "7" * 2000, "action": "homing", "printer_id": 262},
        {"id": 7003, "printer_id": "many", "action": "homing"},
        {"id": 7004, "printer_id": 262.5, "action": "homing"},
        {"id": 7005, "printer_id": 262, "action": 5},
        {"id": 7006, "printer_id": 262},
        {"id": 7007, "printer_id": 262, "action": "homing", "params": [1]},
    ]
    cloud.order("commands", elements=[*bad, good])
    succeeded(cloud.completion("7002"))
    assert rig.printer.executed("G28 X") == 1
    for number in ("7003", "7004", "7005", "7006", "7007"):
        failed(cloud.completion(number), "")
    assert [entry["script"] for entry in rig.printer.requests() if "G28" in entry["script"]] == ["G28 X"]
    assert rig.daemon.process.running


BAD_POLLS: list[tuple[str, dict[str, Any]]] = [
    ("html", {}),
    ("json", {"body": {"commands": []}}),
    ("truncate", {}),
    ("flood", {"size": 70_000_000}),
    ("redirect", {"status": 307, "location": "/api/v1/connectors/46/heartbeat"}),
    ("drop_before", {}),
]
MORE_BAD_POLLS: list[tuple[str, dict[str, Any]]] = [
    ("garbage", {}),
    ("empty", {}),
    ("empty", {"status": 200}),
    ("json", {"body": "text"}),
    ("json", {"body": 5}),
    ("json", {"body": [[[[[[]]]]]]}),
    ("broken_http", {}),
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "polls", [BAD_POLLS, pytest.param(MORE_BAD_POLLS, marks=pytest.mark.soak)], ids=["first", "more"]
)
def test_bad_answers_to_the_poll_are_survived_and_the_next_commands_done(
    cloud: PrintDockCloud, rig: Rig, polls: list[tuple[str, dict[str, Any]]]
) -> None:
    for index, (action, details) in enumerate(polls):
        begin = time.monotonic()
        cloud.fault("commands", action, **details)
        cloud.wait_for("commands", 30, begin, lambda record, action=action: record["fault"] == action)
        cloud.wait_for("commands", 60, begin, accepted)
        number = cloud.command("homing", axes=["XYZ"[index % 3]])
        succeeded(cloud.completion(number))
        assert rig.daemon.process.running
    homed = [entry for entry in rig.printer.requests() if entry["script"].startswith("G28")]
    assert len(homed) == len(polls)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(400, marks=pytest.mark.timeout(240)),
        pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)]),
    ],
)
def test_of_thousands_of_commands_in_one_answer_few_are_done_and_each_is_answered_once(
    cloud: PrintDockCloud, rig: Rig, count: int
) -> None:
    """What ran before keeps its id and its result; polling goes on, and a cancel does not wait for the flood's end."""
    earlier = cloud.command("homing", axes=["X"])
    succeeded(cloud.completion(earlier))
    memory = resident_kilobytes(rig, "VmRSS")
    cloud.set(hand_out_at_most=count)
    numbers = cloud.commands(*[("homing", {"axes": ["Y"]})] * count)
    cloud.wait_handed_out(numbers[-1], 60)
    cloud.set(hand_out_at_most=20)
    cloud.completion(cloud.command("cancel"), 15 + count / 500)

    def answered() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {number: [] for number in numbers}
        for record in cloud.records("complete"):
            assert record["fault"] is None and not record["deviations"]
            found.get(record["path"].split("/")[4], []).append(record["body"])
        return found

    begin = time.monotonic()
    wait_until(lambda: all(answered().values()), count * 0.12, "an answer to each", 0.5)
    growth = resident_kilobytes(rig, "VmHWM") - memory
    print(f"{count} commands: {time.monotonic() - begin:.1f} s, {growth} kB more at the most")
    time.sleep(2)
    assert {len(bodies) for bodies in answered().values()} == {1}
    done = [number for number, [body] in answered().items() if body["status"] == "succeeded"]
    assert 0 < len(done) <= 32
    assert rig.printer.executed("G28 Y") == len(done)
    log = rig.daemon.log()
    assert log.count("too many commands are waiting") <= 5
    assert "were dropped so far" not in log

    cloud.order("redeliver", id=earlier)
    wait_until(lambda: len(cloud.completions(earlier)) == 2, 90, "the stored result of the earlier command")
    first, second = cloud.completions(earlier)
    assert first["body"] == second["body"]
    assert rig.printer.executed("G28 X") == 1
    succeeded(cloud.carry_out("homing", axes=["Z"], timeout=90))


@pytest.mark.timeout(240)
def test_with_a_hanging_disk_a_flood_holds_up_no_pause(rig: Rig) -> None:
    """Refusals wait for the disk, without piling up behind it; PrintDock is asked for commands all the same."""
    switch = hang_syncs(rig)
    cloud = obey_printdock(rig)
    start_job(rig)
    memory = resident_kilobytes(rig, "VmRSS")
    switch.touch()
    cloud.set(hand_out_at_most=2_000)
    numbers = cloud.commands(*[("delete_file", {"filename": "tower.gcode"})] * 300, *[("dance", {})] * 200)
    cloud.wait_handed_out(numbers[-1], 30)
    polls = len(cloud.records("commands"))
    pause = cloud.command("pause")
    wait_until(lambda: rig.printer.requests("pause_resume/pause"), 5, "the pause at Klippy")
    time.sleep(8)
    assert len(cloud.records("commands")) - polls > 4
    assert resident_kilobytes(rig, "VmHWM") - memory < 16_000
    switch.unlink()
    succeeded(cloud.completion(pause, 60))

    def told() -> set[str]:
        return {record["path"].split("/")[4] for record in cloud.records("complete")}

    wait_until(lambda: told() >= set(numbers), 150, "an answer to each", 0.5)


def resident_kilobytes(rig: Rig, name: str) -> int:
    """The daemon's memory now (`VmRSS`) or at the most so far (`VmHWM`)."""
    status = Path(f"/proc/{rig.daemon.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:")))


# Twice handed out, results that do not arrive


@pytest.mark.parametrize("after", [0.0, 4.0], ids=["at once", "later"])
def test_a_command_that_comes_again_runs_once_and_is_answered_again(
    cloud: PrintDockCloud, rig: Rig, after: float
) -> None:
    number = cloud.command("start_print", filename="long.gcode")
    succeeded(cloud.completion(number))
    rig.moonraker.call("printer.print.cancel")
    time.sleep(after)
    cloud.order("redeliver", id=number)
    wait_until(lambda: len(cloud.completions(number)) == 2, 20, "the completion again")
    first, second = cloud.completions(number)
    assert first["body"] == second["body"]
    time.sleep(1)
    assert rig.printer.starts("long.gcode") == 1
    assert rig.printer.print_state == "cancelled"
    assert rig.deviations() == []


def test_a_command_that_comes_again_while_it_runs_is_answered_once(cloud: PrintDockCloud, rig: Rig) -> None:
    rig.printer.slow("G28", 4)
    number = cloud.command("homing")
    wait_for_line(rig, "G28")
    cloud.order("redeliver", id=number)
    cloud.wait_handed_out(number, times=2)
    succeeded(cloud.completion(number))
    time.sleep(2)
    assert len([e for e in rig.printer.requests() if e["script"].startswith("G28")]) == 1


def test_the_same_number_with_another_command_is_refused(cloud: PrintDockCloud, rig: Rig) -> None:
    succeeded(cloud.carry_out("homing", id=8001, axes=["X"]))
    cloud.command("homing", id=8001, axes=["Y"])
    time.sleep(4)
    assert rig.printer.executed("G28 Y") == 0


COMPLETION_FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 500, "count": 3}),
    ("status", {"status": 429, "retry_after": 2}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("hang", {}),
    ("truncate", {}),
    ("html", {}),
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("action", "details"), COMPLETION_FAULTS)
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_result_arrives_whatever_happens_to_its_call(
    cloud: PrintDockCloud, rig: Rig, action: str, details: dict[str, Any], restarted: bool
) -> None:
    if restarted and action in ("html", "truncate"):
        pytest.skip("the call counts as taken")
    cloud.fault("complete", action, **details)
    number = cloud.command("homing", axes=["X"])
    cloud.wait_for("complete", 20)
    if restarted:
        rig.daemon.kill()
        rig.daemon.start()
    wait_until(
        lambda: [record for record in cloud.completions(number) if record["status"] == 200 or record["fault"]],
        90,
        "the completion",
    )
    wait_until(lambda: cloud.records("complete")[-1]["fault"] in (None, "html", "truncate"), 90, "an answer to it")
    succeeded(cloud.completion(number))
    time.sleep(3)
    taken = [record for record in cloud.completions(number) if record["fault"] is None]
    assert len(taken) <= 1
    assert rig.printer.executed("G28 X") == 1
    assert rig.deviations() == []


@pytest.mark.parametrize("status", [404, 409, 410, 422])
def test_a_result_that_the_cloud_does_not_want_is_dropped(cloud: PrintDockCloud, rig: Rig, status: int) -> None:
    cloud.fault("complete", "status", status=status)
    first = cloud.command("homing", axes=["X"])
    cloud.wait_for("complete")
    second = cloud.command("homing", axes=["Y"])
    succeeded(cloud.completion(second))
    time.sleep(3)
    assert cloud.completions(first) == []


def test_a_result_that_is_too_large_comes_again_shortened(cloud: PrintDockCloud) -> None:
    cloud.fault("complete", "status", status=413)
    result = cloud.carry_out("sync_files")["result"]
    assert (result["count"], result["truncated"]) == (2, True)
    assert "files" not in result
    assert cloud.deviations() == []


# Slow printers


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seconds", [12, pytest.param(60, marks=pytest.mark.soak)])
def test_a_long_homing_succeeds_once_it_happened(cloud: PrintDockCloud, rig: Rig, seconds: int) -> None:
    rig.printer.slow("G28", seconds)
    number = cloud.command("homing")
    begun = wait_for_line(rig, "G28")
    polls = len(cloud.records("commands"))
    succeeded(cloud.completion(number, seconds + 30))
    assert cloud.completions(number)[0]["mono"] - begun > seconds - 0.1
    assert len(cloud.records("commands")) - polls > seconds * 0.66
    assert rig.deviations() == []


def test_a_pause_during_heating_is_told_when_it_happened_and_a_cancel_is_not_blocked(
    cloud: PrintDockCloud, rig: Rig
) -> None:
    rig.printer.slow("M109", 6)
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    wait_until(lambda: any(line.startswith("M109") for line in rig.printer.gcode_lines("file")), 20, "M109")
    paused = cloud.command("pause")
    cloud.wait_handed_out(paused)
    cancelled = cloud.command("cancel")
    handed = cloud.wait_handed_out(cancelled)
    reached = wait_until(lambda: rig.printer.requests("pause_resume/cancel"), 3, "the cancel at Klippy")
    assert reached[0]["mono"] - handed < 0.25
    assert not cloud.completions(paused) or rig.printer.executed("PAUSE") == 1
    succeeded(cloud.completion(cancelled, 40))
    assert rig.printer.print_state == "cancelled"


def test_a_cancel_does_not_wait_behind_a_homing(cloud: PrintDockCloud, rig: Rig) -> None:
    """Klipper may make it wait; the daemon does not."""
    start_job(rig)
    rig.printer.slow("M117", 5)
    waiting = rig.moonraker.client().send("printer.gcode.script", script="M117 long")
    assert waiting
    number = cloud.command("pause")
    handed = cloud.wait_handed_out(number)
    reached = wait_until(lambda: rig.printer.requests("pause_resume/pause"), 3, "the pause at Klippy")
    assert reached[0]["mono"] - handed < 0.25
    succeeded(cloud.completion(number, 30))


@pytest.mark.parametrize("before", [[], [("homing", {"axes": ["X"]})]], ids=["alone", "behind a homing"])
def test_a_cancel_right_after_a_start_leaves_no_job(
    cloud: PrintDockCloud, rig: Rig, before: list[tuple[str, dict[str, Any]]]
) -> None:
    """Pressed within one interval, both come in one answer: the start must not win because the cancel overtakes."""
    rig.printer.slow("G28", 2)
    numbers = cloud.commands(*before, ("start_print", {"filename": "long.gcode"}), ("cancel", {}))
    failed(cloud.completion(numbers[-2]), "a cancel came before its turn")
    cloud.completion(numbers[-1])
    time.sleep(1 + 2 * len(before))
    assert rig.printer.starts("long.gcode") == 0
    assert rig.deviations() == []


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_start_that_a_cancel_took_out_is_not_done_when_it_comes_again(
    cloud: PrintDockCloud, rig: Rig, restarted: bool
) -> None:
    """PrintDock was told that it failed; that its answer may have been lost there changes nothing."""
    rig.printer.slow("G28", 2)
    homing, start, cancel = cloud.commands(("homing", {}), ("start_print", {"filename": "long.gcode"}), ("cancel", {}))
    failed(cloud.completion(start), "a cancel came before its turn")
    for number in (homing, cancel):
        cloud.completion(number)
    if restarted:
        rig.daemon.kill()
        rig.daemon.start()
        settle(cloud)
    cloud.order("redeliver", id=start)
    wait_until(lambda: len(cloud.completions(start)) == 2, 20, "the completion again")
    first, second = cloud.completions(start)
    assert first["body"] == second["body"]
    time.sleep(2)
    assert rig.printer.starts("long.gcode") == 0
    assert rig.deviations() == []


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("cancel", ("start_print", {"filename": "tower.gcode"}), "printing"),
        ("pause", ("resume", {}), "printing"),
    ],
    ids=["cancel and start", "pause and resume"],
)
def test_what_comes_behind_a_pause_or_a_cancel_waits_for_it(
    cloud: PrintDockCloud, rig: Rig, first: str, second: tuple[str, dict[str, Any]], state: str
) -> None:
    start_job(rig)
    for word in ("PAUSE", "CANCEL_PRINT"):
        rig.printer.slow(word, 2)
    for number in cloud.commands((first, {}), second):
        succeeded(cloud.completion(number))
    rig.printer.wait_for_print_state(state)
    assert rig.deviations() == []


def test_a_pause_right_after_a_start_pauses_it(cloud: PrintDockCloud, rig: Rig) -> None:
    for number in cloud.commands(("start_print", {"filename": "long.gcode"}), ("pause", {})):
        succeeded(cloud.completion(number))
    assert rig.printer.print_state == "paused"
    assert rig.deviations() == []


# Files


@pytest.mark.timeout(180)
def test_eight_megabytes_arrive_whole(cloud: PrintDockCloud, rig: Rig) -> None:
    data = b"; line of a large file\n" + os.urandom(4_000_000).hex("\n", 40).encode()
    content = base64.encodebytes(data).decode()  # with line breaks, which are tolerated
    succeeded(cloud.carry_out("upload_file", 60, filename="large.gcode", content=content), size=len(data))
    assert (rig.moonraker.gcodes / "large.gcode").read_bytes() == data
    assert left_behind(rig.daemon.state) == []
    # A debug build reads eleven megabytes of JSON for seconds, and polls late.
    assert [text for text in rig.deviations() if "poll only after" not in text] == []


def test_an_upload_over_the_file_that_is_printed_fails(cloud: PrintDockCloud, rig: Rig) -> None:
    start_job(rig)
    before = (rig.moonraker.gcodes / "long.gcode").read_bytes()
    failed(cloud.carry_out("upload_file", filename="long.gcode", content=base64_of(CUBE)))
    assert (rig.moonraker.gcodes / "long.gcode").read_bytes() == before
    assert rig.printer.print_state == "printing"


@pytest.mark.timeout(180)
def test_an_upload_cut_half_way_leaves_nothing(cloud: PrintDockCloud, rig: Rig) -> None:
    """Moonraker dies while it takes the file."""
    before = files_of(rig)
    rig.moonraker.freeze()
    number = cloud.command("upload_file", filename="cut.gcode", content=base64_of(os.urandom(3_000_000)))
    cloud.wait_handed_out(number)
    wait_until(
        lambda: any(Path(path).stat().st_size == 3_000_000 for path in left_behind(rig.daemon.state)),
        10 * PATIENCE,
        "the whole file on its way to Moonraker",
    )
    time.sleep(0.5 * PATIENCE)  # by then Moonraker has a part of it
    rig.moonraker.kill()
    rig.moonraker.relaunch()
    failed(cloud.completion(number, 60))
    after = files_of(rig)
    assert {name: digest for name, digest in after.items() if "cut" in name} == {}
    assert before.keys() <= after.keys()
    assert left_behind(rig.daemon.state) == []


def test_only_own_files_are_deleted_and_only_unchanged(cloud: PrintDockCloud, rig: Rig) -> None:
    for name in ("mine.gcode", "changed.gcode"):
        succeeded(cloud.carry_out("upload_file", filename=name, content=base64_of(CUBE)))
    (rig.moonraker.gcodes / "changed.gcode").write_bytes(CUBE + b"; by the owner\n")
    time.sleep(1)
    succeeded(cloud.carry_out("delete_file", filename="mine.gcode"))
    failed(cloud.carry_out("delete_file", filename="changed.gcode"))
    failed(cloud.carry_out("delete_file", filename="long.gcode"))
    assert set(files_of(rig)) >= {"gcodes/changed.gcode", "gcodes/long.gcode"}
    assert "gcodes/mine.gcode" not in files_of(rig)


# Freshness


def test_what_waited_for_a_restart_is_refused_and_a_read_is_not(rig: Rig) -> None:
    cloud = obey_printdock(rig)
    rig.daemon.stop()
    late = cloud.commands(
        ("start_print", {"filename": "tower.gcode"}), ("homing", {}), ("resume", {}), ("sync_files", {})
    )
    rig.daemon.start()
    for number in late[:3]:
        failed(cloud.completion(number))
    succeeded(cloud.completion(late[3]))
    assert rig.printer.requests() == []
    settle(cloud)
    succeeded(cloud.carry_out("homing"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["first", "more"])
def test_after_a_gap_a_start_is_refused_and_a_pause_acts_on_an_older_job_only(rig: Rig, thorough: bool) -> None:
    cloud = obey_printdock(rig, max_command_age=3)

    def after_a_gap(action: str, meanwhile: Callable[[], None] = lambda: None, **params: Any) -> dict[str, Any]:
        """The command comes in the first answer after five seconds without one."""
        settle(cloud)
        cloud.fault("commands", "drop_before", count=None)
        cloud.wait_for("commands", 20, time.monotonic())
        time.sleep(5)
        meanwhile()
        number = cloud.command(action, **params)
        cloud.clear_faults()
        return cloud.completion(number, 90)

    failed(after_a_gap("start_print", filename="tower.gcode"))
    if thorough:
        failed(after_a_gap("homing"))
    failed(after_a_gap("pause", lambda: start_job(rig)))
    assert rig.printer.requests("pause_resume/pause") == []
    assert rig.printer.starts("tower.gcode") == 0
    succeeded(after_a_gap("pause"))
    assert rig.printer.print_state == "paused"
    if thorough:
        failed(after_a_gap("resume"))
        assert rig.printer.print_state == "paused"


# Credentials, outages, ends


@pytest.mark.timeout(180)
@pytest.mark.parametrize("status", [401, pytest.param(404, marks=pytest.mark.soak)])
def test_without_credentials_the_load_drops_to_a_probe(cloud: PrintDockCloud, rig: Rig, status: int) -> None:
    settle(cloud)
    cloud.fault("*", "status", count=None, status=status)
    time.sleep(8)
    begin = time.monotonic()
    time.sleep(12)
    assert len(cloud.records(after=begin)) <= 1


@pytest.mark.soak
@pytest.mark.timeout(240)
@pytest.mark.parametrize("status", [401, 404])
def test_restored_credentials_are_obeyed_again_within_75_seconds(cloud: PrintDockCloud, rig: Rig, status: int) -> None:
    cloud.fault("*", "status", count=None, status=status)
    time.sleep(10)
    cloud.clear_faults()
    cloud.wait_for("commands", 80, time.monotonic(), accepted)
    settle(cloud)
    succeeded(cloud.carry_out("homing"))


def outage(rig: Rig, cloud: PrintDockCloud, seconds: float) -> None:
    """Results are owed when the cloud goes; the daemon restarts in between; all arrive once, in order."""
    cloud.fault("complete", "drop_before", count=None)
    numbers = cloud.commands(*(("homing", {"axes": [axis]}) for axis in "XYZ"))
    for axis in "XYZ":
        wait_for_line(rig, f"G28 {axis}", 30)
    time.sleep(1)
    cloud.kill()
    time.sleep(seconds / 2)
    rig.daemon.kill()
    rig.daemon.start()
    time.sleep(seconds / 2)
    cloud.relaunch()  # faults are gone with the process
    late = cloud.command("start_print", filename="tower.gcode")
    begin = time.monotonic()
    for number in numbers:
        succeeded(cloud.completion(number, 90))
    failed(cloud.completion(late, 90))
    arrived = [record["path"].split("/")[4] for record in cloud.records("complete", begin) if accepted(record)]
    assert [number for number in arrived if number in numbers] == numbers
    assert rig.printer.starts("tower.gcode") == 0
    for axis in "XYZ":
        assert rig.printer.executed(f"G28 {axis}") == 1
    assert rig.deviations() == []


@pytest.mark.timeout(240)
def test_a_short_outage_with_a_restart_loses_and_repeats_nothing(rig: Rig) -> None:
    outage(rig, obey_printdock(rig, max_command_age=5), 12)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_an_outage_of_ten_minutes_with_a_restart_loses_and_repeats_nothing(rig: Rig) -> None:
    outage(rig, obey_printdock(rig), 600)


def ends_in_time(rig: Rig) -> None:
    assert rig.daemon.stop() < 3.0
    assert rig.daemon.process.exit_status == 0


def test_sigterm_during_a_command_ends_in_time_and_the_command_is_told_as_unknown(
    cloud: PrintDockCloud, rig: Rig
) -> None:
    rig.printer.slow("G28", 20)
    number = cloud.command("homing")
    wait_for_line(rig, "G28")
    ends_in_time(rig)
    rig.daemon.start()
    failed(cloud.completion(number, 30), "unknown")
    cloud.order("redeliver", id=number)
    time.sleep(4)
    assert len([e for e in rig.printer.requests() if e["script"].startswith("G28")]) == 1


def test_sigterm_while_an_answer_is_sorted_loses_none_of_its_commands(cloud: PrintDockCloud, rig: Rig) -> None:
    """What PrintDock has handed out it never hands out again."""
    bad = [{"id": 5000 + index, "printer_id": 999, "action": "homing"} for index in range(40)]
    good = {"id": 6000, "printer_id": cloud.printer_id, "action": "sync_files"}
    cloud.set(hand_out_at_most=100)
    cloud.order("commands", elements=[*bad, good])
    cloud.wait_handed_out("6000")
    ends_in_time(rig)
    rig.daemon.start()
    cloud.completion("6000", 60 * PATIENCE)


def test_sigterm_during_a_flood_ends_in_time_and_starts_nothing_later(cloud: PrintDockCloud, rig: Rig) -> None:
    rig.printer.slow("G28", 20)
    cloud.set(hand_out_at_most=2_000)
    wanted: list[tuple[str, dict[str, Any]]] = [("homing", {})] + [("start_print", {"filename": "long.gcode"})] * 1_500
    numbers = cloud.commands(*wanted)
    wait_for_line(rig, "G28")
    cloud.wait_for("complete", 30)
    ends_in_time(rig)
    told = len(cloud.records("complete"))
    rig.daemon.start()
    cloud.wait_for("complete", 30, count=told + 20)
    failed(cloud.completion(numbers[1], 60), "was stopped before its turn")
    settle(cloud)
    rig.printer.slow("G28", 0)
    cloud.order("redeliver", id=numbers[1])
    wait_until(lambda: len(cloud.completions(numbers[1])) == 2, 60, "the completion again")
    first, second = cloud.completions(numbers[1])
    assert first["body"] == second["body"]
    assert rig.printer.starts("long.gcode") == 0


def test_sigterm_during_pairing_and_during_backoff_ends_in_time(rig: Rig) -> None:
    rig.start_printer()
    rig.printdock.start()
    rig.printdock.fault("register", "hang")
    write_backends(rig, printdock_entry(rig))
    rig.daemon.start()
    rig.printdock.wait_for("register")
    ends_in_time(rig)
    rig.printdock.kill()
    rig.daemon.start()
    time.sleep(4)
    ends_in_time(rig)


def test_a_second_signal_ends_at_once(cloud: PrintDockCloud, rig: Rig) -> None:
    rig.printer.slow("G28", 20)
    cloud.command("homing")
    wait_for_line(rig, "G28")
    begin = time.monotonic()
    rig.daemon.process.signal(signal.SIGTERM)
    time.sleep(0.1)
    rig.daemon.process.signal(signal.SIGTERM)
    wait_until(lambda: not rig.daemon.process.running, 2, "the end")
    assert time.monotonic() - begin < 0.6 * PATIENCE


# TLS


def test_commands_come_over_trusted_tls_only(rig: Rig) -> None:
    rig.start_printer()
    rig.printdock.start("--heartbeat", "2", "--snapshots", "3", "--commands", "1", certificate=rig.certificate())
    document = rig.configuration() | {"backends": [printdock_entry(rig)]}
    rig.daemon.write(document)
    rig.start_daemon()
    settle(rig.printdock)
    succeeded(rig.printdock.carry_out("homing"))
    rig.daemon.stop()
    del document["network"]
    rig.daemon.write(document)
    begin = time.monotonic()
    rig.daemon.start()
    time.sleep(3)
    assert rig.printdock.records(after=begin) == []


# Killed again and again


def killed_again_and_again(rig: Rig, cloud: PrintDockCloud, kills: int, seed: int) -> None:
    """SIGKILL at random instants around what is done, while the cloud hands out again what it has no result of.

    Each start has a file of its own, so that the printer's own record tells whether it ran twice.
    """
    chance = random.Random(seed)
    print(f"seed {seed}")
    cloud.set(redeliver_after=1.0, redeliver_times=10_000, spare_first_answer=True)
    names: dict[str, str] = {}
    homings: list[str] = []
    for index in range(kills):
        name = f"job-{index}.gcode"
        (rig.moonraker.gcodes / name).write_text("G4 P10\n")
        begin = time.monotonic()
        homings += [cloud.command("homing", axes=[axis]) for axis in "XY"]
        names[cloud.command("start_print", filename=name)] = name
        with suppress(AssertionError):  # the handing-out is what the kill shall be near to
            cloud.wait_for("commands", 4, begin, count=chance.choice((2, 3)))
        time.sleep(chance.uniform(0.0, 0.3))
        rig.daemon.kill()
        rig.daemon.start()
    settle(cloud)
    results = {number: cloud.completion(number, 90) for number in [*names, *homings]}
    time.sleep(3)
    for number, name in names.items():
        starts, result = rig.printer.starts(name), results[number]
        assert starts <= 1, f"{name} was started {starts} times"
        if result["status"] == "succeeded":
            assert starts == 1
    ran = rig.printer.executed("G28 X") + rig.printer.executed("G28 Y")
    done = [number for number in homings if results[number]["status"] == "succeeded"]
    unknown = [number for number in homings if "unknown" in results[number].get("error_message", "")]
    print(f"{len(done)} homings done, {len(unknown)} unknown, {ran} at the printer")
    assert len(done) <= ran <= len(done) + len(unknown)
    assert done, "the kills left nothing to see"
    assert rig.deviations() == []


@pytest.mark.timeout(300)
def test_five_kills_run_nothing_twice(rig: Rig) -> None:
    killed_again_and_again(rig, obey_printdock(rig), 5, int.from_bytes(os.urandom(4)))


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_two_hundred_kills_run_nothing_twice(rig: Rig) -> None:
    killed_again_and_again(rig, obey_printdock(rig), 200, int.from_bytes(os.urandom(4)))
