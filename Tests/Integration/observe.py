"""What the clouds were told, in the tests' words."""

from __future__ import annotations

import itertools
from typing import Any

from harness import Cloud, Rig

Record = dict[str, Any]


def status_of(record: Record) -> dict[str, Any]:
    """The six objects of a PrintDock snapshot."""
    return record["body"]["snapshots"][0]["payload"]["result"]["status"]


def state_of(record: Record) -> str:
    """The job's state in a report, in the cloud's own words."""
    if record["endpoint"] == "snapshots":
        return status_of(record)["print_stats"]["state"]
    return record["body"]["job"]["state"]


def reachable(record: Record) -> bool:
    """What a PrintDock heartbeat says of the printer."""
    return record["body"]["printers"][0]["reachable"]


def accepted(record: Record) -> bool:
    return 200 <= record["status"] < 300 and record["fault"] in (None, "delay")


def wait_for_states(rig: Rig, reach: str, printdock: str, after: float, timeout: float = 6.0) -> tuple[Record, Record]:
    """Both clouds are told of a state; the first report of each that says so."""
    telemetry = rig.reach.wait_for("printer-data", timeout, after, lambda record: state_of(record) == reach)
    snapshot = rig.printdock.wait_for("snapshots", timeout, after, lambda record: state_of(record) == printdock)
    return telemetry, snapshot


ANSWER = 160
"""Bytes of the head of a test cloud's answer."""


def megabytes_per_hour(cloud: Cloud, calls: dict[str, int]) -> float:
    """What a cloud and the daemon say to each other in an hour with so many calls, as large as those that it had."""
    total = 0.0
    for endpoint, count in calls.items():
        sizes = [size(record) for record in cloud.records(endpoint)]
        assert sizes, f"no {endpoint} yet"
        total += count * (sum(sizes) / len(sizes) + ANSWER)
    return total / 1e6


def size(record: Record) -> int:
    """The bytes of a request, head included."""
    line = len(f"{record['method']} {record['path']}?{record['query']} HTTP/1.1\r\n\r\n")
    head = sum(len(f"{name}: {value}\r\n") for name, value in record["headers"].items())
    return line + head + int(record["headers"].get("Content-Length", 0))


def longest_gap(cloud: Cloud, endpoint: str, after: float, until: float) -> float:
    """The longest time without such a request between two moments, both ends counted."""
    moments = [after] + [r["mono"] for r in cloud.records(endpoint, after) if r["mono"] < until] + [until]
    return max(later - earlier for earlier, later in itertools.pairwise(moments))
