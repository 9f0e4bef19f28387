"""Whatever dies comes back: Moonraker, Klippy, each cloud, the daemon, in every order of two."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
from harness import Rig

from observe import accepted, reachable, state_of

PARTS = ("moonraker", "klippy", "printdock", "reach", "daemon")
PAIRS = list(itertools.permutations(PARTS, 2))
QUICK = {("moonraker", "daemon"), ("klippy", "moonraker"), ("printdock", "reach"), ("daemon", "klippy")}
BACK = 40.0
"""Seconds until all is back after a short outage: the back-off has not grown to its cap by then."""


def kill(rig: Rig, part: str) -> None:
    rig.disturbed()
    actions: dict[str, Callable[[], None]] = {
        "moonraker": rig.moonraker.kill,
        "klippy": rig.printer.kill,
        "printdock": rig.printdock.kill,
        "reach": rig.reach.kill,
        "daemon": rig.daemon.kill,
    }
    actions[part]()


def start(rig: Rig, part: str) -> None:
    actions: dict[str, Callable[[], None]] = {
        "moonraker": rig.moonraker.relaunch,
        "klippy": rig.printer.restart_process,
        "printdock": rig.printdock.relaunch,
        "reach": rig.reach.relaunch,
        "daemon": rig.daemon.start,
    }
    actions[part]()
    rig.disturbed()


def everything_is_back(rig: Rig, begin: float, timeout: float) -> None:
    """Both clouds hear of a live printer again, without pairing anew and without a word of stale data."""
    deadline = begin + timeout

    def left() -> float:
        return max(1.0, deadline - time.monotonic())

    rig.printdock.wait_for("heartbeat", left(), begin, lambda record: accepted(record) and reachable(record))
    rig.printdock.wait_for("snapshots", left(), begin, accepted)
    rig.reach.wait_for("register", left(), begin, accepted)
    rig.reach.wait_for(
        "printer-data", left(), begin, lambda record: accepted(record) and state_of(record) not in ("unknown", "error")
    )
    assert len(rig.printdock.records("register")) == 1
    assert len(rig.reach.records("claim")) == 1
    assert rig.daemon.process.running
    assert rig.deviations() == []


def settle(rig: Rig) -> None:
    rig.printdock.wait_for("snapshots")
    rig.reach.wait_for("printer-data")


@pytest.mark.parametrize("part", PARTS)
def test_one_part_dies_and_comes_back(daemon_rig: Rig, part: str) -> None:
    settle(daemon_rig)
    kill(daemon_rig, part)
    time.sleep(2)
    start(daemon_rig, part)
    everything_is_back(daemon_rig, time.monotonic(), BACK)


def pair_dies(rig: Rig, first: str, second: str, away: float, timeout: float) -> None:
    settle(rig)
    kill(rig, first)
    time.sleep(0.5)
    kill(rig, second)
    time.sleep(away)
    start(rig, first)
    time.sleep(0.5)
    start(rig, second)
    everything_is_back(rig, time.monotonic(), timeout)


@pytest.mark.parametrize(("first", "second"), sorted(QUICK))
def test_two_parts_die_and_come_back(daemon_rig: Rig, first: str, second: str) -> None:
    pair_dies(daemon_rig, first, second, away=1.5, timeout=BACK)


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_every_order_of_two(daemon_rig: Rig, first: str, second: str) -> None:
    """Long enough away that the back-off grows: all back within its cap and 10 s."""
    pair_dies(daemon_rig, first, second, away=20, timeout=70)


def test_while_klippy_is_away_nothing_stale_passes_as_fresh(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.moonraker.call("printer.print.start", filename="tower.gcode")
    rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "printing")
    rig.printer.kill()
    begin = time.monotonic() + 0.5
    rig.printdock.wait_for("heartbeat", 10, begin, lambda record: not reachable(record))
    rig.reach.wait_for("printer-data", 15, begin, lambda record: state_of(record) == "unknown")
    unreachable = time.monotonic()
    time.sleep(4)
    assert rig.printdock.records("snapshots", unreachable) == []
    late = rig.reach.records("printer-data", unreachable)
    assert late
    assert {state_of(record) for record in late} == {"unknown"}


def test_a_start_in_error_is_told_to_both_clouds(daemon_rig: Rig) -> None:
    rig = daemon_rig
    settle(rig)
    begin = time.monotonic()
    rig.printer.restart(outcome="error", message="mcu 'mcu': Unable to connect")
    told = rig.reach.wait_for("printer-data", 15, begin, lambda record: state_of(record) == "error")
    assert "Unable to connect" in told["body"]["errors"][0]["message"]
    begin = time.monotonic()
    rig.printer.restart()
    rig.reach.wait_for("printer-data", 20, begin, lambda record: state_of(record) == "idle")
    rig.printdock.wait_for("snapshots", 20, begin, accepted)


def test_a_job_that_runs_through_a_restart_of_moonraker_ends_at_both_clouds(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.moonraker.call("printer.print.start", filename="tower.gcode")
    rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "printing")
    rig.moonraker.restart()
    begin = time.monotonic()
    rig.printer.wait_for_print_state("complete")
    rig.printdock.wait_for("snapshots", 30, begin, lambda record: state_of(record) == "complete")
    rig.reach.wait_for("printer-data", 30, begin, lambda record: state_of(record) == "idle")
