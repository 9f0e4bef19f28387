"""What tests of Cura's network printing share: a rig that Cura reaches, and jobs to watch."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import sample_gcode
from cura_client import CuraClient, NoAnswer, Variant
from harness import PATIENCE, Rig, free_port, wait_until

from commanding import JSON, write_backends

_numbers = itertools.count(1)
GRIFFIN = b";START_OF_HEADER\n;HEADER_VERSION:0.1\n;FLAVOR:Griffin\n;GENERATOR.NAME:Cura_SteamEngine\n;END_OF_HEADER\n"


def cura_entry(port: int, **keys: Any) -> JSON:
    """An entry of type cura on a loopback port."""
    return {"type": "cura", "listen": f"127.0.0.1:{port}", "advertise": "off", "display_name": "Voron 2.4"} | keys


def port_of(rig: Rig) -> int:
    """Where the rig's entry listens; chosen at the first question."""
    if not hasattr(rig, "cura_port"):
        rig.cura_port = free_port()  # type: ignore[attr-defined]
    return rig.cura_port  # type: ignore[attr-defined]


def start_cura(rig: Rig, speed: float = 20.0, moonraker: str = "", printer: JSON | None = None, **keys: Any) -> None:
    """Printer, and the daemon with Cura's backend alone, which answers."""
    rig.start_printer(speed=speed, moonraker=moonraker)
    write_cura(rig, printer=printer, **keys)
    rig.daemon.start()
    wait_for_cura(rig)


def write_cura(rig: Rig, printer: JSON | None = None, **keys: Any) -> None:
    write_backends(rig, cura_entry(port_of(rig), **keys), **(printer or {}))


def client(rig: Rig, variant: Variant = Variant.CURA_5_11, **options: Any) -> CuraClient:
    return CuraClient("127.0.0.1", port_of(rig), variant, **options)


def wait_for_cura(rig: Rig, status: str | None = "idle", timeout: float = 15.0) -> None:
    """Wait until the backend answers, and shows the printer like this."""

    def answers() -> bool:
        assert rig.daemon.process.running, rig.daemon.log()[-3000:]
        try:
            with client(rig, Variant.CURA_4_13) as cura:
                printers = cura.printers()
        except NoAnswer:
            return False
        return bool(printers) and status in (None, printers[0]["status"])

    wait_until(answers, timeout * PATIENCE, f"Cura's printer, {status}", 0.1)


def clear_bed(rig: Rig) -> None:
    """A person says that the bed is empty."""
    result = rig.daemon.command("bed-cleared", "--config", str(rig.daemon.config))
    assert result.returncode == 0, result.stderr


def name() -> str:
    """A job's name that no other test has."""
    return f"UM3_part-{next(_numbers)}"


def short_gcode(minutes: float = 1, cold: bool = False) -> bytes:
    return sample_gcode.gcode(minutes, cold=cold).encode()


def wait_for_job(
    cura: CuraClient, wanted: str, *states: str, timeout: float = 20.0, uuid: str | None = None
) -> dict[str, Any]:
    """Wait until the job whose name begins like this (or that has the uuid) has one of the states."""
    last: list[Any] = []

    def found() -> dict[str, Any] | None:
        last[:] = cura.jobs()
        mine = [job for job in last if (job["uuid"] == uuid if uuid else job["name"].startswith(wanted))]
        return mine[-1] if mine and mine[-1]["status"] in states else None

    def what() -> str:
        page = cura.browse("/print_jobs").body.decode()
        return f"{wanted} {'/'.join(states)} among {[(job['name'], job['status']) for job in last]}: {page[-1500:]}"

    deadline = time.monotonic() + timeout * PATIENCE
    while not (job := found()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)
    return job


def wait_for_no_job(cura: CuraClient, wanted: str, timeout: float = 15.0) -> None:
    wait_until(lambda: cura.job(wanted) is None, timeout * PATIENCE, f"no job {wanted}", 0.1)


def spool_files(rig: Rig) -> list[Path]:
    """What lies in the daemon's staging folder."""
    staging = rig.daemon.state / "staging"
    return [path for path in staging.rglob("*") if path.is_file()] if staging.exists() else []


def gcode_files(rig: Rig) -> list[str]:
    """What lies in the printer's folder, without thumbnails."""
    root = rig.moonraker.gcodes
    found = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return sorted(path for path in found if ".thumbs" not in path)


def memory(rig: Rig) -> int:
    """The daemon's private memory in kB."""
    lines = Path(f"/proc/{rig.daemon.process.pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:] if line.endswith("kB")}
    return sizes["Private_Dirty"] + sizes["Private_Clean"]


def end_jobs(rig: Rig, cura: CuraClient) -> None:
    """Nothing prints and nothing waits, as before the first test."""
    if rig.printer.print_state in ("printing", "paused"):
        rig.moonraker.call("printer.print.cancel")
    rig.moonraker.call("server.job_queue.delete_job", all=True)
    if rig.printer.print_state != "standby":
        rig.printer.gcode("SDCARD_RESET_FILE")
        rig.printer.wait_for_print_state("standby")

    def is_empty() -> bool:
        jobs = cura.jobs()
        for job in jobs:
            if job["status"] in ("queued", "error"):
                cura.delete(job["uuid"])
        return not jobs

    wait_until(is_empty, 15 * PATIENCE, "an empty list", 0.2)
