"""What the strict test clouds share: recording, refusing, misbehaving on order.

A strict cloud answers like the real one, and beside that it
- records every request as one line of `exchanges.jsonl` in its log folder, at the moment it decides
  on the answer (times are the host's wall clock and monotonic clock);
- checks each against the protocol: a wrong shape (keys, types, ranges, headers) is refused with 400
  and recorded, a wrong time is recorded;
- misbehaves on order (`Fault`), per endpoint and for a number of requests;
- takes orders on a second port, below `/_control/`;
- keeps what it must not forget (pairings, tokens, timing) in a state file, so that it can be killed
  and started again.

It stands on aiohttp, never on the product's own server: a fault cannot hide in both ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import signal
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from aiohttp import web

BODY_LIMIT = 128 * 1024 * 1024
LATE = float(os.environ.get("TEST_PATIENCE", "1.0"))
"""Seconds that a message may be later than its interval with jitter: a busy machine, the way here."""
EARLY = 0.15 * LATE
"""Seconds that it may be earlier: timers are coalesced, and the way here varies."""

CAPTIVE_PORTAL = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please log in.</body></html>"


@dataclass
class Answer:
    """What an endpoint answers: a status, and a JSON value or nothing."""

    status: int = 200
    body: Any = None
    empty: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """A misbehaviour on order.

    - endpoint: an endpoint's name, or `*` for all.
    - action: one of `ACTIONS`.
    - count: for how many requests; None until taken back.
    - status, body, headers, seconds, location, size: as the action needs.
    """

    endpoint: str
    action: str
    count: int | None = 1
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str | int | None = None
    seconds: float = 3600.0
    location: str = "/elsewhere"
    size: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r}; one of {', '.join(sorted(ACTIONS))}")


ACTIONS = {
    "hang": "accept the request, answer nothing for `seconds`",
    "delay": "process it, answer after `seconds`",
    "drop_before": "reset the connection without processing",
    "drop_after": "process it, then reset the connection: the answer is lost",
    "status": "answer `status` with `body`, and Retry-After if `retry_after` is set",
    "json": "answer `status` (200) with the JSON `body` instead of the real one",
    "truncate": "process it, announce the whole answer and cut it in the middle",
    "flood": "answer 200 and a body that never ends (`size` bytes if not 0)",
    "html": "answer 200 with a captive portal's page",
    "empty": "answer `status` (204 unless set to a 2xx) without a body",
    "redirect": "answer `status` (307 unless set to a 3xx) with `location`",
    "garbage": "answer 200, application/json, with bytes that are no JSON",
    "broken_http": "answer something that is not HTTP",
    "slow": "process it, then drip the answer over `seconds`",
    "prefix": "process it, answer the text `body` and after it the real answer",
    "page": "answer 200 with the web page `body`",
}
PROCESSED = ("delay", "drop_after", "truncate", "slow", "prefix")
"""Faults whose request is carried out all the same."""


@dataclass
class Exchange:
    """One request, and how it was answered."""

    seq: int
    t: float
    mono: float
    connection: int
    endpoint: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    raw: bytes
    body: Any = None
    status: int = 0
    answered: float = 0.0  # monotonic, when the answer begins to leave
    fault: str | None = None
    deviations: list[str] = field(default_factory=list)
    timing: list[str] = field(default_factory=list)
    match: dict[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """The header's value, by its name in any case."""
        for key, value in self.headers.items():
            if key.lower() == name.lower():
                return value
        return None

    @property
    def bearer(self) -> str | None:
        """The bearer token, if there is one in the right form."""
        value = self.header("Authorization") or ""
        return value.removeprefix("Bearer ") if value.startswith("Bearer ") else None

    @property
    def ok(self) -> bool:
        """Whether the client was told that it succeeded."""
        return 200 <= self.status < 300 and self.fault is None

    def line(self) -> dict[str, Any]:
        """The line of `exchanges.jsonl`."""
        body = self.body
        if body is None and self.raw:
            body = {"bytes": len(self.raw), "head": self.raw[:16].hex()}
        facts = asdict(self) | {"body": body, "deviations": self.deviations + self.timing}
        for key in ("raw", "match", "timing"):
            del facts[key]
        return facts


@dataclass
class Client:
    """Which client is expected: ours, or an original agent replayed from a transcript."""

    user_agent: str
    version: str
    original: bool = False

    @property
    def timed(self) -> bool:
        """Whether times are checked: a replayed transcript has none."""
        return not self.original


class Check:
    """Checks values of a JSON document and reports each deviation with its path."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.report = report

    def keys(self, value: Any, path: str, required: str, optional: str = "") -> bool:
        """Whether `value` is an object with exactly these keys (names separated by spaces)."""
        if not isinstance(value, dict):
            self.report(f"{path}: an object is due, got {describe(value)}")
            return False
        need, may = set(required.split()), set(optional.split())
        for key in sorted(need - value.keys()):
            self.report(f"{path}.{key}: missing")
        for key in sorted(value.keys() - need - may):
            self.report(f"{path}.{key}: not a key of this message")
        return need <= value.keys()

    def string(self, value: Any, path: str, pattern: str | None = None, null: bool = False) -> bool:
        if value is None and null:
            return True
        if not isinstance(value, str):
            self.report(f"{path}: a string is due, got {describe(value)}")
            return False
        if pattern is not None and not re.fullmatch(pattern, value):
            self.report(f"{path}: {value!r} does not match {pattern}")
            return False
        return True

    def integer(
        self, value: Any, path: str, low: float = -math.inf, high: float = math.inf, null: bool = False
    ) -> bool:
        if value is None and null:
            return True
        if not isinstance(value, int) or isinstance(value, bool):
            self.report(f"{path}: an integer is due, got {describe(value)}")
            return False
        return self._range(value, path, low, high)

    def number(self, value: Any, path: str, low: float = -math.inf, high: float = math.inf, null: bool = False) -> bool:
        if value is None and null:
            return True
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.report(f"{path}: a number is due, got {describe(value)}")
            return False
        return self._range(value, path, low, high)

    def boolean(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            self.report(f"{path}: true or false is due, got {describe(value)}")
            return False
        return True

    def choice(self, value: Any, path: str, choices: str) -> bool:
        if value not in choices.split():
            self.report(f"{path}: one of {choices} is due, got {value!r}")
            return False
        return True

    def _range(self, value: float, path: str, low: float, high: float) -> bool:
        if not low <= value <= high:
            self.report(f"{path}: {value} is not within {low}…{high}")
            return False
        return True


def describe(value: Any) -> str:
    """A value, short enough for a message."""
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "…"


def parse_json(data: bytes) -> Any:
    """Parse strictly: UTF-8 without BOM, no repeated keys, no NaN; ValueError otherwise."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a key stands twice in one object")
        return result

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is no JSON")

    return json.loads(data.decode("utf-8", "strict"), object_pairs_hook=unique, parse_constant=refuse)


Handler = Callable[[Exchange], Answer | Awaitable[Answer]]


@dataclass
class Endpoint:
    """One endpoint: its method and path, its check (shape, then time) and what it does."""

    name: str
    method: str
    pattern: str
    check: Callable[[Exchange, Check], None]
    process: Handler
    clock: Callable[[Exchange], None] | None = None


class Pace:
    """When an endpoint was called: for intervals, back-off and Retry-After."""

    def __init__(self) -> None:
        self.last: Exchange | None = None
        self.recent: deque[float] = deque(maxlen=16)
        self.not_before = 0.0
        self.refused_since: float | None = None


class StrictCloud:
    """The base of a strict test cloud. A subclass gives `endpoints()`, `settings` and `announce()`."""

    name = "cloud"
    anonymous_endpoints: frozenset[str] = frozenset()
    """Endpoints that are somebody else's and do not care who asks."""

    def __init__(self, client: Client, state_file: Path, log_folder: Path, announce: bool = False) -> None:
        self.client = client
        self.state_file = state_file
        self.log_folder = log_folder
        self.announcing = announce
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.paces: dict[str, Pace] = {}
        self.disturbed_at = time.monotonic()
        self.restarted_at = 0.0
        self.state: dict[str, Any] = self.fresh_state()
        self._connections: dict[int, int] = {}
        self._connection_count = 0
        self._transports: dict[int, asyncio.Transport | None] = {}  # of exchanges that are not answered yet
        self._log: Any = None
        self._runners: list[web.AppRunner] = []
        self._endpoints = self.endpoints()

    # What a subclass gives

    def fresh_state(self) -> dict[str, Any]:
        """State of a new account; JSON values only."""
        raise NotImplementedError

    def endpoints(self) -> list[Endpoint]:
        """All endpoints of the wire."""
        raise NotImplementedError

    def announce(self, exchange: Exchange) -> str | None:
        """One short line for a person who watches, or None."""
        return None

    def answered(self, exchange: Exchange) -> None:
        """Called when the status of an exchange is settled."""

    def extend(self, wire: web.Application) -> None:
        """Called before the wire is served: routes that do not go the way of `endpoints()`."""

    def order(self, name: str, arguments: dict[str, Any]) -> Any:
        """An order of this cloud's own from `/_control/order/NAME`."""
        raise KeyError(name)

    # Life

    async def start(
        self, port: int, control_port: int, tls: ssl.SSLContext | None = None, further_port: int | None = None
    ) -> None:
        """Listen on loopback: the wire on `port` (and `further_port`), the test's orders on `control_port`."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._log = (self.log_folder / "exchanges.jsonl").open("a", encoding="utf-8")
        if self.state_file.exists():
            self.state |= json.loads(self.state_file.read_text())
        wire = web.Application(client_max_size=BODY_LIMIT)
        self.extend(wire)
        wire.router.add_route("*", "/{path:.*}", self._serve)
        control = web.Application(client_max_size=BODY_LIMIT)
        control.router.add_route("*", "/_control/{path:.*}", self._serve_control)
        wired = [port] if further_port is None else [port, further_port]
        for application, numbers, context in ((wire, wired, tls), (control, [control_port], None)):
            runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=0.1)
            await runner.setup()
            for number in numbers:
                await web.TCPSite(runner, "127.0.0.1", number, ssl_context=context, reuse_address=True).start()
            self._runners.append(runner)

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        for runner in self._runners:
            await runner.cleanup()
        if self._log:
            self._log.close()

    def save(self) -> None:
        """Write the state file, whole or not at all."""
        temporary = self.state_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.state))
        os.replace(temporary, self.state_file)

    # The wire

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        now, mono = time.time(), time.monotonic()
        cut: str | None = None
        try:
            raw = await request.read()
        except Exception as error:
            raw, cut = b"", f"body: cut off or unreadable ({type(error).__name__})"
        endpoint, match = self._find(request)
        exchange = Exchange(
            seq=len(self.exchanges) + 1,
            t=now,
            mono=mono,
            connection=self._connection(request),
            endpoint=endpoint.name if endpoint else "unknown",
            method=request.method,
            path=request.raw_path.split("?", 1)[0],
            query=request.raw_path.partition("?")[2],
            headers={key.decode("latin-1"): value.decode("latin-1") for key, value in request.raw_headers},
            raw=raw,
            match=match,
        )
        self.exchanges.append(exchange)
        self._transports[exchange.seq] = request.transport
        if cut is not None:  # a client that was killed: no deviation of its protocol
            exchange.body = cut
            return await self._reply(request, exchange, Answer(400, {"error": cut}), None)
        if endpoint is None:
            # Whoever only looks whether the cloud is there (the doctor) asks for its front page.
            if (request.method, request.raw_path) == ("GET", "/"):
                return await self._reply(request, exchange, Answer(404, {"error": "Not found"}), None)
            exchange.deviations.append(f"{request.method} {request.raw_path} is not an endpoint")
            return await self._reply(request, exchange, Answer(404, {"error": "Not found"}), None)
        check = Check(exchange.deviations.append)
        self._check_transport(exchange, check)
        endpoint.check(exchange, check)
        pace = self.pace(endpoint.name)
        if self.client.timed:
            self._check_pace(exchange, pace)
            if endpoint.clock is not None:
                endpoint.clock(exchange)
        fault = self._take_fault(endpoint.name)
        answer: Answer
        if exchange.deviations:
            answer = Answer(400, {"error": "; ".join(exchange.deviations)})
        elif fault is None or fault.action in PROCESSED:
            result = endpoint.process(exchange)
            answer = result if isinstance(result, Answer) else await result
        else:
            answer = Answer(fault.status, fault.body)
        pace.last = exchange
        pace.recent.append(mono)
        return await self._reply(request, exchange, answer, fault)

    def _find(self, request: web.Request) -> tuple[Endpoint | None, dict[str, str]]:
        path = request.raw_path.split("?", 1)[0]
        for endpoint in self._endpoints:
            match = re.fullmatch(endpoint.pattern, path)
            if match and request.method == endpoint.method:
                return endpoint, match.groupdict()
        return None, {}

    def _connection(self, request: web.Request) -> int:
        key = id(request.transport)
        if key not in self._connections:
            self._connection_count += 1
            self._connections[key] = self._connection_count
        return self._connections[key]

    def is_there(self, exchange: Exchange) -> bool:
        """Whether the client of an exchange that is not answered yet still waits for it."""
        transport = self._transports.get(exchange.seq)
        return transport is not None and not transport.is_closing()

    def _check_transport(self, exchange: Exchange, check: Check) -> None:
        if exchange.header("Transfer-Encoding"):
            check.report("header Transfer-Encoding: bodies carry Content-Length, never chunks")
        if exchange.header("Content-Encoding"):
            check.report("header Content-Encoding: requests are never compressed")
        if exchange.method in ("POST", "PUT") and exchange.header("Content-Length") is None:
            check.report("header Content-Length: missing")
        if exchange.header("Expect"):
            check.report("header Expect: not sent by this client")
        if exchange.endpoint in self.anonymous_endpoints:
            return
        if not re.fullmatch(self.client.user_agent, exchange.header("User-Agent") or ""):
            check.report(
                f"header User-Agent: {exchange.header('User-Agent')!r} does not match {self.client.user_agent}"
            )

    def read_json(self, exchange: Exchange, check: Check) -> Any:
        """The body as JSON, kept in the exchange; None after a report."""
        if exchange.header("Content-Type") != "application/json":
            check.report(f"header Content-Type: application/json is due, got {exchange.header('Content-Type')!r}")
        try:
            exchange.body = parse_json(exchange.raw)
        except ValueError as error:
            check.report(f"body: no valid JSON ({error}): {exchange.raw[:80]!r}")
            return None
        return exchange.body

    def _take_fault(self, endpoint: str) -> Fault | None:
        for fault in self.faults:
            if fault.endpoint in (endpoint, "*"):
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    async def _reply(
        self,
        request: web.Request,
        exchange: Exchange,
        answer: Answer,
        fault: Fault | None,
    ) -> web.StreamResponse:
        exchange.fault = fault.action if fault else None
        exchange.status = 0 if fault and fault.action in SILENT else answer.status
        retry_after = answer.headers.get("Retry-After")
        if fault is not None and fault.retry_after is not None:
            retry_after = str(fault.retry_after)
        if retry_after is not None and exchange.status in (429, 503):
            self.pace(exchange.endpoint).not_before = time.monotonic() + retry_seconds(retry_after)
        self._transports.pop(exchange.seq, None)
        self.answered(exchange)
        exchange.answered = time.monotonic()
        self._record(exchange)
        return await self.deliver(request, exchange, answer, fault)

    async def deliver(
        self, request: web.Request, exchange: Exchange, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        """Let the answer leave, as it should be or as the fault wants it."""
        return respond(answer) if fault is None else await misbehave(request, answer, fault)

    def _record(self, exchange: Exchange) -> None:
        self._log.write(json.dumps(exchange.line()) + "\n")
        self._log.flush()
        if self.announcing:
            text = self.announce(exchange)
            if exchange.deviations or exchange.timing:
                text = f"{text or exchange.endpoint}  DEVIATES: {'; '.join(exchange.deviations + exchange.timing)}"
            if text:
                print(f"[{self.name}] {text}", flush=True)

    # Time

    def pace(self, endpoint: str) -> Pace:
        """When this endpoint was called."""
        return self.paces.setdefault(endpoint, Pace())

    def undisturbed_since(self, exchange: Exchange | None) -> bool:
        """Whether that exchange succeeded and nothing was done to the rig since: intervals count."""
        return exchange is not None and exchange.ok and exchange.mono > max(self.disturbed_at, self.restarted_at)

    def _check_pace(self, exchange: Exchange, pace: Pace) -> None:
        if exchange.mono < pace.not_before - EARLY:
            exchange.timing.append(f"called {pace.not_before - exchange.mono:.1f} s before Retry-After had elapsed")
        burst = [mono for mono in pace.recent if mono > max(exchange.mono - 5.0, self.restarted_at)]
        if pace.last is None or pace.last.ok:
            pace.recent.clear()
        elif len(burst) >= 8:
            exchange.timing.append(f"tight loop: {len(burst) + 1} calls within 5 s while they fail")

    def check_interval(
        self,
        exchange: Exchange,
        shortest: float,
        longest: float,
        what: str,
        excused: bool = False,
    ) -> None:
        """Check the time since this endpoint's previous call.

        - shortest: seconds with the allowed jitter taken off; `excused` calls may come earlier.
        - longest: seconds with the jitter added; checked while nothing disturbs the rig.
        """
        last = self.pace(exchange.endpoint).last
        if last is None:
            return
        gap = exchange.mono - last.mono
        if last.ok and last.mono > self.restarted_at and gap < shortest - EARLY and not excused:
            exchange.timing.append(f"{what} after {gap:.2f} s; not before {shortest:.2f} s")
        if self.undisturbed_since(last) and gap > longest + LATE:
            exchange.timing.append(f"{what} only after {gap:.2f} s; due within {longest:.2f} s")

    # Control

    async def _serve_control(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        try:
            arguments = await request.json() if request.can_read_body else {}
            return web.json_response(self._control(request.method, path, arguments))
        except Exception as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    def _control(self, method: str, path: str, arguments: dict[str, Any]) -> Any:
        match method, path.split("/"):
            case "GET", ["state"]:
                counts: dict[str, int] = {}
                for exchange in self.exchanges:
                    counts[exchange.endpoint] = counts.get(exchange.endpoint, 0) + 1
                bad = [e for e in self.exchanges if e.deviations or e.timing]
                return {
                    "state": self.state,
                    "counts": counts,
                    "connections": self._connection_count,
                    "deviations": len(bad),
                    "faults": [asdict(fault) for fault in self.faults],
                }
            case "GET", ["exchanges"]:
                return [exchange.line() for exchange in self.exchanges]
            case "POST", ["fault"]:
                self.faults.append(Fault(**arguments))
            case "DELETE", ["faults"]:
                self.faults.clear()
                self.disturbed_at = time.monotonic()
            case "POST", ["disturbed"]:
                self.disturbed_at = time.monotonic()
            case "POST", ["restarted"]:
                self.restarted_at = self.disturbed_at = time.monotonic()
                for pace in self.paces.values():
                    pace.not_before = 0.0
                    pace.refused_since = None
            case "POST", ["set"]:
                unknown = arguments.keys() - self.state.keys()
                if unknown:
                    raise KeyError(", ".join(sorted(unknown)))
                self.state.update(arguments)
                self.disturbed_at = time.monotonic()
                self.save()
            case "POST", ["order", name]:
                return self.order(name, arguments)
            case _:
                raise KeyError(f"{method} {path}")
        return {"ok": True}


SILENT = {"hang", "drop_before", "drop_after", "broken_http"}


def retry_seconds(value: str) -> float:
    """Seconds that a Retry-After asks for; dates count from now; what is neither asks for nothing."""
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0


def respond(answer: Answer) -> web.Response:
    """The answer as it should be."""
    if answer.empty:
        return web.Response(status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)


async def misbehave(request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
    """The answer as the fault wants it; `answer` is the real one where the request was processed."""
    transport = request.transport
    match fault.action:
        case "hang":
            await asyncio.sleep(fault.seconds)
            return web.Response(status=504)
        case "delay":
            await asyncio.sleep(fault.seconds)
            return respond(answer)
        case "drop_before" | "drop_after":
            if transport is not None:
                transport.abort()
            return web.Response()
        case "broken_http":
            if transport is not None:
                transport.write(b"SSH-2.0-OpenSSH_9.2\r\n\x00\x01\x02")
                transport.close()
            return web.Response()
        case "status":
            headers = dict(fault.headers)
            if fault.retry_after is not None:
                headers["Retry-After"] = str(fault.retry_after)
            body = {"error": f"ordered status {fault.status}"} if fault.body is None else fault.body
            return web.json_response(body, status=fault.status, headers=headers)
        case "json":
            return web.json_response(fault.body, status=200 if fault.status == 503 else fault.status)
        case "html":
            return web.Response(text=CAPTIVE_PORTAL, content_type="text/html")
        case "page":
            return web.Response(text=fault.body, content_type="text/html")
        case "prefix":
            text = fault.body + json.dumps(answer.body)
            return web.Response(text=text, status=answer.status, content_type="application/json")
        case "empty":
            return web.Response(status=fault.status if 200 <= fault.status < 300 else 204)
        case "redirect":
            status = fault.status if 300 <= fault.status < 400 else 307
            return web.Response(status=status, headers={"Location": fault.location})
        case "garbage":
            return web.Response(body=b'{"ok": tru\xff\xfe \x00}', content_type="application/json")
        case "flood":
            return await _flood(request, fault.size)
        case "truncate" | "slow":
            return await _cut_or_drip(request, answer, fault)
    raise AssertionError(fault.action)


async def _flood(request: web.Request, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    block, sent = b'{"flood": "' + b"x" * 65536, 0
    while not size or sent < size:
        await response.write(block)
        sent += len(block)
        block = b"x" * 65536
    return response


async def _cut_or_drip(request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
    data = json.dumps(answer.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    if fault.action == "truncate":
        await response.write(data[: max(1, len(data) // 2)])
        if request.transport is not None:
            request.transport.close()
        return response
    for index in range(len(data)):
        await response.write(data[index : index + 1])
        await asyncio.sleep(fault.seconds / len(data))
    return response


def run(make: Callable[[argparse.Namespace], StrictCloud], description: str, extend: Any = None) -> None:
    """The command line of a cloud: parse, serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="file that outlives a restart")
    parser.add_argument("--log", type=Path, required=True, help="folder for exchanges.jsonl")
    parser.add_argument("--further-port", type=int, help="serve the wire there as well")
    parser.add_argument("--certificate", type=Path, help="PEM chain: serve TLS")
    parser.add_argument("--key", type=Path, help="PEM private key for --certificate")
    parser.add_argument("--announce", action="store_true", help="print one line per report")
    parser.add_argument("--original", action="store_true", help="expect the original agent, replayed: no timing")
    if extend is not None:
        extend(parser)
    arguments = parser.parse_args()

    async def serve() -> None:
        context = None
        if arguments.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(arguments.certificate, arguments.key)
        cloud = make(arguments)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await cloud.start(arguments.port, arguments.control_port, context, arguments.further_port)
        await stop.wait()
        await cloud.stop()

    asyncio.run(serve())
