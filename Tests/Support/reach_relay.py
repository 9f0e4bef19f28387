"""A strict Reach relay: claim, heartbeat, telemetry, commands, webcam snapshots.

It holds pulls as the real one does, rotates tokens on order, and knows which token is valid when.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from strict_cloud import EARLY, LATE, Answer, Check, Client, Endpoint, Exchange, StrictCloud, describe, run

AGENT_VERSION = "1.0.12"
OURS = Client(
    user_agent=r"reach-link-agent/1\.0\.12 \(printer-uplink/\d+\.\d+\.\d+\S*\)",
    version=AGENT_VERSION,
)
ORIGINAL = Client(
    user_agent=r"Python-urllib/3\.\d+|reach-link-agent/1\.0\.12",
    version=AGENT_VERSION,
    original=True,
)

IPV4 = r"|\d+\.\d+\.\d+\.\d+"
STATES = "idle printing paused error unknown"
MACRO_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [^\x00-\x1f\x7f]{1,200}")
"""A line of `logTail`: when, and what a macro said."""
REVOKED_CALLS = 4
HEARTBEAT_JITTER = 1.0
TELEMETRY_JITTER = 0.1
SHORTEST_HOLD = 5.0
"""An empty answer that came sooner makes the client wait at least a second."""
CLOCK_TOLERANCE = 5.0


class ReachRelay(StrictCloud):
    """The relay's side of the Reach protocol for one printer."""

    name = "reach"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pulls: list[Exchange] = []  # those that are held
        self._lost: set[str] = set()  # results that were taken and whose answer the client never got
        self._pushed: dict[str, float] = {}
        self._copies: Counter[str] = Counter()  # how often a command reached the client
        self._results: Counter[str] = Counter()  # how often it was answered
        self._told_check_in: float | None = None  # what the client knows; orders take effect when told
        self._told_data_interval: float | None = None
        self._queue_changed = asyncio.Event()

    def fresh_state(self) -> dict[str, Any]:
        return {
            "codes": {"PAIR-0001": "fresh"},  # code -> fresh, used, expired
            "token": "dummy-token-1",
            "previous_token": None,  # accepted until the new one was used, if `keep_previous`
            "keep_previous": True,
            "revoked": [],
            "token_number": 1,
            "printer_id": "printer-001",
            "claimed": False,
            "next_check_in": 30,
            "next_data_interval": None,
            "relay_url": None,
            "rotate_next": False,
            "lose_next": False,
            "refused_codes": [],
            "hold_seconds": 25.0,
            "queue": [],
            "dispatched": {},  # request id -> "running" or the pushed body
            "viewer": False,
            "telemetry_interval": 10.0,
            "telemetry_idle_interval": 30.0,
        }

    def endpoints(self) -> list[Endpoint]:
        prefix = "/api/reach-link"
        return [
            Endpoint("claim", "POST", f"{prefix}/pairing/claim", self._check_claim, self._claim),
            Endpoint(
                "register", "POST", f"{prefix}/register", self._check_register, self._register, self._clock_register
            ),
            Endpoint(
                "printer-data",
                "POST",
                f"{prefix}/printer-data",
                self._check_data,
                self._data,
                self._clock_data,
            ),
            Endpoint("pull", "POST", f"{prefix}/commands/pull", self._check_pull, self._pull, self._clock_pull),
            Endpoint("push", "POST", f"{prefix}/commands/push", self._check_push, self._push, self._clock_any),
            Endpoint("webcam-snapshot", "POST", f"{prefix}/webcam-snapshot", self._check_webcam, self._webcam),
            Endpoint("version", "GET", f"{prefix}/version", self._check_version, self._version),
        ]

    # Headers and tokens

    def _check_headers(self, exchange: Exchange, check: Check, authenticated: bool = True) -> None:
        if exchange.header("Accept-Encoding") not in (None, "identity"):
            check.report(f"header Accept-Encoding: identity is due, got {exchange.header('Accept-Encoding')!r}")
        if exchange.header("Accept") not in (None, "*/*", "application/json"):
            check.report(f"header Accept: {exchange.header('Accept')!r} is not sent by this client")
        if not self.client.original and (exchange.header("Connection") or "").lower() == "close":
            check.report("header Connection: connections are kept alive")
        if authenticated and not exchange.bearer:
            check.report("header Authorization: Bearer <token> is due")
        if not authenticated and exchange.header("Authorization") is not None:
            check.report("header Authorization: not sent here")

    def _check_identity(self, exchange: Exchange, check: Check, with_token: bool) -> None:
        body = exchange.body
        if body.get("printerId") != self.state["printer_id"]:
            check.report(f"body.printerId: {self.state['printer_id']} is due, got {describe(body.get('printerId'))}")
        if with_token and body.get("token") != exchange.bearer:
            check.report("body.token: not the token of the Authorization header")

    def _check_time(self, value: Any, path: str, exchange: Exchange, check: Check) -> None:
        if not check.integer(value, path, 1_600_000_000_000, 4_000_000_000_000):
            return
        if self.client.timed and abs(value / 1000 - exchange.t) > CLOCK_TOLERANCE:
            exchange.timing.append(f"{path} is {value / 1000 - exchange.t:.1f} s off")

    def _refusal(self, exchange: Exchange) -> Answer | None:
        """401 for a token that is not valid now; moves a rotation on when the new one is used."""
        token = exchange.bearer
        if self.client.original and token in (self.state["token"], "dummy-token-1", "dummy-token-2"):
            return None
        if token in self.state["revoked"] or not self.state["claimed"]:
            return Answer(401, {"error": "Token revoked"})
        if token == self.state["token"]:
            if self.state["previous_token"] is not None:
                self.state["previous_token"] = None
                self.save()
            return None
        if token == self.state["previous_token"] and self.state["keep_previous"]:
            return None
        return Answer(401, {"error": "Invalid token"})

    def answered(self, exchange: Exchange) -> None:
        """Count the calls that were refused; a 2xx begins anew."""
        if exchange.endpoint == "push" and exchange.fault in ("drop_after", "truncate", "slow", "delay"):
            self._lost.add(exchange.body["requestId"])
        if exchange.endpoint == "pull" and exchange.fault not in ("drop_after", "truncate"):
            self._copies[getattr(exchange, "handed_out", "")] += 1
        if exchange.endpoint in ("claim", "version", "webcam-snapshot", "unknown") or exchange.deviations:
            return
        if exchange.status == 401:
            self._refused_calls = getattr(self, "_refused_calls", 0) + 1
            if self.client.timed and self._refused_calls > REVOKED_CALLS:
                exchange.timing.append(f"call number {self._refused_calls} with a refused token")
        elif exchange.status == 403:
            self.disturbed_at = time.monotonic()  # all calls are held up, each time for longer
        elif exchange.ok:
            self._refused_calls = 0

    def _check_pause(self, exchange: Exchange) -> None:
        """After 429 or 503 with Retry-After, all calls of this backend wait."""
        wall = self.pace("retry").not_before
        if exchange.mono < wall - EARLY:
            exchange.timing.append(f"{exchange.endpoint} {wall - exchange.mono:.1f} s before Retry-After had elapsed")
        for name, pace in self.paces.items():
            if name not in ("retry", exchange.endpoint) and exchange.mono < pace.not_before - 1.0:
                exchange.timing.append(f"{exchange.endpoint} although {name} was told to wait for all calls")

    def _clock_any(self, exchange: Exchange) -> None:
        self._check_pause(exchange)

    # Claim

    def _check_claim(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check, authenticated=False)
        body = self.read_json(exchange, check)
        if body is None:
            return
        if not check.keys(body, "body", "pairingCode agentVersion moonrakerUrl printerIPAddress hostname"):
            return
        check.string(body["pairingCode"], "body.pairingCode", ".+")
        check.string(body["agentVersion"], "body.agentVersion", self.client.version)
        check.string(body["moonrakerUrl"], "body.moonrakerUrl", r"(https?://|unix:).+")
        check.string(body["printerIPAddress"], "body.printerIPAddress", IPV4)
        check.string(body["hostname"], "body.hostname", ".+")

    def _claim(self, exchange: Exchange) -> Answer:
        code = exchange.body["pairingCode"]
        last = self.pace("claim").last
        if code in self.state["refused_codes"] and last is not None and last.mono > self.restarted_at:
            exchange.timing.append("claim repeated with a code that was refused for good")
        condition = self.state["codes"].get(code)
        if condition != "fresh":
            self.state["refused_codes"].append(code)
            self.save()
            if condition == "used":
                return Answer(409, {"error": "Pairing code already used"})
            if condition == "expired":
                return Answer(410, {"error": "Pairing code expired"})
            return Answer(404, {"error": "Pairing code not found"})
        self.state["codes"][code] = "used"
        self.state["claimed"] = True
        if self.state["token"] in self.state["revoked"]:
            self._new_token()
        self.save()
        answer = {
            "reachLinkToken": self.state["token"],
            "printerId": self.state["printer_id"],
            "userId": "user-001",
        }
        if self.state["relay_url"]:
            answer["relayUrl"] = self.state["relay_url"]
        return Answer(200, answer)

    def _new_token(self) -> None:
        self.state["token_number"] += 1
        self.state["previous_token"] = self.state["token"]
        self.state["token"] = f"dummy-token-{self.state['token_number']}"

    # Heartbeat

    def _check_register(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None:
            return
        if not check.keys(body, "body", "printerId token timestamp uptime version printerIPAddress"):
            return
        self._check_identity(exchange, check, with_token=True)
        self._check_time(body["timestamp"], "body.timestamp", exchange, check)
        check.integer(body["uptime"], "body.uptime", 0, 10**9)
        check.string(body["version"], "body.version", self.client.version)
        check.string(body["printerIPAddress"], "body.printerIPAddress", IPV4)

    def _register(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        answer: dict[str, Any] = {"success": True}
        if self.state["next_check_in"] is not None:
            answer["nextCheckIn"] = self.state["next_check_in"]
            self._told_check_in = min(3600, max(5, self.state["next_check_in"]))
        if self.state["rotate_next"]:
            self.state["rotate_next"] = False
            if self.state["lose_next"]:  # one that never becomes good
                self.state["lose_next"] = False
                answer["rotatedToken"] = "dummy-token-lost"
            else:
                # One that was never used is given again: its answer may have been lost.
                if self.state["previous_token"] is None:
                    self._new_token()
                answer["rotatedToken"] = self.state["token"]
            self.save()
        return Answer(200, answer)

    def _clock_register(self, exchange: Exchange) -> None:
        if exchange.deviations:
            return
        last = self.pace("register").last
        if last is not None and not last.deviations and last.mono > self.restarted_at:
            before, now = last.body["uptime"], exchange.body["uptime"]
            if now < before:  # another process of the client
                self.restarted_at = self.disturbed_at = exchange.mono - 0.5
            elif abs((now - before) - (exchange.mono - last.mono)) > 3.0:
                exchange.timing.append(f"uptime went from {before} to {now} within {exchange.mono - last.mono:.1f} s")
        self._check_pause(exchange)
        interval = self._told_check_in or 30
        self.check_interval(exchange, interval - HEARTBEAT_JITTER, interval + HEARTBEAT_JITTER, "heartbeat")

    # Telemetry

    def _check_data(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None:
            return
        groups = "temperatures fans motion job systemHealth errors logTail"
        if not check.keys(body, "body", f"printerId token timestamp {groups}"):
            return
        self._check_identity(exchange, check, with_token=True)
        self._check_time(body["timestamp"], "body.timestamp", exchange, check)
        if check.keys(body["temperatures"], "body.temperatures", "nozzle nozzleTarget bed bedTarget chamber"):
            for key, value in body["temperatures"].items():
                check.number(value, f"body.temperatures.{key}", -50, 500, null=True)
        if check.keys(body["fans"], "body.fans", "partCooling"):
            check.number(body["fans"]["partCooling"], "body.fans.partCooling", 0, 1, null=True)
        if check.keys(body["motion"], "body.motion", "x y z speed speedFactor extrudeFactor"):
            for key, value in body["motion"].items():
                check.number(value, f"body.motion.{key}", -1e6, 1e6, null=True)
        if check.keys(body["systemHealth"], "body.systemHealth", "cpuPercent memoryPercent diskPercent"):
            for key, value in body["systemHealth"].items():
                check.number(value, f"body.systemHealth.{key}", 0, 100, null=True)
        self._check_job(body["job"], check)
        self._check_errors(body["errors"], exchange, check)
        if not isinstance(body["logTail"], list) or any(not isinstance(line, str) for line in body["logTail"]):
            check.report(f"body.logTail: an array of strings is due, got {describe(body['logTail'])}")
        elif len(body["logTail"]) > 10 or any(not MACRO_LINE.fullmatch(line) for line in body["logTail"]):
            check.report("body.logTail: holds what macros say and nothing else, logs may hold private data")
        if not exchange.deviations and body["job"]["state"] == "unknown" and not self.client.original:
            self._check_nulls(body, check)

    def _check_job(self, job: Any, check: Check) -> None:
        keys = "filename progress eta elapsedTime state totaltime filamentUsed estimatedTime"
        if not check.keys(job, "body.job", keys):
            return
        check.string(job["filename"], "body.job.filename", null=True)
        check.number(job["progress"], "body.job.progress", 0, 100)
        check.integer(job["eta"], "body.job.eta", 0, null=True)
        check.integer(job["estimatedTime"], "body.job.estimatedTime", 0, null=True)
        if job["eta"] != job["estimatedTime"]:
            check.report("body.job: eta and estimatedTime are the same figure")
        check.integer(job["elapsedTime"], "body.job.elapsedTime", 0)
        check.integer(job["totaltime"], "body.job.totaltime", 0)
        check.number(job["filamentUsed"], "body.job.filamentUsed", -1e3, 1e9, null=True)
        check.choice(job["state"], "body.job.state", STATES)
        if job["state"] not in ("printing", "paused") and job["eta"] is not None:
            check.report(f"body.job.eta: null unless printing or paused, got {job['eta']} while {job['state']}")

    def _check_errors(self, errors: Any, exchange: Exchange, check: Check) -> None:
        if not isinstance(errors, list):
            check.report(f"body.errors: an array is due, got {describe(errors)}")
            return
        for index, error in enumerate(errors):
            path = f"body.errors[{index}]"
            if check.keys(error, path, "type message timestamp severity"):
                check.choice(error["type"], f"{path}.type", "klippy print moonraker")
                if check.string(error["message"], f"{path}.message", "(?s).+") and len(error["message"]) > 500:
                    check.report(f"{path}.message: {len(error['message'])} characters; 500 at most")
                check.choice(error["severity"], f"{path}.severity", "error warning")
                check.integer(error["timestamp"], f"{path}.timestamp", 1_600_000_000_000, (exchange.t + 5) * 1000)

    @staticmethod
    def _check_nulls(body: dict[str, Any], check: Check) -> None:
        """State unknown: nobody knows the printer's values, so none may be reported."""
        for group in ("temperatures", "fans", "motion"):
            for key, value in body[group].items():
                if value is not None:
                    check.report(f"body.{group}.{key}: null is due while the state is unknown, got {describe(value)}")
        for key in ("progress", "elapsedTime", "totaltime"):
            if body["job"][key] != 0:
                check.report(f"body.job.{key}: 0 is due while the state is unknown, got {describe(body['job'][key])}")
        for key in ("filename", "filamentUsed"):
            if body["job"][key] is not None:
                check.report(f"body.job.{key}: null is due while the state is unknown")

    def _data(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        answer: dict[str, Any] = {"success": True}
        if self.state["next_data_interval"] is not None:
            answer["nextDataInterval"] = self.state["next_data_interval"]
            self._told_data_interval = min(3600, max(1, self.state["next_data_interval"]))
        return Answer(200, answer)

    def _clock_data(self, exchange: Exchange) -> None:
        if exchange.deviations:
            return
        self._check_pause(exchange)
        last = self.pace("printer-data").last
        if last is None or last.deviations:
            return
        busy_now, busy_before = busy(exchange.body), busy(last.body)
        active, idle = self.state["telemetry_interval"], self.state["telemetry_idle_interval"]
        if self._told_data_interval is not None:
            active = idle = self._told_data_interval
        shortest = active if busy_now or busy_before else idle
        longest = active if busy_now and busy_before else idle
        changed = exchange.body["job"]["state"] != last.body["job"]["state"]
        changed = changed or bool(set(exchange.body["logTail"]) - set(last.body["logTail"]))
        excused = changed or getattr(self, "_last_change", None) == last.mono
        if changed:
            self._last_change = exchange.mono
        self.check_interval(
            exchange,
            shortest * (1 - TELEMETRY_JITTER),
            longest * (1 + TELEMETRY_JITTER),
            "telemetry",
            excused,
        )

    # Commands

    def _check_pull(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is not None and check.keys(body, "body", "printerId"):
            self._check_identity(exchange, check, with_token=False)

    def _clock_pull(self, exchange: Exchange) -> None:
        self._check_pause(exchange)
        if any(self.is_there(held) for held in self._pulls):
            exchange.timing.append("a pull is in flight already")
        last = self.pace("pull").last
        if last is None or not last.ok or last.mono < self.restarted_at or not last.answered:
            return
        gap, held = exchange.mono - last.answered, last.answered - last.mono
        if getattr(last, "was_empty", False) and held < SHORTEST_HOLD and gap < 1.0 - EARLY:
            exchange.timing.append(f"pull {gap:.2f} s after an empty answer that was not held")
        brought_one = not getattr(last, "was_empty", False) and not getattr(last, "was_unusable", False)
        if brought_one and self.undisturbed_since(last) and gap > LATE:
            exchange.timing.append(f"pull only {gap:.2f} s after the one that brought a command")

    async def _pull(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        self._pulls.append(exchange)
        try:
            deadline = time.monotonic() + self.state["hold_seconds"]
            while not self.state["queue"] and (left := deadline - time.monotonic()) > 0:
                self._queue_changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._queue_changed.wait(), min(left, 0.05))
                if not self.is_there(exchange):
                    return Answer(499, {"error": "the client has gone"})
        finally:
            self._pulls.remove(exchange)
        if not self.state["queue"]:
            exchange.was_empty = True
            return Answer(200, {"command": None})
        command = self.state["queue"].pop(0)
        if isinstance(command, dict) and isinstance(command.get("requestId"), str):
            # One that is handed out again is not one that was answered before.
            exchange.handed_out = command["requestId"]
            self.state["dispatched"][command["requestId"]] = "running"
            self._lost.discard(command["requestId"])
        else:
            exchange.was_unusable = True  # and is followed by a pause
        self.save()
        return Answer(200, {"command": command})

    def _check_push(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", "printerId requestId status", "result error"):
            return
        self._check_identity(exchange, check, with_token=False)
        check.string(body["requestId"], "body.requestId", ".+")
        check.choice(body["status"], "body.status", "completed failed")
        if "result" in body and not isinstance(body["result"], dict):
            check.report(f"body.result: an object is due, got {describe(body['result'])}")
        if body["status"] == "failed":
            check.string(body.get("error"), "body.error", "(?s).+")
            result = body.get("result")
            if isinstance(result, dict) and check.keys(result, "body.result", "error errorCode"):
                if result["error"] != body.get("error"):
                    check.report("body.result.error: the same text as body.error is due")
        elif "error" in body:
            check.report("body.error: only with status failed")
        if len(exchange.raw) > 1024 * 1024:
            check.report(f"body: {len(exchange.raw)} bytes; 1 MiB at most")

    def _push(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        request_id = exchange.body["requestId"]
        known = self.state["dispatched"].get(request_id)
        if known is None and not self.client.original:
            exchange.timing.append(f"result of {request_id}, which was never dispatched")
            return Answer(404, {"error": "Unknown request"})
        # One result for each time that it was handed out: a copy may be on its way while the first result comes in.
        if request_id not in self._lost:
            self._results[request_id] += 1
        if known not in (None, "running"):
            is_surplus = self._results[request_id] > self._copies[request_id]
            if is_surplus and request_id not in self._lost and self._pushed.get(request_id, 0.0) >= self.restarted_at:
                exchange.timing.append(f"second result of {request_id}")
            return Answer(409, {"error": "Already answered"})
        self._pushed[request_id] = exchange.mono
        self.state["dispatched"][request_id] = exchange.body
        self.save()
        return Answer(200, {"success": True})

    # Webcam and version

    def _check_webcam(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        if exchange.header("Content-Type") != "image/jpeg":
            check.report(f"header Content-Type: image/jpeg is due, got {exchange.header('Content-Type')!r}")
        if exchange.header("X-Printer-Id") != self.state["printer_id"]:
            check.report(f"header X-Printer-Id: {self.state['printer_id']} is due")
        if not exchange.raw.startswith(b"\xff\xd8"):
            check.report("body: no JPEG")
        if len(exchange.raw) > 5 * 1024 * 1024:
            check.report(f"body: {len(exchange.raw)} bytes; 5 MiB at most")
        if not self.state["viewer"]:
            check.report("snapshot without a viewer")

    def _webcam(self, exchange: Exchange) -> Answer:
        return self._refusal(exchange) or Answer(200, {"success": True})

    def _check_version(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check, authenticated=False)
        last = self.pace("version").last
        if self.client.timed and last is not None and last.mono > self.restarted_at:
            exchange.timing.append("version is asked for once a day at most")

    def _version(self, exchange: Exchange) -> Answer:
        return Answer(200, {"version": AGENT_VERSION})

    # Control

    def order(self, name: str, arguments: dict[str, Any]) -> Any:
        """`command` queues one; `code` makes a pairing code; `rotate` at the next heartbeat; `revoke` now."""
        match name:
            case "command":
                self.state["queue"].append(arguments)
                self._queue_changed.set()
            case "raw":  # whatever it is
                self.state["queue"].append(arguments["command"])
                self._queue_changed.set()
            case "code":
                self.state["codes"][arguments["code"]] = arguments.get("condition", "fresh")
            case "rotate":
                self.state["rotate_next"] = True
                self.state["keep_previous"] = arguments.get("keep_previous", True)
                self.state["lose_next"] = arguments.get("lost", False)
            case "revoke":
                self.state["revoked"] += [self.state["token"], self.state["previous_token"]]
            case _:
                raise KeyError(name)
        self.save()
        return {"ok": True}

    def announce(self, exchange: Exchange) -> str | None:
        if exchange.deviations:
            return None
        match exchange.endpoint:
            case "claim":
                return f"claimed by {exchange.body['hostname']}" if exchange.ok else "claim refused"
            case "register":
                return f"heartbeat: up {exchange.body['uptime']} s, token {'accepted' if exchange.ok else 'refused'}"
            case "printer-data":
                job, heat = exchange.body["job"], exchange.body["temperatures"]
                if heat["nozzle"] is None:
                    return f"telemetry: {job['state']}"
                eta = "" if job["eta"] is None else f", {job['eta']} s left"
                return (
                    f"telemetry: {job['state']} {job['filename']} {job['progress']:.0f} %{eta} "
                    f"nozzle {heat['nozzle']:.1f}/{heat['nozzleTarget']:.0f}"
                )
        return None


def busy(body: dict[str, Any]) -> bool:
    """Whether telemetry is due at the faster interval: printing or heating."""
    heat = body["temperatures"]
    heating = any((heat[key] or 0) > 0 for key in ("nozzleTarget", "bedTarget"))
    return heating or body["job"]["state"] == "printing"


def make(arguments: argparse.Namespace) -> ReachRelay:
    """The relay that the command line asks for."""
    client = ORIGINAL if arguments.original else OURS
    relay = ReachRelay(client, arguments.state, arguments.log, arguments.announce)
    relay.state["next_check_in"] = arguments.next_check_in
    relay.state["hold_seconds"] = arguments.hold
    relay.state["telemetry_interval"] = arguments.telemetry
    relay.state["telemetry_idle_interval"] = arguments.telemetry_idle
    for code in arguments.code or ():
        relay.state["codes"][code] = "fresh"
    return relay


def extend(parser: argparse.ArgumentParser) -> None:
    """Options of this relay."""
    parser.add_argument("--next-check-in", type=float, default=30, help="seconds, told at every heartbeat")
    parser.add_argument("--hold", type=float, default=25, help="seconds that an empty pull is held")
    parser.add_argument("--telemetry", type=float, default=10, help="seconds, as the client is configured")
    parser.add_argument("--telemetry-idle", type=float, default=30, help="seconds, as the client is configured")
    parser.add_argument("--code", action="append", help="a fresh pairing code beside PAIR-0001")


def main() -> None:
    run(make, __doc__.splitlines()[0], extend)


if __name__ == "__main__":
    main()
