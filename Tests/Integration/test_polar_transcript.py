"""Our events beside the original's: the same keys and types, but for the differences that are ours by decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from harness import ROOT, Rig

from polar_rig import obey_polar

TRANSCRIPT = ROOT / "Tests" / "Fixtures" / "transcripts" / "polar-cloud.jsonl"

NEVER_OURS = {"status": {"tool1", "targetTool1"}}
"""Without a second extruder there is no second tool; the original sends zeros."""
OURS_TOO = {
    "status": {"startTime", "chamber", "targetChamber"},
    "job": {"filamentUsed", "bytesRead", "fileSize"},
}
"""What the original means to send and never does."""

Shape = dict[str, set[str]]


def kind(value: Any) -> str:
    """A value's JSON type; an integer is a number."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def theirs() -> dict[str, Shape]:
    """Each event of the original's, with the types of its keys."""
    found: dict[str, Shape] = {}
    for line in TRANSCRIPT.read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "frame" and record["dir"] == "in" and record["data"].startswith("42["):
            name, body = json.loads(record["data"][2:])
            add(found.setdefault(name, {}), body)
    return found


def add(shape: Shape, body: dict[str, Any]) -> None:
    for key, value in body.items():
        shape.setdefault(key, set()).add(kind(value))


@pytest.fixture(scope="module")
def ours() -> Iterator[dict[str, Shape]]:
    """What we send from the registration to the end of a job."""
    with Rig() as rig:
        polar = obey_polar(rig, camera=True, printing_image_interval=5)
        job = polar.print("cube.gcode", stlFile="cube.stl", configFile="cube.ini")
        polar.wait_for_code(3, jobId=job)
        polar.report(job, 60)
        found: dict[str, Shape] = {}
        for record in polar.records():
            if record["method"] == "EMIT":
                add(found.setdefault(record["endpoint"], {}), record["body"])
        yield found


def test_events_have_the_originals_keys_and_types(ours: dict[str, Shape]) -> None:
    """One test: on several workers each would begin a life of its own."""
    for event in ("register", "hello", "status", "job", "getUrl", "setVersion"):
        due = {key: kinds for key, kinds in theirs()[event].items() if key not in NEVER_OURS.get(event, set())}
        assert ours[event].keys() - OURS_TOO.get(event, set()) == due.keys() - OURS_TOO.get(event, set()), event
        for key, kinds in due.items():
            assert ours[event][key] == kinds, f"{event}: {key}"
    assert ours.keys() <= theirs().keys(), "nothing that the original does not know"
