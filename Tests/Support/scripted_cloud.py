"""The far side of the scripted connector: a test's own cloud, in the test's process.

    cloud = ScriptedCloud()
    number = cloud.order("start", file="cube.gcode", cause="itself")
    assert cloud.outcome(number)["reason"] == "bed_occupied"

The connector asks `GET /next`, which is held until there are orders, and tells each outcome with
`POST /outcome`. `/files/NAME` serves what `serve` was given, for downloads.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from harness import QuietServer, free_port, wait_until

HELD_SECONDS = 1.0
"""How long `/next` is held without an order: so often the connector has contact."""


@dataclass
class ServedFile:
    """A file for downloads.

    - announced: the Content-Length; less than the bytes that come, or more.
    - location: answer with a redirect to there instead.
    """

    content: bytes = b""
    content_type: str = "application/octet-stream"
    status: int = 200
    announced: int | None = None
    location: str | None = None
    seconds: float = 0.0
    times: int = 1  # the content so often
    fetched: int = field(default=0)


class ScriptedCloud:
    """Takes orders from the test, hands them to the connector, keeps the outcomes."""

    _numbers = itertools.count(1)

    def __init__(self, name: str = "scripted") -> None:
        self.name = name
        self.port = free_port()
        self.answered: dict[str, float] = {}  # order -> monotonic time at which its answer left
        self.files: dict[str, ServedFile] = {}
        self.is_away = False
        self.takes_outcomes = True
        self.lose_answers = 0  # so many outcomes are taken without telling the connector
        self.polls = 0
        self._orders: list[dict[str, Any]] = []
        self._outcomes: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        cloud = self

        class Handler(_Handler):
            far_side = cloud

        self._server = QuietServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def entry(self, **more: Any) -> dict[str, Any]:
        """The entry of `backends`."""
        return {"type": "scripted", "name": self.name, "url": self.url, **more}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # Orders

    def order(self, do: str, *, id: str | None = None, **details: Any) -> str:
        """Have the connector do something; the id by which its outcome is known."""
        return self.orders([{"do": do, **({"id": id} if id else {}), **details}])[0]

    def orders(self, orders: list[dict[str, Any]]) -> list[str]:
        """Several orders in one answer."""
        named = [{"id": f"{self.name}-{next(self._numbers)}", **order} for order in orders]
        with self._changed:
            self._orders += named
            self._changed.notify_all()
        return [order["id"] for order in named]

    def obey(self, do: str, timeout: float = 15.0, **details: Any) -> dict[str, Any]:
        """Order, and wait for the outcome."""
        return self.outcome(self.order(do, **details), timeout)

    # Outcomes

    def outcomes(self, number: str | None = None) -> list[dict[str, Any]]:
        """All that arrived, in order."""
        with self._changed:
            return [outcome for outcome in self._outcomes if number in (None, outcome["id"])]

    def outcome(self, number: str, timeout: float = 15.0) -> dict[str, Any]:
        """The first outcome of an order."""
        return wait_until(lambda: self.outcomes(number), timeout, f"{self.name}: the outcome of {number}")[0]

    def wait_for_contact(self, timeout: float = 15.0) -> None:
        """Wait until the connector has asked twice: then an answer before lies behind it."""
        before = self.polls
        wait_until(lambda: self.polls >= before + 2, timeout, f"{self.name}: a poll")

    # What the connector's requests do

    def next_orders(self) -> list[dict[str, Any]] | None:
        """The orders at once, or when there are some; None while the cloud is away."""
        with self._changed:
            self.polls += 1
            self._changed.wait_for(lambda: self._orders or self.is_away, HELD_SECONDS)
            if self.is_away:
                return None
            orders, self._orders = self._orders, []
            return orders

    def take(self, outcome: dict[str, Any]) -> bool:
        """Keep an outcome; whether the connector may be told."""
        with self._changed:
            if self.is_away or not self.takes_outcomes:
                return False
            self._outcomes.append(outcome | {"mono": time.monotonic()})
            self._changed.notify_all()
            if self.lose_answers > 0:
                self.lose_answers -= 1
                return False
            return True


class _Handler(BaseHTTPRequestHandler):
    """One connection of the connector."""

    far_side: ScriptedCloud
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path != "/next":
            self._file(self.path.removeprefix("/files/"))
            return
        orders = self.far_side.next_orders()
        if orders is None:
            self._answer(503, b"{}")
            return
        data = json.dumps({"orders": orders}).encode()
        self._answer(200, data)
        left = time.monotonic()
        for order in orders:
            self.far_side.answered[order["id"]] = left

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.far_side.take(body):
            self._answer(200, b"{}")
        else:
            self.close_connection = True

    def _file(self, name: str) -> None:
        file = self.far_side.files.get(name)
        if file is None:
            self._answer(404, b"{}")
            return
        file.fetched += 1
        time.sleep(file.seconds)
        self.send_response(file.status)
        if file.location is not None:
            self.send_header("Location", file.location)
        self.send_header("Content-Type", file.content_type)
        self.send_header("Connection", "close")
        self.send_header(
            "Content-Length", str(len(file.content) * file.times if file.announced is None else file.announced)
        )
        self.end_headers()
        with suppress(OSError):
            for _ in range(file.times):
                self.wfile.write(file.content)
            self.wfile.flush()
        self.close_connection = True

    def _answer(self, status: int, data: bytes) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

    def log_message(self, *arguments: object) -> None:
        """Silent."""
