"""A strict client that behaves as Ultimaker Cura does: the same bytes on the wire, the same patience, and no mercy.

    cura = CuraClient("127.0.0.1", 8008, Variant.CURA_5_11)
    cura.add_by_address()
    printers, jobs = cura.poll()
    cura.upload("UM3_cube.ufp", ufp(gcode))
    assert cura.deviations == []

Whatever Cura or Qt could not use is a deviation: an answer without a length, a missing key, a float where Cura wants an
integer, a queued job that is assigned. It stands on plain sockets: no library may forgive what Qt does not.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import secrets
import select
import socket
import threading
import time
import zipfile
import zlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from harness import PATIENCE
from sample_gcode import thumbnail

CLUSTER = "/cluster-api/v1"
PRINTER = "/api/v1"
QUICK = 0.2 * PATIENCE
"""Seconds in which a look must be answered."""
CONNECTIONS = 6
"""So many connections Qt keeps to one host."""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PRINTER_STATES = {
    *("unreachable", "idle", "pre_print", "printing", "error", "maintenance", "booting", "post_print"),
    *("wait_cleanup", "paused", "unknown", "disabled"),
}
QUEUE_STATES = {"queued", "error"}
JOB_STATES = QUEUE_STATES | {
    *(
        "sent_to_printer",
        "pre_print",
        "printing",
        "pausing",
        "paused",
        "resuming",
        "aborting",
        "wait_cleanup",
        "failed",
    ),
    *("finished", "aborted", "aborted_post_print", "aborted_wait_user_action", "aborted_wait_cleanup", "post_print"),
    *("failed_post_print", "failed_wait_user_action", "failed_wait_cleanup"),
}


class Variant(Enum):
    """The generations of Cura that differ on the wire: version, agent's spelling, signed requests, part headers, slashes."""

    CURA_4_0 = ("4.0.0", "Ultimaker-Cura", False, "Content-Disposition", "Content-Type", "/", "gzip, deflate")
    CURA_4_13 = ("4.13.0", "Ultimaker-Cura", False, "Content-Disposition", "Content-Type", "", "gzip, deflate")
    CURA_5_0 = ("5.0.0", "UltiMaker-Cura", False, "content-disposition", "content-type", "", "gzip, deflate")
    CURA_5_11 = ("5.11.0", "UltiMaker-Cura", True, "content-disposition", "content-type", "", "zstd, br, gzip, deflate")

    def __init__(
        self, version: str, agent: str, signs: bool, disposition: str, part_type: str, slash: str, encodings: str
    ) -> None:
        self.version = version
        self.agent = agent
        self.signs = signs
        self.disposition = disposition
        self.part_type = part_type
        self.slash = slash
        self.encodings = encodings


class NoAnswer(Exception):
    """The connection ended, or the time was up, before there was a status."""


@dataclass
class Reply:
    """An answer as it came."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    framing: str = "length"

    @property
    def json(self) -> Any:
        return json.loads(self.body.decode())

    @property
    def message(self) -> str:
        return self.json["message"]


class Wire:
    """One keep-alive connection, and what is read of it."""

    def __init__(self, address: tuple[str, int], timeout: float, source: str | None = None) -> None:
        self.socket = socket.create_connection(address, timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self) -> None:
        self.socket.close()

    @property
    def is_idle(self) -> bool:
        """Whether the far side has neither closed nor said more than it was asked for."""
        return not self.buffer and not select.select([self.socket], [], [], 0)[0]

    def more(self) -> bytes:
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise NoAnswer("no answer in time") from None
        except OSError as error:
            raise NoAnswer(f"the connection broke: {error}") from None
        if not data:
            raise NoAnswer(f"the connection was closed after {len(self.buffer)} bytes")
        self.buffer += data
        return data

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self) -> bytes:
        while True:
            try:
                self.more()
            except NoAnswer:
                data, self.buffer = self.buffer, b""
                return data

    def reply(self, method: str) -> Reply:
        """Read one answer; ValueError where it is none that Qt understands."""
        words = self.line().split(b" ", 2)
        if len(words) < 2 or words[0] not in (b"HTTP/1.1", b"HTTP/1.0") or not words[1].isdigit():
            raise ValueError(f"no status line: {words!r}")
        reply = Reply(int(words[1]))
        while line := self.line():
            name, colon, value = line.partition(b":")
            if not colon or name != name.strip() or not name:
                raise ValueError(f"no header line: {line!r}")
            key = name.decode("latin-1").lower()
            if key in reply.headers and key in ("content-length", "transfer-encoding", "content-type"):
                raise ValueError(f"{key} is there twice")
            reply.headers[key] = value.strip().decode("latin-1")
        if reply.status == 100:
            raise ValueError("100 Continue without Expect")
        self._body(reply, method)
        return reply

    def _body(self, reply: Reply, method: str) -> None:
        length = reply.headers.get("content-length")
        chunked = reply.headers.get("transfer-encoding", "").lower() == "chunked"
        if length is not None and chunked:
            raise ValueError("Content-Length and Transfer-Encoding together")
        if chunked:
            reply.framing = "chunked"
            while size := int(self.line().split(b";")[0], 16):
                reply.body += self.exactly(size)
                if self.exactly(2) != b"\r\n":
                    raise ValueError("a chunk does not end")
            while self.line():
                pass
        elif length is not None:
            if not length.isdigit():
                raise ValueError(f"Content-Length: {length}")
            if method != "HEAD":
                reply.body = self.exactly(int(length))
        elif reply.status in (204, 304):
            pass
        elif reply.headers.get("connection", "").lower() == "close":
            reply.framing = "close"
            reply.body = self.rest()
        else:
            reply.framing = "missing"
        coding = reply.headers.get("content-encoding", "identity")
        if coding == "gzip":
            reply.body = gzip.decompress(reply.body)
        elif coding == "deflate":
            reply.body = zlib.decompress(reply.body)
        elif coding != "identity":
            raise ValueError(f"Content-Encoding: {coding}")


class CuraClient:
    """One Cura, connected to one printer."""

    def __init__(
        self,
        host: str,
        port: int = 80,
        variant: Variant = Variant.CURA_5_11,
        owner: str = "alice",
        source: str | None = None,
        timeout: float = 20.0,
    ) -> None:
        self.host = host
        self.port = port
        self.variant = variant
        self.owner = owner
        self.timeout = timeout * PATIENCE
        self.deviations: list[str] = []
        self.printer_uuid: str | None = None
        self.key: tuple[str, str] | None = None
        self.exchanges = 0
        self._source = source
        self._wires: list[Wire] = []
        self._lock = threading.Lock()
        self._nonce: str | None = None
        self._count = 0

    def deviate(self, text: str) -> None:
        self.deviations.append(text)

    def close(self) -> None:
        with self._lock:
            wires, self._wires = self._wires, []
        for wire in wires:
            wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The wire

    @property
    def authority(self) -> str:
        return self.host if self.port == 80 else f"{self.host}:{self.port}"

    def _wire(self) -> Wire:
        while True:
            with self._lock:
                wire = self._wires.pop() if self._wires else None
            if wire is None:
                try:
                    return Wire((self.host, self.port), self.timeout, self._source)
                except OSError as error:
                    raise NoAnswer(f"no connection: {error}") from None
            if wire.is_idle:
                return wire
            wire.close()

    def _keep(self, wire: Wire, reply: Reply) -> None:
        if reply.framing == "close" or reply.headers.get("connection", "").lower() == "close":
            wire.close()
            return
        if reply.framing == "missing":
            wire.close()
            return
        with self._lock:
            if len(self._wires) < CONNECTIONS:
                self._wires.append(wire)
                return
        wire.close()

    def exchange(self, method: str, path: str, lines: list[str], body: bytes = b"", retry: bool = True) -> Reply:
        """Send one request with these header lines and read its answer, as Qt does: what is no answer is a deviation."""
        self.exchanges += 1
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
        wire = self._wire()
        begin = time.monotonic()
        try:
            wire.socket.settimeout(self.timeout)
            try:
                wire.socket.sendall(head.encode() + body)
            except OSError as error:
                # An answer may be there already: a refusal does not wait for the body.
                broken: OSError | None = error
            else:
                broken = None
            reply = wire.reply(method)
            if broken:
                self.deviate(f"{method} {path}: answered {reply.status} and closed before the body was read")
        except NoAnswer as problem:
            wire.close()
            if retry and "after 0 bytes" in str(problem):
                # The far side closed an idle connection just now; Qt sends the request again.
                return self.exchange(method, path, lines, body, retry=False)
            self.deviate(f"{method} {path}: {problem}")
            raise
        except ValueError as problem:
            wire.close()
            self.deviate(f"{method} {path}: {problem}")
            raise NoAnswer(str(problem)) from None
        reply.seconds = time.monotonic() - begin
        if reply.framing == "missing":
            self.deviate(f"{method} {path}: {reply.status} without a length on keep-alive; Qt waits for ever")
        self._keep(wire, reply)
        return reply

    # Requests of the API

    def request(self, method: str, path: str, document: Any = None, slash: bool = False) -> Reply:
        """A request of Cura's API client, signed where this Cura signs; a document is sent as JSON."""
        if self.variant.signs and not self.key and path != f"{PRINTER}/auth/request":
            self.authorize()
        return self._request(method, path + (self.variant.slash if slash else ""), document)

    def _request(self, method: str, path: str, document: Any = None, again: bool = True) -> Reply:
        body = b"" if document is None else json.dumps(document).encode()
        lines = [f"Host: {self.authority}", "Content-Type: application/json"]
        if self.key:
            lines.append(f"Authorization: {self.signature(method, path)}")
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        lines += [
            "Connection: Keep-Alive",
            f"Accept-Encoding: {self.variant.encodings}",
            "Accept-Language: en,*",
            "User-Agent: Mozilla/5.0",
        ]
        reply = self.exchange(method, path, lines, body)
        challenge = reply.headers.get("www-authenticate", "")
        if reply.status == 401 and (nonce := re.search(r'nonce="([^"]+)"', challenge)):
            self._nonce, self._count = nonce[1], 0
        if method == "GET" and reply.seconds > QUICK:
            self.deviate(f"GET {path}: answered after {reply.seconds * 1000:.0f} ms")
        return reply

    def signature(self, method: str, path: str) -> str:
        """The Authorization header of one request."""
        assert self.key
        name, key = self.key
        self._count += 1
        nonce, count, cnonce = self._nonce or secrets.token_hex(16), f"{self._count:08x}", secrets.token_hex(8)
        if self._nonce is None:
            count = "00000001"

        def digest(*parts: str) -> str:
            return hashlib.sha256(":".join(parts).encode()).hexdigest()

        first, second = digest(name, "Jedi-API", key), digest(method, path)
        response = digest(first, nonce, count, cnonce, "auth", second)
        return (
            f'Digest username="{name}", realm="Jedi-API", nonce="{nonce}", uri="{path}", nc={count}, '
            f'cnonce="{cnonce}", qop=auth, response="{response}", algorithm="SHA-256"'
        )

    def authorize(self) -> Reply:
        """Ask for an id and a key, as Cura does before each request until it has them."""
        document = {"application": "UltiMaker Cura", "user": f"{self.owner}@rig"}
        reply = self._request("POST", f"{PRINTER}/auth/request", document)
        if reply.status != 200:
            self.deviate(f"auth/request: {reply.status}; Cura asks again before each request, for ever")
            return reply
        answer = self._json(reply, "auth/request") or {}
        name, key = answer.get("id"), answer.get("key")
        if not re.fullmatch(r"[0-9a-f]{32}", str(name)) or not re.fullmatch(r"[0-9a-f]{64}", str(key)):
            self.deviate(f"auth/request: {answer}")
        else:
            self.key = (name, key)
        return reply

    def _json(self, reply: Reply, what: str) -> Any:
        kind = reply.headers.get("content-type", "")
        if kind.split(";")[0].strip() != "application/json":
            self.deviate(f"{what}: Content-Type {kind!r}")
        try:
            return json.loads(reply.body.decode())
        except ValueError as error:
            self.deviate(f"{what}: {error}: {reply.body[:200]!r}")
            return None

    def look(self, path: str, slash: bool = True) -> Any:
        """GET a document; anything but 200 with JSON is a deviation."""
        reply = self.request("GET", path, slash=slash)
        if reply.status != 200:
            self.deviate(f"GET {path}: {reply.status} {reply.body[:200]!r}")
            return None
        return self._json(reply, f"GET {path}")

    def act(self, method: str, path: str, document: Any = None) -> Reply:
        """An action; an error must say why in the way of this API."""
        reply = self.request(method, path, document)
        if reply.status >= 400:
            answer = self._json(reply, f"{method} {path}")
            if not isinstance(answer, dict) or not isinstance(answer.get("message"), str) or not answer["message"]:
                self.deviate(f"{method} {path}: {reply.status} says nothing: {answer}")
        return reply

    # What a person does in Cura

    def add_by_address(self) -> dict[str, Any]:
        """What Cura asks before it adds a printer by its address."""
        system = self.look(f"{PRINTER}/system", slash=False) or {}
        self._keys(
            "system", system, dict.fromkeys(("guid", "firmware", "hostname", "name", "platform", "variant"), str)
        )
        hardware = system.get("hardware")
        if not isinstance(hardware, dict) or not isinstance(hardware.get("typeid"), int | str):
            self.deviate(f"system: hardware {hardware!r}")
        if not system.get("name"):
            self.deviate("system: no name")
        return system

    def poll(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What Cura asks every two seconds: the printers and the jobs, held against everything that Cura needs."""
        printers, jobs = self.printers(), self.jobs()
        return printers, jobs

    def printers(self) -> list[dict[str, Any]]:
        printers = self.look(f"{CLUSTER}/printers")
        if not isinstance(printers, list) or len(printers) != 1:
            self.deviate(f"printers: not one printer: {printers!r}")
            return []
        for printer in printers:
            self._printer(printer)
        return printers

    def jobs(self) -> list[dict[str, Any]]:
        jobs = self.look(f"{CLUSTER}/print_jobs")
        if not isinstance(jobs, list):
            self.deviate(f"print_jobs: {jobs!r}")
            return []
        for job in jobs:
            self._job(job)
        active = [job for job in jobs if job.get("status") not in QUEUE_STATES]
        if len(active) > 1:
            self.deviate(f"print_jobs: {len(active)} jobs are active")
        if active and jobs[0] is not active[0]:
            self.deviate("print_jobs: the active job is not the first")
        names = [job.get("uuid") for job in jobs]
        if len(set(names)) != len(names):
            self.deviate(f"print_jobs: a uuid is there twice: {names}")
        return jobs

    def job(self, name: str) -> dict[str, Any] | None:
        """The newest job whose name begins like this."""
        found = [job for job in self.jobs() if job["name"].startswith(name)]
        return found[-1] if found else None

    def upload(
        self,
        filename: str,
        content: bytes,
        printer_name: str | None = None,
        owner: str | None = None,
        slash: bool = True,
    ) -> Reply:
        """Send a print job as Cura's second network manager does."""
        lines, body = self.upload_bytes(filename, content, printer_name, owner)
        reply = self.exchange("POST", f"{CLUSTER}/print_jobs{'/' if slash else ''}", lines, body)
        if reply.status >= 400:
            answer = self._json(reply, f"upload of {filename}")
            if not isinstance(answer, dict) or not isinstance(answer.get("message"), str):
                self.deviate(f"upload of {filename}: {reply.status} says nothing: {answer}")
        return reply

    def upload_bytes(
        self, filename: str, content: bytes, printer_name: str | None = None, owner: str | None = None
    ) -> tuple[list[str], bytes]:
        """Header lines and body of an upload."""
        parts = [("name=owner", "text/plain", (owner or self.owner).encode())]
        parts.append((f'name="file"; filename="{filename}"', None, content))
        if printer_name is not None:
            parts.append(("name=require_printer_name", "text/plain", printer_name.encode()))
        return self.form(parts)

    def form(self, parts: list[tuple[str, str | None, bytes]]) -> tuple[list[str], bytes]:
        """Header lines and body of a form as Qt writes it."""
        boundary = "boundary_.oOo._" + base64.b64encode(os.urandom(24)).decode()
        body = b""
        for disposition, kind, content in parts:
            head = f"--{boundary}\r\n{self.variant.disposition}: form-data; {disposition}\r\n"
            head += f"{self.variant.part_type}: {kind}\r\n" if kind else ""
            body += head.encode() + b"\r\n" + content + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        lines = [
            f"Host: {self.authority}",
            f'Content-Type: multipart/form-data; boundary="{boundary}"',
            "Mime-Version: 1.0",
            f"User-Agent: {self.variant.agent}/{self.variant.version}",
            f"Content-Length: {len(body)}",
            "Connection: Keep-Alive",
            f"Accept-Encoding: {self.variant.encodings}",
            "Accept-Language: en,*",
        ]
        return lines, body

    def action(self, uuid: str, action: str) -> Reply:
        return self.act("PUT", f"{CLUSTER}/print_jobs/{uuid}/action", {"action": action})

    def pause(self, uuid: str) -> Reply:
        return self.action(uuid, "pause")

    def resume(self, uuid: str) -> Reply:
        return self.action(uuid, "print")

    def abort(self, uuid: str) -> Reply:
        return self.action(uuid, "abort")

    def move_to_top(self, uuid: str, position: int = 0) -> Reply:
        document = {"to_position": position, "list": "queued"}
        return self.act("POST", f"{CLUSTER}/print_jobs/{uuid}/action/move", document)

    def force(self, uuid: str) -> Reply:
        return self.act("PUT", f"{CLUSTER}/print_jobs/{uuid}", {"force": True})

    def delete(self, uuid: str) -> Reply:
        return self.act("DELETE", f"{CLUSTER}/print_jobs/{uuid}")

    def preview(self, uuid: str) -> Reply:
        """The picture of a job; for a listed one Cura asks every two seconds until there is one."""
        reply = self.request("GET", f"{CLUSTER}/print_jobs/{uuid}/preview_image")
        if reply.status == 200:
            kind = reply.headers.get("content-type", "")
            begins = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8"}.get(kind)
            if begins is None or not reply.body.startswith(begins):
                self.deviate(f"preview_image: {kind!r}, {reply.body[:8]!r}")
        return reply

    def materials(self) -> list[dict[str, Any]]:
        """The list of materials; one bad entry makes Cura drop it."""
        materials = self.look(f"{CLUSTER}/materials")
        if not isinstance(materials, list):
            self.deviate(f"materials: {materials!r}")
            return []
        for entry in materials:
            guid, version = entry.get("guid"), entry.get("version")
            if not isinstance(guid, str) or not guid:
                self.deviate(f"materials: guid {guid!r}")
            if not isinstance(version, int) or isinstance(version, bool) or version <= 0:
                self.deviate(f"materials: version {version!r}")
        return materials

    def send_material(self, profile: bytes, name: str = "generic_pla.xml.fdm_material", signed: bool = False) -> Reply:
        parts: list[tuple[str, str | None, bytes]] = [(f'name="file"; filename="{name}"', None, profile)]
        if signed:
            parts.append((f'name="signature_file"; filename="{name}.sig"', None, b"c2lnbmF0dXJl"))
        lines, body = self.form(parts)
        reply = self.exchange("POST", f"{CLUSTER}/materials/", lines, body)
        if reply.status == 200 and b"not added" in reply.body:
            self.deviate(f"materials: {reply.body!r}")
        return reply

    def browse(self, path: str) -> Reply:
        """What 'Manage in browser' opens."""
        lines = [f"Host: {self.authority}", "Connection: Keep-Alive", "Accept-Encoding: gzip, deflate"]
        return self.exchange("GET", path, [*lines, "Accept-Language: en,*", "User-Agent: Mozilla/5.0"])

    # What Cura needs of each object

    def _keys(self, what: str, value: Any, keys: dict[str, type | tuple[type, ...]]) -> None:
        if not isinstance(value, dict):
            self.deviate(f"{what}: no object: {value!r}")
            return
        for key, kind in keys.items():
            if key not in value:
                self.deviate(f"{what}: '{key}' is missing")
            elif not isinstance(value[key], kind) or (isinstance(value[key], bool) and kind is int):
                self.deviate(f"{what}: '{key}' is {value[key]!r}")

    def _configuration(self, what: str, entries: Any) -> None:
        if not isinstance(entries, list):
            return
        for index, entry in enumerate(entries):
            self._keys(f"{what} configuration", entry, {"extruder_index": int})
            if entry.get("extruder_index") != index:
                self.deviate(f"{what}: extruder {entry.get('extruder_index')} stands at {index}")
            if "print_core_id" in entry and not isinstance(entry["print_core_id"], str):
                self.deviate(f"{what}: print_core_id {entry['print_core_id']!r}")
            if entry.get("material") is not None:
                wanted = dict.fromkeys(("guid", "brand", "color", "material"), str)
                self._keys(f"{what} material", entry["material"], wanted)

    def _printer(self, printer: Any) -> None:
        texts = ("uuid", "unique_name", "friendly_name", "machine_variant", "firmware_version", "ip_address", "status")
        self._keys("printer", printer, dict.fromkeys(texts, str) | {"enabled": bool, "configuration": list})
        if not isinstance(printer, dict):
            return
        uuid = printer.get("uuid")
        if not UUID.fullmatch(str(uuid)):
            self.deviate(f"printer: uuid {uuid!r}")
        if self.printer_uuid not in (None, uuid):
            self.deviate(f"printer: its uuid changed from {self.printer_uuid} to {uuid}")
        self.printer_uuid = uuid
        if printer.get("status") not in PRINTER_STATES:
            self.deviate(f"printer: status {printer.get('status')!r}")
        try:
            socket.inet_pton(socket.AF_INET, str(printer.get("ip_address")))
        except OSError:
            self.deviate(f"printer: ip_address {printer.get('ip_address')!r}")
        self._configuration("printer", printer.get("configuration"))

    def _job(self, job: Any) -> None:
        kinds: dict[str, type | tuple[type, ...]] = {
            **dict.fromkeys(("uuid", "name", "status", "created_at", "machine_variant"), str),
            **dict.fromkeys(("started", "force"), bool),
            **dict.fromkeys(("time_total", "time_elapsed"), int),
            "configuration": list,
            "constraints": dict,
        }
        self._keys("job", job, kinds)
        if not isinstance(job, dict):
            return
        if not UUID.fullmatch(str(job.get("uuid"))):
            self.deviate(f"job: uuid {job.get('uuid')!r}")
        if not CREATED.fullmatch(str(job.get("created_at"))):
            self.deviate(f"job: created_at {job.get('created_at')!r}")
        if "/" in str(job.get("name")) or not job.get("name"):
            self.deviate(f"job: name {job.get('name')!r}")
        status = job.get("status")
        if status not in JOB_STATES:
            self.deviate(f"job: status {status!r}")
        assigned = {job.get("assigned_to"), job.get("printer_uuid")}
        if status in QUEUE_STATES and assigned != {None}:
            self.deviate(f"job: {status}, and assigned to {assigned}")
        if status not in QUEUE_STATES and assigned != {self.printer_uuid} and self.printer_uuid is not None:
            self.deviate(f"job: {status}, and assigned to {assigned}, not to {self.printer_uuid}")
        total, elapsed = job.get("time_total"), job.get("time_elapsed")
        if isinstance(total, int) and isinstance(elapsed, int):
            if not 0 <= elapsed <= max(total, 0):
                self.deviate(f"job: {elapsed} s of {total} s")
            if status in ("printing", "paused") and elapsed >= total:
                self.deviate(f"job: {status}, and {elapsed} s of {total} s are over")
        for entry in job.get("impediments_to_printing") or []:
            self._keys("job impediment", entry, {"translation_key": str, "severity": str})
        if status == "error" and not any(
            entry.get("severity") == "UNFIXABLE" for entry in job.get("impediments_to_printing") or []
        ):
            self.deviate("job: error without an impediment that Cura shows")
        for entry in job.get("configuration_changes_required") or []:
            self._keys("job change", entry, dict.fromkeys(("type_of_change", "target_id", "origin_id"), str))
        self._configuration("job", job.get("configuration"))


# Files as Cura writes them

PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<fdmmaterial xmlns="http://www.ultimaker.com/material" version="1.3"><metadata><name><brand>{brand}</brand>\
<material>{material}</material><color>{color}</color></name><GUID>{guid}</GUID><version>{version}</version>\
<color_code>#1010ff</color_code></metadata><properties><density>1.24</density><diameter>{diameter}</diameter>\
</properties><settings/></fdmmaterial>
"""


def material(
    guid: str = "0ac56c90-0350-4753-bfd8-da1a08b42751",
    version: int = 1,
    brand: str = "Rig",
    kind: str = "PLA",
    color: str = "Blue",
    diameter: float = 1.75,
) -> bytes:
    """A material profile."""
    return PROFILE.format(
        guid=guid, version=version, brand=brand, material=kind, color=color, diameter=diameter
    ).encode()


def ufp(gcode: bytes, picture: bool = True, slash: bool = True, extra: dict[str, bytes] | None = None) -> bytes:
    """A UFP: a zip whose entries begin with a slash."""
    lead = "/" if slash else ""
    entries = {
        "Metadata/UFP_Global.json": b'{"metadata": {"cura": {"version": "5.11"}}}',
        "3D/model.gcode": gcode,
        "[Content_Types].xml": b'<?xml version="1.0"?><Types/>',
        "_rels/.rels": b'<?xml version="1.0"?><Relationships/>',
    }
    if picture:
        entries["Metadata/thumbnail.png"] = thumbnail(300)
    entries |= extra or {}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(lead + name, content)
    return packed.getvalue()


def gcode_gz(gcode: bytes, member: int = 65536) -> bytes:
    """G-code as Cura's older compressor writes it: many members, one after the other."""
    return b"".join(gzip.compress(gcode[start : start + member]) for start in range(0, len(gcode), member))


def raw(host: str, port: int, data: bytes, timeout: float = 10.0, shut: bool = False) -> bytes:
    """Send bytes as they are; everything that comes back until the far side closes or nothing more comes."""
    answer = b""
    with socket.create_connection((host, port), timeout) as connection, contextlib.suppress(OSError):
        connection.sendall(data)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        while received := connection.recv(65536):
            answer += received
    return answer
