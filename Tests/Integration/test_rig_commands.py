"""The test cloud hands out commands, takes their results, pictures and backups, and records what is wrong in them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from camera import picture
from harness import PrintDockCloud, Rig

from messages import PrintDockMessages, send


@pytest.fixture
def ours(rig: Rig) -> Iterator[PrintDockMessages]:
    """A paired connector of the cloud."""
    rig.printdock.start("--commands", "1")
    ours = PrintDockMessages(rig.printdock)
    assert ours.post("register", ours.register()) == 200
    yield ours


def complaints(cloud: PrintDockCloud, after: float = 0.0) -> list[str]:
    """What the cloud complains of, without the intervals, which these tests do not keep."""
    texts = [text for record in cloud.records(after=after) for text in record["deviations"]]
    return [text for text in texts if "poll after" not in text and "snapshot after" not in text]


def snapshot_of(ours: PrintDockMessages, state: str) -> None:
    assert ours.post("snapshots", ours.snapshot(state=state)) == 200


RESULTS: dict[str, dict[str, Any]] = {
    "start_print": {"filename": "x.gcode"},
    "homing": {"axes": ["X"]},
    "upload_file": {"filename": "x.gcode", "size": 3},
    "delete_file": {"filename": "x.gcode"},
    "sync_files": {"count": 1, "files": [{"path": "x", "modified": 1.5, "size": 1, "permissions": "rw"}]},
    "import_history": {"count": 0, "history": {"result": {"count": 0, "jobs": []}}},
}


@pytest.mark.parametrize("action", RESULTS)
def test_a_command_is_handed_out_once_and_its_result_taken(ours: PrintDockMessages, action: str) -> None:
    cloud: PrintDockCloud = ours.cloud
    number = cloud.command(action)
    assert ours.get("commands") == [{"id": int(number), "printer_id": 262, "action": action, "params": {}}]
    assert ours.get("commands") == []
    snapshot_of(ours, "standby")
    assert ours.complete(number, action, **RESULTS[action]) == 200
    assert cloud.completion(number)["result"]["action"] == action
    assert complaints(cloud) == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("pause", {"status": "done", "result": {"action": "pause"}}, "body.status"),
    ("pause", {"status": "succeeded", "result": {"action": "pause"}}, "one of post_snapshot"),
    ("pause", {"status": "succeeded", "result": {"action": "cancel", "post_snapshot": "captured"}}, "was asked for"),
    ("pause", {"status": "succeeded", "result": {"action": "pause", "filename": "x"}}, "not a key"),
    ("pause", {"status": "failed", "result": {"action": "pause"}}, "error_message"),
    ("pause", {"status": "failed", "result": {"action": "pause"}, "error_message": ""}, "error_message"),
    ("pause", {"status": "failed", "result": {"action": "halt"}, "error_message": "no"}, "is no action"),
    ("pause", {"status": "succeeded", "result": [], "error_message": "x"}, "error_message: only"),
    (
        "start_print",
        {"status": "succeeded", "result": {"action": "start_print", "post_snapshot": "captured"}},
        "filename: missing",
    ),
    (
        "create_backup",
        {
            "status": "succeeded",
            "result": {
                "action": "create_backup",
                "post_snapshot": "captured",
                "backup_id": "b",
                "size_bytes": 1,
                "sha256": "0" * 64,
                "uploaded_at": "2026-01-01T00:00:00Z",
            },
        },
        "no such bytes",
    ),
]


@pytest.mark.parametrize(("action", "body", "reason"), WRONG)
def test_a_wrong_result_is_refused(ours: PrintDockMessages, action: str, body: dict[str, Any], reason: str) -> None:
    number = ours.cloud.command(action)
    ours.get("commands")
    assert ours.complete_as(number, body) == 400
    assert reason in str(complaints(ours.cloud))
    assert ours.cloud.completions(number) == []


def test_the_snapshot_must_come_first_and_show_what_was_done(ours: PrintDockMessages) -> None:
    first, second = ours.cloud.commands(("pause", {}), ("pause", {}))
    ours.get("commands")
    ours.complete(first, "pause")
    assert "none has come" in str(complaints(ours.cloud))
    snapshot_of(ours, "printing")
    begin = time.monotonic()
    ours.complete(second, "pause")
    assert "completion of pause says printing" in str(complaints(ours.cloud, begin))


def test_what_is_repeated_or_unknown_is_recorded(ours: PrintDockMessages) -> None:
    cloud: PrintDockCloud = ours.cloud
    number = cloud.command("delete_file")
    ours.get("commands")
    assert ours.complete("77", "delete_file", "gone") == 404
    assert "never handed out" in str(complaints(cloud))
    ours.complete(number, "delete_file", "gone")
    begin = time.monotonic()
    ours.complete(number, "delete_file", "gone")
    assert "nobody asked again" in str(complaints(cloud, begin))
    ours.complete(number, "delete_file", "other")
    assert "twice, differently" in str(complaints(cloud, begin))


def test_a_command_comes_again_on_order_and_its_result_may_too(ours: PrintDockMessages) -> None:
    cloud: PrintDockCloud = ours.cloud
    number = cloud.command("cancel", id="a/b c")
    ours.get("commands")
    ours.complete("a%2Fb%20c", "cancel", "no")
    cloud.order("redeliver", id=number)
    assert [command["id"] for command in ours.get("commands")] == [number]
    ours.complete("a%2Fb%20c", "cancel", "no")
    assert complaints(cloud) == []
    cloud.set(redeliver_after=0.5, redeliver_completed=True, redeliver_times=2)
    time.sleep(0.6)
    assert len(ours.get("commands")) == 1
    assert ours.get("commands") == []


def test_a_repeated_result_has_the_same_words_and_no_snapshot_before_it(ours: PrintDockMessages) -> None:
    cloud: PrintDockCloud = ours.cloud
    number = cloud.command("delete_file")
    ours.get("commands")
    snapshot_of(ours, "standby")
    ours.complete(number, "delete_file", filename="a.gcode")
    cloud.order("redeliver", id=number)
    ours.get("commands")
    ours.complete(number, "delete_file", filename="a.gcode")
    assert complaints(cloud) == []
    same = ours.snapshot()
    begin = time.monotonic()
    assert [ours.post("snapshots", same) for _ in range(2)] == [200, 200]
    assert "once more" in str(complaints(cloud, begin))
    begin = time.monotonic()
    ours.complete(number, "delete_file", filename="a.gcode", post_snapshot_error="kept")
    assert "twice, differently" in str(complaints(cloud, begin))


def test_a_lost_answer_excuses_the_repetition(ours: PrintDockMessages) -> None:
    cloud: PrintDockCloud = ours.cloud
    number = cloud.command("delete_file")
    ours.get("commands")
    cloud.fault("complete", "drop_after")
    with pytest.raises(OSError, match=r"."):
        ours.complete(number, "delete_file", "gone")
    assert ours.complete(number, "delete_file", "gone") == 200
    assert complaints(cloud) == []
    assert len(cloud.completions(number)) == 2


def test_pictures_are_asked_for_until_they_come(ours: PrintDockMessages) -> None:
    cloud: PrintDockCloud = ours.cloud
    number = cloud.ask_for_picture()
    for _ in range(2):
        assert ours.get("webcam_requests") == [{"id": int(number), "printer_id": 262}]
    assert ours.upload(number, b"<html>") == 400
    assert ours.upload(number, picture()) == 200
    assert ours.get("webcam_requests") == []
    assert ours.upload(number, picture()) == 404
    assert [record["status"] for record in cloud.uploads(number)] == [400, 200, 404]


def test_the_storage_takes_what_was_signed(ours: PrintDockMessages) -> None:
    cloud: PrintDockCloud = ours.cloud
    path = cloud.presigned("b1").split(str(cloud.port))[1]
    headers = {"Content-Type": "application/gzip"}
    begin = time.monotonic()
    assert send(cloud, "PUT", path, b"\x1f\x8bdata", headers)[0] == 200
    assert complaints(cloud, begin) == []
    assert cloud.stored("b1") == b"\x1f\x8bdata"
    assert send(cloud, "PUT", path[:-1], b"x", headers)[0] == 400
    assert send(cloud, "PUT", path, b"x", headers | {"Authorization": "Bearer x"})[0] == 400
    number = cloud.command("create_backup")
    ours.get("commands")
    snapshot_of(ours, "standby")
    sums = {"size_bytes": 6, "sha256": hashlib.sha256(b"\x1f\x8bdata").hexdigest()}
    assert ours.complete(number, "create_backup", backup_id="b1", uploaded_at="2026-01-01T00:00:00Z", **sums) == 200
