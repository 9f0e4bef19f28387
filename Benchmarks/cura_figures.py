"""The figures of Cura's network printing: how quick a look is, what polling costs, what a large upload takes."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cura_client import CLUSTER, CuraClient, Variant
from harness import Rig, free_port, wait_until
from sample_gcode import gcode

from measuring import Figure, cpu_seconds, forget_peak, memory, peak, percentile

INTERVAL = 2.0
"""So often Cura asks for the printers and for the jobs."""
LINE = b"G1 X100.000 Y100.000 E0.03300 F3600 ; one of very many lines\n"


def start(rig: Rig, **keys: object) -> int:
    """Printer, and the daemon with Cura's backend alone; the port."""
    port = free_port()
    rig.start_printer(speed=1)
    document = rig.configuration()
    document["log"]["level"] = "info"
    document["backends"] = [{"type": "cura", "listen": f"127.0.0.1:{port}", "advertise": "off"} | keys]
    rig.daemon.write(document)
    rig.daemon.start()

    def answers() -> bool:
        try:
            with CuraClient("127.0.0.1", port, Variant.CURA_4_13) as cura:
                return cura.printers()[0]["status"] == "idle"
        except Exception:
            return False

    wait_until(answers, 20, "Cura's backend")
    return port


def polls(binary: Path, seconds: float, curas: int = 5) -> tuple[list[float], list[float]]:
    """Milliseconds of each GET with some Curas polling, and processor seconds per minute that one of them costs."""
    with Rig(binary=binary) as rig:
        port = start(rig)
        (rig.moonraker.gcodes / "long.gcode").write_text(gcode(60))
        rig.moonraker.call("printer.print.start", filename="long.gcode")
        pid = rig.daemon.process.pid
        time.sleep(5)
        idle = measured(lambda: cpu_seconds(pid), seconds, lambda: time.sleep(seconds))
        times: list[float] = []
        one = measured(lambda: cpu_seconds(pid), seconds, lambda: poll(port, seconds, times))
        threads = [
            threading.Thread(target=poll, args=(port, seconds, times, offset * INTERVAL / curas))
            for offset in range(curas)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times, [one - idle]


def measured(read: Callable[[], float], seconds: float, work: Callable[[], None]) -> float:
    """How much `read` grows per minute during `work`, which takes so many seconds."""
    before = read()
    work()
    return (read() - before) * 60 / seconds


def poll(port: int, seconds: float, times: list[float], delay: float = 0.0) -> None:
    """One Cura, polling at its own rate."""
    time.sleep(delay)
    end = time.monotonic() + seconds - delay
    with CuraClient("127.0.0.1", port, Variant.CURA_5_11) as cura:
        while time.monotonic() < end:
            begin = time.monotonic()
            for path in ("printers", "print_jobs"):
                times.append(cura.request("GET", f"{CLUSTER}/{path}").seconds * 1000)
            time.sleep(max(0.0, INTERVAL - (time.monotonic() - begin)))
        assert cura.deviations == [], cura.deviations


def large_upload(binary: Path, size: int, runs: int) -> tuple[list[float], list[float], list[float]]:
    """An upload of `size` bytes: growth of resident memory in MB, MB/s, and how many times as long as `curl` it takes."""
    growth, speed, ratio = [], [], []
    with Rig(binary=binary) as rig:
        port = start(rig)
        content = LINE * (size // len(LINE))
        path = rig.folder / "large.gcode"
        path.write_bytes(content)
        pid = rig.daemon.process.pid
        with CuraClient("127.0.0.1", port, timeout=600) as cura:
            cura.upload("first.gcode", LINE)
            for number in range(runs):
                direct = curl(rig, path, f"direct-{number}.gcode")
                time.sleep(2)
                before = memory(pid)["Rss"]
                forget_peak(pid)
                begin = time.monotonic()
                reply = cura.upload(f"cura-{number}.gcode", content)
                seconds = time.monotonic() - begin
                assert reply.status in (200, 201, 202), reply
                growth.append(peak(pid) - before)
                speed.append(len(content) / 1e6 / seconds)
                ratio.append(seconds / direct)
                for job in cura.jobs():
                    cura.delete(job["uuid"])
                time.sleep(2)
                for file in rig.moonraker.gcodes.glob("*.gcode"):
                    file.unlink()
    return growth, speed, ratio


def curl(rig: Rig, path: Path, name: str) -> float:
    """Seconds that `curl` takes to send the file straight to Moonraker."""
    url = f"{rig.moonraker.url}/server/files/upload"
    command = ["curl", "-sS", "-o", "/dev/null", "-f", "-F", "root=gcodes", "-F", f"file=@{path};filename={name}", url]
    begin = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - begin


def figures(binary: Path, seconds: float) -> list[Figure]:
    """The rows of this connector."""
    is_quick = seconds <= 10
    looks, polling = polls(binary, seconds)
    grown, speeds, ratios = large_upload(binary, *((20_000_000, 1) if is_quick else (500_000_000, 3)))
    return [
        Figure("Cura: a look", "–", looks, "ms", lambda x: True),
        Figure("… its p99", "≤ 5 ms", [percentile(looks, 0.99)], "ms", lambda x: x <= 5),
        Figure("Cura: one that polls, processor", "≤ 0.1 s/min", polling, "s/min", lambda x: x <= 0.1, 3),
        Figure("Cura: 500 MB upload: peak", "≤ 2 MB", grown, "MB", lambda x: x <= 2),
        Figure("… its speed", "–", speeds, "MB/s", lambda x: True, 0),
        Figure("… its time to that of curl to Moonraker", "–", ratios, "×", lambda x: True),
    ]
