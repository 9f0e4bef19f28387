"""A strict PrintDock cloud: registration, heartbeats, snapshots, commands, webcam requests.

Commands are handed out once, or again on order; each result is checked against its action and counted. A presigned
storage for backups listens on another port too (`--further-port`), where no backup may go.

Beside shapes and intervals it checks what only a test can see: a snapshot's `captured_at` must agree
with its `eventtime` on this host's monotonic clock, so old data cannot pass as new.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

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

RESULTS = {
    "pause": "",
    "resume": "",
    "cancel": "",
    "start_print": "filename",
    "homing": "axes",
    "upload_file": "filename size",
    "delete_file": "filename",
    "sync_files": "files count",
    "import_history": "history count",
    "create_backup": "backup_id size_bytes sha256 uploaded_at",
}
"""The ten actions, and what the result of each has beside `action`."""

AFTERWARDS = {"pause": "paused", "resume": "printing", "cancel": "cancelled standby"}
"""What the snapshot before a completion must show, where that is certain."""


class PrintDockCloud(StrictCloud):
    """The cloud's side of the PrintDock protocol for one connector with one printer."""

    name = "printdock"
    anonymous_endpoints = frozenset({"storage"})
    _last_extra: float | None = None
    _last_state_extra: float | None = None

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
            "webcam_seconds": 2,  # what the client is configured to; not on the wire
            "snapshots_seconds": 30,
            "polling": True,  # whether the answer to register has `polling`
            "ids_as_strings": False,
            "refused_tokens": [],
            "queue": [],
            "hand_out_at_most": 20,  # the limit that the client asks for; a broken cloud hands out more
            "handed_out": {},  # command id -> "running" or its completion
            "issued": {},  # command id -> the command, when it was last handed out and how often
            "completions": {},  # command id -> how many completions were taken, and when the last
            "spare_first_answer": False,  # the first answer to a daemon that has started anew is empty
            "redeliver_after": None,  # seconds: hand out again what was handed out so long ago
            "redeliver_completed": False,  # … although its completion has come
            "redeliver_times": 1,
            "webcam_requests": [],
            "webcam_patience": 30.0,  # seconds until a request is given up
            "stored": {},  # name in the storage -> what was put there
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
                self._clock_commands,
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
                self._clock_webcam_requests,
            ),
            Endpoint("upload", "PUT", f"{prefix}/webcam_requests/{one}/upload", self._check_upload, self._upload),
            Endpoint("storage", "PUT", f"/_storage/{one}", self._check_storage, self._storage),
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
        if exchange.endpoint == "complete" and exchange.fault is not None:
            completion = self.state["completions"].get(unquote(exchange.match["id"]))
            if completion is not None:  # processed, but the client cannot know
                completion["lost"] = True
        if exchange.endpoint in ("register", "complete", "upload", "storage", "unknown") or exchange.deviations:
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
        if last is None and self.pace("register").last is None:
            self._last_extra = exchange.mono  # from before our own restart we know no state: it may be an extra one
        after_command = self._post_command_due()
        extra = self._is_extra(last, exchange) or after_command
        if extra and not after_command:
            gap = math.inf if self._last_state_extra is None else exchange.mono - self._last_state_extra
            if gap < EXTRA_SPACING - EARLY_EXTRA:
                exchange.timing.append(f"two extra snapshots within {gap:.2f} s")
            self._last_state_extra = exchange.mono
        again = any(e["times"] > 1 and exchange.mono - e["mono"] < AROUND_REPEAT for e in self.state["issued"].values())
        if again and last is not None and last.ok and not after_command:
            before, now = (e.body["snapshots"][0]["payload"]["result"]["eventtime"] for e in (last, exchange))
            if before == now and exchange.mono - last.mono < SAME_MOMENT:
                exchange.timing.append("the snapshot of a moment ago once more")
        excused = extra or (last is not None and self._last_extra == last.mono)
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
        """Whether a command runs; a result that is sent again has no snapshot before it."""
        return any(number not in self.state["completions"] for number in self.state["issued"])

    # Commands

    def _check_poll(self, query: str) -> Any:
        def check_poll(exchange: Exchange, check: Check) -> None:
            self._check_headers(exchange, check)
            if exchange.query != query:
                check.report(f"query: {query} is due, got {exchange.query!r}")
            if exchange.header("Content-Type") is not None or exchange.raw:
                check.report("a poll has no body and no Content-Type")

        return check_poll

    def _clock_commands(self, exchange: Exchange) -> None:
        """Polls go on at their interval, also while a command runs."""
        if not exchange.deviations and not self._clock_refused(exchange):
            interval = self.state["commands_seconds"]
            self.check_interval(exchange, interval * (1 - JITTER), interval * (1 + JITTER), "command poll")

    def _clock_webcam_requests(self, exchange: Exchange) -> None:
        """Not more often than due; without a camera it may ask less often."""
        if not exchange.deviations and not self._clock_refused(exchange):
            interval = self.state["webcam_seconds"]
            self.check_interval(exchange, interval * (1 - JITTER), math.inf, "webcam poll")

    def _commands(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        last = self.pace("commands").last
        if self.state["spare_first_answer"] and (last is None or last.mono < self.restarted_at):
            return Answer(200, [])
        most = self.state["hand_out_at_most"]
        handed = self.state["queue"][:most]
        self.state["queue"] = self.state["queue"][most:]
        handed += self._due_again(exchange.mono, most - len(handed))
        for command in handed:
            number = command_id(command)
            if number is not None:
                self.state["handed_out"].setdefault(number, "running")
                earlier = self.state["issued"].get(number, {"times": 0})
                self.state["issued"][number] = {
                    "command": command,
                    "mono": exchange.mono,
                    "times": earlier["times"] + 1,
                }
        if handed:
            self.save()
        return Answer(200, handed)

    def _due_again(self, now: float, most: int) -> list[Any]:
        """What this cloud hands out again although it did before."""
        after = self.state["redeliver_after"]
        if after is None or most <= 0:
            return []
        due = []
        for number, issue in self.state["issued"].items():
            is_open = self.state["handed_out"][number] == "running" or self.state["redeliver_completed"]
            if is_open and issue["times"] <= self.state["redeliver_times"] and now - issue["mono"] >= after:
                due.append(issue["command"])
        return due[:most]

    def _check_complete(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check)
        body = self.read_json(exchange, check)
        if body is None or not check.keys(body, "body", "status result", "error_message"):
            return
        check.choice(body["status"], "body.status", "succeeded failed")
        if body["status"] == "failed":
            check.string(body.get("error_message"), "body.error_message", "(?s).{1,600}")
        elif "error_message" in body:
            check.report("body.error_message: only with status failed")
        result = body["result"]
        if not isinstance(result, dict):
            check.report(f"body.result: an object is due, got {describe(result)}")
        elif body["status"] == "succeeded":
            self._check_result(exchange, result, check)
        elif set(result) == {"printer_id"}:
            check.string(body.get("error_message"), "body.error_message", "unknown printer_id .*")
        elif result.get("action") in RESULTS:
            check.keys(result, "body.result", "action", RESULTS[result["action"]])
        elif not re.match("unsupported action|invalid command", body.get("error_message") or ""):
            check.report(f"body.result.action: {describe(result.get('action'))} is no action")

    def _check_result(self, exchange: Exchange, result: dict[str, Any], check: Check) -> None:
        action = result.get("action")
        if not check.choice(action, "body.result.action", " ".join(RESULTS)):
            return
        required, optional = RESULTS[action], "post_snapshot post_snapshot_error"
        if result.get("truncated") is True:  # sent again after a 413
            required, optional = "", f"{optional} {required} truncated"
        if action == "import_history":
            required, optional = required.removesuffix(" count"), f"{optional} count"
        if not check.keys(result, "body.result", f"action {required}", optional):
            return
        if ("post_snapshot" in result) == ("post_snapshot_error" in result):
            check.report("body.result: one of post_snapshot and post_snapshot_error is due")
        if "post_snapshot" in result:
            check.choice(result["post_snapshot"], "body.result.post_snapshot", "captured")
            self._check_order(exchange, action)
        issued = self.state["issued"].get(unquote(exchange.match["id"]))
        if issued is not None and issued["command"].get("action") != action:
            check.report(f"body.result.action: {issued['command'].get('action')!r} was asked for")
        if "count" in result:
            check.integer(result["count"], "body.result.count", 0)
        match action:
            case "homing" if result["axes"] != "all":
                if not isinstance(result["axes"], list):
                    check.report("body.result.axes: an array or all is due")
            case "upload_file":
                check.integer(result["size"], "body.result.size", 1)
            case "sync_files" if "files" in result:
                for index, file in enumerate(result["files"]):
                    check.keys(file, f"body.result.files[{index}]", "path modified size permissions")
                if result["count"] != len(result["files"]):
                    check.report("body.result.count: not the number of files")
            case "import_history" if "history" in result:
                if check.keys(result["history"], "body.result.history", "result"):
                    jobs = result["history"]["result"].get("jobs")
                    if result.get("count") != len(jobs):
                        check.report("body.result.count: not the number of jobs")
            case "create_backup":
                self._check_backup(result, check)

    def _check_backup(self, result: dict[str, Any], check: Check) -> None:
        check.integer(result["size_bytes"], "body.result.size_bytes", 1)
        check.string(result["sha256"], "body.result.sha256", "[0-9a-f]{64}")
        check.string(result["uploaded_at"], "body.result.uploaded_at", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        if self.client.original:
            return
        facts = {"sha256": result["sha256"], "size": result["size_bytes"]}
        if not any(facts == {key: stored[key] for key in facts} for stored in self.state["stored"].values()):
            check.report("body.result: no such bytes have arrived in the storage")

    def _check_order(self, exchange: Exchange, action: str) -> None:
        """The snapshot that a completion speaks of comes before it, and shows what the command did."""
        issued = self.state["issued"].get(unquote(exchange.match["id"]))
        times = self.state["completions"].get(unquote(exchange.match["id"]))
        if issued is None or times is not None or not self.client.timed:
            return
        if max(self.disturbed_at, self.restarted_at) > issued["mono"]:
            return
        last = self.pace("snapshots").last
        if last is None or last.mono < issued["mono"]:
            exchange.timing.append("completion says that a snapshot was captured, but none has come since the command")
        elif action in AFTERWARDS and not last.deviations:
            state = last.body["snapshots"][0]["payload"]["result"]["status"]["print_stats"]["state"]
            if state not in AFTERWARDS[action].split():
                exchange.timing.append(f"the snapshot before the completion of {action} says {state}")

    def _complete(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        number = unquote(exchange.match["id"])
        known = self.state["handed_out"].get(number)
        if known is None:
            exchange.timing.append(f"completion of command {number}, which was never handed out")
            return Answer(404, {"error": "Command not found"})
        if known not in ("running", exchange.body):
            exchange.timing.append(f"command {number} was completed twice, differently")
        earlier = self.state["completions"].get(number)
        if earlier is not None and self.client.timed and max(self.restarted_at, self.disturbed_at) < earlier["mono"]:
            # Each handing-out is a question: one that crossed the first answer on the way has an answer of its own.
            if not earlier["lost"] and earlier["count"] >= self.state["issued"][number]["times"]:
                exchange.timing.append(f"command {number} was completed again, though nobody asked again")
        self.state["handed_out"][number] = exchange.body
        self.state["completions"][number] = {
            "count": 1 + (earlier["count"] if earlier else 0),
            "mono": exchange.mono,
            "lost": False,
        }
        self.save()
        return Answer(200, {"status": "ok"})

    # Webcam

    def _webcam_requests(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        since = exchange.mono - self.state["webcam_patience"]
        open_requests = [request for request in self.state["webcam_requests"] if request.get("mono", since) >= since]
        self.state["webcam_requests"] = open_requests
        shown = [{key: value for key, value in request.items() if key != "mono"} for request in open_requests[:10]]
        return Answer(200, shown)

    def _check_upload(self, exchange: Exchange, check: Check) -> None:
        self._check_headers(exchange, check, accept=False)
        check.string(exchange.header("X-Printer-Id"), "header X-Printer-Id", r"\d+")
        kind = exchange.header("Content-Type") or ""
        if exchange.raw and not kind.startswith("image/"):
            check.report(f"header Content-Type: an image type is due, got {kind!r}")
        if not exchange.raw and kind != "application/json":
            check.report("an empty upload says application/json")
        if exchange.raw and not self.client.original:
            if not is_picture(exchange.raw):
                check.report(f"body: no JPEG, PNG or WebP: {exchange.raw[:16]!r}")
            if len(exchange.raw) > LARGEST_PICTURE:
                check.report(f"body: {len(exchange.raw)} bytes; at most {LARGEST_PICTURE} are taken")

    def _upload(self, exchange: Exchange) -> Answer:
        refusal = self._refusal(exchange)
        if refusal:
            return refusal
        open_requests = self.state["webcam_requests"]
        rest = [request for request in open_requests if str(request["id"]) != exchange.match["id"]]
        if len(rest) == len(open_requests):
            return Answer(404, {"error": "Request not found"})
        asked = next(request for request in open_requests if str(request["id"]) == exchange.match["id"])
        if exchange.header("X-Printer-Id") != str(asked["printer_id"]):
            exchange.timing.append(f"header X-Printer-Id: {asked['printer_id']} is due")
        if exchange.raw and "/" not in exchange.match["id"]:
            (self.log_folder / f"picture-{exchange.match['id']}").write_bytes(exchange.raw)
        self.state["webcam_requests"] = rest
        self.save()
        return Answer(200, {"status": "completed"})

    # The presigned storage

    def _check_storage(self, exchange: Exchange, check: Check) -> None:
        for name in ("Authorization", "X-Connector-Id"):
            if exchange.header(name) is not None:
                check.report(f"header {name}: PrintDock's own, nothing for a storage")
        if exchange.header("Content-Type") != "application/gzip":
            check.report(f"header Content-Type: application/gzip is due, got {exchange.header('Content-Type')!r}")
        if exchange.query != f"expires=4102444800&signature={signature(exchange.match['id'])}":
            check.report(f"query: not the one that was signed: {exchange.query!r}")

    def _storage(self, exchange: Exchange) -> Answer:
        name = exchange.match["id"]
        (self.log_folder / f"stored-{name}").write_bytes(exchange.raw)
        self.state["stored"][name] = {
            "sha256": hashlib.sha256(exchange.raw).hexdigest(),
            "size": len(exchange.raw),
        }
        self.save()
        return Answer(200, empty=True)

    # Control

    def order(self, name: str, arguments: dict[str, Any]) -> Any:
        """What a test wants of this cloud.

        - command, commands: queue one, or many elements that need not be commands.
        - redeliver: hand out once more what was handed out before.
        - webcam: ask for an image.
        - token: make a fresh pairing token.
        """
        match name:
            case "command":
                self.state["queue"].append(arguments)
            case "commands":
                self.state["queue"].extend(arguments["elements"])
            case "redeliver":
                self.state["queue"].append(self.state["issued"][arguments["id"]]["command"])
            case "webcam":
                self.state["webcam_requests"].append(arguments | {"mono": time.monotonic()})
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
SAME_MOMENT = 0.2
AROUND_REPEAT = 2.0
LARGEST_PICTURE = 10 * 1024 * 1024


def command_id(command: Any) -> str | None:
    """The id of an element of the queue as it stands in paths; None where nobody can read one."""
    number = command.get("id") if isinstance(command, dict) else None
    return str(number) if isinstance(number, str | int) and not isinstance(number, bool) and number != "" else None


def is_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a JPEG, a PNG or a WebP."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def signature(name: str) -> str:
    """What a presigned address of the storage carries."""
    return hashlib.sha256(f"storage {name}".encode()).hexdigest()[:32]


def make(arguments: argparse.Namespace) -> PrintDockCloud:
    """The cloud that the command line asks for."""
    client = ORIGINAL if arguments.original else OURS
    cloud = PrintDockCloud(client, arguments.state, arguments.log, arguments.announce)
    cloud.state["heartbeat_seconds"] = arguments.heartbeat
    cloud.state["snapshots_seconds"] = arguments.snapshots
    cloud.state["commands_seconds"] = arguments.commands
    cloud.state["webcam_seconds"] = arguments.webcam
    for token in arguments.token or ():
        cloud.state["tokens"][token] = "fresh"
    return cloud


def extend(parser: argparse.ArgumentParser) -> None:
    """Options of this cloud."""
    parser.add_argument("--heartbeat", type=float, default=10, help="seconds, as the client is configured")
    parser.add_argument("--snapshots", type=int, default=30, help="seconds, told to the client at registration")
    parser.add_argument("--commands", type=int, default=3, help="seconds, told to the client at registration")
    parser.add_argument("--webcam", type=float, default=2, help="seconds, as the client is configured")
    parser.add_argument("--token", action="append", help="a fresh pairing token beside PAIR_dummy_1")


def main() -> None:
    run(make, __doc__.splitlines()[0], extend)


if __name__ == "__main__":
    main()
