"""The long form: ten minutes at the clouds' own intervals, through everything that a printer does."""

from __future__ import annotations

import time

import pytest
import sample_gcode
from harness import Rig

from observe import reachable, wait_for_states


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_minutes_without_a_deviation(rig: Rig) -> None:
    begin = time.monotonic()
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=8)
    rig.start_printer(speed=4)
    rig.start_clouds(heartbeat=10, snapshots=30, next_check_in=30, telemetry=None)
    rig.start_daemon()
    call = rig.moonraker.call
    wait_for_states(rig, "idle", "standby", 0, 40)

    started = time.monotonic()
    call("printer.print.start", filename="tower.gcode")
    wait_for_states(rig, "printing", "printing", started)
    time.sleep(70)
    paused = time.monotonic()
    call("printer.print.pause")
    wait_for_states(rig, "paused", "paused", paused)
    time.sleep(40)
    resumed = time.monotonic()
    call("printer.print.resume")
    wait_for_states(rig, "printing", "printing", resumed)
    rig.printer.wait_for_print_state("complete", 200)
    wait_for_states(rig, "idle", "complete", resumed)

    time.sleep(35)
    started = time.monotonic()
    call("printer.print.start", filename="tower.gcode")
    wait_for_states(rig, "printing", "printing", started)
    time.sleep(45)
    cancelled = time.monotonic()
    call("printer.print.cancel")
    wait_for_states(rig, "idle", "cancelled", cancelled)

    time.sleep(35)
    started = time.monotonic()
    call("printer.print.start", filename="tower.gcode")
    wait_for_states(rig, "printing", "printing", started)
    time.sleep(45)
    stopped = time.monotonic()
    call("printer.emergency_stop")
    wait_for_states(rig, "error", "error", stopped)
    time.sleep(35)
    restarted = time.monotonic()
    rig.disturbed()
    call("printer.firmware_restart")
    rig.moonraker.wait_for_klippy()
    rig.disturbed()
    wait_for_states(rig, "idle", "standby", restarted, 40)

    time.sleep(max(5.0, begin + 600 - time.monotonic()))
    assert reachable(rig.printdock.records("heartbeat")[-1])
    assert len(rig.printdock.records("heartbeat")) >= 50
    assert rig.deviations() == []
    counts = {cloud.kind: len(cloud.records()) for cloud in rig.clouds}
    print(f"ten minutes, {counts['printdock']} and {counts['reach']} requests, no deviation")
