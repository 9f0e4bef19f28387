"""The Polar Cloud's long forms: an hour of statuses in shortened time, and a daemon that is killed whenever it likes."""

from __future__ import annotations

import random
import re
import time

import pytest
from harness import Rig, wait_until

from polar_rig import obey_polar, starts

MINUTES = 10
"""An hour at the shortest `status_interval`: sixty statuses that nothing but the clock has asked for."""


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_an_hour_in_shortened_time_and_all_that_a_cloud_does_behind_it(rig: Rig) -> None:
    """Register, greet, an hour of statuses with pictures, a job to its end, one cancelled, one that fails, the deletion."""
    polar = obey_polar(rig, "--ping-interval", "25", "--ping-timeout", "20", camera=True, idle_image_interval=10)
    begin = time.monotonic()
    time.sleep(MINUTES * 60)
    statuses = [record["mono"] for record in polar.records("status", begin)]
    assert len(statuses) >= MINUTES * 60 // 10
    assert len(polar.records("open")) == 2, "one to register, one for all the rest"
    assert len(polar.records("hello")) == 1
    assert len(polar.records("upload", begin)) >= MINUTES * 60 // 10 - 6
    assert len(polar.records("getUrl")) == 1, "one form serves for a day"

    job = polar.print("cube.gcode", stlFile="cube.stl", configFile="cube.ini")
    assert polar.report(job, 60)["state"] == "completed"
    polar.wait_for("upload", 30, where=lambda record: record["body"]["job"] == job)
    cancelled = polar.print("long.gcode")
    polar.wait_for_code(3, jobId=cancelled)
    polar.send("cancel", {"jobId": cancelled})
    assert polar.report(cancelled)["state"] == "canceled"
    polar.wait_for_code(0, 30, time.monotonic())
    failed = polar.print("long.gcode")
    polar.wait_for_code(3, jobId=failed)
    rig.printer.shut_down()
    polar.wait_for_code(12)
    rig.moonraker.call("printer.firmware_restart")
    assert polar.report(failed)["state"] == "canceled"
    polar.wait_for_code(0, 30, time.monotonic())
    unfetched = polar.print("none.gcode")
    assert polar.report(unfetched)["state"] == "canceled"
    for each in (job, cancelled, failed, unfetched):
        assert len(polar.reports(each)) == 1
    assert starts(rig) == 3

    begin = time.monotonic()
    polar.send("delete")
    wait_until(lambda: "deleted in the Polar Cloud" in rig.daemon.log(), what="a clear message")
    time.sleep(10)
    assert polar.records("open", begin) == []
    assert polar.deviations() == []


def test_killed_right_behind_a_report_it_does_not_repeat_it(rig: Rig) -> None:
    """The cloud's WebSocket has said that it read the report: nothing else has to come for that to count."""
    polar = obey_polar(rig, "--ping-interval", "25", "--ping-timeout", "20")
    job = polar.print("cube.gcode")
    polar.report(job, 60)
    time.sleep(0.3)
    rig.daemon.kill()
    begin = time.monotonic()
    rig.daemon.start()
    polar.wait_until_online(20, begin)
    time.sleep(3)
    assert len(polar.reports(job)) == 1
    assert starts(rig) == 1
    assert polar.deviations() == []


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment_of_a_job_it_prints_once_and_reports_once(rig: Rig, seed: int) -> None:
    """From the moment in which the job is handed out to the one behind its end; the same job is handed out again after it."""
    chance = random.Random(seed)
    polar = obey_polar(rig)
    for _ in range(4):
        before = starts(rig)
        job = polar.print("cube.gcode")
        time.sleep(chance.choice([0.01, 0.05, 0.1, 0.2, 0.4]) if chance.random() < 0.6 else chance.uniform(0, 8))
        rig.daemon.kill()
        begin = time.monotonic()
        rig.daemon.start()
        polar.wait_until_online(20, begin)
        time.sleep(3.5)
        polar.print("cube.gcode", job=job)
        report = polar.report(job, 100)
        assert report["state"] in ("completed", "canceled")
        rig.printer.wait_for_print_state("complete", 60) if starts(rig) > before else None
        time.sleep(3)
        assert len(polar.reports(job)) == 1, job
        assert starts(rig) - before <= 1, job
        wait_until(lambda: polar.codes()[-1] in (0, 7), 30, "an idle printer in the cloud")
    files = [entry["script"] for entry in rig.printer.requests("gcode/script") if "SDCARD_PRINT" in entry["script"]]
    assert len(files) == len(set(files)), "a second print"
    # A connection that was killed has ended without a word: that is the test's doing.
    assert [text for text in polar.deviations() if not re.search(r"open: tight loop", text)] == []
