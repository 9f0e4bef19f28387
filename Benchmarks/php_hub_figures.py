"""The figures of the PHP hub, beside those of the original client that were measured at its default intervals."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

from fake_moonraker import FakeMoonraker
from harness import PHPHub, Rig, wait_until
from sample_gcode import gcode

from measuring import ByteProxy, Figure, percentile

ORIGINAL_IDLE = (25 + 8.5) * 60 / 1000
"""MB an hour, both ways, of the original: six files, a picture of 2.7 kB twice a minute."""
FILLING = b";" + b"x" * 998 + b"\n"
"""A kilobyte of a file that is no work for the printer."""
ORIGINAL_PRINTING = (26 + 8.7) * 60 / 1000


def entry(rig: Rig, **keys: Any) -> dict[str, Any]:
    """The hub's entry of the configuration, at the default intervals."""
    hub = rig.php_hub
    named = {"type": "php-hub", "name": "php-hub", "server_url": hub.server_url, "printer_token": hub.token}
    return named | {"camera": {"enabled": False}} | keys


def serve(rig: Rig, moonraker: str, *options: str, **keys: Any) -> PHPHub:
    """The hub and the daemon with that backend alone; it has polled twice."""
    rig.php_hub.start(*options)
    configuration = rig.configuration()
    configuration["printer"]["moonraker"] = moonraker
    configuration["log"] = {"level": "info"}
    configuration["backends"] = [entry(rig, **keys)]
    rig.daemon.write(configuration)
    rig.daemon.start()
    rig.php_hub.wait_for("commands", 30, count=2)
    return rig.php_hub


def schedule(binary: Path, interval: float, megabytes: float, seconds: float) -> list[float]:
    """How far updates are off their schedule, % of it, while a file comes and a camera hangs."""
    with Rig(binary=binary) as rig:
        camera = rig.add_camera()
        camera.answer = "hang"
        rig.start_printer(speed=20, moonraker=camera.section())
        intervals = {"status_update": interval, "command_check": interval}
        hub = serve(
            rig,
            rig.moonraker.url,
            *("--update", str(interval), "--poll", str(interval)),
            intervals=intervals,
            camera={"enabled": True, "capture_interval": 1, "idle_capture_interval": 1},
        )
        hub.upload("large.gcode", FILLING * int(megabytes * 1000))
        hub.set(download_rate=int(megabytes * 1e6 / seconds))
        hub.command("print", file="large.gcode")
        begin = hub.wait_for("download", 30)["mono"]
        time.sleep(seconds)
        moments = [record["mono"] for record in hub.records("update", begin)]
        assert not rig.deviations(), rig.deviations()
        return [abs(b - a - interval) / interval * 100 for a, b in itertools.pairwise(moments)]


def command_way(binary: Path, count: int) -> list[float]:
    """Milliseconds from the hub's answer to the request at Moonraker."""
    times = []
    with Rig(binary=binary) as rig:
        fake = FakeMoonraker()
        hub = serve(
            rig,
            f"http://127.0.0.1:{fake.port}",
            *("--update", "1", "--poll", "1"),
            intervals={"status_update": 1, "command_check": 1},
            security={"rate_limit_seconds": 0},
        )
        for index in range(count):
            known = len(fake.scripts)
            number = hub.command("gcode", gcode=f"M117 {index}")
            arrived = wait_until(lambda known=known: fake.scripts[known:], 10, "the command", 0.01)[0][0]
            handed = hub.handed_out(number)
            assert handed is not None
            record = next(r for r in hub.records("commands") if r["seq"] == handed["seq"])
            times.append((arrived - record["answered"]) * 1000)
    return times


def megabytes_per_hour(binary: Path, seconds: float) -> tuple[float, float]:
    """What the hub and the daemon say to each other, idle and printing."""
    with Rig(binary=binary) as rig:
        camera = rig.add_camera()
        camera.jpeg = small_picture(2_700)
        names = ["bare", "cube_prusa", "disc_cura", "parts/bracket_prusa", "répétition d'essai #1 (50%)"]
        for name in names:
            path = rig.moonraker.gcodes / f"{name}.gcode"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("M105\n")
        (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(60))
        rig.start_printer(speed=1, moonraker=camera.section())
        counter = ByteProxy(rig.php_hub.port)
        url = f"http://127.0.0.1:{counter.port}/printerhub/api.php"
        serve(rig, rig.moonraker.url, server_url=url, camera={"enabled": True, "timelapse_enabled": False})
        rates = []
        for is_printing in (False, True):
            if is_printing:
                rig.moonraker.call("printer.print.start", filename="bench.gcode")
                rig.printer.wait_for_print_state("printing")
                time.sleep(6)
            before, begin = counter.bytes, time.monotonic()
            time.sleep(seconds)
            rates.append((counter.bytes - before) * 3600 / (time.monotonic() - begin) / 1e6)
        assert not rig.deviations(), rig.deviations()
        return rates[0], rates[1]


def small_picture(size: int) -> bytes:
    """A JPEG of about that many bytes."""
    from camera import picture

    small = picture(width=64, height=48)
    filling = max(0, size - len(small) - 4)
    return small[:2] + b"\xff\xfe" + (filling + 2).to_bytes(2, "big") + bytes(filling) + small[2:]


def figures(binary: Path, seconds: float) -> list[Figure]:
    """The rows of this connector."""
    is_quick = seconds <= 10
    off = schedule(binary, *((1.0, 9, 8) if is_quick else (5.0, 90, 120)))
    ways = command_way(binary, 10 if is_quick else 100)
    idle, printing = megabytes_per_hour(binary, 30 if is_quick else 300)
    return [
        Figure("PHP hub: off the schedule, 90 MB and a hanging camera", "≤ 5 %", [max(off)], "%", lambda x: x <= 5),
        Figure("PHP hub: answer → request at Moonraker", "–", ways, "ms", lambda x: True, 2),
        Figure("… its p99", "≤ 10 ms", [percentile(ways, 0.99)], "ms", lambda x: x <= 10, 2),
        Figure("PHP hub: payload, idle", f"< {ORIGINAL_IDLE:.2f} MB/h", [idle], "MB/h", lambda x: x < ORIGINAL_IDLE),
        Figure(
            "PHP hub: payload, printing",
            f"< {ORIGINAL_PRINTING:.2f} MB/h",
            [printing],
            "MB/h",
            lambda x: x < ORIGINAL_PRINTING,
        ),
    ]
