"""A cloud that misbehaves harms itself only: the other's messages are on time, and it recovers alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from harness import Cloud, Rig

from observe import accepted, longest_gap, wait_for_states

PASS = ("delay", {"seconds": 0.0})
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("html", {}),
    ("empty", {"status": 200}),
    ("redirect", {"status": 301, "location": "http://127.0.0.1:1/elsewhere"}),
    ("truncate", {}),
    ("drop_before", {}),
    ("broken_http", {}),
    ("flood", {"size": 20_000_000}),
    ("json", {"body": {"nextCheckIn": "soon", "rotatedToken": 5, "inserted": "x", "nextDataInterval": -1}}),
    ("status", {"status": 429, "retry_after": 2}),
    ("status", {"status": 503, "retry_after": "nonsense"}),
    ("slow", {"seconds": 1.0}),
]
"""One of each, with a good answer between, so that the back-off does not grow."""
MORE_KINDS: list[tuple[str, dict[str, Any]]] = [
    ("garbage", {}),
    ("empty", {}),
    ("redirect", {"status": 308, "location": "/api"}),
    ("drop_after", {}),
    ("json", {"body": [1, 2]}),
    ("json", {"body": "text"}),
    ("json", {"body": {"nextCheckIn": 1e300, "rotatedToken": "", "nextDataInterval": 0}}),
    ("json", {"body": None}),
    ("status", {"status": 400}),
    ("status", {"status": 409}),
    ("status", {"status": 418}),
    ("status", {"status": 422}),
    ("status", {"status": 500}),
]

REPORTS = {"printdock": ("heartbeat", "snapshots"), "reach": ("register", "printer-data")}


def other(rig: Rig, kind: str) -> Cloud:
    return rig.reach if kind == "printdock" else rig.printdock


def recovered(rig: Rig, kind: str, timeout: float) -> None:
    """Every report of that cloud is accepted again."""
    begin = time.monotonic()
    for endpoint in REPORTS[kind]:
        getattr(rig, kind).wait_for(endpoint, timeout, begin, accepted)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["printdock", "reach"])
@pytest.mark.parametrize("kinds", [KINDS, pytest.param(MORE_KINDS, marks=pytest.mark.soak)], ids=["first", "more"])
def test_every_kind_of_bad_answer_is_survived(
    daemon_rig: Rig, kind: str, kinds: list[tuple[str, dict[str, Any]]]
) -> None:
    rig, cloud = daemon_rig, getattr(daemon_rig, kind)
    endpoint = "heartbeat" if kind == "printdock" else "printer-data"
    for action, details in kinds:
        cloud.fault(endpoint, action, **details)
        cloud.fault(endpoint, PASS[0], **PASS[1])
    begin = time.monotonic()
    last = cloud.wait_for(endpoint, 150, begin, count=2 * len(kinds))
    actions = [record["fault"] for record in cloud.records(endpoint, begin)[: 2 * len(kinds)]]
    assert actions == [action for kind_action, _ in kinds for action in (kind_action, "delay")]
    recovered(rig, kind, 70)
    assert rig.daemon.process.running
    neighbour = other(rig, kind)
    for name in REPORTS[neighbour.kind]:
        limit = {"heartbeat": 2.2, "snapshots": 3.3, "register": 6.0, "printer-data": 2.2}[name]
        assert longest_gap(neighbour, name, begin, last["mono"]) < limit + 0.25


@pytest.mark.parametrize("kind", ["printdock", "reach"])
@pytest.mark.parametrize(
    "action",
    ["hang", "flood", *(pytest.param(action, marks=pytest.mark.soak) for action in ("garbage", "drop_before"))],
)
def test_beside_a_bad_cloud_the_other_is_on_time(daemon_rig: Rig, kind: str, action: str) -> None:
    rig, cloud, neighbour = daemon_rig, getattr(daemon_rig, kind), other(daemon_rig, kind)
    for endpoint in REPORTS[neighbour.kind]:
        neighbour.wait_for(endpoint)
    cloud.fault("*", action, count=None)
    time.sleep(2)
    begin = time.monotonic()
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    changed = rig.printer.journal("print_state")[-1]["mono"]
    report = REPORTS[neighbour.kind][1]
    told = neighbour.wait_for(report, 5, changed, lambda record: "printing" in str(record["body"]))
    limit = 0.25 + 0.1 + (2.0 if neighbour.kind == "printdock" else 1.0)  # the tick, the 100 ms, its own spacing
    assert told["mono"] - changed < limit
    time.sleep(8)
    until = time.monotonic()
    for name in REPORTS[neighbour.kind]:
        longest = {"heartbeat": 2.2, "snapshots": 3.3, "register": 6.0, "printer-data": 2.2}[name]
        assert longest_gap(neighbour, name, begin, until) < longest + 0.1 + 0.1
    cloud.clear_faults()
    recovered(rig, kind, 70)


def test_both_clouds_away_for_a_while_and_the_newest_state_comes_first(daemon_rig: Rig) -> None:
    rig = daemon_rig
    wait_for_states(rig, "idle", "standby", 0)
    for cloud in rig.clouds:
        cloud.kill()
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    time.sleep(5)
    for cloud in rig.clouds:
        cloud.relaunch()
    begin = time.monotonic()
    first = rig.printdock.wait_for("snapshots", 70, begin)
    assert first["body"]["snapshots"][0]["payload"]["result"]["status"]["print_stats"]["state"] == "printing"
    telemetry = rig.reach.wait_for("printer-data", 70, begin)
    assert telemetry["body"]["job"]["state"] == "printing"
    soon = [record for record in rig.printdock.records("snapshots", begin) if record["mono"] < first["mono"] + 2]
    assert len(soon) <= 2  # nothing was queued
    assert len(rig.printdock.records("register")) == len(rig.reach.records("claim")) == 1


def test_refused_credentials_leave_one_probe_a_minute(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    rig.printdock.set(revoked=True)
    time.sleep(6)
    begin = time.monotonic()
    time.sleep(8)
    assert len(rig.printdock.records(after=begin)) <= 1
    assert "printdock" in rig.daemon.get("/health")[1]
    assert "printdock" in rig.daemon.log().lower()
    assert rig.reach.records("printer-data", begin)


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_restored_credentials_are_found_within_75_seconds(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    rig.printdock.set(revoked=True)
    time.sleep(8)
    rig.printdock.set(revoked=False)
    begin = time.monotonic()
    rig.printdock.wait_for("snapshots", 80, begin, accepted)


def test_failures_are_logged_once_per_kind(daemon_rig: Rig) -> None:
    rig = daemon_rig
    document = rig.configuration()
    document["log"] = {"level": "info"}
    rig.daemon.stop()
    rig.daemon.write(document)
    begin = time.monotonic()
    rig.daemon.start()
    rig.printdock.wait_for("snapshots", after=begin)
    before = len(rig.daemon.process.lines("printdock"))
    rig.printdock.fault("*", "status", status=500, count=None)
    time.sleep(10)
    said = rig.daemon.process.lines("printdock")[before:]
    assert 1 <= len(said) <= 6, said
    rig.printdock.clear_faults()
    recovered(rig, "printdock", 70)
