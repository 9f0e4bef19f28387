"""What the measurements share: a figure of the table, a look at a process, and proxies that count."""

from __future__ import annotations

import asyncio
import math
import statistics
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import free_port


@dataclass
class Figure:
    """One row of the table."""

    name: str
    limit: str
    values: list[float]
    unit: str
    passes: Callable[[float], bool]
    digits: int = 2

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def row(self) -> str:
        verdict = "ok" if self.passes(self.median) else "MISSED"
        low, high = min(self.values), max(self.values)
        spread = f"{low:.{self.digits}f} … {high:.{self.digits}f}"
        median = f"{self.median:.{self.digits}f} {self.unit}"
        return f"| {self.name} | {self.limit} | {median} | {spread} | {len(self.values)} | {verdict} |"


# Reading a process


def memory(pid: int) -> dict[str, float]:
    """Resident, proportional and private dirty memory in MB (10**6 bytes: the limits are MB)."""
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss", "Private_Dirty"):
            found[name] = int(rest.split()[0]) * 1024 / 1e6
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads so far, from the scheduler (ns)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def wake_ups(pid: int) -> int:
    """Voluntary context switches of all threads so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
    return total


def written_bytes(pid: int) -> int:
    """Bytes that the process has had written to a disk so far."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


def peak(pid: int) -> float:
    """The most resident memory since `forget_peak`, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def forget_peak(pid: int) -> None:
    """Begin to look for the most resident memory anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


# Helpers that stand between or beside


def in_background(start: Callable[[], Awaitable[Any]]) -> None:
    """Runs a server on a thread of its own; returns when `start` has come back."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def begin() -> None:
        await start()
        ready.set()

    def run() -> None:
        server = loop.create_task(begin())  # kept: a loop holds its tasks weakly
        loop.run_forever()
        server.cancel()

    threading.Thread(target=run, daemon=True).start()
    assert ready.wait(5)


class Proxy:
    """A TCP proxy on a free loopback port, on a thread of its own."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.target = target
        in_background(lambda: asyncio.start_server(self._serve, "127.0.0.1", self.port))

    def passed(self, data: bytes) -> None:
        """Told of each piece that is copied."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self._copy(reader, up_writer), self._copy(up_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                self.passed(data)
                writer.write(data)
                await writer.drain()
        writer.close()


class ByteProxy(Proxy):
    """Counts the bytes of both directions: the payload, without the packets' own headers."""

    bytes = 0

    def passed(self, data: bytes) -> None:
        self.bytes += len(data)


class CountingProxy(Proxy):
    """Stands in front of Moonraker and counts what the daemon sends."""

    connections = 0
    requests = 0
    messages = 0
    pings = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
            down = asyncio.ensure_future(self._copy(up_reader, writer))
            await self._requests(reader, up_writer)
            down.cancel()
        writer.close()

    async def _requests(self, reader: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        up.write(head)
        if b"upgrade: websocket" not in head.lower():
            while data := await reader.read(65536):
                up.write(data)
            return
        while True:  # client frames are masked; only opcode and length matter here
            start = await reader.readexactly(2)
            length, more = start[1] & 0x7F, b""
            if length >= 126:
                more = await reader.readexactly(2 if length == 126 else 8)
                length = int.from_bytes(more, "big")
            rest = await reader.readexactly(4 + length)
            self.messages += start[0] & 0x0F in (1, 2)
            self.pings += start[0] & 0x0F == 9
            up.write(start + more + rest)
            await up.drain()


def percentile(values: list[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
