"""`make bench`: the figures of docs/figures.md, measured on the release binary, as medians.

The rig is the tests' own: real Moonraker in front of the simulated printer, both strict clouds. Between
the daemon and Moonraker stands a proxy that counts connections, HTTP requests, WebSocket messages and
pings. `--quick` takes short runs (a smoke test of this program, not a measurement).
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

from fake_moonraker import FakeMoonraker
from harness import Rig, free_port, wait_until
from sample_gcode import gcode
from scripted_cloud import ScriptedCloud, ServedFile

import command_figures
import cura_figures
import dashboard_figures
import php_hub_figures
import polar_figures
import reach_figures
from measuring import (
    ByteProxy,
    CountingProxy,
    Figure,
    cpu_seconds,
    forget_peak,
    in_background,
    memory,
    peak,
    percentile,
    wake_ups,
    written_bytes,
)


class IndifferentCloud:
    """Answers every PrintDock call with 200: company for further idle backends."""

    def __init__(self) -> None:
        self.port = free_port()

        async def answer(request: web.Request) -> web.Response:
            await request.read()
            return web.json_response([] if request.method == "GET" else {"status": "ok", "inserted": 1})

        async def serve() -> None:
            application = web.Application()
            application.router.add_route("*", "/{path:.*}", answer)
            runner = web.AppRunner(application)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()

        in_background(serve)


# The measurements


def steady_state(
    binary: Path, seconds: float, rounds: int, extra_backends: int = 0, prints: bool = True
) -> dict[str, list[float]]:
    """Both backends at their default intervals, the printer printing at real speed, or idle."""
    seen: dict[str, list[float]] = {}
    with Rig(binary=binary) as rig:
        (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(minutes=30))
        rig.start_printer(speed=1)
        proxy = CountingProxy(rig.moonraker.port)
        rig.start_clouds(heartbeat=10, snapshots=30, commands=3, next_check_in=30, telemetry=10, telemetry_idle=30)
        payload = ByteProxy(rig.printdock.port)
        configuration = rig.configuration()
        configuration["backends"][1]["cloud_url"] = f"http://127.0.0.1:{payload.port}"
        configuration["printer"]["moonraker"] = f"http://127.0.0.1:{proxy.port}"
        configuration["log"] = {"level": "info"}
        if extra_backends:
            cloud = IndifferentCloud()
            for number in range(extra_backends):
                configuration["backends"].append(
                    {
                        "type": "printdock",
                        "name": f"idle-{number}",
                        "cloud_url": f"http://127.0.0.1:{cloud.port}",
                        "connector_id": f"{1000 + number}",
                        "connector_secret": "dummy",
                        "printer_id": number + 1,
                    }
                )
        rig.daemon.write(configuration)
        rig.start_daemon()
        if prints:
            rig.moonraker.call("printer.print.start", filename="bench.gcode")
            rig.printer.wait_for_print_state("printing")
        time.sleep(20 if seconds > 10 else 3)  # past the first round of everything
        pid = rig.daemon.process.pid
        for _ in range(rounds):
            before = (cpu_seconds(pid), wake_ups(pid), proxy.requests, proxy.messages, proxy.pings, time.monotonic())
            bytes_before = (payload.bytes, written_bytes(pid))
            time.sleep(seconds)
            elapsed = time.monotonic() - before[5]
            os.sync()
            here = memory(pid)
            for name, value in (
                ("rss", here["Rss"]),
                ("pss", here["Pss"]),
                ("dirty", here["Private_Dirty"]),
                ("cpu", (cpu_seconds(pid) - before[0]) / elapsed * 100),
                ("wakeups", (wake_ups(pid) - before[1]) / elapsed),
                ("requests", (proxy.requests - before[2]) * 60 / elapsed),
                ("messages", (proxy.messages - before[3]) * 60 / elapsed),
                ("pings", (proxy.pings - before[4]) * 60 / elapsed),
                ("sockets", float(proxy.connections)),
                ("payload", (payload.bytes - bytes_before[0]) * 3600 / elapsed / 1e6),
                ("written", (written_bytes(pid) - bytes_before[1]) * 3600 / elapsed / 1e3),
            ):
                seen.setdefault(name, []).append(value)
        assert not prints or rig.printer.print_state == "printing", "the sample ended too early"
        assert not rig.deviations(), rig.deviations()
    return seen


def starts(binary: Path, runs: int) -> tuple[list[float], list[float]]:
    """Seconds from start to the first heartbeat (already paired), and from SIGTERM to the end."""
    ups: list[float] = []
    downs: list[float] = []
    with Rig(binary=binary) as rig:
        rig.start_printer()
        rig.start_clouds()
        rig.start_daemon()
        downs.append(rig.daemon.stop())
        for _ in range(runs):
            begin = time.monotonic()
            rig.daemon.start()
            first = [
                cloud.wait_for(name, after=begin)
                for cloud, name in ((rig.printdock, "heartbeat"), (rig.reach, "register"))
            ]
            ups.append(max(record["mono"] for record in first) - begin)
            downs.append(rig.daemon.stop())
    return ups, downs


def validations(binary: Path, runs: int) -> list[float]:
    """Milliseconds of `validate` on the annotated example, process start included."""
    command = [str(binary), "validate", str(ROOT / "config" / "examples" / "all.yaml")]
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        times.append((time.perf_counter() - begin) * 1000)
    return times


def cache_latency(binary: Path, changes: int) -> list[float]:
    """Milliseconds from a status change leaving Moonraker until `/api/status` shows it: an upper bound."""
    import http.client

    with Rig(binary=binary) as rig:
        fake = FakeMoonraker()
        rig.start_clouds()
        configuration = rig.configuration()
        configuration["printer"]["moonraker"] = f"http://127.0.0.1:{fake.port}"
        rig.daemon.write(configuration)
        rig.daemon.start()
        assert fake.ready.wait(15)
        connection = http.client.HTTPConnection("127.0.0.1", rig.daemon.port, timeout=5)

        def shown() -> str:
            connection.request("GET", "/api/status")
            return connection.getresponse().read().decode()

        wait_until(lambda: "20" in shown(), 5, "the first status")
        times = []
        for number in range(changes):
            value = 1000.25 + number
            begin = fake.change(value, 2.0 + number)
            while f"{value:.2f}" not in shown():
                assert time.monotonic() - begin < 5, "the change never arrived"
            times.append((time.monotonic() - begin) * 1000)
        return times


def scripted_rig(rig: Rig, fake: FakeMoonraker, *names: str) -> list[ScriptedCloud]:
    """Scripted backends in front of a Moonraker that answers at once; all have asked for orders."""
    clouds = rig.add_scripted(*names)
    configuration = rig.configuration()
    configuration["printer"]["moonraker"] = f"http://127.0.0.1:{fake.port}"
    configuration["log"] = {"level": "info"}
    configuration["backends"] = [cloud.entry(permissions="full") for cloud in clouds]
    rig.daemon.write(configuration)
    rig.daemon.start()
    assert fake.ready.wait(15)
    for cloud in clouds:
        cloud.wait_for_contact()
    return clouds


def command_ways(binary: Path, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the end of a cloud's answer to the request at Moonraker: of a journalled command, of an
    emergency stop."""
    with Rig(binary=binary) as rig:
        fake = FakeMoonraker()
        script = scripted_rig(rig, fake)[0]

        def ways(method: str, order: dict[str, Any]) -> list[float]:
            times = []
            for _ in range(count):
                number = script.orders([order])[0]
                assert script.outcome(number)["status"] == "done", script.outcome(number)
                arrived = [call[0] for call in fake.calls if call[1] == method][-1]
                times.append((arrived - script.answered[number]) * 1000)
            return times

        commands = ways("printer.gcode.script", {"do": "temperature", "celsius": 40})
        return commands, ways("printer.emergency_stop", {"do": "emergency_stop"})


def full_outbox(binary: Path, runs: int, items: int = 500) -> tuple[list[float], list[float]]:
    """Start to the first answered poll with a full outbox of five backends, s; resident memory beside an empty one, MB."""
    with Rig(binary=binary) as rig:
        fake = FakeMoonraker()
        clouds = scripted_rig(rig, fake, *(f"cloud-{index}" for index in range(5)))
        for cloud in clouds:
            cloud.takes_outcomes = False

        def started() -> tuple[float, float]:
            polls = [cloud.polls for cloud in clouds]
            begin = time.monotonic()
            rig.daemon.start()
            wait_until(lambda: all(c.polls > old for c, old in zip(clouds, polls, strict=True)), 20, "polls", 0.002)
            up = time.monotonic() - begin
            time.sleep(3)
            return up, memory(rig.daemon.process.pid)["Rss"]

        rig.daemon.stop()
        empty = [started()[1]]
        for index in range(0, items, 30):
            orders = [{"do": "speed", "value": 100} for _ in range(min(30, items - index))]
            for cloud in clouds:
                cloud.orders(orders)
            for cloud in clouds:
                cloud.wait_for_contact()
        time.sleep(3)
        ups, grown = [], []
        for _ in range(runs):
            rig.daemon.stop()
            up, resident = started()
            ups.append(up)
            grown.append(resident - statistics.median(empty))
        return ups, grown


def uploads(binary: Path, runs: int) -> tuple[list[float], list[float]]:
    """An `upload_file` of 8 MB: how far resident memory rises, and what is left of it ten seconds later, MB."""
    content = base64.b64encode(os.urandom(4_000_000).hex().encode()).decode()
    peaks, left = [], []
    with Rig(binary=binary) as rig:
        rig.start_printer()
        rig.start_clouds(commands=1)
        rig.start_daemon()
        rig.printdock.wait_for("commands", count=2)
        pid = rig.daemon.process.pid
        time.sleep(5)
        for index in range(runs):
            before = memory(pid)["Rss"]
            forget_peak(pid)
            completion = rig.printdock.carry_out("upload_file", 60, filename=f"{index}.gcode", content=content)
            assert completion["status"] == "succeeded", completion
            peaks.append(peak(pid) - before)
            time.sleep(10)
            left.append(memory(pid)["Rss"] - before)
    return peaks, left


def downloads(binary: Path, size: int) -> list[float]:
    """A download of `size` bytes through the disk to Moonraker: how far resident memory rises, MB."""
    with Rig(binary=binary) as rig:
        fake = FakeMoonraker()
        script = rig.add_scripted()[0]
        configuration = rig.configuration()
        configuration["printer"]["moonraker"] = f"http://127.0.0.1:{fake.port}"
        configuration["backends"] = [script.entry(permissions="full", reachable_hosts=["127.0.0.1"])]
        rig.daemon.write(configuration)
        rig.daemon.start()
        assert fake.ready.wait(15)
        script.wait_for_contact()
        script.files["large"] = ServedFile(b"; G-code\n" * 100_000, times=max(1, size // 900_000))
        pid = rig.daemon.process.pid
        before = memory(pid)["Rss"]
        forget_peak(pid)
        order = {"file": "large.gcode", "url": f"{script.url}/files/large", "limit": 2 * size}
        outcome = script.obey("upload", 600, **order)
        assert outcome["status"] == "done", outcome
        return [peak(pid) - before]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="short runs: a smoke test")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    seconds, rounds, runs = (5.0, 2, 3) if arguments.quick else (40.0, 5, 15)

    print("Both backends on, printer printing; this takes some minutes …", flush=True)
    steady = steady_state(binary, seconds, rounds)
    more = 8
    grown = steady_state(binary, min(seconds, 20), max(2, rounds - 2), extra_backends=more)
    growth = [(value - statistics.median(steady["dirty"])) / more for value in grown["dirty"]]
    ups, downs = starts(binary, runs)
    checks = validations(binary, runs * 2)
    latency = cache_latency(binary, runs * 10)
    idle = steady_state(binary, seconds, 2, prints=False)
    commands, stops = command_ways(binary, runs * 20)
    outbox_ups, outbox_grown = full_outbox(binary, min(runs, 5), 30 if arguments.quick else 500)
    upload_peaks, upload_left = uploads(binary, 1 if arguments.quick else 3)
    download_peaks = downloads(binary, 10_000_000 if arguments.quick else 1_000_000_000)

    figures = [
        Figure("resident memory", "≤ 20 MB", steady["rss"], "MB", lambda x: x <= 20),
        Figure("proportional memory (PSS)", "–", steady["pss"], "MB", lambda x: True),
        Figure("private dirty memory", "≤ 6 MB", steady["dirty"], "MB", lambda x: x <= 6),
        Figure("processor, of a core", "≤ 0.10 %", steady["cpu"], "%", lambda x: x <= 0.1, 3),
        Figure("wake-ups (all threads)", "–", steady["wakeups"], "/s", lambda x: True, 1),
        Figure("HTTP requests to Moonraker", "0 /min", steady["requests"], "/min", lambda x: x == 0, 1),
        Figure("calls over the socket to Moonraker", "≤ 0.2 /min", steady["messages"], "/min", lambda x: x <= 0.2, 1),
        Figure("pings to Moonraker", "–", steady["pings"], "/min", lambda x: True, 1),
        Figure("sockets to Moonraker", "1", steady["sockets"], "", lambda x: x == 1, 0),
        Figure("start to first heartbeat", "≤ 0.5 s", ups, "s", lambda x: x <= 0.5, 3),
        Figure("SIGTERM to exit", "≤ 3 s", downs, "s", lambda x: x <= 3, 3),
        Figure("validate", "≤ 30 ms", checks, "ms", lambda x: x <= 30, 1),
        Figure("status change → visible (upper bound)", "≤ 2 ms", latency, "ms", lambda x: x <= 2, 2),
        Figure("growth per further backend", "≤ 0.3 MB", growth, "MB", lambda x: x <= 0.3),
        Figure("a cloud's answer → request at Moonraker", "–", commands, "ms", lambda x: True, 2),
        Figure("… its p99", "≤ 10 ms", [percentile(commands, 0.99)], "ms", lambda x: x <= 10, 2),
        Figure("… of an emergency stop, p99", "≤ 10 ms", [percentile(stops, 0.99)], "ms", lambda x: x <= 10, 2),
        Figure("start with a full outbox (5 × 500)", "≤ 0.3 s", outbox_ups, "s", lambda x: x <= 0.3, 3),
        Figure("memory of a full outbox", "≤ 2 MB", outbox_grown, "MB", lambda x: x <= 2),
        Figure("8 MB upload_file: peak", "≤ 14 MB", upload_peaks, "MB", lambda x: x <= 14),
        Figure("… ten seconds later", "≤ 2 MB", upload_left, "MB", lambda x: x <= 2),
        Figure("1 GB download: peak", "≤ 2 MB", download_peaks, "MB", lambda x: x <= 2),
        Figure("payload to PrintDock, printing", "≤ 1 MB/h", steady["payload"], "MB/h", lambda x: x <= 1),
        Figure("payload to PrintDock, idle", "–", idle["payload"], "MB/h", lambda x: True),
        Figure("writes to disk, printing", "–", steady["written"], "kB/h", lambda x: True, 1),
        Figure("writes to disk, idle", "–", idle["written"], "kB/h", lambda x: True, 1),
    ]
    figures += command_figures.figures(binary, runs)
    figures += reach_figures.figures(binary, seconds, rounds, runs)
    figures += php_hub_figures.figures(binary, seconds)
    figures += polar_figures.figures(binary, seconds, rounds, runs)
    figures += dashboard_figures.figures(binary, seconds, rounds, runs)
    figures += cura_figures.figures(binary, seconds)
    print("\n| figure | limit | median | range | runs | |\n| --- | --- | --- | --- | --- | --- |")
    for figure in figures:
        print(figure.row())
    if not arguments.quick and not all(figure.passes(figure.median) for figure in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
