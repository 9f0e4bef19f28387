"""Each fault that the original has, or that it was seen to have trouble with: its circumstance, and what we do there."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator

import pytest
from harness import PolarCloud, Rig, wait_until

from commanding import write_backends
from polar_rig import cloud_files, obey_polar, offer_files, starts, wait_until_still_alive

LONG = pytest.mark.soak
"""More of the same: with the long runs."""


@pytest.fixture
def polar(rig: Rig) -> Iterator[PolarCloud]:
    yield obey_polar(rig, fresh=False)
    assert rig.polar.deviations() == []


def back_online(polar: PolarCloud, begin: float, timeout: float = 25.0) -> float:
    """The daemon greets again and reports; the seconds that it took."""
    polar.wait_for("hello", timeout, begin)
    polar.wait_for("status", timeout, begin)
    return time.monotonic() - begin


# The connection


@pytest.mark.parametrize(
    ("how", "least"),
    [("reset", 0.4), *(pytest.param(how, 4.8, marks=LONG) for how in ("close", "engine", "socketio"))],
)
def test_a_connection_that_ends_comes_back_with_a_status_at_once(polar: PolarCloud, how: str, least: float) -> None:
    """The original is back within a second, however the server ended it, and sends no status for up to 60 s."""
    begin = time.monotonic()
    polar.end(how)
    back_online(polar, begin)
    greeted = polar.records("hello", begin)[0]["mono"]
    assert greeted - begin >= least
    assert polar.records("status", begin)[0]["mono"] - greeted < 1
    assert len(polar.records("register")) == 1


@pytest.mark.soak
def test_a_server_that_refuses_is_asked_less_and_less_often(polar: PolarCloud) -> None:
    """The original runs two loops at once: 19 attempts in a minute, with gaps of 0 to 5 s."""
    polar.fault("open", "status", count=None, status=503)
    begin = time.monotonic()
    polar.end("reset")
    time.sleep(20)
    attempts = [record["mono"] for record in polar.records("open", begin)]
    assert 2 <= len(attempts) <= 6
    assert all(later - earlier >= 0.45 for earlier, later in itertools.pairwise(attempts))
    polar.clear_faults()
    back_online(polar, begin, 60)


@pytest.mark.soak
def test_a_busy_server_gets_the_time_that_it_asks_for(polar: PolarCloud) -> None:
    polar.fault("open", "status", status=503, retry_after=6)
    begin = time.monotonic()
    polar.end("reset")
    back_online(polar, begin)
    first, second = [record["mono"] for record in polar.records("open", begin)][:2]
    assert second - first >= 5.9


@pytest.mark.parametrize("action", ["html", "drop_before", "broken_http", "redirect", "hang"])
@pytest.mark.soak
def test_an_opening_that_goes_wrong_is_tried_again(rig: Rig, polar: PolarCloud, action: str) -> None:
    polar.fault("open", action)
    begin = time.monotonic()
    polar.end("reset")
    # What refuses for good, as a page or a redirection seems to, is tried once a minute.
    back_online(polar, begin, 110 if action == "redirect" else 40)
    assert rig.daemon.process.running


@pytest.mark.soak
def test_a_frozen_server_is_noticed_and_the_session_comes_back(polar: PolarCloud) -> None:
    polar.process.freeze()
    time.sleep(6)  # ping interval and time-out are 2 s each
    begin = time.monotonic()
    polar.process.thaw()
    back_online(polar, begin)


def test_a_server_that_was_restarted_knows_us_again(polar: PolarCloud) -> None:
    begin = time.monotonic()
    polar.restart()
    back_online(polar, begin, 40)
    assert len(polar.records("register")) == 1


# Registration and greeting


def start(rig: Rig, **keys: object) -> PolarCloud:
    """Everything but the daemon's first connection's success."""
    rig.start_printer(speed=20)
    rig.polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")
    offer_files(rig)
    write_backends(rig, rig.polar.entry(**keys))
    return rig.polar


@pytest.mark.parametrize(
    "reason", ["EMAIL_PIN_ERROR", *(pytest.param(reason, marks=LONG) for reason in ("FORBIDDEN", "MFG_UNKNOWN"))]
)
def test_a_refusal_for_good_is_told_and_not_tried_again(rig: Rig, reason: str) -> None:
    """The original registers again every 31 s for ever: the account may be locked for that."""
    polar = start(rig)
    polar.fault("register", "json", body={"status": "FAILED", "reason": reason})
    rig.daemon.start()
    polar.wait_for("register")
    wait_until(lambda: "parked" in rig.daemon.log().lower(), 10, "a parked backend")
    begin = time.monotonic()
    time.sleep(6)
    assert polar.records("open", begin) == []
    # A person changes the credentials: it is tried again.
    polar.order("forget")
    write_backends(rig, polar.entry(pin="1234", printer_type="Voron 2.4"))
    rig.daemon.change(rig.daemon.config.read_text())
    if reason == "MFG_UNKNOWN":
        return
    write_backends(rig, polar.entry(username="other@example.test", pin="4321"))
    rig.daemon.change(rig.daemon.config.read_text())
    polar.wait_until_online(20, begin)
    assert polar.deviations() == []


def test_a_wrong_pin_is_no_secret_in_the_log(rig: Rig) -> None:
    polar = start(rig, pin="987654")
    rig.daemon.start()
    polar.wait_for("register")
    wait_until(lambda: "parked" in rig.daemon.log().lower(), 10, "a parked backend")
    assert "987654" not in rig.daemon.log()
    assert len(polar.records("register")) == 1


def test_a_success_with_another_reason_is_a_success(rig: Rig) -> None:
    """The original demands a second SUCCESS in `reason`, hence its "Registration failed: SUCCESS"."""
    polar = start(rig)
    key = {"status": "SUCCESS", "serialNumber": "KL424242"}
    polar.fault("register", "json", body=key)
    rig.daemon.start()
    polar.wait_for("hello", where=lambda record: record["body"]["serialNumber"] == "KL424242")


@pytest.mark.parametrize(
    "answer",
    [
        {"serialNumber": 5, "status": "SUCCESS"},
        *(pytest.param(answer, marks=LONG) for answer in ("SUCCESS", {"status": "SUCCESS"}, [], 5)),
    ],
)
def test_an_answer_without_a_serial_number_is_none(rig: Rig, answer: object) -> None:
    polar = start(rig)
    polar.fault("register", "json", body=answer)
    rig.daemon.start()
    polar.wait_for("register")
    time.sleep(4)
    assert polar.records("hello") == []
    assert len(polar.records("register")) == 1


@pytest.mark.soak
def test_a_key_that_is_not_taken_is_made_anew_once(rig: Rig) -> None:
    polar = start(rig)
    polar.fault("register", "json", count=2, body={"status": "FAILED", "reason": "INVALID_KEY"})
    rig.daemon.start()
    wait_until(lambda: len(polar.records("register")) == 2, 20, "a second registration")
    first, second = (record["body"]["publicKey"] for record in polar.records("register"))
    assert first != second
    time.sleep(5)
    assert len(polar.records("register")) == 2


@pytest.mark.soak
def test_a_greeting_without_an_answer_ends_the_connection_and_nothing_is_said_meanwhile(polar: PolarCloud) -> None:
    """The original goes on with statuses, which nobody has authenticated, for 30 s."""
    polar.fault("hello", "hang")
    begin = time.monotonic()
    polar.end("reset")
    polar.wait_for("hello", after=begin)
    first = polar.records("hello", begin)[0]
    wait_until(lambda: len(polar.records("hello", begin)) == 2, 50, "a second greeting")
    assert 28 <= polar.records("hello", begin)[1]["mono"] - first["mono"] <= 40
    assert polar.records("status", begin)[0]["mono"] > polar.records("hello", begin)[1]["mono"]


@pytest.mark.soak
def test_a_refused_greeting_is_told_and_tried_again_later(rig: Rig, polar: PolarCloud) -> None:
    """The original stays connected and idle for ever."""
    polar.fault("hello", "json", body={"serialNumber": polar.serial, "status": "FAILED", "message": "Try later"})
    begin = time.monotonic()
    polar.end("reset")
    polar.wait_for("hello", after=begin)
    wait_until(lambda: "Try later" in rig.daemon.log(), 5, "the cloud's words in the log")
    time.sleep(8)
    assert len(polar.records("open", begin)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": "DELETED"}, id="deleted"),
        pytest.param({"status": "FAILED", "message": "Printer has been deleted"}, id="failed"),
    ],
)
@pytest.mark.soak
def test_a_deleted_printer_stays_away(rig: Rig, polar: PolarCloud, answer: dict[str, str]) -> None:
    """The original registers again 0.2 s later, and cancels what is being printed."""
    rig.moonraker.call("printer.print.start", filename="local.gcode")
    rig.printer.wait_for_print_state("printing")
    polar.fault("hello", "json", body=answer | {"serialNumber": polar.serial})
    begin = time.monotonic()
    polar.end("reset")
    polar.wait_for("hello", after=begin)
    time.sleep(5)
    assert len(polar.records("open", begin)) == 1
    rig.daemon.restart()
    time.sleep(4)
    assert len(polar.records("open", begin)) == 1
    assert len(polar.records("register")) == 1
    assert rig.printer.print_state == "printing"


@pytest.mark.soak
def test_a_welcome_that_never_comes_is_waited_for_half_a_minute(polar: PolarCloud) -> None:
    polar.fault("welcome", "hang")
    begin = time.monotonic()
    polar.end("reset")
    wait_until(lambda: len(polar.records("open", begin)) == 2, 50, "a second connection")
    first, second = polar.records("open", begin)
    assert 28 <= second["mono"] - first["mono"] <= 40
    back_online(polar, begin, 10)


# Frames


FRAMES = [
    "7",
    "",
    "é",
    "b4AAAA",
    "42",
    "42[",
    "42{}",
    "42[1]",
    '42["print"',
    '42["x",' + "[" * 500,
    "4318446744073709551615[]",
    "4399[]",
    "43[]",
    '451-["print",{"_placeholder":true,"num":0}]',
    '45999999999999-["x"]',
    '42/admin,["delete",{}]',
    "41/admin,",
    '0{"sid":"x","pingInterval":1,"pingTimeout":1}',
    '40{"sid":"again"}',
    "3",
    "3probe",
    "6",
    "5",
]


def test_frames_of_every_wrong_kind_change_nothing(rig: Rig) -> None:
    polar = obey_polar(rig)
    begin = time.monotonic()
    for text in FRAMES:
        polar.order("frame", text=text, repeat=3)
        polar.order("binary", size=100)
    wait_until_still_alive(rig)
    assert polar.records("open", begin) == []
    warnings = [line for line in rig.daemon.log().splitlines() if "the cloud sent" in line or "sent" in line]
    assert len(warnings) < 40  # each kind once, not each time
    assert polar.deviations() == []


def test_fifty_megabytes_of_text_end_the_connection_and_grow_nothing(rig: Rig, polar: PolarCloud) -> None:
    before = resident(rig)
    begin = time.monotonic()
    polar.order("large", megabytes=50)
    back_online(polar, begin, 40)
    assert resident(rig) - before < 6_000


@pytest.mark.soak
def test_a_flood_of_events_grows_nothing_and_ends(rig: Rig, polar: PolarCloud) -> None:
    before = resident(rig)
    begin = time.monotonic()
    polar.order("frame", text='42["nobody","' + "x" * 1000 + '"]', repeat=20_000)
    time.sleep(5)
    polar.wait_for("status", 60, begin + 5)
    assert resident(rig) - before < 8_000
    assert rig.daemon.process.running


def resident(rig: Rig) -> int:
    """The daemon's resident memory, kB."""
    with open(f"/proc/{rig.daemon.process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


# Pictures


@pytest.mark.soak
def test_a_form_that_the_storage_refuses_is_renewed(rig: Rig) -> None:
    """The original asks without the job's id, and uses the old address again after a second."""
    polar = obey_polar(rig, camera=True, idle_image_interval=10)
    polar.wait_for("upload")
    polar.fault("upload", "status", status=403)
    begin = time.monotonic()
    polar.wait_for("upload", 20, begin, lambda record: record["status"] == 403)
    polar.wait_for("getUrl", 20, begin)
    polar.wait_for("upload", 30, begin, lambda record: record["status"] == 204)
    forms = [record["body"]["form"] for record in polar.records("upload") if record["body"]]
    assert len(set(forms)) == 2
    assert polar.deviations() == []


@pytest.mark.soak
def test_a_jobs_form_that_the_storage_refuses_is_renewed_for_that_job(rig: Rig) -> None:
    """The original asks without the job's id, and is refused."""
    polar = obey_polar(rig, camera=True, printing_image_interval=5)
    job = polar.print("long.gcode")
    polar.wait_for("upload", 30, where=lambda record: record["body"]["job"] == job)
    polar.fault("upload", "status", status=403)
    begin = time.monotonic()
    asked = polar.wait_for("getUrl", 30, begin)["body"]
    assert (asked["type"], asked["jobId"]) == ("printing", job)
    polar.wait_for("upload", 30, begin, lambda record: record["status"] == 204)
    assert polar.deviations() == []


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.soak
def test_each_success_of_a_storage_is_one(rig: Rig, status: int) -> None:
    polar = obey_polar(rig, camera=True, idle_image_interval=10)
    polar.set(upload_status=status)
    begin = time.monotonic()
    polar.wait_for("upload", 30, begin, count=2)
    assert len(polar.records("getUrl")) == 1
    assert polar.deviations() == []


@pytest.mark.soak
def test_a_form_is_not_used_beyond_its_time(rig: Rig) -> None:
    rig.start_printer(speed=20, moonraker=rig.add_camera().section())
    rig.polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")
    rig.polar.set(form_expires=45.0)
    write_backends(rig, rig.polar.entry(webcam_enabled=True, idle_image_interval=10))
    rig.daemon.start()
    wait_until(lambda: len(rig.polar.records("getUrl")) >= 2, 60, "a new form")
    rig.polar.wait_for("upload", 30, rig.polar.records("getUrl")[1]["mono"])
    assert rig.polar.deviations() == []


def test_pictures_are_made_to_fit(rig: Rig) -> None:
    """The original cuts the bytes off at the limit: half a picture."""
    polar = obey_polar(rig, "--max-image-size", "10000", camera=True, max_image_size=10_000, idle_image_interval=10)
    upload = polar.wait_for("upload", 20)
    assert 0 < upload["body"]["size"] <= 10_000
    assert polar.deviations() == []


@pytest.mark.soak
def test_a_camera_that_fails_is_not_asked_all_the_time(rig: Rig) -> None:
    rig.start_printer(speed=20, moonraker=rig.add_camera().section())
    camera = rig.cameras[0]
    camera.answer = "html"
    rig.polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")
    write_backends(rig, rig.polar.entry(webcam_enabled=True, idle_image_interval=10))
    rig.daemon.start()
    rig.polar.wait_until_online()
    time.sleep(30)
    assert camera.fetched() <= 4
    camera.answer = "jpeg"
    assert rig.polar.records("upload") == []
    rig.polar.wait_for("upload", 60)
    assert rig.polar.deviations() == []


def test_without_a_camera_nothing_is_asked_for(rig: Rig, polar: PolarCloud) -> None:
    assert polar.records("hello")[0]["body"]["camOff"] == 1
    time.sleep(3)
    assert polar.records("getUrl") == []


# Jobs


def test_a_cancel_behind_a_slow_command_is_sent_once_and_waits(rig: Rig) -> None:
    """The original's loop stands still for 25 s, and sends the cancel and a reset twice each."""
    polar = obey_polar(rig)
    job = polar.print("long.gcode")
    polar.wait_for_code(3, jobId=job)
    rig.printer.slow("M117", 4)
    rig.moonraker.client().send("printer.gcode.script", script="M117 slow")
    time.sleep(0.5)
    begin = time.monotonic()
    polar.send("cancel", {"jobId": job})
    polar.send("cancel", {"jobId": job})
    polar.wait_for_code(6, after=begin, timeout=5)
    assert polar.report(job, 40)["state"] == "canceled"
    cancels = [entry for entry in rig.printer.requests() if "cancel" in json.dumps(entry).lower()]
    assert len(cancels) == 1, cancels
    assert polar.deviations() == []


def test_a_report_that_could_not_be_sent_comes_after_the_next_greeting(rig: Rig) -> None:
    polar = obey_polar(rig)
    job = polar.print("cube.gcode")
    rig.printer.wait_for_print_state("printing")
    polar.fault("open", "status", count=None, status=503)
    begin = time.monotonic()
    polar.end("reset")
    rig.printer.wait_for_print_state("complete", 60)
    assert polar.reports(job) == []
    polar.clear_faults()
    assert polar.report(job, 90)["state"] == "completed"
    report = polar.records("job", begin)[0]
    assert report["mono"] > polar.records("hello", begin)[-1]["mono"]
    time.sleep(3)
    assert len(polar.reports(job)) == 1
    assert polar.deviations() == []


def test_a_job_that_has_waited_while_we_were_away_is_not_begun(rig: Rig, polar: PolarCloud) -> None:
    """It comes in the first moments after a start: nobody knows how long ago it was meant."""
    rig.daemon.kill()
    begin = time.monotonic()
    rig.daemon.start()
    polar.wait_until_online(20, begin)
    job = polar.print("cube.gcode")
    assert polar.report(job)["state"] == "canceled"
    assert starts(rig) == 0
    assert cloud_files(rig) == []
