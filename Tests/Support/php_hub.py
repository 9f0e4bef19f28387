"""A real PHP hub with a judge before it: `php -S` with several workers answers, and every request is checked.

The hub's own scripts are in `php_hub/`: generation 1 on JSON files, generation 2 on SQLite, with the weaknesses of the
original. They are copied to a folder of their own, which is the web server's root and holds the hub's data. The judge
passes requests and answers on byte for byte, unless it is told to misbehave; what a person does on the hub's pages goes
to PHP directly (`--php-port`).

Run: `php_hub.py --port N --control-port N --php-port N --root FOLDER --state FILE --log FOLDER`
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import itertools
import json
import math
import os
import re
import shutil
import signal
import subprocess
from email import message_from_bytes
from email.message import Message
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from aiohttp import web

from harness import SUPPORT, end_with_parent
from strict_cloud import (
    EARLY,
    LATE,
    Answer,
    Check,
    Client,
    Endpoint,
    Exchange,
    Fault,
    StrictCloud,
    describe,
    misbehave,
    run,
)

OURS = Client(user_agent=r"printer-uplink/\d+\.\d+\.\d+\S*", version=r"\d+\.\d+\.\d+\S*")
ORIGINAL = Client(user_agent=r"TecMedHub-Client/4\.0\.0", version=r"4\.0\.0", original=True)

BASE = "/printerhub"
JITTER = 0.05
LONGEST_SILENCE = 20.0
"""Seconds without an update after which something is wrong: the hub calls a printer offline after 60."""
ONE_AT_A_TIME = frozenset({"probe", "update", "commands", "edits", "list_files", "file_info", "mark_downloaded"})
"""The hub has no locks: of these requests only one may be under way."""
LARGEST_IMAGE = 1_500_000
LARGEST_INLINE_IMAGE = 200_000
STATUSES = {"v1": "printing idle error offline paused", "v2": "printing paused complete idle error offline"}
OUTCOMES = "completed failed rejected unknown"
WORKERS = 4

CONSTANT = "action token name client_version uptime timestamp status"
TEMPERATURES = "temp_hotend temp_bed temp_hotend_target temp_bed_target"
REQUIRED = f"{CONSTANT} {TEMPERATURES} print_speed fan_speed files tags filament bed_status location"
OPTIONAL = "progress current_file time_remaining last_completed system image command_results"
WARNING = (
    "<br />\n<b>Warning</b>:  file_put_contents(/srv/hub/printers.json): Failed to open stream: Permission denied in "
    "<b>/srv/hub/api.php</b> on line <b>87</b><br />\n"
)
"""What PHP prints before the JSON where it shows errors."""
FATAL = (
    "<br />\n<b>Fatal error</b>:  Uncaught PDOException: SQLSTATE[HY000]: General error: 1 no such table: printers in "
    "/srv/hub/printer-api/update.php:30\nStack trace:\n#0 {main}\n  thrown in <b>/srv/hub/update.php</b> on line <b>30</b><br />\n"
)
"""What PHP answers with 200 after an uncaught exception where it shows errors."""


class PHPHub(StrictCloud):
    """The hub's side of the wire for one printer."""

    name = "php-hub"

    def __init__(self, *arguments: Any, php_port: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.php_port = php_port
        self._under_way: dict[int, tuple[str, Any]] = {}

    def fresh_state(self) -> dict[str, Any]:
        return {
            "token": "LAB_TEST_0001",
            "update_seconds": 5.0,  # what the client is configured to; none of the three is on the wire
            "poll_seconds": 3.0,
            "image_seconds": 30.0,
            "thinned": False,  # unchanged updates may be left out
            "keep_alive": False,  # connections stay open, as behind a web server
            "clock_skew": 0,  # seconds by which the hub's clock is ahead
            "download_rate": 0,  # bytes per second; 0: as fast as it goes
            "handed_out": {},  # command id -> the command, when, in which exchange and how often
            "results": {},  # command id -> its last result, and in how many accepted updates it stood
            "image_url": "",  # what the last upload yielded
        }

    def endpoints(self) -> list[Endpoint]:
        forward = self._forward
        return [
            Endpoint(
                "update", "POST", r"(api|printer-api/update)\.php", self._check_update, forward, self._clock_update
            ),
            Endpoint(
                "commands",
                "GET",
                r"(api|printer-api/commands)\.php",
                self._check_poll,
                self._commands,
                self._clock_poll,
            ),
            Endpoint("edits", "GET", r"api\.php", self._check_edits, forward, self._clock_edits),
            Endpoint("probe", "GET", r"(api|printer-api/update)\.php", self._check_probe, forward),
            Endpoint("image", "POST", r"upload_image\.php", self._check_image, self._image, self._clock_image),
            Endpoint("list_files", "GET", r"(api_files|printer-api/files)\.php", self._check_files, forward),
            Endpoint("file_info", "GET", r"api_files\.php", self._check_files, forward),
            Endpoint("download", "GET", r"(api_files|printer-api/files)\.php", self._check_files, forward),
            Endpoint("mark_downloaded", "POST", r"(api_files|printer-api/files)\.php", self._check_mark, forward),
            Endpoint("static", "GET", r"uploads/.+", self._check_headers, forward),
        ]

    def _find(self, request: web.Request) -> tuple[Endpoint | None, dict[str, str]]:
        """The endpoint by path, method and the query's `action`: PHP has one script for many things."""
        path, _, query = request.raw_path.partition("?")
        action = dict(parse_qsl(query)).get("action")
        if not path.startswith(BASE + "/"):
            return None, {}
        path = path.removeprefix(BASE + "/")
        match request.method, path, action:
            case "POST", "api.php" | "printer-api/update.php", _:
                name = "update"
            case ("GET", "api.php", "get_commands") | ("GET", "printer-api/commands.php", None):
                name = "commands"
            case "GET", "api.php", "get_printer_by_token":
                name = "edits"
            case "GET", "api.php" | "printer-api/update.php", None:
                name = "probe"
            case "POST", "upload_image.php", None:
                name = "image"
            case "GET", "api_files.php" | "printer-api/files.php", "list_files":
                name = "list_files"
            case "GET", "api_files.php", "get_file_info":
                name = "file_info"
            case "GET", "api_files.php" | "printer-api/files.php", "download_file":
                name = "download"
            case ("POST", "api_files.php", "mark_downloaded") | ("POST", "printer-api/files.php", None):
                name = "mark_downloaded"
            case "GET", _, _ if path.startswith("uploads/"):
                name = "static"
            case _:
                return None, {}
        return next(endpoint for endpoint in self._endpoints if endpoint.name == name), {}

    # PHP

    async def _forward(self, exchange: Exchange) -> Answer:
        """Let PHP answer; the answer's body is the message as it left PHP."""
        target = exchange.path + (f"?{exchange.query}" if exchange.query else "")
        kept = {name: value for name, value in exchange.headers.items() if name.lower() not in ("connection", "host")}
        head = [f"{exchange.method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.php_port}", "Connection: close"]
        head += [f"{name}: {value}" for name, value in kept.items()]
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.php_port)
            try:
                writer.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + exchange.raw)
                await writer.drain()
                message = await reader.read(-1)
            except ConnectionError:  # one of its workers has ended: another one is there
                message = b""
            finally:
                writer.close()
            if message:
                return Answer(int(message.split(b" ", 2)[1]), message)
        raise RuntimeError("PHP does not answer")

    async def deliver(
        self, request: web.Request, exchange: Exchange, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        try:
            if not isinstance(answer.body, bytes):
                return await super().deliver(request, exchange, answer, fault)
            if request.transport is None:  # nobody waits for it any more
                return web.Response()
            head, _, body = answer.body.partition(b"\r\n\r\n")
            if self.state["clock_skew"]:
                moment = formatdate(exchange.t + self.state["clock_skew"], usegmt=True)
                head = re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: " + moment.encode(), head)
            match fault.action if fault else None:
                case "delay":
                    await asyncio.sleep(fault.seconds)
                case "prefix":
                    head = re.sub(rb"\r\nContent-Length: \d+", b"", head)
                    body = fault.body.encode("utf-8") + body
                case "truncate":  # without a length nobody can tell but by the JSON
                    body = body[: max(1, len(body) // 2)]
                case "slow":
                    await self._write(request, head + b"\r\n\r\n" + body, fault.seconds)
                    return web.Response()
                case "drop_after":
                    return await misbehave(request, answer, fault)
            if self.state["keep_alive"]:
                return kept_open(answer.status, head, body)
            rate = self.state["download_rate"] if exchange.endpoint in ("download", "static") else 0
            await self._write(request, head + b"\r\n\r\n" + body, len(body) / rate if rate else 0)
            return web.Response()
        finally:
            self._under_way.pop(exchange.seq, None)

    async def _write(self, request: web.Request, data: bytes, seconds: float) -> None:
        """Write the message within about so many seconds, then close the connection, as PHP does."""
        assert request.transport is not None
        steps = max(1, math.ceil(seconds / 0.05))
        size = math.ceil(len(data) / steps)
        for start in range(0, len(data), size):
            if request.transport.is_closing():
                return
            request.transport.write(data[start : start + size])
            if steps > 1:
                await asyncio.sleep(0.05)
        request.transport.close()

    # Headers, queries, order

    def _check_headers(self, exchange: Exchange, check: Check) -> None:
        for name in ("Authorization", "Cookie", "Referer"):
            if exchange.header(name) is not None:
                check.report(f"header {name}: not sent by this client")
        if exchange.method == "GET" and (exchange.raw or exchange.header("Content-Type")):
            check.report("a GET has no body and no Content-Type")
        if exchange.endpoint not in ONE_AT_A_TIME:
            return
        transport = self._transports.get(exchange.seq)
        if self.client.timed:
            for name, other in self._under_way.values():
                if other is not None and not other.is_closing():
                    exchange.timing.append(f"sent while {name} is under way: the hub has no locks")
        self._under_way[exchange.seq] = (exchange.endpoint, transport)

    def _check_query(self, exchange: Exchange, check: Check, **expected: str | None) -> dict[str, str]:
        """The query's members: exactly these, in percent-encoding; None: any value, but one is due."""
        given = dict(part.partition("=")[::2] for part in exchange.query.split("&") if part)
        if given.keys() != expected.keys():
            check.report(f"query: {', '.join(expected) or 'nothing'} is due, got {', '.join(given) or 'nothing'}")
            return {}
        for key, value in expected.items():
            if value is not None and given[key].upper() != quote(value, safe="").upper():
                check.report(f"query {key}: {quote(value, safe='')!r} is due, got {given[key]!r}")
            if not re.fullmatch(r"([A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*", given[key]):
                check.report(f"query {key}: not percent-encoded: {given[key]!r}")
        return given

    def _check_probe(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        self._check_query(exchange, check)

    def _check_edits(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        self._check_query(exchange, check, action="get_printer_by_token", token=self.state["token"])

    def _clock_edits(self, exchange: Exchange) -> None:
        self._check_schedule(exchange, self.state["update_seconds"], math.inf, "the hub's own edits", False)

    def _check_files(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        action = {"download": "download_file", "file_info": "get_file_info"}.get(exchange.endpoint, exchange.endpoint)
        members: dict[str, str | None] = {"action": action}
        if exchange.endpoint != "list_files":
            members["file"] = None
        if exchange.endpoint != "file_info":
            members["printer_token"] = self.state["token"]
        self._check_query(exchange, check, **members)

    def _check_mark(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None:
            return
        is_first = exchange.path.endswith("api_files.php")
        self._check_query(exchange, check, **({"action": "mark_downloaded"} if is_first else {}))
        if check.keys(body, "body", "file printer_token" if is_first else "action file printer_token"):
            check.string(body["file"], "body.file", ".+")
            self._check_token(body["printer_token"], "body.printer_token", check)

    def _check_token(self, token: Any, path: str, check: Check) -> None:
        if token != self.state["token"]:
            check.report(f"{path}: not this printer's token")

    # Updates

    def _check_update(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        if exchange.query:
            check.report("query: nothing is due")
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", REQUIRED, OPTIONAL):
            return
        second = generation(exchange) == "v2"
        check.choice(body["action"], "body.action", "update_printer")
        self._check_token(body["token"], "body.token", check)
        check.string(body["name"], "body.name", r"[^<>]{1,200}")
        check.string(body["client_version"], "body.client_version", self.client.version)
        check.string(body["uptime"], "body.uptime", r"(0|[1-9]\d*)h ([0-9]|[1-5][0-9])m")
        zone = "" if self.client.original else "Z"
        check.string(body["timestamp"], "body.timestamp", rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?{zone}")
        check.choice(body["status"], "body.status", STATUSES["v2" if second else "v1"])
        for key in TEMPERATURES.split():
            if check.number(body[key], f"body.{key}", -50, 1000) and not has_decimals(body[key], 1):
                check.report(f"body.{key}: one decimal is due, got {body[key]}")
        check.integer(body["print_speed"], "body.print_speed", 0, 1000)
        check.integer(body["fan_speed"], "body.fan_speed", 0, 100)
        self._check_job(body, second, check)
        if "system" in body and check.keys(body["system"], "body.system", "", "cpu_usage memory_usage cpu_temp"):
            for key, value in body["system"].items():
                check.number(value, f"body.system.{key}", 0)
        self._check_local_files(body["files"], check)
        if isinstance(body["tags"], list):
            for index, tag in enumerate(body["tags"]):
                check.string(tag, f"body.tags[{index}]")
        else:
            check.report(f"body.tags: an array is due, got {describe(body['tags'])}")
        if check.keys(body["filament"], "body.filament", "material color remaining"):
            check.string(body["filament"]["material"], "body.filament.material")
            check.string(body["filament"]["color"], "body.filament.color")
            check.number(body["filament"]["remaining"], "body.filament.remaining", 0, 100)
        check.string(body["bed_status"], "body.bed_status")
        check.string(body["location"], "body.location")
        if "image" in body:
            self._check_image_string(body["image"], second, check)
        if "command_results" in body:
            self._check_results(body["command_results"], check)

    def _check_job(self, body: dict[str, Any], second: bool, check: Check) -> None:
        """What is there of a job: only while there is one."""
        running = body["status"] in ("printing", "paused")
        for key in ("progress", "current_file", "time_remaining"):
            if key in body and not running:
                check.report(f"body.{key}: only while a job runs")
        if running:
            for key in ("progress", "current_file"):
                if key not in body:
                    check.report(f"body.{key}: missing while a job runs")
        if "progress" in body:
            check.integer(body["progress"], "body.progress", 0, 100)
        if "current_file" in body:
            check.string(body["current_file"], "body.current_file", r"[^<>]+")
        if "time_remaining" in body:
            check.integer(body["time_remaining"], "body.time_remaining", 0)
        if "last_completed" in body:
            check.string(body["last_completed"], "body.last_completed", r"(?s)[^<>]+ \([0-2]\d:[0-5]\d\)")

    def _check_local_files(self, files: Any, check: Check) -> None:
        if not isinstance(files, list) or len(files) > 50:
            check.report(f"body.files: an array of at most 50 is due, got {describe(files)}")
            return
        for index, file in enumerate(files):
            path = f"body.files[{index}]"
            if check.keys(file, path, "name size modified"):
                check.string(file["name"], f"{path}.name", r"[^<>\x00-\x1f]+")
                check.string(file["size"], f"{path}.size", r"\d+\.\d (B|KB|MB|GB|TB)")
                check.number(file["modified"], f"{path}.modified", 0)
        if not check.report.__self__ and not self.client.original:  # type: ignore[attr-defined]
            moments = [file["modified"] for file in files]
            if moments != sorted(moments, reverse=True):
                check.report("body.files: the newest come first")

    def _check_image_string(self, image: Any, second: bool, check: Check) -> None:
        if not check.string(image, "body.image"):
            return
        if image.startswith("data:"):
            if not second:
                check.report("body.image: generation 1 takes the address of its own upload")
            prefix, _, data = image.partition(",")
            try:
                picture = base64.b64decode(data, validate=True)
            except binascii.Error:
                picture = b""
            if prefix != "data:image/jpeg;base64" or not picture.startswith(b"\xff\xd8"):
                check.report(f"body.image: no JPEG: {image[:40]!r}")
            if len(picture) > LARGEST_INLINE_IMAGE:
                check.report(f"body.image: {len(picture)} bytes; at most {LARGEST_INLINE_IMAGE} are due")
        elif second:
            if not re.match(r"https?://", image):
                check.report(f"body.image: an absolute address is due, got {image!r}")
        elif not self.client.original and image != self.state["image_url"]:
            check.report(f"body.image: {self.state['image_url']!r} is due, got {image!r}")

    def _check_results(self, results: Any, check: Check) -> None:
        """The last twenty results, and how far files are that are being fetched."""
        if not isinstance(results, list) or sum(is_ended(result) for result in results) > 20:
            check.report(f"body.command_results: an array of at most 20 is due, got {describe(results)}")
            return
        for index, result in enumerate(results):
            path = f"body.command_results[{index}]"
            ended = is_ended(result)
            keys = "id action status message received_at" + (" finished_at" if ended else "")
            if not check.keys(result, path, keys):
                continue
            check.string(result["action"], f"{path}.action")
            check.choice(result["status"], f"{path}.status", f"{OUTCOMES} running")
            check.string(result["message"], f"{path}.message", "(?s).{0,500}")
            check.integer(result["received_at"], f"{path}.received_at", 1_500_000_000, 5_000_000_000)
            if ended:
                check.integer(result["finished_at"], f"{path}.finished_at", result["received_at"] - 1, 5_000_000_000)
            number = str(result["id"])
            if number not in self.state["handed_out"]:
                check.report(f"{path}.id: {number} was never handed out")
            known = self.state["results"].get(number)
            # What ends the connection too is told before it is tried.
            may_change = result["action"] in ("reboot", "shutdown", "firmware_restart")
            changed = known is not None and known["result"]["status"] != result["status"]
            if changed and not may_change:
                check.report(f"{path}: {number} was {known['result']['status']} before")

    def _clock_update(self, exchange: Exchange) -> None:
        last = self.pace("update").last
        news = last is not None and told(exchange) != told(last)
        self._check_schedule(exchange, self.state["update_seconds"], LONGEST_SILENCE, "update", news)

    def _check_schedule(self, exchange: Exchange, interval: float, longest: float, what: str, excused: bool) -> None:
        """A schedule: one that was late is not made up for by more than the next one, which comes in its own time."""
        self.check_interval(exchange, min(0.3 * interval, interval - 0.15), longest, what, excused=excused)
        window = 4 * interval
        begin = max(exchange.mono - window, self.restarted_at)
        recent = [
            e for e in self.exchanges[-60:] if e.endpoint == exchange.endpoint and begin < e.mono <= exchange.mono
        ]
        news = sum(told(a) != told(b) for a, b in itertools.pairwise(recent)) if what == "update" else 0
        news += sum(e.match.get("commands") == "10" for e in recent[:-1])  # asked again at once
        failed = sum(not e.ok or "failed" in e.match for e in recent[:-1])
        most = (exchange.mono - begin) / interval / (1 - JITTER) + 1 + 0.5 * LATE
        if not excused and len(recent) - news - 2 * failed > most:
            exchange.timing.append(f"{len(recent)} times {what} within {exchange.mono - begin:.1f} s")

    # Commands

    def _check_poll(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        if generation(exchange) == "v2":
            self._check_query(exchange, check, token=self.state["token"])
        else:
            self._check_query(exchange, check, action="get_commands", token=self.state["token"])

    def _clock_poll(self, exchange: Exchange) -> None:
        last = self.pace("commands").last
        full = last is not None and last.match.get("commands") == "10"  # there may be more
        # A hub that is back is asked at once.
        full = full or any(not e.ok for e in self.exchanges[-6:] if e.endpoint == "update")
        self._check_schedule(exchange, self.state["poll_seconds"], math.inf, "poll", full)

    async def _commands(self, exchange: Exchange) -> Answer:
        answer = await self._forward(exchange)
        commands = commands_in(answer.body)
        exchange.match["commands"] = str(len(commands))
        found = json_in(answer.body)
        if not isinstance(found, dict) or found.get("success") is not True:
            exchange.match["failed"] = "PHP itself"
        for command in commands:
            earlier = self.state["handed_out"].get(str(command.get("id")), {"times": 0, "seq": exchange.seq})
            self.state["handed_out"][str(command.get("id"))] = {
                "command": command,
                "mono": exchange.mono,
                "seq": earlier["seq"],
                "times": earlier["times"] + 1,
            }
        if commands:
            self.save()
        return answer

    def answered(self, exchange: Exchange) -> None:
        if exchange.endpoint != "update" or exchange.deviations or exchange.status != 200:
            return
        if exchange.fault not in (None, "delay", "slow", "prefix"):
            return
        for result in exchange.body.get("command_results", []):
            if not is_ended(result):
                continue
            known = self.state["results"].setdefault(str(result["id"]), {"updates": 0})
            self.state["results"][str(result["id"])] = {"result": result, "updates": known["updates"] + 1}

    # Images

    def _check_image(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        kind = exchange.header("Content-Type") or ""
        if not kind.startswith("multipart/form-data; boundary="):
            check.report(f"header Content-Type: multipart/form-data is due, got {kind!r}")
            return
        whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + exchange.raw)
        parts = [part for part in whole.get_payload() if isinstance(part, Message)] if whole.is_multipart() else []
        names = [part.get_param("name", header="content-disposition") for part in parts]
        if names != ["token", "image"]:
            check.report(f"body: the parts token and image are due, got {names}")
            return
        token, picture = (part.get_payload(decode=True) for part in parts)
        self._check_token(token.decode("latin-1"), "part token", check)
        if parts[1].get_filename() != "snapshot.jpg" or parts[1].get_content_type() != "image/jpeg":
            check.report("part image: snapshot.jpg as image/jpeg is due")
        if not self.client.original and not picture.startswith(b"\xff\xd8"):
            check.report(f"part image: no JPEG: {picture[:16]!r}")
        if len(picture) > LARGEST_IMAGE:
            check.report(f"part image: {len(picture)} bytes; PHP takes 2 MB at most")
        (self.log_folder / "image.jpg").write_bytes(picture)

    def _clock_image(self, exchange: Exchange) -> None:
        """Not more often than due; a change of state has one of its own."""
        moments = [e.mono for e in self.exchanges[-400:] if e.endpoint == "image" and e.seq != exchange.seq]
        recent = [
            mono
            for mono in moments
            if mono > max(self.restarted_at, exchange.mono - self.state["image_seconds"] + EARLY)
        ]
        changes = [
            e
            for e in self.exchanges[-400:]
            if e.endpoint == "update" and e.mono > exchange.mono - self.state["image_seconds"]
        ]
        states = [e.body.get("status") for e in changes if isinstance(e.body, dict)]
        if len(recent) > 1 + sum(a != b for a, b in itertools.pairwise(states)) + 1:
            exchange.timing.append(f"{len(recent) + 1} images within {self.state['image_seconds']} s")

    async def _image(self, exchange: Exchange) -> Answer:
        answer = await self._forward(exchange)
        found = json_in(answer.body)
        if isinstance(found, dict) and found.get("success") is True:
            self.state["image_url"] = found["image_url"]
            self.save()
        return answer

    def announce(self, exchange: Exchange) -> str | None:
        if exchange.deviations:
            return None
        match exchange.endpoint:
            case "update":
                body = exchange.body
                job = f" {body['current_file']} {body['progress']} %" if "progress" in body else ""
                nozzle = f"nozzle {body['temp_hotend']:.1f}/{body['temp_hotend_target']:.0f}"
                return (
                    f"update: {body['status']}{job} {nozzle} bed {body['temp_bed']:.0f}/{body['temp_bed_target']:.0f}"
                )
            case "commands" if exchange.match.get("commands", "0") != "0":
                return f"{exchange.match['commands']} commands handed out"
            case "image":
                return "image received"
        return None


def generation(exchange: Exchange) -> str:
    """Which generation's script was called."""
    return "v2" if "/printer-api/" in exchange.path else "v1"


def told(exchange: Exchange) -> Any:
    """What an update tells that may come before its time: states, results, pictures."""
    body = exchange.body if isinstance(exchange.body, dict) else {}
    return [body.get(key) for key in ("status", "current_file", "command_results", "image", "last_completed")]


def is_ended(result: Any) -> bool:
    """Whether an element of `command_results` is a command's end."""
    return not isinstance(result, dict) or result.get("status") != "running"


def has_decimals(value: float, digits: int) -> bool:
    """Whether a number has at most so many decimals."""
    return abs(value * 10**digits - round(value * 10**digits)) < 1e-6


def json_in(message: Any) -> Any:
    """The JSON of an answer of PHP's; None where there is none."""
    if not isinstance(message, bytes):
        return None
    try:
        return json.loads(message.partition(b"\r\n\r\n")[2].decode().strip().split("\n")[-1])
    except ValueError:
        return None


def commands_in(message: Any) -> list[dict[str, Any]]:
    """The commands of a poll's answer."""
    found = json_in(message)
    commands = found.get("commands") if isinstance(found, dict) else None
    return [command for command in commands if isinstance(command, dict)] if isinstance(commands, list) else []


def kept_open(status: int, head: bytes, body: bytes) -> web.Response:
    """The answer as a web server before PHP gives it: with its length, and the connection stays."""
    headers = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        if name.lower() not in ("host", "connection", "content-length", "date"):
            headers[name] = value
    return web.Response(status=status, headers=headers, body=body)


# The hub's files and PHP


def install(root: Path, generations: str) -> None:
    """Put the hub's scripts into the web server's root; data that are there stay."""
    hub = root / BASE.strip("/")
    hub.mkdir(parents=True, exist_ok=True)
    for name in ("v1", "v2"):
        if name in generations.split(","):
            shutil.copytree(SUPPORT / "php_hub" / name, hub, dirs_exist_ok=True)
    if (hub / "init_db.php").exists():
        subprocess.run(["php", str(hub / "init_db.php")], check=True, timeout=30)


def start_php(port: int, root: Path, shows_errors: bool) -> subprocess.Popen[bytes]:
    """PHP's own web server with several workers. They would outlive it: a shell that ends with us ends all of them."""
    settings = {
        "display_errors": "1" if shows_errors else "0",
        "html_errors": "1",
        "log_errors": "0",
        "date.timezone": "UTC",
        "upload_max_filesize": "128M",
        "post_max_size": "128M",
        "opcache.enable": "0",
    }
    options = [part for name, value in settings.items() for part in ("-d", f"{name}={value}")]
    command = ["php", *options, "-S", f"127.0.0.1:{port}", "-t", str(root)]
    return subprocess.Popen(
        ["/bin/sh", "-c", "trap 'kill -9 0' TERM; \"$@\" & wait", "php", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PHP_CLI_SERVER_WORKERS": str(WORKERS)},
        preexec_fn=lambda: end_with_parent(signal.SIGTERM),
        process_group=0,
    )


def main() -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def extend(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--php-port", type=int, required=True, help="where PHP itself listens")
        parser.add_argument("--root", type=Path, required=True, help="the web server's root, with the hub's data")
        parser.add_argument("--generations", default="v1,v2", help="which of v1,v2 there are")
        parser.add_argument("--display-errors", action="store_true", help="PHP prints its errors into the answers")
        parser.add_argument("--update", type=float, default=5.0, help="seconds between updates")
        parser.add_argument("--poll", type=float, default=3.0, help="seconds between polls")
        parser.add_argument("--image", type=float, default=30.0, help="seconds between images")
        parser.add_argument("--token", default="LAB_TEST_0001")

    def make(arguments: argparse.Namespace) -> PHPHub:
        install(arguments.root, arguments.generations)
        processes.append(start_php(arguments.php_port, arguments.root, arguments.display_errors))
        client = ORIGINAL if arguments.original else OURS
        hub = PHPHub(client, arguments.state, arguments.log, arguments.announce, php_port=arguments.php_port)
        hub.state |= {
            "update_seconds": arguments.update,
            "poll_seconds": arguments.poll,
            "image_seconds": arguments.image,
            "token": arguments.token,
        }
        return hub

    run(make, __doc__.splitlines()[0], extend)
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.wait(5)


if __name__ == "__main__":
    main()
