"""Reach's pictures and its Firebase part: a viewer comes and goes, and nothing of it is needed by anything else."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from camera import Camera
from harness import PATIENCE, Cloud, ReachCloud, Rig, wait_until

from commanding import JSON, obey_reach, reach_entry, settle_reach, start_job, write_backends
from observe import Record, state_of

INTERVAL = 2.0
TIMEOUT = 8.0
TOKEN = "firebase token+1"  # blanks and a plus: it has to be escaped


def firebase_keys(rig: Rig, **webcam: Any) -> JSON:
    """The keys of Reach's entry for Firebase, and for pictures at an interval that suits a test."""
    return {
        "webcam": {"interval": INTERVAL, "viewer_timeout": TIMEOUT} | webcam,
        "firebase": {"url": rig.firebase.url, "token": TOKEN},
    }


def listening(database: Cloud, seconds: float = 0.0) -> bool:
    """Whether there is a stream, and has been for so long."""
    facts = database.order("listeners")
    return facts["count"] == 1 and facts["age"] >= seconds


def watch(rig: Rig, age: float = 0.0) -> float:
    """Somebody watches from now on; the moment."""
    rig.reach.set(viewer=True)
    rig.firebase.order("viewer", age=age)
    return time.monotonic()


def leave(rig: Rig) -> float:
    """Nobody watches from now on; the moment from which on no picture is due."""
    rig.firebase.order("viewer")
    time.sleep(0.5)
    rig.reach.set(viewer=False)
    return time.monotonic()


def pictures(relay: ReachCloud, after: float = 0.0) -> list[Record]:
    return relay.records("webcam-snapshot", after)


def nothing_is_fetched_for_nothing(rig: Rig, camera: Camera, begin: float, leaving: float) -> None:
    """Every picture that was fetched was sent, but for one that was on its way as the viewer left."""
    sent = len(pictures(rig.reach, begin))
    late = camera.fetched(leaving - PATIENCE)
    assert sent <= camera.fetched(begin) <= sent + min(late, 1)


def says_nothing_secret(rig: Rig) -> None:
    """Neither the token nor a query stands in the log or in what people are shown."""
    shown = rig.daemon.log() + rig.daemon.get("/")[1] + rig.daemon.get("/metrics")[1]
    for part in ("firebase token", "firebase%20token", "auth="):
        assert part not in shown


@pytest.fixture(scope="module")
def watched_rig() -> Iterator[tuple[Rig, Camera]]:
    """Printer, camera, relay, database and daemon, shared by the tests; nobody watches between them."""
    with Rig() as rig:
        camera = rig.add_camera()
        rig.firebase.start()
        obey_reach(rig, moonraker=camera.section(), **firebase_keys(rig))
        yield rig, camera
        says_nothing_secret(rig)
        assert rig.deviations() == []


@pytest.fixture
def watched(watched_rig: tuple[Rig, Camera]) -> tuple[Rig, Camera]:
    rig, camera = watched_rig
    rig.firebase.clear_faults()
    rig.reach.clear_faults()
    # Its end is no failure then.
    wait_until(lambda: listening(rig.firebase, 10.5), 60, "the stream")
    leave(rig)
    camera.answer, camera.seconds = "jpeg", 0.0
    time.sleep(INTERVAL)
    return rig, camera


def test_a_viewer_comes_and_goes(watched: tuple[Rig, Camera]) -> None:
    rig, camera = watched
    begin = time.monotonic()
    time.sleep(5)
    assert camera.fetched(begin) == 0, "nobody watches"
    came = watch(rig)
    first = rig.reach.wait_for("webcam-snapshot", 5, came)
    assert first["mono"] - came < 1.5
    for _ in range(3):  # a dashboard says again and again that it is there
        time.sleep(4)
        watch(rig)
    leaving = time.monotonic()
    gone = leave(rig)
    sent = pictures(rig.reach, begin)
    gaps = [later["mono"] - earlier["mono"] for earlier, later in itertools.pairwise(sent)]
    assert min(gaps) >= INTERVAL - 0.3, gaps  # as they arrive there
    assert max(gaps) < INTERVAL + PATIENCE, gaps
    assert all(record["status"] == 200 for record in sent)
    assert sent[0]["body"]["bytes"] == len(camera.jpeg)
    time.sleep(4)
    assert pictures(rig.reach, gone) == []
    assert camera.fetched(gone) == 0
    # Since before the viewer came: a picture may be fetched before the order to watch has returned.
    nothing_is_fetched_for_nothing(rig, camera, begin, leaving)


def test_a_viewer_that_leaves_without_a_word_is_gone_after_its_time(watched: tuple[Rig, Camera]) -> None:
    rig, camera = watched
    came = watch(rig)
    time.sleep(TIMEOUT + 1)
    rig.reach.set(viewer=False)
    gone = time.monotonic()
    assert TIMEOUT / INTERVAL - 1 <= len(pictures(rig.reach, came)) <= TIMEOUT / INTERVAL + 1
    time.sleep(4)
    assert camera.fetched(gone) == 0


def test_an_old_stamp_is_no_viewer(watched: tuple[Rig, Camera]) -> None:
    rig, camera = watched
    begin = time.monotonic()
    rig.firebase.order("viewer", age=TIMEOUT + 1)
    rig.firebase.order("end")  # and the one that lies there when the stream begins
    time.sleep(4)
    assert camera.fetched(begin) == 0


def test_the_status_goes_with_each_report(watched: tuple[Rig, Camera]) -> None:
    rig, _ = watched
    start_job(rig)
    report = rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "printing")
    status = rig.firebase.wait_for("status", 5, where=lambda record: record["body"]["state"] == "printing")
    assert abs(status["mono"] - report["mono"]) < 1
    same = {"temperatureSensors": "temperatures", "currentJob": "job", "systemHealth": "systemHealth"}
    for theirs, ours in same.items():
        assert status["body"][theirs] == report["body"][ours]
    assert status["body"]["lastHeartbeat"] == report["body"]["timestamp"]
    rig.moonraker.call("printer.print.cancel")
    rig.printer.wait_for_print_state("cancelled")


@pytest.mark.parametrize(
    "fault",
    [
        "status",
        "flood",
        *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("html", "drop_before", "redirect", "garbage")),
    ],
)
def test_where_the_stream_cannot_be_had_the_stamp_is_asked_for(watched: tuple[Rig, Camera], fault: str) -> None:
    rig, _ = watched
    rig.firebase.fault("stream", fault, None, status=406 if fault == "status" else 307)
    begin = time.monotonic()
    rig.firebase.order("end")
    rig.firebase.wait_for("stamp", 20, begin, count=2)
    came = watch(rig)
    rig.reach.wait_for("webcam-snapshot", 8, came)
    leave_polled = time.monotonic()
    rig.firebase.order("viewer")
    time.sleep(INTERVAL + 1)
    rig.reach.set(viewer=False)
    asked = [record["mono"] for record in rig.firebase.records("stamp", begin)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert min(gaps) >= INTERVAL - 0.3, gaps  # as they arrive there
    assert leave_polled - came < 8
    rig.firebase.clear_faults()
    rig.firebase.order("viewer")
    # Tried anew with a growing pause.
    wait_until(lambda: listening(rig.firebase), 40, "the stream")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("data: 1\n" * 20_000, id="event"),
        pytest.param("event: put\ndata: {\n\n", id="broken"),
        pytest.param("event: cancel\ndata: null\n\n", id="cancel"),
        pytest.param("x" * 5_000, id="line", marks=pytest.mark.soak),
        pytest.param("data: " + "x" * 4_000 + "\n", id="half", marks=pytest.mark.soak),
        pytest.param('event: put\ndata: {"path":7,"data":[[[[]]]]}\n\n', id="path", marks=pytest.mark.soak),
        pytest.param("\x00\x01\x02\n\n\r\r\n" * 100, id="bytes", marks=pytest.mark.soak),
        pytest.param(": comment\n" * 10_000, id="comments", marks=pytest.mark.soak),
        pytest.param('event: patch\ndata: {"path":"/","data":{"a":1}}\n\n', id="patch", marks=pytest.mark.soak),
        pytest.param('event: put\ndata: {"path":"/","data":1e999}\n\n' * 2_000, id="number", marks=pytest.mark.soak),
    ],
)
def test_whatever_the_stream_says_the_next_viewer_is_seen(watched: tuple[Rig, Camera], text: str) -> None:
    rig, camera = watched
    begin = time.monotonic()
    rig.firebase.order("say", text=text)
    time.sleep(0.5)
    assert camera.fetched(begin) == 0
    rig.firebase.order("say", text="\n\n")
    time.sleep(2.5)
    came = watch(rig)
    rig.reach.wait_for("webcam-snapshot", 10, came)
    assert rig.daemon.process.running


def test_a_database_that_hangs_or_is_gone_changes_nothing_else(watched: tuple[Rig, Camera]) -> None:
    rig, camera = watched
    rig.firebase.fault("*", "hang", None, seconds=60)
    rig.firebase.order("end")
    settle_reach(rig.reach)
    time.sleep(8)
    rig.firebase.kill()
    begin = time.monotonic()
    settle_reach(rig.reach)
    time.sleep(12)
    assert camera.fetched(begin) == 0
    reports = rig.reach.records("printer-data", begin)
    assert len(reports) >= 2
    assert rig.daemon.get("/health") == (200, "OK")
    rig.firebase.relaunch()
    wait_until(lambda: listening(rig.firebase), 60, "the stream")
    came = watch(rig)
    rig.reach.wait_for("webcam-snapshot", 5, came)


def test_a_picture_that_fails_is_over_with_the_next(watched: tuple[Rig, Camera]) -> None:
    rig, camera = watched
    rig.reach.fault("webcam-snapshot", "status", 1, status=401)
    came = watch(rig)
    rig.reach.wait_for("webcam-snapshot", 10, came, lambda record: record["status"] == 200)
    camera.answer = "html"
    time.sleep(INTERVAL + 1)
    camera.answer = "jpeg"
    watch(rig)
    again = time.monotonic()
    rig.reach.wait_for("webcam-snapshot", 8, again)
    assert "revoked" not in rig.daemon.log()


def test_a_relay_that_takes_no_pictures_gets_none(rig: Rig) -> None:
    camera = rig.add_camera()
    relay = obey_reach(rig, moonraker=camera.section(), webcam={"mode": "off"})
    relay.set(viewer=True)
    relay.fault("webcam-snapshot", "status", None, status=404)
    entry = reach_entry(rig, webcam={"mode": "always", "interval": 1})
    rig.daemon.change(rig.configuration() | {"backends": [entry]})
    relay.wait_for("webcam-snapshot")
    begin = time.monotonic()
    time.sleep(6)
    assert pictures(relay, begin) == []
    assert len(rig.daemon.process.lines("off for an hour")) == 1
    assert relay.deviations() == []


@pytest.mark.parametrize("how", ["revoke", "refuse"])
def test_a_token_that_is_not_taken_ends_the_firebase_part_alone(rig: Rig, how: str) -> None:
    camera = rig.add_camera()
    rig.firebase.start()
    obey_reach(rig, moonraker=camera.section(), **firebase_keys(rig))
    wait_until(lambda: listening(rig.firebase), 10, "the stream")
    came = watch(rig)
    rig.reach.wait_for("webcam-snapshot", 5, came)
    if how == "revoke":
        rig.firebase.order("revoke")
    else:
        rig.firebase.set(is_revoked=True)  # found out with the next report
        rig.firebase.wait_for("status", 10, where=lambda record: record["status"] == 401)
    time.sleep(0.5)
    rig.reach.set(viewer=False)
    begin = time.monotonic()
    time.sleep(12)
    assert rig.firebase.records(after=begin) == []
    assert rig.firebase.order("listeners")["count"] == 0
    assert camera.fetched(begin) == 0
    assert len(rig.reach.records("printer-data", begin)) >= 2
    assert len(rig.daemon.process.lines("Firebase is off until the configuration changes")) == 1
    assert rig.daemon.get("/health") == (200, "OK")
    says_nothing_secret(rig)
    assert rig.deviations() == []
    # Another token: it is used again.
    rig.firebase.set(is_revoked=False, refusals=0)
    rig.daemon.change(rig.configuration() | {"backends": [reach_entry(rig, **firebase_keys(rig, viewer_timeout=9))]})
    wait_until(lambda: listening(rig.firebase), 10, "the stream")


def test_one_capture_serves_all_backends(rig: Rig) -> None:
    camera = rig.add_camera()
    script = rig.add_scripted()[0]
    rig.firebase.start()
    rig.start_printer(moonraker=camera.section())
    rig.reach.start("--telemetry", "5", "--telemetry-idle", "5", "--next-check-in", "5")
    write_backends(rig, reach_entry(rig, **firebase_keys(rig)), script.entry(permissions="full"))
    rig.start_daemon()
    wait_until(lambda: listening(rig.firebase), 10, "the stream")
    begin = time.monotonic()
    came = watch(rig)
    for number in range(1, 4):
        rig.reach.wait_for("webcam-snapshot", 5, came, count=number)
        assert script.obey("frame", max_age=5, max_bytes=1_000_000)["status"] == "done"
    leaving = time.monotonic()
    leave(rig)
    # Since before the viewer came: a picture may be fetched before the order to watch has returned.
    nothing_is_fetched_for_nothing(rig, camera, begin, leaving)
    assert rig.deviations() == []
