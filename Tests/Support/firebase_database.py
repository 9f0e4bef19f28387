"""A strict Firebase Realtime Database: one printer's status, the viewer's stamp, and the stream of events that tells of it.

The stream is the one of Firebase's REST interface: `put` at the beginning and with each change, `keep-alive`, `cancel`,
`auth_revoked`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from reach_relay import CLOCK_TOLERANCE, OURS
from strict_cloud import EARLY, Answer, Check, Endpoint, Exchange, Fault, StrictCloud, run

EVENT_STREAM = "text/event-stream"


class FirebaseDatabase(StrictCloud):
    """The part of the database that belongs to one printer."""

    name = "firebase"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._opened = 0.0

    def fresh_state(self) -> dict[str, Any]:
        return {
            "token": "firebase token+1",
            "printer_id": "printer-001",
            "is_revoked": False,
            "stamp": None,
            "status": None,
            "keep_alive": 30.0,
            "refusals": 0,  # requests with a token that is not taken any more
        }

    def endpoints(self) -> list[Endpoint]:
        node = f"/printers/{self.state['printer_id']}"
        stamp = f"{node}/live/webcamViewerTs\\.json"
        return [
            Endpoint("status", "PATCH", f"{node}/status\\.json", self._check_status, self._status, self._clock),
            Endpoint("stamp", "GET", stamp, self._check_stamp, self._stamp, self._clock),
            Endpoint("stream", "GET", stamp, self._check_stamp, self._open, self._clock),
        ]

    def _find(self, request: web.Request) -> tuple[Endpoint | None, dict[str, str]]:
        endpoint, match = super()._find(request)
        if endpoint is not None and endpoint.name == "stamp" and request.headers.get("Accept") == EVENT_STREAM:
            endpoint = next(other for other in self._endpoints if other.name == "stream")
        return endpoint, match

    # What each request must be

    def _check_common(self, exchange: Exchange, check: Check) -> None:
        if parse_qsl(exchange.query) != [("auth", self.state["token"])]:
            check.report("query: auth with the token, and nothing else, is due")
        exchange.query = "auth=…"
        if exchange.header("Content-Type") != "application/json":
            check.report(f"header Content-Type: application/json is due, got {exchange.header('Content-Type')!r}")
        if exchange.header("Authorization") is not None:
            check.report("header Authorization: the token goes in the query here")
        if (exchange.header("Connection") or "").lower() == "close":
            check.report("header Connection: connections are kept alive")

    def _check_status(self, exchange: Exchange, check: Check) -> None:
        self._check_common(exchange, check)
        body = self.read_json(exchange, check)
        if body is None:
            return
        if not check.keys(body, "body", "lastHeartbeat state temperatureSensors currentJob systemHealth"):
            return
        if (
            check.integer(body["lastHeartbeat"], "body.lastHeartbeat", 1_600_000_000_000, 4_000_000_000_000)
            and abs(body["lastHeartbeat"] / 1000 - exchange.t) > CLOCK_TOLERANCE
        ):
            exchange.timing.append("body.lastHeartbeat is off")
        check.choice(body["state"], "body.state", "idle printing paused error")
        sensors = "nozzle nozzleTarget bed bedTarget chamber"
        check.keys(body["temperatureSensors"], "body.temperatureSensors", sensors)
        job = "filename progress eta elapsedTime state totaltime filamentUsed estimatedTime"
        check.keys(body["currentJob"], "body.currentJob", job)
        check.keys(body["systemHealth"], "body.systemHealth", "cpuPercent memoryPercent diskPercent")

    def _check_stamp(self, exchange: Exchange, check: Check) -> None:
        self._check_common(exchange, check)
        if exchange.raw:
            check.report("body: none is due")

    def _clock(self, exchange: Exchange) -> None:
        for name, pace in self.paces.items():
            if exchange.mono < pace.not_before - EARLY:
                exchange.timing.append(f"{exchange.endpoint} although {name} was told to wait")

    # What each does

    def _refusal(self, exchange: Exchange) -> Answer | None:
        if not self.state["is_revoked"]:
            return None
        self.state["refusals"] += 1
        if self.state["refusals"] > 3:  # one of each kind may be under way
            exchange.timing.append("asked again with a token that is not taken any more")
        return Answer(401, {"error": f"Auth token is expired: {self.state['token']}"})

    def _status(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal is None:
            self.state["status"] = exchange.body
        return refusal or Answer(200, exchange.body)

    def _stamp(self, exchange: Exchange) -> Answer:
        return self._refusal(exchange) or Answer(200, self.state["stamp"])

    def _open(self, exchange: Exchange) -> Answer:
        if len(self._listeners) > 0:
            exchange.timing.append("a second stream beside one that is open")
        return self._refusal(exchange) or Answer(200)

    # The stream

    async def _reply(
        self, request: web.Request, exchange: Exchange, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        if exchange.endpoint != "stream" or fault is not None or answer.status != 200:
            return await super()._reply(request, exchange, answer, fault)
        exchange.status = 200
        exchange.answered = time.monotonic()
        self._transports.pop(exchange.seq, None)
        self._record(exchange)
        return await self._stream(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-cache"})
        await response.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        self._opened = time.monotonic()
        text: str | None = self._put()
        try:
            while text is not None:
                await response.write(text.encode())
                text = await self._next(request, queue)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._listeners.discard(queue)
        with suppress(ConnectionError):
            await response.write_eof()
        return response

    async def _next(self, request: web.Request, queue: asyncio.Queue[str | None]) -> str | None:
        """What is said next; a sign of life after a while. None at the end, also when the listener has left."""
        due = time.monotonic() + self.state["keep_alive"]
        while request.transport is not None and not request.transport.is_closing():
            try:
                return await asyncio.wait_for(queue.get(), 0.2)
            except TimeoutError:
                if time.monotonic() >= due:
                    return event("keep-alive", None)
        return None

    def _put(self) -> str:
        return event("put", {"path": "/", "data": self.state["stamp"]})

    def _say(self, text: str | None) -> None:
        for queue in self._listeners:
            queue.put_nowait(text)

    # Control

    def order(self, name: str, arguments: dict[str, Any]) -> Any:
        """`viewer` leaves a stamp (`age` seconds old; none: nobody watches); `say` sends raw text; `end` ends the streams;
        `revoke` ends them for good; `listeners` counts them and
        says how old the newest is."""
        match name:
            case "viewer":
                age = arguments.get("age")
                self.state["stamp"] = None if age is None else int((time.time() - age) * 1000)
                self._say(self._put())
            case "say":
                self._say(arguments["text"])
            case "end":
                self._say(None)
            case "revoke":
                self.state["is_revoked"] = True
                self._say(event("auth_revoked", "credential is no longer valid"))
                self._say(None)
            case "listeners":
                return {"count": len(self._listeners), "age": time.monotonic() - self._opened}
            case _:
                raise KeyError(name)
        self.save()
        return {"ok": True}


def event(name: str, data: Any) -> str:
    """An event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def make(arguments: argparse.Namespace) -> FirebaseDatabase:
    """The database that the command line asks for."""
    return FirebaseDatabase(OURS, arguments.state, arguments.log, arguments.announce)


def main() -> None:
    run(make, __doc__.splitlines()[0])


if __name__ == "__main__":
    main()
