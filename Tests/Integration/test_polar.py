"""The Polar Cloud from end to end: the real daemon, the real Socket.IO server, a printer. No deviation, at any point."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator

import pytest
from harness import PolarCloud, Rig, wait_until
from PIL import Image

from commanding import start_job, write_backends
from polar_rig import audit, cloud_files, obey_polar, offer_files, starts, wait_until_still_alive


@pytest.fixture
def polar(rig: Rig) -> Iterator[PolarCloud]:
    """Online, without a camera; nothing to complain about at the end."""
    yield obey_polar(rig)
    assert rig.polar.deviations() == []


def test_a_whole_life_from_the_registration_to_the_deletion(rig: Rig) -> None:
    polar = obey_polar(rig, camera=True, printing_image_interval=5, idle_image_interval=10)
    # Registered on one connection, greeted on the next.
    first, second = polar.records("open")[:2]
    assert polar.records("register")[0]["connection"] == first["connection"]
    assert polar.records("hello")[0]["connection"] == second["connection"]
    assert 0.9 < second["mono"] - first["mono"] < 3
    greeting = polar.records("hello")[0]["body"]
    assert (greeting["printerMake"], greeting["camOff"]) == ("Ender 3", 0)
    assert polar.wait_for("setVersion")["body"]["serialNumber"] == polar.serial

    # A print to its end, with pictures of its own. The original's report has no filament and no bytes, its statuses no
    # start and the elapsed time for the expected one.
    job = polar.print("cube.gcode", stlFile="cube.stl", configFile="cube.ini")
    polar.wait_for("upload", where=lambda record: record["body"]["type"] == "idle")
    polar.wait_for("upload", 30, where=lambda record: record["body"]["job"] == job)
    report = polar.report(job, 60)
    assert report["state"] == "completed"
    assert report["filamentUsed"] > 0
    assert report["bytesRead"] == report["fileSize"] == len((rig.folder / "cube.gcode").read_bytes())
    printing = [record["body"] for record in polar.records("status") if record["body"]["status"] == 3]
    assert printing[0]["startTime"]
    assert len({status["estimatedTime"] for status in printing}) == 1, "the whole time, which does not grow"
    polar.wait_for_code(7)
    assert re.fullmatch(r"0 2 (3 )?5 7", " ".join(map(str, polar.codes())))
    assert cloud_files(rig) == [f"Calibration_cube_cloud_{job}.gcode"]
    picture = Image.open(io.BytesIO((polar.log / "picture-printing.jpg").read_bytes()))
    assert picture.size == (640, 480)

    # Another one, paused, resumed, warmed and cancelled.
    other = polar.print("long.gcode", jobName="")
    polar.wait_for_code(3, jobId=other)
    polar.send("pause", {"jobId": other, "type": "PAUSE"})
    polar.wait_for_code(4, jobId=other)
    polar.send("temperature", {"tool0": 205, "bed": "55"})
    wait_until(lambda: rig.printer.object("extruder")["target"] == 205, what="the nozzle's target")
    wait_until(lambda: rig.printer.object("heater_bed")["target"] == 55, what="the bed's target")
    begin = time.monotonic()
    polar.send("resume", {"jobId": other})
    polar.wait_for_code(3, after=begin)
    polar.send("cancel", {"jobId": other})
    report = polar.report(other)
    assert report["state"] == "canceled"
    polar.wait_for_code(6, after=begin)
    assert rig.printer.print_state == "cancelled"
    assert starts(rig) == 2
    # The original resets the printer's file then, and writes lines at level info for every status.
    assert "SDCARD_RESET_FILE" not in str(rig.printer.requests())
    assert len([line for line in rig.daemon.log().splitlines() if " INFO  polar" in line]) < 16

    # Deleted in the cloud: it is gone, and stays so.
    begin = time.monotonic()
    polar.send("delete")
    wait_until(lambda: "deleted in the Polar Cloud" in rig.daemon.log(), what="a clear message")
    time.sleep(5)
    assert polar.records("open", begin) == []
    assert len(polar.records("register")) == 1
    assert polar.deviations() == []


def test_a_job_that_fails_at_the_printer_is_reported_as_cancelled(rig: Rig, polar: PolarCloud) -> None:
    """The original says "idle" of a printer that has shut down, and never reports the job."""
    job = polar.print("long.gcode")
    polar.wait_for_code(3, jobId=job)
    rig.printer.shut_down()
    polar.wait_for_code(12)
    rig.moonraker.call("printer.firmware_restart")
    assert polar.report(job)["state"] == "canceled"
    polar.wait_for_code(0, after=time.monotonic() - 1)
    assert len(polar.reports(job)) == 1


def test_the_codes_of_klippers_troubles_and_of_its_absence(rig: Rig, polar: PolarCloud) -> None:
    """The original says "idle" to all of them, and nothing moves any more after a FIRMWARE_RESTART."""
    begin = time.monotonic()
    rig.printer.shut_down("MCU 'mcu' shutdown: Timer too close\nOnce the problem is corrected …")
    status = polar.wait_for_code(12)
    assert status["progressDetail"].startswith("MCU 'mcu' shutdown: Timer too close")
    assert "\n" not in status["progressDetail"]
    rig.moonraker.call("printer.firmware_restart")
    polar.wait_for_code(0, after=begin)
    # After the restart values move again: the subscription was renewed.
    rig.moonraker.call("printer.gcode.script", script="M140 S60")
    polar.wait_for("status", 15, where=lambda record: record["body"]["targetBed"] == 60)
    rig.moonraker.stop()
    polar.wait_for_code(13)
    rig.moonraker.relaunch()
    begin = time.monotonic()
    polar.wait_for_code(0, after=begin, timeout=40)


def test_a_local_print_is_told_and_never_reported(rig: Rig, polar: PolarCloud) -> None:
    begin = time.monotonic()
    start_job(rig, "local.gcode")
    status = polar.wait_for_code(1)
    assert "jobId" not in status
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", status["startTime"])
    rig.moonraker.call("printer.print.cancel")
    polar.wait_for_code(0, after=begin + 2)
    assert polar.records("job") == []


@pytest.mark.soak
def test_statuses_keep_their_rhythm(rig: Rig, polar: PolarCloud) -> None:
    begin = time.monotonic()
    time.sleep(31)
    idle = len(polar.records("status", begin))
    assert 3 <= idle <= 4  # the longest silence is 10 s here
    rig.moonraker.call("printer.gcode.script", script="M140 S100")
    begin = time.monotonic()
    time.sleep(16)
    assert len(polar.records("status", begin)) <= 4  # not before 5 s, whatever moves


@pytest.mark.soak
def test_a_daemon_that_was_killed_reports_the_job_that_went_on_once(rig: Rig, polar: PolarCloud) -> None:
    job = polar.print("long.gcode")
    polar.wait_for_code(3, jobId=job)
    rig.daemon.kill()
    rig.daemon.start()
    begin = time.monotonic()
    polar.wait_for_code(3, after=begin, jobId=job)
    rig.daemon.kill()
    rig.printer.wait_for_print_state("complete", 60)
    rig.daemon.start()
    assert polar.report(job)["state"] == "completed"
    polar.wait_for("status", after=time.monotonic(), timeout=15)
    assert len(polar.reports(job)) == 1
    assert starts(rig) == 1
    assert len(polar.records("register")) == 1


@pytest.mark.soak
def test_two_printers_of_one_host_are_two_accounts(rig: Rig, polar: PolarCloud) -> None:
    """The cloud ties a printer to its MAC: the same one gets the same number, on two connections that bear each other."""
    write_backends(rig, polar.entry(), polar.entry(name="second"))
    rig.daemon.change(rig.daemon.config.read_text())
    wait_until(lambda: len(polar.records("hello")) >= 2, 20, "a second greeting")
    assert len({record["body"]["serialNumber"] for record in polar.records("hello")}) == 1


def test_what_the_cloud_says_is_obeyed_only_as_far_as_is_permitted(rig: Rig) -> None:
    polar = obey_polar(rig, permissions="monitor")
    job = polar.print("cube.gcode")
    assert polar.report(job)["state"] == "canceled"
    for event, payload in (("temperature", {"bed": 60}), ("pause", {}), ("command", {"command": "G28"})):
        polar.send(event, payload)
    time.sleep(2)
    assert rig.printer.object("heater_bed")["target"] == 0
    assert rig.printer.requests() == []
    assert "refused" in str(audit(rig)[-1])
    assert polar.records("files") == []
    assert polar.deviations() == []


def test_events_that_mean_nothing_here_change_nothing(rig: Rig, polar: PolarCloud) -> None:
    """The original updates itself when it is told to, obeys what is meant for other printers, and cancels what is not on."""
    for event in (
        "update",
        "message",
        "command",
        "customCommand",
        "jogPrinter",
        "connectPrinter",
        "connect",
        "keyPair",
    ):
        polar.send(event, {"command": "G28", "public": "x"} if event != "message" else '{"print":{}}')
    polar.send("badCommand", {}, more=[1, 2, 3])
    polar.send("nobody knows this", [1])
    polar.send("pause", {"serialNumber": "KL999999"})
    polar.send("cancel", {"jobId": "not ours"})
    polar.send("cancel", {})
    polar.send("resume", {})
    polar.send("delete", {"serialNumber": "KL999999"}, serial=None)
    time.sleep(1)
    wait_until_still_alive(rig)
    assert len(rig.printer.requests()) == 2


def test_an_acknowledgement_that_the_cloud_asks_for_comes(polar: PolarCloud) -> None:
    polar.send("pause", {}, ack=True)
    assert polar.wait_for("acknowledged")["body"]["event"] == "pause"


TEMPERATURES = [
    ({"tool0": "210\nM112"}, None),
    ({"tool0": 999}, None),
    ({"tool0": -5}, None),
    ({"tool0": "NaN", "bed": 40}, 40),
    ({"tool0": "1e400", "bed": "41.5"}, 41.5),
    ({"bed": True}, None),
    ({"bed": {"target": 60}}, None),
    ({"bed": None, "chamber": 40}, None),
    ({"tool7": 100, "bed": 42}, 42),
]


def test_temperatures_are_numbers_within_the_printers_limits(rig: Rig, polar: PolarCloud) -> None:
    """The original pastes the text into its G-code: a line end, and any command follows."""
    for payload, bed in TEMPERATURES:
        polar.send("temperature", payload)
        if bed is not None:
            wait_until(lambda due=bed: rig.printer.object("heater_bed")["target"] == due, what=f"bed at {bed}")
    time.sleep(0.5)
    assert rig.printer.object("extruder")["target"] == 0
    assert rig.printer.journal("emergency_stop") == []
    lines = [entry["script"] for entry in rig.printer.requests("gcode/script")]
    assert lines == ["M140 S40", "M140 S41.5", "SET_HEATER_TEMPERATURE HEATER=extruder7 TARGET=100", "M140 S42"]


@pytest.mark.soak
def test_files_of_former_jobs_go_and_only_ours(rig: Rig) -> None:
    """The original's pile up."""
    for name in ("mine_cloud_1.gcode", "polar_cloud_5f3c.gcode"):
        (rig.moonraker.gcodes / name).write_text("; the owner's\n")
    polar = obey_polar(rig, keep_files=1)
    jobs = []
    for _ in range(3):
        jobs.append(polar.print("cube.gcode", jobName="x"))
        assert polar.report(jobs[-1], 60)["state"] == "completed"
    kept = {"mine_cloud_1.gcode", "polar_cloud_5f3c.gcode"} | {f"x_cloud_{job}.gcode" for job in jobs[-2:]}
    wait_until(lambda: set(cloud_files(rig)) <= kept, 10, "old files gone")
    assert {"mine_cloud_1.gcode", "polar_cloud_5f3c.gcode", f"x_cloud_{jobs[-1]}.gcode"} <= set(cloud_files(rig))
    assert polar.deviations() == []


def test_a_slow_disk_of_the_cloud_is_no_reason_to_be_deaf(rig: Rig, polar: PolarCloud) -> None:
    """While a file comes slowly, pings are answered and a cancel ends the fetching and the start; the original prints all
    the same."""
    polar.file("slow.gcode", (rig.folder / "long.gcode").read_text(), "slow", seconds=60)
    job = polar.print("slow.gcode")
    polar.wait_for_code(2, jobId=job)
    polar.wait_for("files")
    time.sleep(3)
    begin = time.monotonic()
    polar.send("cancel", {"jobId": job})
    assert polar.report(job)["state"] == "canceled"
    assert time.monotonic() - begin < 3
    polar.wait_for_code(6, after=begin, timeout=30)
    assert starts(rig) == 0
    assert cloud_files(rig) == []


def test_one_round_greets_reports_and_leaves(rig: Rig) -> None:
    rig.start_printer(speed=20)
    rig.polar.start("--status-interval", "10")
    offer_files(rig)
    write_backends(rig, rig.polar.entry())
    for _ in range(2):
        result = rig.daemon.command("run", "--once", "--config", str(rig.daemon.config))
        assert result.returncode == 0, result.stderr
    assert len(rig.polar.records("register")) == 1
    assert len(rig.polar.records("hello")) == 2
    wait_until(lambda: len(rig.polar.records("status")) == 2, what="the second status")
    assert rig.polar.deviations() == []
