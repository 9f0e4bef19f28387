"""`/health`: on the control server, on a listener of its own, and what counts for Reach."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request

from harness import Rig, free_port, wait_until

from observe import accepted


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_has_a_listener_of_its_own_that_serves_nothing_else(cloud_rig: Rig) -> None:
    rig = cloud_rig
    port = free_port()
    document = rig.configuration()
    document["control"]["health_listen"] = f"127.0.0.1:{port}"
    rig.daemon.write(document)
    rig.start_daemon()
    wait_until(lambda: fetch(port, "/health") == (200, "OK"), 10, "a healthy daemon")
    assert [fetch(port, path)[0] for path in ("/", "/api/status", "/metrics")] == [404, 404, 404]
    document["control"]["health_listen"] = "off"
    rig.daemon.change(document)

    def is_closed() -> bool:
        try:
            fetch(port, "/health")
        except OSError:
            return True
        return False

    wait_until(is_closed, 5, "the listener's end")
    assert rig.daemon.get("/health")[0] == 200


def test_a_busy_health_port_is_logged_and_ends_nothing(cloud_rig: Rig) -> None:
    rig = cloud_rig
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        document = rig.configuration()
        document["control"]["health_listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
        rig.daemon.write(document)
        rig.start_daemon()
        wait_until(lambda: rig.daemon.process.lines("control.health_listen:"), 5, "a line about the busy port")
        assert rig.daemon.process.running
        assert rig.daemon.get("/health")[0] == 200


def test_reach_is_well_while_its_heartbeats_are_taken_and_no_longer(daemon_rig: Rig) -> None:
    rig = daemon_rig
    wait_until(lambda: rig.daemon.get("/health") == (200, "OK"), 10, "a healthy daemon")
    rig.reach.fault("printer-data", "status", status=500, count=None)
    wait_until(
        lambda: json.loads(rig.daemon.get("/api/status")[1])["backends"][0]["state"] == "degraded", 20, "degraded"
    )
    rig.reach.wait_for("register", 10, time.monotonic(), accepted)
    assert rig.daemon.get("/health") == (200, "OK")
    # Heartbeats every 5 s: the last one counts for 15.
    rig.reach.fault("register", "status", status=500, count=None)
    wait_until(lambda: rig.daemon.get("/health")[0] == 503, 25, "an unhealthy Reach")
    accepted_before = [record["mono"] for record in rig.reach.records("register") if accepted(record)][-1]
    assert 14 <= time.monotonic() - accepted_before <= 18
    text = rig.daemon.get("/health")[1]
    assert text.startswith("reach: degraded: ")
    failing = json.loads(rig.daemon.get("/api/status")[1])["backends"][0]["failing"]
    assert f"reach: {failing}" == text
    rig.reach.clear_faults()
    wait_until(lambda: rig.daemon.get("/health") == (200, "OK"), 70, "a healthy daemon again")
