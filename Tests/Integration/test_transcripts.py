"""Our bodies and headers beside the originals': the same keys, types, and values for the same printer state.

The differences that are ours by decision are named here, and nothing else may differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from harness import ROOT, Rig

from observe import state_of, status_of

TRANSCRIPTS = ROOT / "Tests" / "Fixtures" / "transcripts"

FILLED = {
    "temperatures.chamber",
    "systemHealth.cpuPercent",
    "systemHealth.memoryPercent",
    "systemHealth.diskPercent",
}
"""Reach fields that the original always leaves null and that we fill."""


def transcript(name: str, ending: str) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (TRANSCRIPTS / f"{name}.jsonl").read_text().splitlines()]
    return [record for record in records if record["path"].endswith(ending) and record["method"] == "POST"]


def kind(value: Any) -> str:
    """A value's JSON type; integers and doubles are both numbers on these wires."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def paths(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every member's path and type; array elements count as one."""
    if isinstance(value, dict):
        yield prefix, "object"
        for key, member in value.items():
            yield from paths(member, f"{prefix}.{key}".lstrip("."))
    elif isinstance(value, list):
        yield prefix, "array"
        for member in value:
            yield from paths(member, f"{prefix}[]")
    else:
        yield prefix, kind(value)


def shape(bodies: list[Any]) -> dict[str, set[str]]:
    """Path to the types that were seen there."""
    result: dict[str, set[str]] = {}
    for body in bodies:
        for path, name in paths(body):
            result.setdefault(path, set()).add(name)
    return result


CALLS = [
    ("printdock", "register", "/connectors/register"),
    ("printdock", "heartbeat", "/heartbeat"),
    ("printdock", "snapshots", "/snapshots/batch"),
    ("reach-relay", "claim", "/pairing/claim"),
    ("reach-relay", "register", "/reach-link/register"),
    ("reach-relay", "printer-data", "/printer-data"),
    ("reach-relay", "pull", "/commands/pull"),
]
PUSH = ("reach-relay", "push", "/commands/push")
"""Bodies of pushes are compared where the commands are: `test_reach_commands.py`."""


@pytest.fixture(scope="module")
def printing():
    """Both clouds after the start of a print."""
    with Rig() as rig:
        import sample_gcode

        sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=2)
        rig.start_printer(speed=20)
        rig.start_clouds()
        rig.start_daemon()
        rig.printdock.wait_for("snapshots")
        rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "idle")
        rig.moonraker.call("printer.print.start", filename="tower.gcode")
        rig.printdock.wait_for("snapshots", where=lambda record: state_of(record) == "printing", count=2)
        rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "printing", count=2)
        rig.reach.carry_out("server.info", method="GET")
        yield rig


@pytest.mark.parametrize(("name", "endpoint", "ending"), CALLS)
def test_bodies_have_the_originals_keys_and_types(printing: Rig, name: str, endpoint: str, ending: str) -> None:
    cloud = printing.printdock if name == "printdock" else printing.reach
    theirs = shape([record["body"] for record in transcript(name, ending)])
    ours = shape(
        [
            record["body"]
            for record in cloud.records(endpoint)
            if endpoint != "printer-data" or state_of(record) != "unknown"
        ]
    )
    optional = {"device.ip"}  # left out on a host without an address
    assert set(ours) - optional == set(theirs) - optional
    for path, kinds in ours.items():
        allowed = theirs.get(path, set()) | ({"number"} if path in FILLED else set())
        if path.endswith(("total_layer", "current_layer", "job.eta", "job.estimatedTime")):
            allowed = {"number", "null"}  # the slicer of the transcript said nothing about layers
        if path.endswith("file_path"):
            allowed = {"str", "null"}
        assert kinds <= allowed, path


@pytest.mark.parametrize(("name", "endpoint", "ending"), [*CALLS, PUSH])
def test_headers_are_the_originals(printing: Rig, name: str, endpoint: str, ending: str) -> None:
    cloud = printing.printdock if name == "printdock" else printing.reach
    theirs = {header for record in transcript(name, ending) for header in record["headers"]} | {"Host"}
    ours = {header for record in cloud.records(endpoint) for header in record["headers"]}
    theirs.discard("Connection")  # ours stay open
    tolerated = {"Accept"} if name == "reach-relay" else set()
    assert ours - tolerated - {"Accept-Encoding"} == theirs - {"Accept-Encoding"}


def test_an_idle_printer_reads_as_in_the_transcripts(printing: Rig) -> None:
    theirs = transcript("reach-relay", "/printer-data")[0]["body"]
    ours = printing.reach.wait_for("printer-data", where=lambda record: state_of(record) == "idle")["body"]
    assert ours["job"] == theirs["job"]
    assert ours["motion"] == theirs["motion"]
    assert ours["fans"] == theirs["fans"]
    assert ours["temperatures"]["nozzleTarget"] == theirs["temperatures"]["nozzleTarget"] == 0
    assert (ours["errors"], ours["logTail"]) == (theirs["errors"], theirs["logTail"])
    standby = [record for record in transcript("printdock", "/snapshots/batch") if state_of(named(record)) == "standby"]
    their_status = status_of(standby[0])
    our_status = status_of(printing.printdock.wait_for("snapshots", where=lambda record: state_of(record) == "standby"))
    for name in ("print_stats", "virtual_sdcard", "pause_resume"):
        assert our_status[name] == their_status[name], name
    assert our_status.keys() == their_status.keys()


def named(record: dict[str, Any]) -> dict[str, Any]:
    """A transcript's record in the form of the clouds' own."""
    return record | {"endpoint": "snapshots"}
