"""Reach: the way of its commands, its traffic with TLS, and what its backend holds."""

from __future__ import annotations

import itertools
import statistics
import time
from pathlib import Path
from typing import Any

from fake_moonraker import FakeMoonraker
from harness import Rig
from sample_gcode import gcode

from measuring import ByteProxy, Figure, memory, percentile

# The original agent while printing, with TLS and a relay that holds pulls for 25 s: docs/connectors/reach.md.
ORIGINAL_BYTES = 18_700
ORIGINAL_REPORTS = 2.3


def entry(rig: Rig) -> dict[str, Any]:
    """Reach's entry, at its own intervals."""
    wanted = next(entry for entry in rig.configuration()["backends"] if entry["type"] == "reach")
    return {key: value for key, value in wanted.items() if not key.startswith("telemetry")}


def commands(binary: Path, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the relay's answer to a held pull to the request at Moonraker; and from one answered pull to
    the next while commands flow."""
    with Rig(binary=binary) as rig:
        fake = FakeMoonraker()
        rig.reach.start("--next-check-in", "30", "--telemetry", "10", "--telemetry-idle", "30")
        configuration = rig.configuration()
        configuration["printer"]["moonraker"] = f"http://127.0.0.1:{fake.port}"
        configuration["log"] = {"level": "info"}
        configuration["backends"] = [entry(rig)]
        rig.daemon.write(configuration)
        rig.daemon.start()
        assert fake.ready.wait(15)
        rig.reach.wait_for("register")
        rig.reach.carry_out("server.info", method="GET")
        ways = []
        for index in range(count):
            time.sleep(0.02)  # the next pull is held by then
            number = rig.reach.command("printer.gcode.script", script=f"M117 {index}")
            assert rig.reach.result(number)["status"] == "completed", rig.reach.result(number)
            arrived = [call[0] for call in fake.calls if call[1] == "printer.gcode.script"][-1]
            answered = [record["answered"] for record in rig.reach.records("pull") if record["status"] == 200]
            ways.append((arrived - max(time for time in answered if time < arrived)) * 1000)
        begin = time.monotonic()
        numbers = [rig.reach.command("server.info", method="GET") for _ in range(count)]
        for number in numbers:
            rig.reach.result(number)
        pulls = rig.reach.records("pull", begin)
        gaps = [(after["mono"] - before["answered"]) * 1000 for before, after in itertools.pairwise(pulls)]
        assert not rig.reach.deviations(), rig.reach.deviations()
        return ways, gaps


def traffic(binary: Path, seconds: float, rounds: int) -> tuple[list[float], list[float]]:
    """Bytes per minute to and from the relay while printing, in per cent of the original's: in all, and per report."""
    with Rig(binary=binary) as rig:
        (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(minutes=30))
        rig.start_printer(speed=1)
        options = ["--next-check-in", "30", "--telemetry", "10", "--telemetry-idle", "30", "--hold", "25"]
        rig.reach.start(*options, certificate=rig.certificate())
        proxy = ByteProxy(rig.reach.port)
        configuration = rig.configuration()
        configuration["log"] = {"level": "info"}
        configuration["backends"] = [entry(rig) | {"relay": f"https://localhost:{proxy.port}"}]
        rig.daemon.write(configuration)
        rig.start_daemon()
        rig.moonraker.call("printer.print.start", filename="bench.gcode")
        rig.printer.wait_for_print_state("printing")
        time.sleep(20 if seconds > 10 else 3)
        whole, each = [], []
        for _ in range(rounds):
            before, begin = proxy.bytes, time.monotonic()
            time.sleep(max(seconds, 60) if seconds > 10 else seconds)
            spent, elapsed = proxy.bytes - before, time.monotonic() - begin
            whole.append(spent * 60 / elapsed / ORIGINAL_BYTES * 100)
            reports = max(1, len(rig.reach.records("printer-data", begin)))
            each.append(spent / reports / (ORIGINAL_BYTES / ORIGINAL_REPORTS) * 100)
        assert not rig.reach.deviations(), rig.reach.deviations()
        return whole, each


def private(binary: Path, rounds: int) -> list[float]:
    """Private dirty memory that Reach adds to a daemon that serves PrintDock, with commands from both, MB."""
    seen: dict[bool, list[float]] = {False: [], True: []}
    for has_reach in (False, True) * rounds:
        with Rig(binary=binary) as rig:
            (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(minutes=30))
            rig.start_printer(speed=1)
            rig.start_clouds(heartbeat=10, snapshots=30, commands=3, next_check_in=30, telemetry=None)
            configuration = rig.configuration()
            configuration["log"] = {"level": "info"}
            configuration["backends"][0]["enabled"] = has_reach
            rig.daemon.write(configuration)
            rig.daemon.start()
            rig.printdock.wait_for("heartbeat")
            rig.moonraker.call("printer.print.start", filename="bench.gcode")
            rig.printer.wait_for_print_state("printing")
            for _ in range(10 if has_reach else 0):
                rig.reach.carry_out(
                    "printer.objects.query", method="GET", query={"toolhead": None, "print_stats": None}
                )
            for _ in range(10):
                rig.printdock.carry_out("import_history", limit=7)
            time.sleep(15)
            seen[has_reach].append(memory(rig.daemon.process.pid)["Private_Dirty"])
    base = statistics.median(seen[False])
    return [value - base for value in seen[True]]


def figures(binary: Path, seconds: float, rounds: int, runs: int) -> list[Figure]:
    """The rows of this connector."""
    ways, gaps = commands(binary, runs * 20)
    whole, each = traffic(binary, seconds, min(rounds, 3))
    grown = private(binary, min(rounds, 3))
    return [
        Figure("Reach: the relay's answer → request at Moonraker", "–", ways, "ms", lambda x: True, 2),
        Figure("… its p99", "≤ 10 ms", [percentile(ways, 0.99)], "ms", lambda x: x <= 10, 2),
        Figure(
            "Reach: from one answered pull to the next, at most", "≤ 50 ms", [max(gaps)], "ms", lambda x: x <= 50, 1
        ),
        Figure("Reach: bytes with TLS, of the original's", "≤ 60 %", whole, "%", lambda x: x <= 60, 1),
        Figure("… per report", "≤ 30 %", each, "%", lambda x: x <= 30, 1),
        Figure("Reach: private memory beside PrintDock", "≤ 1 MB", grown, "MB", lambda x: x <= 1),
    ]
