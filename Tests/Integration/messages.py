"""Correct messages of our daemon, for tests of the strict clouds: each test spoils one thing in them."""

from __future__ import annotations

import copy
import http.client
import json
import time
from datetime import UTC, datetime
from typing import Any

from harness import Cloud

PRINTDOCK_AGENT = "printer-uplink/0.1.0"
REACH_AGENT = "reach-link-agent/1.0.12 (printer-uplink/0.1.0)"
SECRET = "c_dummy_secret_for_tests"
TOKEN = "dummy-token-1"

STATUS: dict[str, Any] = {
    "print_stats": {
        "filename": "",
        "total_duration": 0.0,
        "print_duration": 0.0,
        "filament_used": 0.0,
        "state": "standby",
        "message": "",
        "info": {"total_layer": None, "current_layer": None},
    },
    "virtual_sdcard": {
        "file_path": None,
        "progress": 0.0,
        "is_active": False,
        "file_position": 0,
        "file_size": 0,
    },
    "extruder": {
        "temperature": 21.99,
        "target": 0.0,
        "power": 0.0,
        "can_extrude": False,
        "pressure_advance": 0.04,
        "smooth_time": 0.04,
        "motion_queue": "extruder",
    },
    "heater_bed": {"temperature": 22.05, "target": 0.0, "power": 0.0},
    "toolhead": {
        "homed_axes": "",
        "axis_minimum": [0.0, 0.0, -2.0, 0.0],
        "axis_maximum": [235.0, 235.0, 250.0, 0.0],
        "print_time": 22.8,
        "stalls": 0,
        "estimated_print_time": 21.8,
        "extruder": "extruder",
        "position": [0.0, 0.0, 0.0, 0.0],
        "max_velocity": 300.0,
        "max_accel": 3000.0,
        "minimum_cruise_ratio": 0.5,
        "square_corner_velocity": 5.0,
    },
    "pause_resume": {"is_paused": False},
}


def send(
    cloud: Cloud,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = 5.0,
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own: status, headers, body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(data or None)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def utc(moment: float) -> str:
    """RFC 3339, whole seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PrintDockMessages:
    """Our daemon's side of PrintDock."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.started = time.monotonic()

    def headers(self, authenticated: bool = True) -> dict[str, str]:
        common = {"Accept": "application/json", "User-Agent": PRINTDOCK_AGENT, "Content-Type": "application/json"}
        if authenticated:
            common |= {"Authorization": f"Bearer {SECRET}", "X-Connector-Id": "46"}
        return common

    def register(self, token: str = "PAIR_dummy_1") -> dict[str, Any]:
        device = {"hostname": "host", "arch": "amd64", "os": "linux", "version": "0.1.0", "ip": "192.0.2.2"}
        return {
            "pairing_token": token,
            "site_name": "Test Lab",
            "device": device | {"ui_port": 80},
            "printers": [{"name": "Sim", "ui_port": 80}],
        }

    def heartbeat(self, reachable: bool = True) -> dict[str, Any]:
        uptime = int(time.monotonic() - self.started)
        return {
            "status": {"uptime_seconds": uptime, "version": "0.1.0"},
            "printers": [{"printer_id": 262, "reachable": reachable}],
        }

    def snapshot(self, age: float = 0.0, captured: float | None = None, state: str = "standby") -> dict[str, Any]:
        """- age: seconds that the data is old; captured: what captured_at claims (wall clock)."""
        status = copy.deepcopy(STATUS)
        status["print_stats"]["state"] = state
        moment = time.time() - age if captured is None else captured
        payload = {"result": {"eventtime": time.monotonic() - age, "status": status}}
        return {"snapshots": [{"printer_id": 262, "captured_at": utc(moment), "payload": payload}]}

    def post(self, endpoint: str, body: Any, headers: dict[str, str] | None = None, **options: Any) -> int:
        """Send to `register`, `heartbeat` or `snapshots`; the status."""
        paths = {
            "register": "/api/v1/connectors/register",
            "heartbeat": "/api/v1/connectors/46/heartbeat",
            "snapshots": "/api/v1/snapshots/batch",
        }
        headers = self.headers(endpoint != "register") if headers is None else headers
        return send(self.cloud, "POST", paths[endpoint], body, headers, **options)[0]

    # Commands

    def get(self, what: str) -> list[Any]:
        """A poll of `commands` or `webcam_requests`."""
        limit = {"commands": 20, "webcam_requests": 10}[what]
        headers = {name: value for name, value in self.headers().items() if name != "Content-Type"}
        status, _, data = send(self.cloud, "GET", f"/api/v1/connectors/46/{what}?limit={limit}", headers=headers)
        assert status == 200, data
        return json.loads(data)

    def complete(self, number: str, action: str, error: str | None = None, **result: Any) -> int:
        """Tell how a command ended, after its snapshot; the status."""
        body: dict[str, Any] = {"status": "succeeded", "result": {"action": action} | result}
        if error is not None:
            body |= {"status": "failed", "error_message": error}
        elif "post_snapshot_error" not in result:
            body["result"] |= {"post_snapshot": "captured"}
        return self.complete_as(number, body)

    def complete_as(self, number: str, body: Any) -> int:
        return send(self.cloud, "POST", f"/api/v1/commands/{number}/complete", body, self.headers())[0]

    def upload(self, number: str, picture: bytes, kind: str = "image/jpeg", printer: str = "262") -> int:
        headers = self.headers() | {"Content-Type": kind, "X-Printer-Id": printer}
        del headers["Accept"]
        return send(self.cloud, "PUT", f"/api/v1/webcam_requests/{number}/upload", picture, headers)[0]


class ReachMessages:
    """Our daemon's side of the Reach relay."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.started = time.monotonic()

    def headers(self, token: str | None = TOKEN) -> dict[str, str]:
        common = {"User-Agent": REACH_AGENT, "Content-Type": "application/json"}
        return common if token is None else common | {"Authorization": f"Bearer {token}"}

    def claim(self, code: str = "PAIR-0001") -> dict[str, Any]:
        return {
            "pairingCode": code,
            "agentVersion": "1.0.12",
            "moonrakerUrl": "http://127.0.0.1:7125",
            "printerIPAddress": "192.0.2.2",
            "hostname": "host",
        }

    def register(self, token: str = TOKEN) -> dict[str, Any]:
        return {
            "printerId": "printer-001",
            "token": token,
            "timestamp": int(time.time() * 1000),
            "uptime": int(time.monotonic() - self.started),
            "version": "1.0.12",
            "printerIPAddress": "192.0.2.2",
        }

    def data(self, state: str = "idle", token: str = TOKEN) -> dict[str, Any]:
        return {
            "printerId": "printer-001",
            "token": token,
            "timestamp": int(time.time() * 1000),
            "temperatures": {"nozzle": 22.0, "nozzleTarget": 0.0, "bed": 22.0, "bedTarget": 0.0, "chamber": 28.0},
            "fans": {"partCooling": 0.0},
            "motion": {"x": 0.0, "y": 0.0, "z": 0.0, "speed": 1500.0, "speedFactor": 1.0, "extrudeFactor": 1.0},
            "job": {
                "filename": "",
                "progress": 0.0,
                "eta": None,
                "elapsedTime": 0,
                "state": state,
                "totaltime": 0,
                "filamentUsed": 0.0,
                "estimatedTime": None,
            },
            "systemHealth": {"cpuPercent": 2.5, "memoryPercent": 40.0, "diskPercent": None},
            "errors": [],
            "logTail": [],
        }

    def post(self, endpoint: str, body: Any, headers: dict[str, str] | None = None, **options: Any) -> int:
        """Send to `claim`, `register`, `printer-data`, `pull` or `push`; the status."""
        return self.exchange(endpoint, body, headers, **options)[0]

    def exchange(
        self,
        endpoint: str,
        body: Any,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> tuple[int, Any]:
        """As `post`, with the answer's JSON."""
        paths = {
            "claim": "pairing/claim",
            "register": "register",
            "printer-data": "printer-data",
            "pull": "commands/pull",
            "push": "commands/push",
        }
        if headers is None:
            headers = self.headers(None if endpoint == "claim" else TOKEN)
        status, _, data = send(self.cloud, "POST", f"/api/reach-link/{paths[endpoint]}", body, headers, **options)
        return status, json.loads(data) if data else None


def spoil(document: Any, path: str, value: Any) -> Any:
    """A copy with one member replaced; `...` removes it. The path has dots; digits index arrays."""
    result = copy.deepcopy(document)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target = result
    for part in way:
        target = target[part]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return result
