"""The Polar Cloud: the ways of commands and of statuses, what its backend holds, what its page weighs."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

from fake_moonraker import FakeMoonraker
from harness import Rig, wait_until
from sample_gcode import gcode

from measuring import Figure, forget_peak, memory, peak, percentile

BACKLOG = 3.2
"""Seconds behind the greeting in which a command counts as late."""


class TalkativeMoonraker(FakeMoonraker):
    """Tells of other things than the nozzle's temperature as well."""

    def tell(self, status: dict[str, Any], eventtime: float) -> float:
        """Send a change; the monotonic time at which it left."""

        async def send() -> float:
            assert self._socket is not None
            message = {"jsonrpc": "2.0", "method": "notify_status_update", "params": [status, eventtime]}
            begin = time.monotonic()
            await self._socket.send_str(json.dumps(message))
            return begin

        return asyncio.run_coroutine_threadsafe(send(), self._loop).result(5)


def serve(rig: Rig, moonraker: str, **keys: Any) -> None:
    """The cloud and the daemon with that backend alone, past the moments in which commands count as late."""
    rig.polar.start("--status-interval", "60")
    configuration = rig.configuration()
    configuration["printer"]["moonraker"] = moonraker
    configuration["log"] = {"level": "info"}
    configuration["backends"] = [rig.polar.entry(status_interval=60, **keys)]
    rig.daemon.write(configuration)
    rig.daemon.start()
    rig.polar.wait_until_online()
    time.sleep(BACKLOG)


def ways(binary: Path, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from an event of the cloud to the request at Moonraker, and from a change there to its status."""
    with Rig(binary=binary) as rig:
        fake = TalkativeMoonraker()
        serve(rig, f"http://127.0.0.1:{fake.port}", allow_gcode=True)
        commands = []
        for index in range(count):
            known = len(fake.scripts)
            rig.polar.send("command", {"command": f"M117 {index}"})
            arrived = wait_until(lambda known=known: fake.scripts[known:], 10, "the command", 0.005)[0][0]
            commands.append((arrived - rig.polar.records("sent")[-1]["mono"]) * 1000)
        statuses = []
        for index in range(count):
            time.sleep(1.1)  # two that are told at once are a second apart
            state = ("printing", "paused")[index % 2]
            begin = fake.tell({"print_stats": {"state": state, "filename": "x", "print_duration": 60.0}}, 10.0 + index)
            status = rig.polar.wait_for(
                "status", 10, begin, lambda r, code=(1, 4)[index % 2]: r["body"]["status"] == code
            )
            statuses.append((status["mono"] - begin) * 1000)
        assert not rig.polar.deviations(), rig.polar.deviations()
        return commands, statuses


def together(binary: Path, seconds: float, rounds: int) -> list[float]:
    """Resident memory of a daemon with PrintDock, Reach and the Polar Cloud, all with pictures, while printing, MB."""
    with Rig(binary=binary) as rig:
        camera = rig.add_camera()
        (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(minutes=30))
        rig.start_printer(speed=1, moonraker=camera.section())
        rig.start_clouds(heartbeat=10, snapshots=30, commands=3, next_check_in=30, telemetry=10, telemetry_idle=30)
        rig.polar.start("--status-interval", "60")
        configuration = rig.configuration()
        configuration["log"] = {"level": "info"}
        entry = rig.polar.entry(status_interval=60, webcam_enabled=True, idle_image_interval=10)
        configuration["backends"].append(entry)
        rig.daemon.write(configuration)
        rig.start_daemon()
        rig.polar.wait_until_online()
        rig.moonraker.call("printer.print.start", filename="bench.gcode")
        rig.printer.wait_for_print_state("printing")
        rig.printdock.ask_for_picture()
        rig.polar.wait_for("upload", 60)
        time.sleep(20 if seconds > 10 else 5)
        values = []
        for _ in range(rounds):
            time.sleep(seconds)
            os.sync()
            values.append(memory(rig.daemon.process.pid)["Rss"])
        assert not rig.polar.deviations(), rig.polar.deviations()
        return values


def download(binary: Path, megabytes: int) -> list[float]:
    """How far resident memory rises while a job's file is fetched and handed on, MB."""
    with Rig(binary=binary) as rig:
        rig.start_printer(speed=20)
        serve(rig, rig.moonraker.url)
        rig.polar.file("small.gcode", "G28\nM117 small\n")
        rig.polar.file("large.gcode", "G28\n", "filling", megabytes=megabytes)
        # The first job touches what any job touches.
        assert rig.polar.report(rig.polar.print("small.gcode"), 60)
        rig.polar.wait_for_code(7, 10)
        pid = rig.daemon.process.pid
        time.sleep(5)
        before = memory(pid)["Rss"]
        forget_peak(pid)
        job = rig.polar.print("large.gcode")
        wait_until(lambda: list(rig.moonraker.gcodes.glob(f"*{job}*")) or rig.polar.reports(job), 120, "the file")
        wait_until(lambda: rig.polar.codes()[-1] == 3 or rig.polar.reports(job), 120, "the print")
        assert list(rig.moonraker.gcodes.glob(f"*{job}*")), rig.polar.reports(job)
        return [peak(pid) - before]


def page(binary: Path) -> list[float]:
    """What the page weighs, kB."""
    with Rig(binary=binary) as rig:
        fake = TalkativeMoonraker()
        serve(rig, f"http://127.0.0.1:{fake.port}")
        paths = ("/polar-cloud/", "/polar-cloud/app.js", "/polar-cloud/style.css")
        return [sum(len(rig.daemon.get(path)[1].encode()) for path in paths) / 1000]


def figures(binary: Path, seconds: float, rounds: int, runs: int) -> list[Figure]:
    """The rows of this connector."""
    commands, statuses = ways(binary, runs * 10)
    resident = together(binary, seconds, min(rounds, 3))
    grown = download(binary, 20 if seconds <= 10 else 200)
    return [
        Figure("Polar: an event → request at Moonraker", "–", commands, "ms", lambda x: True, 2),
        Figure("… its p99", "≤ 10 ms", [percentile(commands, 0.99)], "ms", lambda x: x <= 10, 2),
        Figure("Polar: the printer's state → its status", "–", statuses, "ms", lambda x: True, 2),
        Figure("… its p99", "≤ 20 ms", [percentile(statuses, 0.99)], "ms", lambda x: x <= 20, 2),
        Figure("PrintDock, Reach and Polar with pictures", "≤ 22 MB", resident, "MB", lambda x: x <= 22),
        Figure("Polar: a file of 200 MB, at most", "≤ 2 MB", [statistics.median(grown)], "MB", lambda x: x <= 2),
        Figure("Polar: the page", "≤ 60 kB", page(binary), "kB", lambda x: x <= 60, 1),
    ]
