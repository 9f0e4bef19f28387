"""A strict Polar Cloud on the real python-socketio server: registration, greeting, statuses, jobs, pictures.

Every event of the printer is one record, with the event's name as its endpoint; what the cloud says is recorded as `sent`,
each opening of a connection as `open`. Beside the checks of shape it knows what only a server can: the signature over this
connection's challenge, what may be said before and after the greeting, which jobs were given out and reported, which
forms were given out and until when they count.

Beside the Socket.IO server, on the same port: presigned upload forms (`/upload/…`), files to be printed, good and hostile
(`/files/…`), and the list of printer makes (`/api/v1/printer_makes`).

Orders (`/_control/order/NAME`): `send` (any event), `print` (a job), `frame` (raw text to the client), `binary`, `end`
(of the connection, in several ways), `cut` (after so many packets), `expire_forms`, `file` (what a path below `/files/`
serves).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import itertools
import json
import math
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import socketio
from aiohttp import WSMsgType, web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from engineio.async_drivers import aiohttp as engine_driver
from PIL import Image

from strict_cloud import EARLY, LATE, Answer, Check, Client, Endpoint, Exchange, StrictCloud, describe, run

OURS = Client(user_agent=r"printer-uplink/\d+\.\d+\.\d+\S*", version=r"\d+\.\d+\.\d+\S*")
ORIGINAL = Client(user_agent=r".*", version=r"\d+\.\d+\.\d+", original=True)

SILENCE_SLACK = 15.0
"""Seconds that a status may come after its interval: 75 s for the usual 60."""
STEP = 5.0
"""Seconds between two statuses of one state."""
BREATH = 1.0
"""Seconds between two statuses when the state changes."""

CODES = {
    0: ("Idle", r"Idle"),
    1: ("Job Printing", r"Printing(: \d+\.\d%)?"),
    2: ("Preparing to print a job|Preparing", r"Downloading file for job: .+|Leveling and heating|Printing: \d+\.\d%"),
    3: ("Job Printing", r"Printing(: \d+\.\d%)?"),
    4: ("Job Paused", r"Paused: \d+\.\d%"),
    5: ("Post processing job", r"Complete: 100\.0%"),
    6: ("Cancelled|Killing Job", r".+"),
    7: ("Complete", r"Complete: 100\.0%"),
    12: ("Error", r".{1,120}"),
    13: ("Offline", r"Offline"),
}
"""The codes that this product sends, with their texts."""

MAC = r"[0-9A-F]{2}(:[0-9A-F]{2}){5}"
COUNT = r"\d+"
MANUFACTURERS = "kl el CR ac op bambu"
WITHOUT_GREETING = {"register", "hello"}
MAKES = {
    "cartesian": ["Cartesian", "Ender 3", "Elegoo Neptune 4", "Anycubic Kobra 2", "Voron 2.4"],
    "delta": ["Delta", "Kossel"],
    "belt": ["Belt", "Creality CR-30"],
    "octoprint-build": ["Cartesian", "Delta", "Belt"],
}


@dataclass
class Session:
    """One connection as the cloud sees it."""

    number: int
    opened: float
    challenge: str = ""
    sid: str | None = None
    socket: RecordedSocket | None = None
    registered: bool = False
    greeted: bool = False
    serial: str | None = None
    authenticated: float | None = None
    last_status: Exchange | None = None
    statuses: int = 0
    ended_by_us: bool = False
    pinged: float | None = None
    cut_after: int | None = None
    packets: int = 0


@dataclass
class ServedFile:
    """What a path below `/files/` serves."""

    kind: str = "gcode"
    content: bytes = b""
    fetches: list[float] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


class RecordedSocket(web.WebSocketResponse):
    """A WebSocket of the Engine.IO server, every message of which is written down, and which breaks on order."""

    cloud: PolarCloud  # set before the server starts

    async def prepare(self, request: web.BaseRequest) -> Any:
        self.session: Session = request["session"]
        self.session.socket = self
        self._request = request
        return await super().prepare(request)

    async def send_str(self, data: str, compress: int | None = None) -> None:
        self._count("out", data)
        if data == "2":
            self.session.pinged = time.monotonic()
        await super().send_str(data, compress)
        self._break_if_due()

    async def send_bytes(self, data: bytes, compress: int | None = None) -> None:
        self._count("out", f"<{len(data)} bytes>")
        await super().send_bytes(data, compress)
        self._break_if_due()

    async def receive(self, timeout: float | None = None) -> Any:
        message = await super().receive(timeout)
        if message.type == WSMsgType.TEXT:
            self._count("in", message.data)
            self.cloud.check_frame(self.session, message.data)
            self._break_if_due()
        elif message.type == WSMsgType.BINARY:
            self._count("in", f"<{len(message.data)} bytes>")
            self.cloud.complain(self.session, "a binary message; this protocol has none")
        elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            self._count("in", f"<{message.type.name} {message.data!r}>")
        return message

    def abort(self) -> None:
        """Cut the TCP connection."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def _count(self, direction: str, data: str) -> None:
        self.session.packets += 1
        self.cloud.note_frame(self.session, direction, data)

    def _break_if_due(self) -> None:
        if self.session.cut_after is not None and self.session.packets >= self.session.cut_after:
            self.session.ended_by_us = True
            self.abort()


class PolarCloud(StrictCloud):
    """The cloud's side of the Polar Cloud's protocol, for any number of printers."""

    name = "polar"
    anonymous_endpoints = frozenset({"upload", "files", "makes"})

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.sessions: list[Session] = []
        self.files: dict[str, ServedFile] = {}
        self.cuts: list[int] = []  # the next connections break after so many packets
        self.orderly_end = 0.0
        self.host = ""  # as the printer calls this server: its forms and files lie there, also behind a proxy
        self.scheme = "http"
        self._frames: Any = None
        self._numbers = itertools.count(1)
        self.sio: Any = None

    def fresh_state(self) -> dict[str, Any]:
        return {
            "accounts": {"maker@example.test": "1234", "other@example.test": "4321"},  # e-mail -> PIN
            "printers": {},  # serial number -> email, mac, key, mfg, deleted
            "jobs": {},  # id -> the order, when it was given out, the reports that came
            "forms": {},  # id -> what was given out
            "status_interval": 60.0,  # what the client is configured to; not on the wire
            "max_image_size": 150_000,  # what the client is configured to; not on the wire
            "ping_interval": 25.0,
            "ping_timeout": 20.0,
            "welcome_delay": 0.02,
            "form_expires": 86_400.0,
            "form_max_size": 150_000,
            "upload_status": 204,
            "blocked": {},  # what was refused for good, and when
            "refused_at": None,
        }

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("upload", "POST", r"/upload/(?P<form>[0-9a-f]+)", self._check_upload, self._upload),
            Endpoint("makes", "GET", r"/api/v1/printer_makes", self._check_makes, self._makes),
        ]

    # Life

    async def start(self, port: int, control_port: int, tls: Any = None, further_port: int | None = None) -> None:
        self.host, self.scheme = f"127.0.0.1:{port}", "https" if tls else "http"
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._frames = (self.log_folder / "frames.jsonl").open("a", encoding="utf-8")
        await super().start(port, control_port, tls, further_port)

    async def stop(self) -> None:
        for session in self.sessions:
            if session.socket is not None:
                session.socket.abort()
        await super().stop()

    def extend(self, wire: web.Application) -> None:
        """Put the Socket.IO server and the files before the other paths."""
        RecordedSocket.cloud = self
        engine_driver.WebSocketResponse = RecordedSocket
        # In order and one at a time: what the printer says is judged in the order in which it was said.
        self.sio = socketio.AsyncServer(
            async_mode="aiohttp",
            async_handlers=False,
            ping_interval=self.state["ping_interval"],
            ping_timeout=self.state["ping_timeout"],
            cors_allowed_origins="*",
            transports=["websocket"],
        )
        self.sio.on("connect", self._connected)
        self.sio.on("disconnect", self._disconnected)
        self.sio.on("*", self._heard)
        wire.router.add_route("*", "/socket.io/", self._open)
        wire.router.add_route("*", "/files/{name}", self._serve_file)

    # Connections

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """An opening handshake: judged, then the Socket.IO server's."""
        exchange = self.exchange_of(request, "open")
        check = Check(exchange.deviations.append)
        self._check_opening(exchange, check)
        pace = self.pace("open")
        if self.client.timed:
            self._check_pace(exchange, pace)
            gap = exchange.mono - self.orderly_end
            if self.orderly_end and self.orderly_end > self.restarted_at and gap < 5.0 - EARLY:
                exchange.timing.append(f"connected {gap:.1f} s after our orderly end; 5 s are due")
            self.orderly_end = 0.0
        fault = self._take_fault("open")
        pace.last = exchange
        pace.recent.append(exchange.mono)
        if fault is not None:
            return await self._reply(request, exchange, Answer(fault.status, fault.body), fault)
        if exchange.deviations:
            return await self._reply(request, exchange, Answer(400, "; ".join(exchange.deviations)), None)
        session = Session(next(self._numbers), exchange.mono)
        session.cut_after = self.cuts.pop(0) if self.cuts else None
        request["session"] = session
        self.sessions.append(session)
        exchange.status = 101
        self.host = exchange.header("Host") or self.host
        exchange.match["session"] = str(session.number)
        exchange.connection = session.number
        self._record(exchange)
        return await self.sio.handle_request(request)

    def _check_opening(self, exchange: Exchange, check: Check) -> None:
        if exchange.method != "GET":
            check.report(f"method: GET is due, got {exchange.method}")
        query = exchange.query.split("&")
        if "EIO=4" not in query:
            check.report(f"query: EIO=4 is due, got {exchange.query!r}")
        if "transport=websocket" not in query:
            check.report(f"query: transport=websocket is due, got {exchange.query!r}")
        for name in ("Cookie", "Authorization", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
            if exchange.header(name) is not None:
                check.report(f"header {name}: not sent here")
        if (exchange.header("Upgrade") or "").lower() != "websocket":
            check.report("header Upgrade: websocket is due")
        self._check_transport(exchange, check)

    async def _connected(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        session: Session = environ["aiohttp.request"]["session"]
        session.sid = sid
        await self.sio.save_session(sid, {"session": session})
        session.challenge = secrets.token_hex(16)
        if self.take_event_fault("welcome", session) is None:
            self.sio.start_background_task(self._welcome, session)

    async def _welcome(self, session: Session) -> None:
        await asyncio.sleep(self.state["welcome_delay"])
        await self.say(session, "welcome", {"challenge": session.challenge})

    async def _disconnected(self, sid: str, reason: Any = None) -> None:
        session = await self._session(sid)
        self._gone(session)

    def _gone(self, session: Session) -> None:
        session.sid = None

    async def _session(self, sid: str) -> Session:
        return (await self.sio.get_session(sid))["session"]

    @property
    def current(self) -> Session | None:
        """The newest connection that is still there."""
        for session in reversed(self.sessions):
            if session.sid is not None:
                return session
        return None

    # What is written down

    def note_frame(self, session: Session, direction: str, data: str) -> None:
        line = {"t": time.time(), "mono": time.monotonic(), "connection": session.number, "dir": direction}
        text = data if len(data) <= 2000 else data[:2000] + "…"
        self._frames.write(json.dumps(line | {"data": text}) + "\n")
        self._frames.flush()

    def check_frame(self, session: Session, data: str) -> None:
        """A packet of the client's, before the Socket.IO server sees it."""
        if data.startswith("3"):
            if session.pinged is None:
                self.complain(session, "a pong without a ping")
            elif time.monotonic() - session.pinged > 1.0 + LATE:
                self.complain(session, f"a pong after {time.monotonic() - session.pinged:.1f} s; at once is due")
            if data != "3":
                self.complain(session, f"a pong with the payload {data[1:]!r} of no ping")
            session.pinged = None
        elif not re.match(r"1$|40(/$|\{|$)|41$|42\[|43\d+\[", data):
            self.complain(session, f"a packet that is not due: {data[:60]!r}")
        elif data.startswith("42") and session.sid is None:
            self.complain(session, f"an event before the connection is there: {data[:60]!r}")

    def complain(self, session: Session, text: str) -> None:
        """Note what is wrong with a connection as such."""
        exchange = self._event_exchange(session, "packet", None)
        exchange.deviations.append(text)
        self._record(exchange)

    def _event_exchange(self, session: Session, name: str, body: Any, method: str = "EMIT") -> Exchange:
        exchange = Exchange(
            seq=len(self.exchanges) + 1,
            t=time.time(),
            mono=time.monotonic(),
            connection=session.number,
            endpoint=name,
            method=method,
            path="/socket.io/",
            query="",
            headers={},
            raw=b"",
            body=body,
            status=200,
            answered=time.monotonic(),
        )
        self.exchanges.append(exchange)
        return exchange

    async def say(self, session: Session, name: str, payload: Any, *more: Any, ack: bool = False) -> None:
        """Send an event to a printer."""
        exchange = self._event_exchange(session, "sent", {"event": name, "payload": payload}, "SEND")
        self._record(exchange)
        if session.sid is None:
            return
        data = (payload, *more) if more else payload

        def acknowledged(*answer: Any) -> None:
            self._record(self._event_exchange(session, "acknowledged", {"event": name, "answer": answer}))

        await self.sio.emit(name, data, to=session.sid, callback=acknowledged if ack else None)

    # What the printer says

    async def _heard(self, event: str, sid: str, *arguments: Any) -> None:
        session = await self._session(sid)
        body = arguments[0] if arguments else None
        exchange = self._event_exchange(session, event, body)
        check = Check(exchange.deviations.append)
        if len(arguments) != 1:
            check.report(f"one argument is due, got {len(arguments)}")
        self._check_order(session, exchange, check)
        judge = getattr(self, f"_check_{event}", None)
        if judge is None or event not in EVENTS:
            check.report(f"{event} is no event of this protocol")
        else:
            judge(session, exchange, check)
        pace = self.pace(event)
        fault = self.take_event_fault(event, session)
        if fault is not None:
            exchange.fault = fault.action
        self._record(exchange)
        pace.last = exchange
        if fault is not None and fault.action == "drop_before":
            session.ended_by_us = True
            return session.socket.abort() if session.socket else None
        if fault is not None and fault.action == "delay":
            await asyncio.sleep(fault.seconds)
        answer = None
        handle = getattr(self, f"_take_{event}", None)
        # What is answered otherwise has not been done either.
        if handle is not None and not exchange.deviations and (fault is None or fault.action != "json"):
            answer = handle(session, exchange)
        if fault is not None and fault.action in ("hang", "drop_after"):
            if fault.action == "drop_after" and session.socket:
                session.ended_by_us = True
                session.socket.abort()
            return None
        if fault is not None and fault.action == "json":
            answer = (RESPONSES.get(event, f"{event}Response"), fault.body)
        if answer is not None:
            await self.say(session, *answer)
            self._answered_event(session, event, answer[1])
        return None

    def take_event_fault(self, event: str, session: Session) -> Any:
        """The misbehaviour that was ordered for an event, if any."""
        return self._take_fault(event)

    def _answered_event(self, session: Session, event: str, payload: Any) -> None:
        accepted = payload == "SUCCESS" or (isinstance(payload, dict) and payload.get("status") == "SUCCESS")
        if accepted:
            self.pace("open").recent.clear()
        if event == "hello" and accepted:
            session.authenticated = time.monotonic()

    def _check_order(self, session: Session, exchange: Exchange, check: Check) -> None:
        """What may be said when on one connection."""
        event = exchange.endpoint
        if event in WITHOUT_GREETING:
            if session.registered and event == "hello":
                check.report("hello after register on one connection")
            if session.greeted and event == "hello":
                check.report("hello twice on one connection")
            if session.registered and event == "register":
                check.report("register twice on one connection")
            if session.greeted and event == "register":
                check.report("register after hello on one connection")
            return
        if session.authenticated is None:
            check.report(f"event.before_auth: {event} before the greeting was accepted")

    def _check_serial(self, session: Session, exchange: Exchange, check: Check) -> None:
        due = session.serial
        got = exchange.body.get("serialNumber")
        if due is not None and got != due:
            check.report(f"payload.serialNumber: {due!r} is due, got {got!r}")

    # Registration

    def _check_register(self, session: Session, exchange: Exchange, check: Check) -> None:
        session.registered = True
        body = exchange.body
        if not check.keys(body, "payload", "mfg email pin publicKey mfgSn myInfo"):
            return
        check.choice(body["mfg"], "payload.mfg", MANUFACTURERS)
        check.string(body["email"], "payload.email", r".+@.+")
        check.string(body["pin"], "payload.pin", r"\d+")
        if check.keys(body["myInfo"], "payload.myInfo", "MAC", "protocolVersion machineType printerType"):
            check.string(body["myInfo"]["MAC"], "payload.myInfo.MAC", MAC)
            if isinstance(body["mfg"], str) and not self.client.original:
                due = f"{body['mfg'].upper()}-{str(body['myInfo']['MAC']).replace(':', '')}"
                if body["mfgSn"] != due:
                    check.report(f"payload.mfgSn: {due} is due, got {body['mfgSn']!r}")
        if check.string(body["publicKey"], "payload.publicKey"):
            self._public_key(body["publicKey"], check)
        if self.client.timed:
            self._clock_register(session, exchange)

    def _clock_register(self, session: Session, exchange: Exchange) -> None:
        credentials = json.dumps([exchange.body["email"], exchange.body["pin"]])
        blocked = self.state["blocked"].get(credentials)
        if blocked is not None and blocked > self.restarted_at:
            exchange.timing.append("register again although it was refused for good, or the printer was deleted")
        last = self.state["refused_at"]
        if last is not None and last > self.restarted_at and exchange.mono - last < 60.0 - EARLY:
            exchange.timing.append(f"register {exchange.mono - last:.1f} s after a refusal; 60 s are due")

    @staticmethod
    def _public_key(text: str, check: Check) -> None:
        if not re.fullmatch(
            r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{64}\n)*[A-Za-z0-9+/=]{1,64}\n-----END PUBLIC KEY-----\n", text
        ):
            check.report("payload.publicKey: SPKI PEM in lines of 64 columns with a line end at its end is due")
            return
        try:
            key = serialization.load_pem_public_key(text.encode())
        except ValueError as error:
            check.report(f"payload.publicKey: {error}")
            return
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size != 2048 or key.public_numbers().e != 65537:
            check.report("payload.publicKey: RSA of 2048 bits with e = 65537 is due")

    def _take_register(self, session: Session, exchange: Exchange) -> tuple[str, Any]:
        body = exchange.body
        credentials = json.dumps([body["email"], body["pin"]])
        if self.state["accounts"].get(body["email"]) != body["pin"]:
            self.state["blocked"][credentials] = time.monotonic()
            self.save()
            return "registerResponse", {"status": "FAILED", "reason": "EMAIL_PIN_ERROR"}
        mac = body["myInfo"]["MAC"]
        for serial, printer in self.state["printers"].items():
            if printer["mac"] == mac:
                if printer["email"] != body["email"] and not printer["deleted"]:
                    self.state["blocked"][credentials] = time.monotonic()
                    return "registerResponse", {"status": "FAILED", "reason": "FORBIDDEN"}
                break
        else:
            serial = f"{body['mfg'].upper()}{len(self.state['printers']) + 1:06}"
        self.state["printers"][serial] = {
            "email": body["email"],
            "mac": mac,
            "key": body["publicKey"],
            "mfg": body["mfg"],
            "deleted": False,
        }
        self.save()
        return "registerResponse", {"status": "SUCCESS", "reason": "SUCCESS", "serialNumber": serial}

    # Greeting

    def _check_hello(self, session: Session, exchange: Exchange, check: Check) -> None:
        session.greeted = True
        body = exchange.body
        required = "serialNumber protocol MAC localIP signature mfgSn printerMake version camOff rotateImg transformImg"
        if not check.keys(body, "payload", required, "camUrl"):
            return
        check.string(body["serialNumber"], "payload.serialNumber", r".+")
        if body["protocol"] != "2":
            check.report(f'payload.protocol: "2" is due, got {body["protocol"]!r}')
        check.string(body["MAC"], "payload.MAC", MAC)
        check.string(body["localIP"], "payload.localIP", r"\d+\.\d+\.\d+\.\d+")
        check.string(body["mfgSn"], "payload.mfgSn", r"[A-Z]+-[0-9A-F]{12}")
        if isinstance(body["MAC"], str) and not str(body["mfgSn"]).endswith(body["MAC"].replace(":", "")):
            check.report("payload.mfgSn: does not end with the MAC")
        check.string(body["printerMake"], "payload.printerMake", r".+")
        check.string(body["version"], "payload.version", self.client.version)
        check.integer(body["camOff"], "payload.camOff", 0, 1)
        check.integer(body["rotateImg"], "payload.rotateImg", 0, 1)
        check.integer(body["transformImg"], "payload.transformImg", 0, 7)
        if "camUrl" in body:
            check.string(body["camUrl"], "payload.camUrl", r"https?://.+")
        check.string(body["signature"], "payload.signature", r"[A-Za-z0-9+/]{342}==")
        printer = self.state["printers"].get(body["serialNumber"])
        if printer is None:
            return
        if printer["mac"] != body["MAC"]:
            check.report(f"payload.MAC: {printer['mac']} was registered, got {body['MAC']!r}")
        self._check_signature(session, body["signature"], printer["key"], check)

    @staticmethod
    def _check_signature(session: Session, signature: Any, key: str, check: Check) -> None:
        public = serialization.load_pem_public_key(key.encode())
        assert isinstance(public, rsa.RSAPublicKey)
        try:
            public.verify(
                base64.b64decode(signature, validate=True),
                session.challenge.encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (InvalidSignature, ValueError, TypeError):
            check.report("payload.signature: does not fit this connection's challenge")

    def _take_hello(self, session: Session, exchange: Exchange) -> tuple[str, Any]:
        serial = exchange.body["serialNumber"]
        printer = self.state["printers"].get(serial)
        if printer is None:
            return "helloResponse", {"serialNumber": serial, "status": "FAILED", "message": "Unknown printer"}
        if printer["deleted"]:
            return "helloResponse", {"serialNumber": serial, "status": "DELETED"}
        session.serial = serial
        return "helloResponse", {"serialNumber": serial, "status": "SUCCESS"}

    # Status

    def _check_status(self, session: Session, exchange: Exchange, check: Check) -> None:
        body = exchange.body
        required = "serialNumber status progress progressDetail estimatedTime printSeconds"
        heaters = "tool0 bed targetTool0 targetBed"
        optional = "tool1 targetTool1 chamber targetChamber filamentUsed startTime bytesRead fileSize jobId"
        if not check.keys(body, "payload", f"{required} {heaters}", f"{optional} stlFile configFile"):
            return
        self._check_serial(session, exchange, check)
        if check.integer(body["status"], "payload.status") and body["status"] not in CODES:
            check.report(f"payload.status: {body['status']} is never sent")
        code = body["status"]
        if code in CODES and not self.client.original:
            progress, detail = CODES[code]
            check.string(body["progress"], "payload.progress", progress)
            notice = "" if code in (12, 13) else r"( - \S.{0,119})?"
            check.string(body["progressDetail"], "payload.progressDetail", f"(?:{detail}){notice}")
        check.string(body["estimatedTime"], "payload.estimatedTime", COUNT)
        check.integer(body["printSeconds"], "payload.printSeconds", 0)
        for key in ("tool0", "tool1", "bed", "chamber", "targetTool0", "targetTool1", "targetBed", "targetChamber"):
            if key in body and check.number(body[key], f"payload.{key}", -273.2, 1000):
                if not math.isclose(body[key] * 10, round(body[key] * 10), abs_tol=1e-6):
                    check.report(f"payload.{key}: one decimal is due, got {body[key]}")
        if "filamentUsed" in body:
            check.string(body["filamentUsed"], "payload.filamentUsed", r"[1-9]\d*")
        for key in ("bytesRead", "fileSize"):
            if key in body:
                check.integer(body[key], f"payload.{key}", 1)
        if "startTime" in body:
            check.string(body["startTime"], "payload.startTime", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
        self._check_job_of_status(body, check)
        if self.client.timed:
            self._clock_status(session, exchange)
        session.last_status = exchange
        session.statuses += 1

    def _check_job_of_status(self, body: dict[str, Any], check: Check) -> None:
        job = None
        if "jobId" in body and check.string(body["jobId"], "payload.jobId", ".+"):
            job = self.state["jobs"].get(body["jobId"])
            if job is None:
                check.report(f"payload.jobId: {body['jobId']!r} was never given out")
        if body["status"] == 3 and job is None:
            check.report("payload.jobId: missing while a cloud job prints")
        if body["status"] in (0, 1) and job is not None and not self.client.original:
            check.report(f"payload.jobId: there is none with status {body['status']}")
        for key in ("stlFile", "configFile"):
            if key in body and (job is None or body[key] != job["order"].get(key)):
                check.report(f"payload.{key}: not what the job was given out with")

    def _clock_status(self, session: Session, exchange: Exchange) -> None:
        last = session.last_status
        if last is None:
            since = session.authenticated
            if since is not None and exchange.mono - since > 2.0 + LATE:
                exchange.timing.append(f"first status {exchange.mono - since:.1f} s after the greeting; at once is due")
            return
        gap = exchange.mono - last.mono
        turned = any(exchange.body.get(key) != last.body.get(key) for key in ("status", "jobId"))
        # The one report of a job's end goes out with it.
        least = 0.0 if exchange.body["status"] == 5 else BREATH if turned else STEP
        if last.body["status"] == 5:
            least = min(least, BREATH)
        if gap < least - EARLY:
            exchange.timing.append(f"status after {gap:.2f} s; not before {least:g} s")
        longest = self.state["status_interval"] + SILENCE_SLACK
        if gap > longest + LATE and last.mono > max(self.disturbed_at, self.restarted_at):
            exchange.timing.append(f"status only after {gap:.1f} s; due within {longest:g} s")

    # Jobs

    def _check_job(self, session: Session, exchange: Exchange, check: Check) -> None:
        body = exchange.body
        required = "serialNumber jobId state" if self.client.original else "serialNumber jobId state printSeconds"
        if not check.keys(body, "payload", required, "printSeconds filamentUsed bytesRead fileSize"):
            return
        self._check_serial(session, exchange, check)
        check.choice(body["state"], "payload.state", "completed canceled")
        if "printSeconds" in body:
            check.integer(body["printSeconds"], "payload.printSeconds", 0)
        for key in ("filamentUsed", "bytesRead", "fileSize"):
            if key in body:
                check.integer(body[key], f"payload.{key}", 1)
        job = self.state["jobs"].get(body["jobId"])
        if job is None:
            check.report(f"payload.jobId: {body['jobId']!r} was never given out")
            return
        if job["reports"]:
            check.report(f"job {body['jobId']} was reported already, as {job['reports'][0]}")
        job["reports"].append(body["state"])
        self.save()

    # Pictures

    def _check_getUrl(self, session: Session, exchange: Exchange, check: Check) -> None:
        body = exchange.body
        if not check.keys(body, "payload", "serialNumber method type", "jobId"):
            return
        self._check_serial(session, exchange, check)
        if body["method"] != "post":
            check.report(f"payload.method: post is due, got {body['method']!r}")
        check.choice(body["type"], "payload.type", "idle printing timelapse")
        if body["type"] == "idle":
            if "jobId" in body:
                check.report("payload.jobId: not sent with type idle")
        elif "jobId" not in body:
            check.report(f"payload.jobId: due with type {body['type']}")
        elif body["jobId"] not in self.state["jobs"]:
            check.report(f"payload.jobId: {body['jobId']!r} was never given out")

    def _take_getUrl(self, session: Session, exchange: Exchange) -> tuple[str, Any]:
        body = exchange.body
        number = secrets.token_hex(8)
        now = datetime.now(UTC)
        expires = self.state["form_expires"]
        until = (now + timedelta(seconds=expires)).strftime("%Y%m%dT%H%M%SZ")
        folder = session.serial if body["type"] == "idle" else f"{session.serial}/{body['jobId']}"
        fields = {
            "bucket": "polar3d.test",
            "key": f"files/printer/{folder}/snapshot.jpg",
            "acl": "public-read",
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"TESTKEY/{now:%Y%m%d}/us-west-2/s3/aws4_request",
            "X-Amz-Date": now.strftime("%Y%m%dT%H%M%SZ"),
            "Policy": base64.b64encode(json.dumps({"expiration": until}).encode()).decode(),
            "X-Amz-Signature": secrets.token_hex(32),
        }
        self.state["forms"][number] = {
            "type": body["type"],
            "job": body.get("jobId"),
            "fields": fields,
            "expires": time.monotonic() + expires,
            "max_size": self.state["form_max_size"],
            "used": 0,
        }
        self.save()
        answer = {
            "serialNumber": session.serial,
            "status": "SUCCESS",
            "type": body["type"],
            "expires": int(expires),
            "maxSize": self.state["form_max_size"],
            "contentType": "image/jpeg",
            "method": "post",
            "url": f"{self.scheme}://{self.host}/upload/{number}",
            "fields": fields,
        }
        return "getUrlResponse", answer

    def _check_upload(self, exchange: Exchange, check: Check) -> None:
        form = self.state["forms"].get(exchange.match["form"])
        if form is None:
            check.report("this form was never given out")
            return
        for name in ("Authorization", "Cookie", "Content-Encoding"):
            if exchange.header(name) is not None:
                check.report(f"header {name}: not sent here")
        parts = split_form(exchange, check)
        if parts is None:
            return
        due = list(form["fields"])
        names = [name for name, *_ in parts]
        if sorted(names[:-1]) != sorted(due) or names[-1:] != ["file"]:
            check.report(f"parts: every field once, then file as the last, are due; got {', '.join(names)}")
            return
        for name, filename, kind, data in parts[:-1]:
            if filename is not None or kind is not None:
                check.report(f"part {name}: text without a content type is due")
            if data.decode("utf-8", "replace") != form["fields"][name]:
                check.report(f"part {name}: not the value that the form was given out with")
        _, filename, kind, data = parts[-1]
        if filename != "image.jpg" or kind != "image/jpeg":
            check.report(f"part file: image.jpg of image/jpeg is due, got {filename!r} of {kind!r}")
        limit = min(form["max_size"], self.state["max_image_size"])
        if len(data) > limit:
            check.report(f"part file: {len(data)} bytes; {limit} are allowed")
        self._check_jpeg(data, check)
        exchange.body = {"type": form["type"], "job": form["job"], "size": len(data), "form": exchange.match["form"]}
        if self.client.timed:
            self._clock_upload(exchange, form)

    @staticmethod
    def _check_jpeg(data: bytes, check: Check) -> None:
        if not data.startswith(b"\xff\xd8") or not data.rstrip(b"\0").endswith(b"\xff\xd9"):
            check.report("part file: no whole JPEG")
            return
        try:
            Image.open(io.BytesIO(data)).load()
        except Exception as error:
            check.report(f"part file: no JPEG: {error}")

    def _clock_upload(self, exchange: Exchange, form: dict[str, Any]) -> None:
        if time.monotonic() > form["expires"]:
            exchange.timing.append("a form was used after it had expired")
        last = form.get("at")
        if last is not None and last > self.restarted_at and exchange.mono - last < 4.5 - EARLY:
            exchange.timing.append(f"a picture {exchange.mono - last:.1f} s after the one before")
        form["at"] = exchange.mono

    def _upload(self, exchange: Exchange) -> Answer:
        form = self.state["forms"][exchange.match["form"]]
        if time.monotonic() > form["expires"]:
            return Answer(403, {"error": "Policy expired"})
        form["used"] += 1
        parts = split_form(exchange, Check(lambda text: None))
        (self.log_folder / f"picture-{form['type']}.jpg").write_bytes(parts[-1][3] if parts else b"")
        self.save()
        status = self.state["upload_status"]
        return Answer(status, {"ok": True}, empty=status == 204)

    # The rest of the events

    def _check_setVersion(self, session: Session, exchange: Exchange, check: Check) -> None:
        if not check.keys(exchange.body, "payload", "serialNumber runningVersion", "latestVersion"):
            return
        self._check_serial(session, exchange, check)
        check.string(exchange.body["runningVersion"], "payload.runningVersion", self.client.version)

    def _check_unregister(self, session: Session, exchange: Exchange, check: Check) -> None:
        if check.keys(exchange.body, "payload", "serialNumber"):
            self._check_serial(session, exchange, check)

    def _take_unregister(self, session: Session, exchange: Exchange) -> tuple[str, Any]:
        if session.serial is not None:
            self.state["printers"][session.serial]["deleted"] = True
            self.save()
        return "unregisterResponse", {"status": "SUCCESS", "message": ""}

    def _check_commandResponse(self, session: Session, exchange: Exchange, check: Check) -> None:
        if not check.keys(exchange.body, "payload", "serialNumber response"):
            return
        self._check_serial(session, exchange, check)
        if check.string(exchange.body["response"], "payload.response") and len(exchange.body["response"]) > 4096:
            check.report("payload.response: more than 4096 characters")

    # Printer makes

    def _check_makes(self, exchange: Exchange, check: Check) -> None:
        if exchange.header("Cookie") is not None or exchange.header("Authorization") is not None:
            check.report("header: no credentials here")
        wanted = re.fullmatch(r"filter=([a-z-]+)", exchange.query)
        if wanted is None or wanted[1] not in MAKES:
            check.report(f"query: filter=<{'|'.join(MAKES)}> is due, got {exchange.query!r}")

    def _makes(self, exchange: Exchange) -> Answer:
        return Answer(200, {"printerMakes": MAKES[exchange.query.removeprefix("filter=")]})

    # Files

    def exchange_of(self, request: web.Request, endpoint: str) -> Exchange:
        """The record of a request that does not go the usual way; it is in the list already."""
        exchange = Exchange(
            seq=len(self.exchanges) + 1,
            t=time.time(),
            mono=time.monotonic(),
            connection=self._connection(request),
            endpoint=endpoint,
            method=request.method,
            path=request.raw_path.split("?", 1)[0],
            query=request.query_string,
            headers={key.decode("latin-1"): value.decode("latin-1") for key, value in request.raw_headers},
            raw=b"",
        )
        self.exchanges.append(exchange)
        return exchange

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        exchange = self.exchange_of(request, "files")
        name = request.match_info["name"]
        exchange.body = {"name": name}
        check = Check(exchange.deviations.append)
        if request.method != "GET":
            check.report(f"method: GET is due, got {request.method}")
        for header in ("Authorization", "Cookie"):
            if exchange.header(header) is not None:
                check.report(f"header {header}: files are fetched without credentials")
        served = self.files.get(name)
        fault = self._take_fault("files")
        if fault is not None or served is None:
            return await self._reply(request, exchange, Answer(404, {"error": "Not found"}), fault)
        served.fetches.append(exchange.mono)
        content = served.content or (self.log_folder / "files" / name).read_bytes()
        exchange.status = int(served.options.get("status", 200))
        self._record(exchange)
        return await hostile(request, served, content)

    # Orders

    def order(self, name: str, arguments: dict[str, Any]) -> Any:
        handler = getattr(self, f"_order_{name}", None)
        if handler is None:
            raise KeyError(name)
        return handler(**arguments) or {"ok": True}

    def _background(self, work: Any) -> None:
        self._tasks = {task for task in getattr(self, "_tasks", set()) if not task.done()}
        self._tasks.add(asyncio.get_running_loop().create_task(work))

    def _order_send(
        self, event: str, payload: Any = None, more: Any = (), serial: Any = ..., ack: bool = False
    ) -> None:
        """Any event; an object gets the serial number where it has none (`serial` as null: not)."""
        session = self._must_be_there()
        body = {} if payload is None else payload
        if isinstance(body, dict) and serial is ... and "serialNumber" not in body:
            body = body | {"serialNumber": session.serial}
        if event == "delete" and session.serial is not None:
            printer = self.state["printers"][session.serial]
            printer["deleted"] = True
            for credentials in [json.dumps([printer["email"], self.state["accounts"].get(printer["email"])])]:
                self.state["blocked"][credentials] = time.monotonic()
            self.save()
        self._background(self.say(session, event, body, *more, ack=ack))

    def _order_print(self, job: str, **order: Any) -> None:
        """A job; with `gcodeFile` as a name below `/files/`, or a whole URL."""
        payload = {"jobId": job} | {key: self._url(key, value) for key, value in order.items()}
        # A second order with a known id is the same job.
        known = self.state["jobs"].setdefault(job, {"order": payload, "given": time.time(), "reports": []})
        known["order"] = known["order"] | payload
        self.save()
        self._order_send("print", payload)

    def _url(self, key: str, value: Any) -> Any:
        if key.endswith("File") and isinstance(value, str) and ":" not in value and value:
            return f"{self.scheme}://{self.host}/files/{value}"
        return value

    def _order_file(self, name: str, kind: str = "gcode", content: str = "", **options: Any) -> None:
        self.files[name] = ServedFile(kind, content.encode(), options=options)
        folder = self.log_folder / "files"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content.encode())

    def _order_frame(self, text: str, repeat: int = 1) -> None:
        """Raw text to the client, beside the Socket.IO server; `text` may hold `{n}` for a running number."""
        session = self._must_be_there()

        async def send() -> None:
            for number in range(repeat):
                assert session.socket is not None
                await session.socket.send_str(text.replace("{n}", str(number)))

        self._background(send())

    def _order_large(self, megabytes: int) -> None:
        """One event with so much text."""
        session = self._must_be_there()

        async def send() -> None:
            assert session.socket is not None
            await session.socket.send_str('42["message","' + "x" * (megabytes << 20) + '"]')

        self._background(send())

    def _order_binary(self, size: int = 10) -> None:
        session = self._must_be_there()
        assert session.socket is not None
        self._background(session.socket.send_bytes(secrets.token_bytes(size)))

    def _order_end(self, how: str = "reset") -> None:
        """End the connection: `reset` (TCP), `close` (a close frame), `engine` (`1`), `socketio` (`41`)."""
        session = self._must_be_there()
        session.ended_by_us = True
        socket = session.socket
        assert socket is not None
        if how != "reset":
            self.orderly_end = time.monotonic()
        match how:
            case "reset":
                socket.abort()
            case "close":
                self._background(socket.close(code=1001))
            case "engine":
                self._background(socket.send_str("1"))
            case "socketio":
                self._background(self.sio.disconnect(session.sid))
            case _:
                raise KeyError(how)

    def _order_cut(self, after: list[int]) -> None:
        """The next connections break after so many packets, counted in both directions."""
        self.cuts += after

    def _order_expire_forms(self) -> None:
        for form in self.state["forms"].values():
            form["expires"] = 0.0

    def _order_forget(self) -> None:
        """Forget what was refused: somebody changed the credentials."""
        self.state["blocked"], self.state["refused_at"] = {}, None

    def _must_be_there(self) -> Session:
        session = self.current
        if session is None:
            raise KeyError("no printer is connected")
        return session

    def announce(self, exchange: Exchange) -> str | None:
        body = exchange.body if isinstance(exchange.body, dict) else {}
        match exchange.endpoint:
            case "register":
                return f"register  {body.get('email')}"
            case "hello":
                return f"hello  {body.get('serialNumber')} ({body.get('printerMake')})"
            case "status":
                return f"status  {body.get('status')} {body.get('progress')}, {body.get('progressDetail')}"
            case "job":
                return f"job  {body.get('jobId')} {body.get('state')}"
            case "upload":
                return f"picture  {body.get('type')}, {body.get('size')} bytes"
            case "sent":
                return None if body.get("event") in QUIET else f"to the printer: {body.get('event')}"
        return None


EVENTS = {"register", "hello", "status", "job", "getUrl", "setVersion", "unregister", "commandResponse"}
RESPONSES = {"register": "registerResponse", "hello": "helloResponse", "getUrl": "getUrlResponse"}
QUIET = {"welcome", "registerResponse", "helloResponse", "getUrlResponse"}

Part = tuple[str, str | None, str | None, bytes]


def split_form(exchange: Exchange, check: Check) -> list[Part] | None:
    """The parts of a multipart body, strictly: name, file name, content type, bytes. None after a report."""
    kind = exchange.header("Content-Type") or ""
    match = re.fullmatch(r'multipart/form-data; boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?', kind)
    if match is None:
        check.report(f"header Content-Type: multipart/form-data with a boundary is due, got {kind!r}")
        return None
    line = b"--" + match[1].encode()
    if not exchange.raw.startswith(line + b"\r\n") or not exchange.raw.endswith(b"\r\n" + line + b"--\r\n"):
        check.report("body: does not begin and end with its boundary")
        return None
    inside = exchange.raw[len(line) + 2 : -len(line) - 6]
    parts: list[Part] = []
    for piece in inside.split(b"\r\n" + line + b"\r\n"):
        head, separator, data = piece.partition(b"\r\n\r\n")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (row.partition(":") for row in head.decode("utf-8", "replace").split("\r\n"))
        }
        disposition = re.fullmatch(
            r'form-data; name="([^"]*)"(?:; filename="([^"]*)")?', fields.get("content-disposition", "")
        )
        if not separator or disposition is None or fields.keys() - {"content-disposition", "content-type"}:
            check.report(f"body: a part with an odd head: {describe(head.decode('utf-8', 'replace'))}")
            return None
        parts.append((disposition[1], disposition[2], fields.get("content-type"), data))
    return parts


async def hostile(request: web.Request, served: ServedFile, content: bytes) -> web.StreamResponse:
    """A file as its kind wants it.

    - gcode: as it should be; `status` as an option.
    - short, long: fewer or more bytes than announced.
    - endless: bytes without end; silent: a head and then nothing; slow: in pieces over `seconds`.
    - html: a web page; empty; chunked: without a length.
    - redirect: to `location`.
    - filling: the content, then comments up to so many `megabytes`.
    - flaky: 503 for the first `times` fetches.
    """
    options = served.options
    match served.kind:
        case "flaky" if len(served.fetches) <= options.get("times", 1):
            return web.Response(status=503, text="busy")
        case "gcode" | "flaky":
            return web.Response(status=options.get("status", 200), body=content, content_type="text/plain")
        case "html":
            return web.Response(text="<!DOCTYPE html><html><body>Please log in</body></html>", content_type="text/html")
        case "empty":
            return web.Response(body=b"", content_type="text/plain")
        case "redirect":
            return web.Response(status=302, headers={"Location": options["location"]})
        case "filling":
            return await fill(request, content, options["megabytes"])
    announced = {"short": len(content) + 1000, "long": max(1, len(content) // 2)}.get(served.kind)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    if announced is not None:
        transport = request.transport
        assert transport is not None
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {announced}\r\n\r\n"
        transport.write(head.encode() + content)  # aiohttp itself would not lie
        await asyncio.sleep(0.2)
        transport.close()
        return web.Response()
    await response.prepare(request)
    match served.kind:
        case "chunked":
            await response.write(content)
        case "silent":
            await response.write(content[:100])
            await asyncio.sleep(options.get("seconds", 3600))
        case "slow":
            pieces = [
                content[at : at + max(1, len(content) // 20)]
                for at in range(0, len(content), max(1, len(content) // 20))
            ]
            for piece in pieces:
                await response.write(piece)
                await asyncio.sleep(options.get("seconds", 2.0) / len(pieces))
        case "endless":
            while True:
                await response.write(b"G1 X10 Y10 F3000\n" * 4096)
        case _:
            raise KeyError(served.kind)
    return response


async def fill(request: web.Request, content: bytes, megabytes: int) -> web.StreamResponse:
    """A file of that size, without holding it."""
    line = b"; " + b"x" * 997 + b"\n"
    size = len(content) + megabytes * 1000 * len(line)
    response = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": str(size)})
    await response.prepare(request)
    await response.write(content)
    for _ in range(megabytes):
        await response.write(line * 1000)
    return response


def make(arguments: argparse.Namespace) -> PolarCloud:
    client = ORIGINAL if arguments.original else OURS
    cloud = PolarCloud(client, arguments.state, arguments.log, arguments.announce)
    for key in ("status_interval", "ping_interval", "ping_timeout", "max_image_size"):
        value = getattr(arguments, key)
        if value is not None:
            cloud.state[key] = value
    return cloud


def extend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status-interval", type=float, help="longest silence that the client is configured to, s")
    parser.add_argument("--ping-interval", type=float, help="seconds between pings")
    parser.add_argument("--ping-timeout", type=float, help="seconds that a pong may take")
    parser.add_argument("--max-image-size", type=int, help="what the client is configured to, bytes")


def main() -> None:
    run(make, __doc__.splitlines()[0], extend)


if __name__ == "__main__":
    main()
