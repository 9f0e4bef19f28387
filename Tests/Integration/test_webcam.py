"""Pictures: the owner's camera, fetched when somebody asks and not otherwise, and what a bad camera leads to."""

from __future__ import annotations

import hashlib
import io
import time
from typing import Any

import pytest
from camera import Camera, picture
from harness import PrintDockCloud, Rig, wait_until
from PIL import Image

from commanding import obey_printdock, outcome_is, settle, write_backends

PRINTER = 262


@pytest.fixture
def camera(rig: Rig) -> Camera:
    """A camera, of which nobody knows yet."""
    return rig.add_camera()


def upload_of(cloud: PrintDockCloud, number: str, timeout: float = 15.0) -> dict[str, Any]:
    return wait_until(lambda: cloud.uploads(number), timeout, f"the picture for {number}")[0]


def watch(rig: Rig, camera: Camera, snapshot: str | None = None, **keys: Any) -> PrintDockCloud:
    """PrintDock, and the camera in Moonraker's list."""
    return obey_printdock(rig, moonraker=camera.section(snapshot), **keys)


def test_a_picture_arrives_as_the_camera_took_it(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    record = upload_of(cloud, cloud.ask_for_picture())
    assert record["status"] == 200
    assert record["body"]["bytes"] == len(camera.jpeg)
    headers = {name.lower(): value for name, value in record["headers"].items()}
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-printer-id"] == str(PRINTER)
    assert "accept" not in headers
    assert cloud.deviations() == []


def test_nothing_is_fetched_while_nobody_asks(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    cloud.wait_for("webcam_requests", count=3)
    assert camera.fetched() == 0


def test_ids_may_be_texts_and_several_requests_share_one_picture(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    camera.seconds = 0.5
    numbers = [cloud.ask_for_picture(id=f"request-{index}") for index in range(5)]
    for number in numbers:
        assert upload_of(cloud, number)["body"]["bytes"] == len(camera.jpeg)
    assert camera.fetched() <= 2
    assert cloud.deviations() == []


def test_an_unknown_printer_is_answered_with_an_empty_body(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    record = upload_of(cloud, cloud.ask_for_picture(printer_id=999))
    headers = {name.lower(): value for name, value in record["headers"].items()}
    assert (headers["content-length"], headers["x-printer-id"]) == ("0", "999")
    assert headers["content-type"] == "application/json"
    assert camera.fetched() == 0
    assert cloud.deviations() == []


BAD = [
    "html",
    "large",
    "hang",
    *(pytest.param(answer, marks=pytest.mark.soak) for answer in ("lying", "cut", "nothing")),
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("answer", BAD)
def test_what_is_no_picture_is_not_sent_and_the_camera_not_hammered(rig: Rig, camera: Camera, answer: str) -> None:
    cloud = watch(rig, camera)
    camera.answer = answer
    number = cloud.ask_for_picture()
    time.sleep(20)
    assert cloud.uploads(number) == []
    snapshots = [path for _, path in camera.fetches if "action=snapshot" in path]
    assert 1 <= len(snapshots) <= 6, camera.fetches
    camera.answer = "jpeg"
    time.sleep(12)  # the cloud has given the bad one up
    assert upload_of(cloud, cloud.ask_for_picture())["body"]["bytes"] == len(camera.jpeg)
    assert rig.daemon.process.running
    assert cloud.deviations() == []


def test_a_hanging_camera_delays_no_command_and_no_heartbeat(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    camera.answer = "hang"
    cloud.ask_for_picture()
    wait_until(lambda: camera.fetched() > 0, 10, "the fetch")
    begin = time.monotonic()
    assert cloud.carry_out("homing", axes=["X"])["status"] == "succeeded"
    assert time.monotonic() - begin < 3
    time.sleep(5)
    assert cloud.deviations() == []  # which checks the intervals


def test_the_next_address_is_tried_when_the_first_knows_nothing(rig: Rig, camera: Camera) -> None:
    """Without a camera in Moonraker's list, the owner has PrintDock asked; the usual paths are tried in their order."""
    camera.answer = "nothing"
    cloud = obey_printdock(rig, ui_port=camera.port, webcam_poll_seconds=2)
    number = cloud.ask_for_picture()
    time.sleep(5)
    assert cloud.uploads(number) == []
    paths = [path for _, path in camera.fetches][:3]
    assert paths == ["/webcam/?action=snapshot", "/webcam/snapshot", "/server/webcam/snapshot"]
    camera.answer = "jpeg"
    number = cloud.ask_for_picture()
    assert upload_of(cloud, number, 30)["body"]["bytes"] == len(camera.jpeg)


def test_the_owners_turn_and_flip_are_applied(rig: Rig, camera: Camera) -> None:
    cloud = obey_printdock(rig, moonraker=camera.section(rotation="90"))
    number = cloud.ask_for_picture()
    upload_of(cloud, number)
    assert cloud.uploads(number)[0]["status"] == 200
    data = cloud.picture(number)
    original, turned = Image.open(io.BytesIO(camera.jpeg)), Image.open(io.BytesIO(data))
    assert turned.size == original.size[::-1]
    red = [corner for corner in corners(turned) if is_red(turned.getpixel(corner))]
    assert red == [corners(turned)[1]], "turned clockwise, the upper left corner is at the upper right"


def corners(image: Image.Image) -> list[tuple[int, int]]:
    """Upper left, upper right, lower right, lower left; not the very edge."""
    width, height = image.size
    return [(8, 8), (width - 8, 8), (width - 8, height - 8), (8, height - 8)]


def is_red(pixel: Any) -> bool:
    red, green, blue = pixel[:3]
    return red > 150 and green < 90 and blue < 90


def test_png_passes_as_it_came(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    camera.answer = "png"
    time.sleep(3)  # what was fetched before is too old
    number = cloud.ask_for_picture()
    record = upload_of(cloud, number)
    assert record["body"]["bytes"] == len(picture("PNG"))
    assert hashlib.sha256(cloud.picture(number)).digest() == hashlib.sha256(picture("PNG")).digest()


def test_the_camera_is_fetched_once_for_three_that_ask(rig: Rig, camera: Camera) -> None:
    clouds = rig.add_scripted("one", "two", "three")
    rig.start_printer(moonraker=camera.section())
    write_backends(rig, *(cloud.entry(permissions="full") for cloud in clouds))
    rig.start_daemon()
    camera.seconds = 0.3
    begin = time.monotonic()
    numbers = [cloud.order("frame", max_age=5, max_bytes=1_000_000) for cloud in clouds]
    for cloud, number in zip(clouds, numbers, strict=True):
        outcome = cloud.outcome(number)
        outcome_is(outcome, "done", "ok")
        assert outcome["details"]["head"][:3] == [0xFF, 0xD8, 0xFF]
    assert camera.fetched(begin) == 1
    begin = time.monotonic()
    for cloud in clouds:
        outcome_is(cloud.obey("frame", max_age=5, max_bytes=1_000_000), "done", "ok")
    assert camera.fetched(begin) == 0, "the picture was young enough"
    time.sleep(1.5)
    outcome_is(clouds[0].obey("frame", max_age=0.5), "done", "ok")
    assert camera.fetched(begin) == 1


def test_a_picture_is_made_small_enough(rig: Rig, camera: Camera) -> None:
    camera.jpeg = picture("JPEG", 1920, 1080)
    script = rig.add_scripted()[0]
    rig.start_printer(moonraker=camera.section())
    write_backends(rig, script.entry(permissions="full"))
    rig.start_daemon()
    limit = len(camera.jpeg) // 4
    outcome = script.obey("frame", max_bytes=limit)
    outcome_is(outcome, "done", "ok")
    assert outcome["details"]["bytes"] <= limit


def test_without_permission_no_picture_leaves(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera, permissions=["status", "pause"])
    cloud.ask_for_picture()
    time.sleep(6)
    assert camera.fetched() == 0
    assert [record for record in cloud.records("upload") if record["body"] is not None] == []


def test_a_picture_that_cannot_be_sent_is_tried_a_few_times_only(rig: Rig, camera: Camera) -> None:
    cloud = watch(rig, camera)
    cloud.fault("upload", "status", status=500, count=None)
    number = cloud.ask_for_picture()
    settle(cloud)
    time.sleep(20)
    assert 1 <= len(cloud.uploads(number)) <= 3
    cloud.clear_faults()
    assert rig.daemon.process.running
