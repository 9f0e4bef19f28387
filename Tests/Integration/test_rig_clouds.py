"""The test clouds take what the originals sent, and refuse and record every deviation."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, Cloud, Rig

from messages import TOKEN, PrintDockMessages, ReachMessages, send, spoil

TRANSCRIPTS = ROOT / "Tests" / "Fixtures" / "transcripts"


def transcript(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TRANSCRIPTS / f"{name}.jsonl").read_text().splitlines()]


def replay(cloud: Cloud, record: dict[str, Any]) -> tuple[int, Any]:
    """Send a recorded request as it was; the body anew from its JSON."""
    path = record["path"] + (f"?{record['query']}" if record.get("query") else "")
    left_out = ("host", "content-length", "connection")
    headers = {name: value for name, value in record["headers"].items() if name.lower() not in left_out}
    status, _, data = send(cloud, record["method"], path, record["body"], headers)
    return status, json.loads(data) if data else None


# What the originals sent is accepted


def test_the_original_printdock_traffic_is_accepted(rig: Rig) -> None:
    cloud = rig.printdock
    cloud.start("--original")
    replayed: dict[str, int] = {}
    for record in transcript("printdock"):
        if record["path"].startswith("/_storage") or record["name"] == "upload":
            continue  # no endpoint of the cloud; bodies that the transcript does not hold
        if isinstance(record["body"], dict) and "sha256" in record["body"]:
            continue
        if record["name"] == "commands":
            for command in record["response"]["body"]:
                cloud.order("command", **command)
        if record["name"] == "webcam_requests":
            cloud.set(webcam_requests=record["response"]["body"])
        status, _ = replay(cloud, record)
        assert status == record["response"]["status"], record
        replayed[record["name"]] = replayed.get(record["name"], 0) + 1
    assert {"register", "heartbeat", "commands", "complete", "snapshots", "webcam_requests"} <= set(replayed)
    assert cloud.deviations() == []


def test_the_original_reach_traffic_is_accepted(rig: Rig) -> None:
    relay = rig.reach
    relay.start("--original", "--hold", "0", "--next-check-in", "8")
    replayed: dict[str, int] = {}
    for record in transcript("reach-relay"):
        if record["path"].startswith("/printers/"):
            continue  # the Firebase part is not the relay's
        answer = record["response"]
        if record["path"].endswith("/commands/pull") and answer and answer.get("command"):
            relay.order("command", **answer["command"])
        if isinstance(answer, dict) and "rotatedToken" in answer:
            relay.order("rotate")
        if record["path"].endswith("/webcam-snapshot"):
            continue
        status, body = replay(relay, record)
        if record["status"] == 200:
            assert (status, body) == (200, answer), record["seq"]
        name = record["path"].rsplit("/", 1)[1]
        replayed[name] = replayed.get(name, 0) + 1
    assert {"claim", "register", "printer-data", "pull", "push", "version"} <= set(replayed)
    assert relay.deviations() == []


# Ours, as it should be


def test_our_printdock_messages_are_accepted(printdock: Cloud) -> None:
    ours = PrintDockMessages(printdock)
    assert ours.post("register", ours.register()) == 200
    assert ours.post("heartbeat", ours.heartbeat()) == 200
    assert ours.post("snapshots", ours.snapshot()) == 200
    assert ours.post("snapshots", ours.snapshot(state="printing")) == 200  # at once on a change of state
    time.sleep(2.0)
    assert ours.post("heartbeat", ours.heartbeat()) == 200
    assert printdock.deviations() == []


def test_our_reach_messages_are_accepted(reach: Cloud) -> None:
    ours = ReachMessages(reach)
    assert ours.post("claim", ours.claim()) == 200
    assert ours.exchange("register", ours.register()) == (200, {"success": True, "nextCheckIn": 5})
    assert ours.post("printer-data", ours.data()) == 200
    assert ours.post("printer-data", ours.data("paused")) == 200
    assert ours.exchange("pull", {"printerId": "printer-001"}) == (200, {"command": None})
    assert reach.deviations() == []


# Shapes: each one is refused and recorded

PRINTDOCK_SPOILED: list[tuple[str, str, Any, str]] = [
    ("register", "device.version", "v0.1.0", "device.version"),
    ("register", "device.extra", 1, "device.extra: not a key"),
    ("register", "device.os", "Linux", "device.os"),
    ("register", "device.arch", "x86_64", "device.arch"),
    ("register", "device.ip", "127.0.0.1", "loopback"),
    ("register", "site_name", "", "site_name"),
    ("register", "printers", [], "one printer"),
    ("register", "printers.0.ui_port", 0, "ui_port"),
    ("register", "pairing_token", ..., "pairing_token: missing"),
    ("heartbeat", "status.uptime_seconds", 1.5, "an integer"),
    ("heartbeat", "status.uptime_seconds", -1, "not within"),
    ("heartbeat", "status.version", "", "version"),
    ("heartbeat", "printers.0.printer_id", 263, "262 is due"),
    ("heartbeat", "printers.0.printer_id", "262", "an integer"),
    ("heartbeat", "printers.0.reachable", 1, "true or false"),
    ("heartbeat", "printers.0.name", "Sim", "not a key"),
    ("heartbeat", "time", 1, "not a key"),
    ("snapshots", "snapshots", [], "one snapshot"),
    ("snapshots", "snapshots.0.captured_at", "2026-01-01T00:00:00.5Z", "captured_at"),
    ("snapshots", "snapshots.0.captured_at", "2026-01-01T00:00:00+00:00", "captured_at"),
    ("snapshots", "snapshots.0.payload.status", {}, "payload.status: not a key"),
    ("snapshots", "snapshots.0.payload.result.status.fan", {}, "status.fan: not a key"),
    ("snapshots", "snapshots.0.payload.result.status.toolhead", ..., "status.toolhead: missing"),
    ("snapshots", "snapshots.0.payload.result.status.toolhead.estimated_print_time", ..., "estimated_print_time"),
    ("snapshots", "snapshots.0.payload.result.status.toolhead.position", [0, 0, 0], "four numbers"),
    ("snapshots", "snapshots.0.payload.result.status.virtual_sdcard.progress", 34.0, "progress"),
    ("snapshots", "snapshots.0.payload.result.status.print_stats.state", "idle", "state"),
    ("snapshots", "snapshots.0.payload.result.status.print_stats.info", {}, "info"),
    ("snapshots", "snapshots.0.payload.result.status.extruder.temperature", None, "temperature"),
    ("snapshots", "snapshots.0.payload.result.eventtime", "1.0", "eventtime"),
]


@pytest.fixture(scope="module")
def paired_printdock():
    with Rig() as rig:
        rig.printdock.start()
        ours = PrintDockMessages(rig.printdock)
        assert ours.post("register", ours.register()) == 200
        yield ours


@pytest.fixture(scope="module")
def claimed_reach():
    with Rig() as rig:
        rig.reach.start("--hold", "0.2")
        ours = ReachMessages(rig.reach)
        assert ours.post("claim", ours.claim()) == 200
        yield ours


def refused(cloud: Cloud, status: int, reason: str) -> None:
    """The last request was refused, and recorded with that reason."""
    deviations = cloud.records()[-1]["deviations"]
    assert status == 400, deviations
    assert any(reason in text for text in deviations), deviations


@pytest.mark.parametrize(("endpoint", "path", "value", "reason"), PRINTDOCK_SPOILED)
def test_printdock_refuses_a_wrong_shape(
    paired_printdock: PrintDockMessages, endpoint: str, path: str, value: Any, reason: str
) -> None:
    ours = paired_printdock
    body = {"register": ours.register, "heartbeat": ours.heartbeat, "snapshots": ours.snapshot}[endpoint]()
    refused(ours.cloud, ours.post(endpoint, spoil(body, path, value)), reason)


REACH_SPOILED: list[tuple[str, str, Any, str]] = [
    ("claim", "userId", "user-001", "not a key"),
    ("claim", "agentVersion", "0.1.0", "agentVersion"),
    ("claim", "printerIPAddress", None, "a string"),
    ("register", "token", "other", "not the token"),
    ("register", "timestamp", 1795162973, "timestamp"),
    ("register", "timestamp", 1795162973000.5, "an integer"),
    ("register", "uptime", 1.5, "an integer"),
    ("register", "printerId", "printer-002", "printerId"),
    ("register", "printerIPAddress", ..., "missing"),
    ("register", "userId", "user-001", "not a key"),
    ("printer-data", "job.progress", 100.5, "progress"),
    ("printer-data", "job.progress", None, "a number"),
    ("printer-data", "job.state", "complete", "state"),
    ("printer-data", "job.eta", 12, "eta"),
    ("printer-data", "job.elapsedTime", 1.5, "an integer"),
    ("printer-data", "job.totalTime", 1, "not a key"),
    ("printer-data", "job.state", "unknown", "null is due"),
    ("printer-data", "temperatures.chamber", ..., "missing"),
    ("printer-data", "temperatures.nozzle", "22", "a number"),
    ("printer-data", "fans.partCooling", 100, "partCooling"),
    ("printer-data", "systemHealth.cpuPercent", 101, "cpuPercent"),
    ("printer-data", "logTail", ["line"], "logTail"),
    ("printer-data", "errors", [{"message": "x"}], "missing"),
    ("printer-data", "errors", None, "an array"),
    ("printer-data", "motion.e", 0, "not a key"),
    ("pull", "token", TOKEN, "not a key"),
    ("push", "status", "accepted", "status"),
    ("push", "result", "ok", "an object"),
    ("push", "error", "x", "only with status failed"),
]


@pytest.mark.parametrize(("endpoint", "path", "value", "reason"), REACH_SPOILED)
def test_reach_refuses_a_wrong_shape(
    claimed_reach: ReachMessages, endpoint: str, path: str, value: Any, reason: str
) -> None:
    ours = claimed_reach
    bodies = {
        "claim": ours.claim(),
        "register": ours.register(),
        "printer-data": ours.data(),
        "pull": {"printerId": "printer-001"},
        "push": {"printerId": "printer-001", "requestId": "r", "status": "completed", "result": {}},
    }
    refused(ours.cloud, ours.post(endpoint, spoil(bodies[endpoint], path, value)), reason)


HEADERS: list[tuple[str, str | None, str]] = [
    ("User-Agent", "curl/7.88.1", "User-Agent"),
    ("User-Agent", None, "User-Agent"),
    ("Content-Type", "application/json; charset=utf-8", "Content-Type"),
    ("Content-Type", None, "Content-Type"),
    ("Authorization", None, "Authorization"),
    ("Authorization", "Token abc", "Authorization"),
]


@pytest.mark.parametrize(
    ("name", "value", "reason"), [*HEADERS, ("Accept", "*/*", "Accept"), ("X-Connector-Id", "47", "X-")]
)
def test_printdock_refuses_wrong_headers(
    paired_printdock: PrintDockMessages, name: str, value: str | None, reason: str
) -> None:
    ours = paired_printdock
    headers = {key: text for key, text in (ours.headers() | {name: value}).items() if text is not None}
    refused(ours.cloud, ours.post("heartbeat", ours.heartbeat(), headers), reason)


@pytest.mark.parametrize(("name", "value", "reason"), [*HEADERS, ("Connection", "close", "Connection")])
def test_reach_refuses_wrong_headers(claimed_reach: ReachMessages, name: str, value: str | None, reason: str) -> None:
    ours = claimed_reach
    headers = {key: text for key, text in (ours.headers() | {name: value}).items() if text is not None}
    refused(ours.cloud, ours.post("register", ours.register(), headers), reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"printerId": "printer-001", "printerId": "printer-001"}',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
    ],
)
def test_bodies_that_are_no_strict_json_are_refused(claimed_reach: ReachMessages, body: bytes) -> None:
    refused(claimed_reach.cloud, claimed_reach.post("pull", body), "no valid JSON")


def test_chunked_bodies_and_unknown_paths_are_recorded(claimed_reach: ReachMessages) -> None:
    cloud = claimed_reach.cloud
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=5)
    connection.request(
        "POST",
        "/api/reach-link/commands/pull",
        iter([b'{"printerId": "printer-001"}']),
        claimed_reach.headers(),
        encode_chunked=True,
    )
    refused(cloud, connection.getresponse().status, "Content-Length")
    connection.close()
    for path in ("/api/reach-link/agent", "/api/v1/register", "/else"):
        assert send(cloud, "GET", path)[0] == 404
        assert "is not an endpoint" in cloud.records()[-1]["deviations"][0]


# Times: recorded


def recorded(cloud: Cloud, reason: str) -> bool:
    return any(reason in text for text in cloud.records()[-1]["deviations"])


def test_printdock_records_wrong_intervals_and_stale_data(printdock: Cloud) -> None:
    ours = PrintDockMessages(printdock)
    ours.post("register", ours.register())
    ours.post("heartbeat", ours.heartbeat())
    ours.post("heartbeat", ours.heartbeat())
    assert recorded(printdock, "heartbeat after")
    ours.post("snapshots", ours.snapshot())
    ours.post("snapshots", ours.snapshot())
    assert recorded(printdock, "snapshot after")
    time.sleep(3)
    ours.post("snapshots", ours.snapshot(age=8, captured=time.time()))
    assert recorded(printdock, "stale data as fresh")
    time.sleep(3)
    ours.post("snapshots", ours.snapshot(age=30))
    assert recorded(printdock, "is 30.0 s old")
    ours.post("heartbeat", ours.heartbeat())
    assert recorded(printdock, "heartbeat only after")


def test_printdock_records_a_client_that_does_not_stop(printdock: Cloud) -> None:
    ours = PrintDockMessages(printdock)
    assert ours.post("register", ours.register("unknown")) == 401
    assert ours.post("register", ours.register("unknown")) == 401
    assert recorded(printdock, "refused for good")
    assert ours.post("register", ours.register()) == 200
    assert ours.post("register", ours.register()) == 422
    printdock.fault("heartbeat", "status", status=429, retry_after=5)
    assert ours.post("heartbeat", ours.heartbeat()) == 429
    ours.post("heartbeat", ours.heartbeat())
    assert recorded(printdock, "before Retry-After")
    printdock.set(revoked=True)
    assert ours.post("snapshots", ours.snapshot()) == 401
    time.sleep(5.1)
    assert ours.post("snapshots", ours.snapshot()) == 401
    assert recorded(printdock, "while credentials are refused")


def test_reach_records_wrong_intervals_and_calls_with_a_dead_token(reach: Cloud) -> None:
    ours = ReachMessages(reach)
    ours.post("claim", ours.claim())
    ours.post("register", ours.register())
    ours.post("register", ours.register())
    assert recorded(reach, "heartbeat after")
    ours.post("printer-data", ours.data())
    ours.post("printer-data", ours.data())
    assert recorded(reach, "telemetry after")
    reach.order("revoke")
    statuses = [ours.post("printer-data", ours.data("error")) for _ in range(5)]
    assert statuses == [401] * 5
    assert recorded(reach, "call number 5 with a refused token")
    assert ours.exchange("claim", ours.claim())[0] == 409
    assert ours.exchange("claim", ours.claim())[0] == 409
    assert recorded(reach, "refused for good")


def test_reach_rotates_tokens(reach: Cloud) -> None:
    ours = ReachMessages(reach)
    ours.post("claim", ours.claim())
    reach.order("rotate")
    answer = ours.exchange("register", ours.register())[1]
    assert answer["rotatedToken"] == "dummy-token-2"
    assert ours.post("printer-data", ours.data()) == 200  # the old one still counts
    new = ours.headers("dummy-token-2")
    assert ours.post("printer-data", ours.data("paused", "dummy-token-2"), new) == 200
    assert ours.post("printer-data", ours.data("idle")) == 401  # now it does not


def test_reach_hands_out_commands_and_takes_one_result_each(reach: Cloud) -> None:
    ours = ReachMessages(reach)
    ours.post("claim", ours.claim())
    command = {"requestId": "req-1", "command": "printer.print.pause", "params": {}}
    reach.order("command", **command)
    assert ours.exchange("pull", {"printerId": "printer-001"})[1] == {"command": command}
    push = {"printerId": "printer-001", "requestId": "req-1", "status": "completed", "result": {"result": "ok"}}
    assert ours.post("push", push) == 200
    assert ours.post("push", push) == 409
    assert recorded(reach, "second result")
    assert ours.post("push", push | {"requestId": "req-2"}) == 404


def test_reach_records_pulls_side_by_side_and_in_haste(reach: Cloud) -> None:
    ours = ReachMessages(reach)
    ours.post("claim", ours.claim())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: ours.exchange("pull", {"printerId": "printer-001"}), range(2)))
    assert recorded(reach, "in flight already")
    ours.exchange("pull", {"printerId": "printer-001"})
    assert recorded(reach, "an empty answer that was not held")


# Misbehaviour on order


def test_a_fault_hits_its_endpoint_as_often_as_ordered(printdock: Cloud) -> None:
    ours = PrintDockMessages(printdock)
    ours.post("register", ours.register())
    printdock.fault("heartbeat", "status", count=2, status=503, retry_after=1)
    assert [ours.post("heartbeat", ours.heartbeat()) for _ in range(3)] == [503, 503, 200]
    assert ours.post("snapshots", ours.snapshot()) == 200
    printdock.fault("*", "status", count=None, status=500)
    assert ours.post("snapshots", ours.snapshot()) == 500
    printdock.clear_faults()
    assert ours.post("snapshots", ours.snapshot()) == 200


def test_each_fault_looks_as_it_should(printdock: Cloud) -> None:
    ours = PrintDockMessages(printdock)
    path, headers = "/api/v1/connectors/46/heartbeat", ours.headers()
    ours.post("register", ours.register())

    def attempt(action: str, timeout: float = 1.0, **details: Any) -> Any:
        printdock.fault("heartbeat", action, **details)
        try:
            return send(printdock, "POST", path, ours.heartbeat(), headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            return type(error)

    assert attempt("hang") is TimeoutError
    assert attempt("delay", seconds=0.2)[0] == 200
    assert attempt("drop_before") in (ConnectionResetError, http.client.RemoteDisconnected)
    assert attempt("drop_after") in (ConnectionResetError, http.client.RemoteDisconnected)
    assert attempt("status", status=429, retry_after=7)[1]["Retry-After"] == "7"
    assert attempt("json", body=[1])[2] == b"[1]"
    assert attempt("truncate") is http.client.IncompleteRead
    assert len(attempt("flood", size=3_000_000)[2]) >= 3_000_000
    assert attempt("html")[1]["Content-Type"].startswith("text/html")
    assert attempt("empty")[::2] == (204, b"")
    assert attempt("empty", status=200)[::2] == (200, b"")
    status, answer_headers, _ = attempt("redirect", location="http://127.0.0.1:1/x")
    assert (status, answer_headers["Location"]) == (307, "http://127.0.0.1:1/x")
    with pytest.raises(ValueError, match=r"(?s).*"):
        json.loads(attempt("garbage")[2])
    assert attempt("broken_http") is http.client.BadStatusLine
    assert attempt("slow", seconds=0.3)[2] == b'{"status": "ok"}'
    assert attempt("slow", seconds=0, status=200)[0] == 200


def test_a_killed_cloud_keeps_its_pairings_and_its_records(rig: Rig, reach: Cloud) -> None:
    ours = ReachMessages(reach)
    ours.post("claim", ours.claim())
    reach.restart()
    assert ours.post("register", ours.register()) == 200
    assert [record["endpoint"] for record in reach.records()] == ["claim", "register"]
    assert ours.exchange("claim", ours.claim())[0] == 409


def test_tls_shows_a_certificate_of_the_test_authority(rig: Rig) -> None:
    rig.start_clouds(tls=True)
    context = ssl.create_default_context(cafile=str(rig.folder / "ca.pem"))
    plain = socket.create_connection(("127.0.0.1", rig.reach.port), 5)
    with context.wrap_socket(plain, server_hostname="localhost") as secure:
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
    assert rig.configuration()["backends"][0]["relay"].startswith("https://localhost:")
    assert Path(rig.configuration()["network"]["ca_file"]).exists()
