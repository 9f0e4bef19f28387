"""A disk that answers every read and write of the state directory with EIO: said once, what is safe works."""

from __future__ import annotations

import time

from harness import PrintDockCloud, Rig
from scripted_cloud import ScriptedCloud

from commanding import obey_script, only_what_is_safe_works, outcome_is, printdock_entry, write_backends
from observe import accepted, longest_gap, reachable
from preload import fail_disk


def said_once(rig: Rig, begin: int = 0) -> None:
    """Each part that needs the disk says that it cannot have it: once."""
    lines = [line.split(maxsplit=2)[-1] for line in rig.daemon.log()[begin:].splitlines()]
    complaints = [line for line in lines if line.startswith(("ERROR", "WARN")) and str(rig.daemon.state) in line]
    assert len([line for line in complaints if "the journal cannot be written" in line]) == 1, complaints
    assert len(complaints) <= 6, complaints
    assert len(set(complaints)) == len(complaints), complaints


def test_a_disk_that_fails_later_leaves_what_is_safe_and_the_reports(rig: Rig) -> None:
    switch = fail_disk(rig)
    script = obey_with_reports(rig)
    outcome_is(script.obey("home", axes=["X"]), "done", "ok")
    rig.printer.restart_process()
    rig.moonraker.wait_for_klippy()
    time.sleep(1)
    switch.touch()
    begin = time.monotonic()
    only_what_is_safe_works(script, rig)
    said_once(rig)
    reports_go_on(rig.printdock, begin)
    rig.printer.restart()
    rig.moonraker.wait_for_klippy()
    switch.unlink()
    time.sleep(1)
    deadline = time.monotonic() + 60
    while script.obey("home", axes=["Y"])["status"] != "done":
        assert time.monotonic() < deadline, "it never took commands again"
        time.sleep(1)


def test_a_disk_that_fails_from_the_start_leaves_what_is_safe(rig: Rig) -> None:
    switch = fail_disk(rig)
    script = obey_script(rig)[0]
    rig.daemon.kill()
    switch.touch()
    begin = len(rig.daemon.log())
    rig.daemon.start()
    script.wait_for_contact()
    only_what_is_safe_works(script, rig)
    said_once(rig, begin)


def obey_with_reports(rig: Rig) -> ScriptedCloud:
    """A scripted backend at level full beside PrintDock's."""
    script = obey_script(rig)[0]
    rig.printdock.start("--heartbeat", "2", "--snapshots", "3", "--commands", "1")
    write_backends(rig, script.entry(permissions="full"), printdock_entry(rig))
    rig.daemon.restart()
    rig.printdock.wait_for("snapshots")
    script.wait_for_contact()
    script.wait_for_contact()
    return script


def reports_go_on(cloud: PrintDockCloud, begin: float) -> None:
    """Heartbeats and snapshots came and come as before."""
    now = time.monotonic()
    cloud.wait_for("snapshots", 10, now, accepted)
    cloud.wait_for("heartbeat", 10, now, lambda record: accepted(record) and reachable(record))
    assert longest_gap(cloud, "heartbeat", begin, time.monotonic()) < 2.2 + 0.5
