"""Fixtures of the integration tests: rigs in the states that tests begin with."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
import sample_gcode
from harness import Cloud, Rig

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the rig's folder with its logs stays."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """An empty rig; the test starts what it needs. Its folder stays after a failure, and is named."""
    rig = Rig()
    try:
        yield rig
    finally:
        failed = request.node.stash.get(FAILED, False)
        if failed:
            print(f"logs of this test: {rig.folder}")
        rig.close(keep=failed)


@pytest.fixture
def printer_rig(rig: Rig) -> Rig:
    """A printer twenty times as fast as a real one, ready behind Moonraker.

    It has `tower.gcode`, which takes 3 s to heat and 3 s to print, and `long.gcode`, which prints for 30 s.
    """
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=1)
    sample_gcode.write(rig.moonraker.gcodes / "long.gcode", minutes=10)
    rig.start_printer(speed=20)
    return rig


@pytest.fixture
def cloud_rig(printer_rig: Rig) -> Rig:
    """The printer and both clouds; no daemon yet."""
    assert printer_rig.binary.exists(), f"{printer_rig.binary} is missing: build it, or set PRINTER_UPLINK"
    printer_rig.start_clouds()
    return printer_rig


@pytest.fixture
def daemon_rig(cloud_rig: Rig) -> Iterator[Rig]:
    """Everything runs, and both clouds have paired; at the end the clouds may have nothing to complain about."""
    cloud_rig.start_daemon()
    yield cloud_rig
    assert cloud_rig.deviations() == []


@pytest.fixture
def printdock(rig: Rig) -> Cloud:
    """A strict PrintDock cloud alone, with short intervals."""
    rig.printdock.start("--heartbeat", "2", "--snapshots", "3")
    return rig.printdock


@pytest.fixture
def reach(rig: Rig) -> Cloud:
    """A strict Reach relay alone, with short intervals."""
    options = ["--next-check-in", "5", "--hold", "1", "--telemetry", "2", "--telemetry-idle", "4"]
    rig.reach.start(*options)
    return rig.reach
