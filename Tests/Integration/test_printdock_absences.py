"""PrintDock, Moonraker or Klippy is away in the middle of a print: nothing stale, nothing late, every command answered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from harness import PrintDockCloud, Rig

from commanding import failed, obey_printdock, settle, start_job, succeeded
from observe import accepted, longest_gap, reachable, state_of

HEARTBEAT = 2.2 + 0.5
"""Seconds: the rig's interval with its jitter, and a busy machine."""


def answers_no(cloud: PrintDockCloud, *wanted: tuple[str, dict[str, Any]]) -> None:
    """Each of these fails in the cloud's own form, soon."""
    for action, params in wanted:
        failed(cloud.carry_out(action, timeout=10, **params))


def comes_back(cloud: PrintDockCloud, timeout: float = 70.0) -> None:
    """A reachable printer and a snapshot of it are told."""
    begin = time.monotonic()
    cloud.wait_for("heartbeat", timeout, begin, lambda record: accepted(record) and reachable(record))
    cloud.wait_for("snapshots", timeout, begin, accepted)


def is_told_as_away(cloud: PrintDockCloud, begin: float, timeout: float) -> None:
    """It is told within `timeout` s that the printer cannot be reached; from then on no snapshot comes."""
    cloud.wait_for("heartbeat", timeout, begin, lambda record: not reachable(record))
    told = time.monotonic()
    answers_no(
        cloud, ("pause", {}), ("cancel", {}), ("homing", {"axes": ["X"]}), ("start_print", {"filename": "tower.gcode"})
    )
    time.sleep(3.5)
    assert cloud.records("snapshots", told) == []
    assert not any(reachable(record) for record in cloud.records("heartbeat", told))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.soak)])
def test_whoever_is_away_reports_stay_true_and_commands_are_answered(rig: Rig, seconds: float) -> None:
    cloud = obey_printdock(rig, speed=20 if seconds < 10 else 4)  # the job must last
    start_job(rig)

    # The cloud.
    cloud.wait_for("snapshots", where=lambda record: state_of(record) == "printing")
    cloud.kill()
    time.sleep(seconds / 2)
    rig.moonraker.call("printer.print.pause")
    time.sleep(seconds / 2)
    begin = time.monotonic()
    cloud.relaunch()
    first = cloud.wait_for("snapshots", 70, begin, accepted)
    assert state_of(first) == "paused", "the newest state comes first"
    assert len(cloud.records("snapshots", begin)) <= 2, "nothing was queued"
    comes_back(cloud)
    cloud.wait_for("commands", 75, begin, accepted)  # each call has its own back-off, of a minute at the most
    settle(cloud)
    succeeded(cloud.carry_out("resume"))
    assert rig.printer.print_state == "printing"

    # Moonraker: frozen, so that its sockets stay open. That takes 20 s to be sure of: `test_moonraker_link.py` has a short form.
    if seconds > 10:
        begin = time.monotonic()
        rig.moonraker.freeze()
        is_told_as_away(cloud, begin, 25)
        answers_no(cloud, ("sync_files", {}), ("upload_file", {"filename": "x.gcode", "content": "RzI4Cg=="}))
        time.sleep(seconds)
        assert longest_gap(cloud, "heartbeat", begin, time.monotonic()) < HEARTBEAT
        rig.moonraker.thaw()
        comes_back(cloud)
        assert rig.printer.print_state == "printing", "what was answered with a failure has not been done"
        assert rig.printer.requests("pause_resume/cancel") == []
        assert not (rig.moonraker.gcodes / "x.gcode").exists()

    # Klippy: Moonraker lives, and says that it is away.
    begin = time.monotonic()
    rig.printer.kill()
    is_told_as_away(cloud, begin, 10)
    succeeded(cloud.carry_out("sync_files"), action="sync_files")
    if seconds > 10:
        time.sleep(seconds)
    assert longest_gap(cloud, "heartbeat", begin, time.monotonic()) < HEARTBEAT
    rig.printer.restart_process()
    rig.moonraker.wait_for_klippy()
    comes_back(cloud)
    settle(cloud)
    succeeded(cloud.carry_out("homing", axes=["X"]))
    assert rig.printer.executed("G28 X") == 1
    # On a busy machine a poll that arrives late makes the next one look early; the intervals have their own tests.
    assert [text for text in rig.deviations() if "command poll after" not in text] == []


def test_one_round_answers_what_waited_and_moves_nothing(rig: Rig) -> None:
    cloud = obey_printdock(rig)
    rig.daemon.stop()
    start, read = cloud.commands(("start_print", {"filename": "tower.gcode"}), ("sync_files", {}))
    cloud.client_restarted()
    done = rig.daemon.command("run", "--config", str(rig.daemon.config), "--once")
    assert done.returncode == 0, done.stderr
    failed(cloud.completion(start, 1))
    succeeded(cloud.completion(read, 1))
    assert rig.printer.starts("tower.gcode") == 0
    assert rig.deviations() == []
