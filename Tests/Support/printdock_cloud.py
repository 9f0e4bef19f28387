"""A strict PrintDock cloud: registration, heartbeats, snapshots, commands, webcam requests.

Beside shapes and intervals it checks what only a test can see: a snapshot's `captured_at` must agree
with its `eventtime` on this host's monotonic clock, so old data cannot pass as new.
"""

from __future__ import annotations

import argparse
import re
import time
from datetime import UTC, datetime
from typing import Any

from strict_cloud import Answer, Check, Client, Endpoint, Exchange, StrictCloud, describe, run

OURS = Client(user_agent=r"printer-uplink/\d+\.\d+\.\d+\S*", version=r"\d+\.\d+\.\d+\S*")
ORIGINAL = Client(user_agent=r"printer-connector/0\.1\.0", version=r"0\.1\.0", original=True)

JITTER = 0.10
STALE_AFTER = 20.0
"""Seconds of age beyond which no snapshot may arrive: the simulated printer changes all the time."""
PROBE_SECONDS = 60.0
EXTRA_SPACING = 2.0

OBJECTS = {
    "print_stats": "filename total_duration print_duration filament_used state message info",
    "virtual_sdcard": "file_path progress is_active file_position file_size",
    "extruder": "temperature target power can_extrude pressure_advance smooth_time motion_queue",
    "heater_bed": "temperature target power",
    "toolhead": (
        "homed_axes axis_minimum axis_maximum print_time stalls estimated_print_time extruder position "
        "max_velocity max_accel minimum_cruise_ratio square_corner_velocity"
    ),
    "pause_resume": "is_paused",
}
"""The six objects of a snapshot, with all fields that the simulated printer has."""

ACTIONS = "pause resume cancel start_print homing upload_file delete_file sync_files import_history create_backup"


class PrintDockCloud(StrictCloud):
    """The cloud's side of the PrintDock protocol for one connector with one printer."""

    name = "printdock"

    def fresh_state(self) -> dict[str, Any]:
        return {
            "tokens": {"PAIR_dummy_1": "fresh"},  # token -> fresh, consumed, expired
            "connector_id": 46,
            "secret": "c_dummy_secret_for_tests",
            "printer_id": 262,
            "registered": False,
            "revoked": False,
            "heartbeat_seconds": 10,  # what the client is configured to; not on the wire
            "commands_seconds": 3,
            "snapshots_seconds": 30,
            "polling": True,  # whether the answer to register has `polling`
            "ids_as_strings": False,
            "refused_tokens": [],
            "queue": [],
            "handed_out": {},  # command id -> "running" or its completion
            "webcam_requests": [],
        }

    def endpoints(self) -> list[Endpoint]:
        one = r"(?P<id>[^/]+)"
        prefix = "/api/v1"
        return [
            Endpoint("register", "POST", f"{prefix}/connectors/register", self._check_register, self._register),
            Endpoint(
                "heartbeat",
                "POST",
                f"{prefix}/connectors/{one}/heartbeat",
                self._check_heartbeat,
                self._heartbeat,
                self._clock_heartbeat,
            ),
            Endpoint(
                "commands",
                "GET",
                f"{prefix}/connectors/{one}/commands",
                self._check_poll("limit=20"),
                self._commands,
                self._clock_refused,
            ),
            Endpoint("complete", "POST", f"{prefix}/commands/{one}/complete", self._check_complete, self._complete),
            Endpoint(
                "snapshots",
                "POST",
                f"{prefix}/snapshots/batch",
                self._check_snapshots,
                self._snapshots,
                self._clock_snapshots,
            ),
            Endpoint(
                "webcam_requests",
                "GET",
                f"{prefix}/connectors/{one}/webcam_requests",
                self._check_poll("limit=10"),
                self._webcam_requests,
                self._clock_refused,
            ),
            Endpoint("upload", "PUT", f"{prefix}/webcam_requests/{one}/upload", self._check_upload, self._upload),
        ]

    # Headers and credentials

    def _check_headers(self, exchange: Exchange, check: Check, authenticated: bool = True, accept: bool = True) -> None:
        if accept and exchange.header("Accept") != "application/json":
            check.report(f"header Accept: application/json is due, got {exchange.header('Accept')!r}")
        if exchange.header("Accept-Encoding") not in (None, "gzip"):
            check.report(f"header Accept-Encoding: gzip is due, got {exchange.header('Accept-Encoding')!r}")
        if not authenticated:
            for name in ("Authorization", "X-Connector-Id"):
                if exchange.header(name) is not None:
                    check.report(f"header {name}: not sent here")
            return
        if exchange.bearer is None:
            check.report("header Authorization: Bearer <connector_secret> is due")
        if exchange.header("X-Connector-Id") != str(self.state["connector_id"]):
            check.report(f"header X-Connector-Id: {self.state['connector_id']} is due")
        if exchange.match.get("id") is not None and "/connectors/" in exchange.path:
            if exchange.match["id"] != str(self.state["connector_id"]):
                check.report(f"path: connector {exchange.match['id']!r} is not {self.state['connector_id']!r}")
        if exchange.bearer is not None and exchange.bearer != self.state["secret"]:
            check.report("header Authorization: not the secret that pairing gave")

    def _refusal(self, exchange: Exchange) -> Answer | None:
        if self.state["revoked"] or not self.state["registered"]:
            return Answer(401, {"error": "Unauthorized"})
        return None

    # Registration

    def _check_register(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check, authenticated=False)
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", "pairing_token device printers", "site_name"):
            return
        check.string(body["pairing_token"], "body.pairing_token", ".+")
        if "site_name" in body:
            check.string(body["site_name"], "body.site_name", ".+")
        device = body["device"]
        if check.keys(device, "body.device", "hostname arch os version ui_port", "ip"):
            check.string(device["hostname"], "body.device.hostname", ".+")
            check.choice(device["arch"], "body.device.arch", "amd64 arm64 arm mipsle 386 riscv64")
            check.choice(device["os"], "body.device.os", "linux")
            check.string(device["version"], "body.device.version", self.client.version)
            check.integer(device["ui_port"], "body.device.ui_port", 1, 65535)
            if "ip" in device and check.string(device["ip"], "body.device.ip", r"\d+\.\d+\.\d+\.\d+"):
                if device["ip"].startswith("127."):
                    check.report("body.device.ip: a loopback address")
        printers = body["printers"]
        if not isinstance(printers, list) or len(printers) != 1:
            check.report(f"body.printers: one printer is due, got {describe(printers)}")
        elif check.keys(printers[0], "body.printers[0]", "name ui_port"):
            check.string(printers[0]["name"], "body.printers[0].name")
            check.integer(printers[0]["ui_port"], "body.printers[0].ui_port", 1, 65535)

    def _register(self, exchange: Exchange) -> Answer:
        token = exchange.body["pairing_token"]
        if token in self.state["refused_tokens"] and self.client.timed and self.pace("register").last is not None:
            if self.pace("register").last.mono > self.restarted_at:
                exchange.timing.append("register repeated with a token that was refused for good")
        condition = self.state["tokens"].get(token)
        if condition != "fresh":
            self.state["refused_tokens"].append(token)
            self.save()
            if condition == "consumed":
                return Answer(422, {"error": "Pairing token already consumed"})
            return Answer(401, {"error": "Invalid or expired pairing token"})
        self.state["tokens"][token] = "consumed"
        self.state["registered"], self.state["revoked"] = True, False
        self.save()
        text = str if self.state["ids_as_strings"] else int
        answer: dict[str, Any] = {
            "connector": {"id": text(self.state["connector_id"])},
            "credentials": {"secret": self.state["secret"]},
            "printers": [{"id": self.state["printer_id"], "name": exchange.body["printers"][0]["name"]}],
        }
        if self.state["polling"]:
            answer["polling"] = {
                "commands_seconds": self.state["commands_seconds"],
                "snapshots_seconds": self.state["snapshots_seconds"],
            }
        return Answer(200, answer)

    # Heartbeat

    def _check_heartbeat(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", "status printers"):
            return
        if check.keys(body["status"], "body.status", "uptime_seconds version"):
            check.integer(body["status"]["uptime_seconds"], "body.status.uptime_seconds", 0, 10**9)
            check.string(body["status"]["version"], "body.status.version", self.client.version)
        printers = body["printers"]
        if not isinstance(printers, list) or len(printers) != 1:
            check.report(f"body.printers: one printer is due, got {describe(printers)}")
        elif check.keys(printers[0], "body.printers[0]", "printer_id reachable"):
            check.integer(printers[0]["printer_id"], "body.printers[0].printer_id")
            check.boolean(printers[0]["reachable"], "body.printers[0].reachable")
            if printers[0]["printer_id"] != self.state["printer_id"]:
                check.report(f"body.printers[0].printer_id: {self.state['printer_id']} is due")

    def _heartbeat(self, exchange: Exchange) -> Answer:
        return self._refusal(exchange) or Answer(200, {"status": "ok"})

    def _clock_heartbeat(self, exchange: Exchange) -> None:
        if exchange.deviations:
            return
        last = self.pace("heartbeat").last
        if last is not None and not last.deviations and last.mono > self.restarted_at:
            before, now = (e.body["status"]["uptime_seconds"] for e in (last, exchange))
            if now < before:  # another process of the client: every interval starts anew
                self.restarted_at = self.disturbed_at = exchange.mono - 0.5
            elif abs((now - before) - (exchange.mono - last.mono)) > 3.0:
                exchange.timing.append(
                    f"uptime_seconds went from {before} to {now} within {exchange.mono - last.mono:.1f} s"
                )
        if self._clock_refused(exchange):
            return
        interval = self.state["heartbeat_seconds"]
        self.check_interval(exchange, interval * (1 - JITTER), interval * (1 + JITTER), "heartbeat")

    def _clock_refused(self, exchange: Exchange) -> bool:
        """While credentials are refused, one heartbeat a minute is all that may come."""
        since = self.pace("credentials").refused_since
        if since is None:
            return False
        if exchange.mono - since < 5.0:
            return True  # what was on its way
        if exchange.endpoint != "heartbeat":
            exchange.timing.append(f"{exchange.endpoint} while credentials are refused; only the probe is due")
            return True
        last = self.pace("heartbeat").last
        if last is not None and last.mono > since and exchange.mono - last.mono < PROBE_SECONDS * (1 - JITTER) - 0.2:
            exchange.timing.append(f"probe after {exchange.mono - last.mono:.1f} s; one a minute is due")
        return True

    def answered(self, exchange: Exchange) -> None:
        if exchange.endpoint in ("register", "complete", "upload", "unknown") or exchange.deviations:
            return
        refusals = (401, 403) if exchange.endpoint == "snapshots" else (401, 403, 404)
        pace = self.pace("credentials")
        if exchange.status in refusals:
            pace.refused_since = pace.refused_since or exchange.mono
        elif exchange.ok and pace.refused_since is not None:
            pace.refused_since = None
            self.disturbed_at = exchange.mono

    # Snapshots

    def _check_snapshots(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", "snapshots"):
            return
        if not isinstance(body["snapshots"], list) or len(body["snapshots"]) != 1:
            check.report(f"body.snapshots: one snapshot is due, got {describe(body['snapshots'])}")
            return
        snapshot, path = body["snapshots"][0], "body.snapshots[0]"
        if not check.keys(snapshot, path, "printer_id captured_at payload"):
            return
        if snapshot["printer_id"] != self.state["printer_id"]:
            check.report(f"{path}.printer_id: {self.state['printer_id']} is due")
        check.string(snapshot["captured_at"], f"{path}.captured_at", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        if not check.keys(snapshot["payload"], f"{path}.payload", "result"):
            return
        result = snapshot["payload"]["result"]
        if not check.keys(result, f"{path}.payload.result", "eventtime status"):
            return
        check.number(result["eventtime"], f"{path}.payload.result.eventtime", 0)
        if check.keys(result["status"], "status", " ".join(OBJECTS)):
            self._check_status(result["status"], check)

    def _check_status(self, status: dict[str, Any], check: Check) -> None:
        for name, fields in OBJECTS.items():
            if name == "heater_bed" and status[name] == {}:
                continue  # a printer without a bed
            if not check.keys(status[name], f"status.{name}", fields):
                return
        stats, card, toolhead = status["print_stats"], status["virtual_sdcard"], status["toolhead"]
        check.string(stats["filename"], "status.print_stats.filename")
        check.choice(stats["state"], "status.print_stats.state", "standby printing paused complete cancelled error")
        check.string(stats["message"], "status.print_stats.message")
        for key in ("total_duration", "print_duration", "filament_used"):
            check.number(stats[key], f"status.print_stats.{key}", -1e-6, 1e9)
        if check.keys(stats["info"], "status.print_stats.info", "total_layer current_layer"):
            for key in ("total_layer", "current_layer"):
                check.integer(stats["info"][key], f"status.print_stats.info.{key}", 0, null=True)
        check.string(card["file_path"], "status.virtual_sdcard.file_path", null=True)
        check.number(card["progress"], "status.virtual_sdcard.progress", 0, 1)
        check.boolean(card["is_active"], "status.virtual_sdcard.is_active")
        for key in ("file_position", "file_size"):
            check.integer(card[key], f"status.virtual_sdcard.{key}", 0)
        for name in ("extruder", "heater_bed"):
            if status[name]:
                check.number(status[name]["temperature"], f"status.{name}.temperature", -50, 500)
                check.number(status[name]["target"], f"status.{name}.target", 0, 500)
                check.number(status[name]["power"], f"status.{name}.power", 0, 1)
        check.boolean(status["extruder"]["can_extrude"], "status.extruder.can_extrude")
        check.boolean(status["pause_resume"]["is_paused"], "status.pause_resume.is_paused")
        check.string(toolhead["homed_axes"], "status.toolhead.homed_axes", "x?y?z?")
        for key in ("axis_minimum", "axis_maximum", "position"):
            value = toolhead[key]
            if not isinstance(value, list) or len(value) != 4:
                check.report(f"status.toolhead.{key}: four numbers are due, got {describe(value)}")
            else:
                for index, item in enumerate(value):
                    check.number(item, f"status.toolhead.{key}[{index}]", -1e9, 1e9)
        for key in ("print_time", "estimated_print_time", "max_velocity", "max_accel"):
            check.number(toolhead[key], f"status.toolhead.{key}", 0)
        check.integer(toolhead["stalls"], "status.toolhead.stalls", 0)

    def _snapshots(self, exchange: Exchange) -> Answer:
        return self._refusal(exchange) or Answer(200, {"inserted": 1})

    def _clock_snapshots(self, exchange: Exchange) -> None:
        if exchange.deviations or self._clock_refused(exchange):
            return
        self._check_age(exchange)
        last = self.pace("snapshots").last
        extra = self._is_extra(last, exchange) or self._post_command_due()
        previous_extra = getattr(self, "_last_extra", None)
        if extra and previous_extra is not None and exchange.mono - previous_extra < EXTRA_SPACING - EARLY_EXTRA:
            exchange.timing.append(f"two extra snapshots within {exchange.mono - previous_extra:.2f} s")
        excused = extra or (last is not None and previous_extra == last.mono)
        interval = self.state["snapshots_seconds"]
        beat = self.pace("heartbeat").last
        if beat is not None and not beat.deviations and not beat.body["printers"][0]["reachable"]:
            self.disturbed_at = max(self.disturbed_at, beat.mono)
        self.check_interval(exchange, interval * (1 - JITTER), interval * (1 + JITTER), "snapshot", excused)
        if extra:
            self._last_extra = exchange.mono

    def _check_age(self, exchange: Exchange) -> None:
        """`captured_at` must be the moment of `eventtime`, on this host's clocks."""
        snapshot = exchange.body["snapshots"][0]
        captured = datetime.strptime(snapshot["captured_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        measured = time.time() - (time.monotonic() - snapshot["payload"]["result"]["eventtime"])
        age = exchange.t - measured
        if captured - measured > 2.5:
            exchange.timing.append(f"stale data as fresh: captured_at is {captured - measured:.1f} s after eventtime")
        if measured - captured > 2.5:
            exchange.timing.append(f"captured_at is {measured - captured:.1f} s before eventtime")
        if age > STALE_AFTER:
            exchange.timing.append(f"snapshot of data that is {age:.1f} s old")

    @staticmethod
    def _is_extra(last: Exchange | None, exchange: Exchange) -> bool:
        if last is None or last.deviations:
            return False
        before, now = (
            e.body["snapshots"][0]["payload"]["result"]["status"]["print_stats"]["state"] for e in (last, exchange)
        )
        return before != now

    def _post_command_due(self) -> bool:
        return "running" in self.state["handed_out"].values()

    # Commands

    def _check_poll(self, query: str) -> Any:
        def check_poll(exchange: Exchange, check: Check) -> None:
            self._check_headers(exchange, check)
            if exchange.query != query:
                check.report(f"query: {query} is due, got {exchange.query!r}")
            if exchange.header("Content-Type") is not None or exchange.raw:
                check.report("a poll has no body and no Content-Type")

        return check_poll

    def _commands(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        handed, self.state["queue"] = self.state["queue"][:20], self.state["queue"][20:]
        for command in handed:
            self.state["handed_out"][str(command["id"])] = "running"
        if handed:
            self.save()
        return Answer(200, handed)

    def _check_complete(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", "status", "result error_message"):
            return
        check.choice(body["status"], "body.status", "succeeded failed")
        if body["status"] == "failed":
            check.string(body.get("error_message"), "body.error_message", "(?s).+")
        elif "error_message" in body:
            check.report("body.error_message: only with status failed")
        result = body.get("result")
        if not isinstance(result, dict):
            check.report(f"body.result: an object is due, got {describe(result)}")
        elif set(result) != {"printer_id"} and result.get("action") not in ACTIONS.split():
            if not re.match("unsupported action|invalid command", body.get("error_message", "")):
                check.report(f"body.result.action: {describe(result.get('action'))} is no action")

    def _complete(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        number = exchange.match["id"]
        known = self.state["handed_out"].get(number)
        if known is None:
            exchange.timing.append(f"completion of command {number}, which was never handed out")
            return Answer(404, {"error": "Command not found"})
        if known not in ("running", exchange.body):
            exchange.timing.append(f"command {number} was completed twice, differently")
        self.state["handed_out"][number] = exchange.body
        self.save()
        return Answer(200, {"status": "ok"})

    # Webcam

    def _webcam_requests(self, exchange: Exchange) -> Answer:
        return self._refusal(exchange) or Answer(200, self.state["webcam_requests"][:10])

    def _check_upload(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check, accept=False)
        check.string(exchange.header("X-Printer-Id"), "header X-Printer-Id", r"\d+")
        kind = exchange.header("Content-Type") or ""
        if exchange.raw and not kind.startswith("image/"):
            check.report(f"header Content-Type: an image type is due, got {kind!r}")
        if not exchange.raw and kind != "application/json":
            check.report("an empty upload says application/json")

    def _upload(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        open_requests = self.state["webcam_requests"]
        rest = [request for request in open_requests if str(request["id"]) != exchange.match["id"]]
        if len(rest) == len(open_requests):
            return Answer(404, {"error": "Request not found"})
        self.state["webcam_requests"] = rest
        self.save()
        return Answer(200, {"status": "completed"})

    # Control

    def order(self, name: str, arguments: dict[str, Any]) -> Any:
        """`command` queues one; `webcam` asks for an image; `token` makes a fresh pairing token."""
        match name:
            case "command":
                self.state["queue"].append(arguments)
            case "webcam":
                self.state["webcam_requests"].append(arguments)
            case "token":
                self.state["tokens"][arguments["token"]] = arguments.get("condition", "fresh")
            case _:
                raise KeyError(name)
        self.save()
        return {"ok": True}

    def announce(self, exchange: Exchange) -> str | None:
        if exchange.deviations:
            return None
        match exchange.endpoint:
            case "register":
                return f"paired with {exchange.body['device']['hostname']}" if exchange.ok else "pairing refused"
            case "heartbeat":
                reachable = exchange.body["printers"][0]["reachable"]
                return f"heartbeat: printer {'reachable' if reachable else 'not reachable'}"
            case "snapshots":
                status = exchange.body["snapshots"][0]["payload"]["result"]["status"]
                stats, nozzle, bed = status["print_stats"], status["extruder"], status["heater_bed"]
                progress = 100 * status["virtual_sdcard"]["progress"]
                bed_text = f" bed {bed['temperature']:.0f}/{bed['target']:.0f}" if bed else ""
                return (
                    f"snapshot: {stats['state']} {stats['filename']} {progress:.0f} % "
                    f"nozzle {nozzle['temperature']:.1f}/{nozzle['target']:.0f}{bed_text}"
                )
        return None


EARLY_EXTRA = 0.2


def make(arguments: argparse.Namespace) -> PrintDockCloud:
    """The cloud that the command line asks for."""
    client = ORIGINAL if arguments.original else OURS
    cloud = PrintDockCloud(client, arguments.state, arguments.log, arguments.announce)
    cloud.state["heartbeat_seconds"] = arguments.heartbeat
    cloud.state["snapshots_seconds"] = arguments.snapshots
    for token in arguments.token or ():
        cloud.state["tokens"][token] = "fresh"
    return cloud


def extend(parser: argparse.ArgumentParser) -> None:
    """Options of this cloud."""
    parser.add_argument("--heartbeat", type=float, default=10, help="seconds, as the client is configured")
    parser.add_argument("--snapshots", type=int, default=30, help="seconds, told to the client at registration")
    parser.add_argument("--token", action="append", help="a fresh pairing token beside PAIR_dummy_1")


if __name__ == "__main__":
    run(make, __doc__.splitlines()[0], extend)
