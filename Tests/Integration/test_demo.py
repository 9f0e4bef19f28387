"""What `make run` starts: it shows three clouds a print, and ends without a trace."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import SUPPORT, ManagedProcess, Rig, wait_until


def processes_below(folder: Path) -> list[str]:
    """Command lines of processes that name the folder."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in found if str(folder) in line and "ps -eo" not in line]


@pytest.fixture
def demo(rig: Rig) -> ManagedProcess:
    """A demonstration that was not started yet, in the rig's folder."""
    assert rig.binary.exists(), f"{rig.binary} is missing: build it, or set PRINTER_UPLINK"
    return ManagedProcess("demo", rig.folder)


def launch(demo: ManagedProcess, rig: Rig, *options: str) -> None:
    command = [sys.executable, str(SUPPORT / "demo.py"), "--binary", str(rig.binary), "--speed", "10"]
    demo.launch([*command, "--folder", str(rig.folder / "demo"), "--summary", *options])


def test_the_demonstration_shows_a_print_to_all_clouds(rig: Rig, demo: ManagedProcess) -> None:
    launch(demo, rig, "--seconds", "22")
    wait_until(lambda: not demo.running, 60, "the demonstration's own end")
    assert demo.exit_status == 0, demo.text()
    assert "status page:   http://127.0.0.1:" in demo.text()
    assert demo.lines("[printdock] snapshot: printing benchy tower.gcode")
    assert demo.lines("[reach] telemetry: printing benchy tower.gcode")
    assert demo.lines("[php-hub] update: printing benchy tower.gcode")
    assert demo.lines("[polar] status  1 Job Printing")
    assert len(demo.lines("deviations: 0")) == 4, demo.text()[-1500:]
    assert processes_below(rig.folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_all_of_it(rig: Rig, demo: ManagedProcess, number: int) -> None:
    launch(demo, rig)
    wait_until(lambda: demo.lines("status page"), 30, "the status page's address")
    demo.signal(number)
    begin = time.monotonic()
    wait_until(lambda: not demo.running, 10, "the end")
    assert time.monotonic() - begin < 8
    assert demo.exit_status in (0, 1)  # 1 where a cloud had heard nothing yet
    assert "Traceback" not in demo.text()
    assert processes_below(rig.folder) == []
