"""The dashboard's streams and looks, over HTTP: what they tell, how many there may be, who is let go."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sample_gcode
from event_stream import EventStream, silent_reader
from harness import Rig, wait_until

from commanding import obey_script, printdock_entry, start_job, write_backends
from test_control_socket import command, post

PARTS = {"program", "printer", "backends", "commands", "widened"}


@pytest.fixture
def served(rig: Rig) -> Rig:
    """A printer and the daemon with one scripted backend, and one that reads all of the printer for a cloud that is away."""
    for name in ("tower.gcode", "long.gcode"):
        sample_gcode.write(rig.moonraker.gcodes / name, minutes=30)
    rig.script = rig.add_scripted()[0]  # type: ignore[attr-defined]
    rig.start_printer(speed=20)
    write_backends(rig, rig.script.entry(permissions="full"), printdock_entry(rig))  # type: ignore[attr-defined]
    rig.daemon.start()
    rig.script.wait_for_contact()  # type: ignore[attr-defined]
    return rig


@contextlib.contextmanager
def stream(rig: Rig, **fields: str) -> Iterator[EventStream]:
    reader = EventStream(rig.daemon.port, **fields)
    try:
        yield reader
    finally:
        reader.close()


def look(rig: Rig, path: str) -> Any:
    status, text = rig.daemon.get(path)
    assert status == 200, text
    return json.loads(text)


def test_a_page_hears_everything_once_and_then_what_changes(served: Rig) -> None:
    rig, script = served, served.script
    with stream(rig) as page:
        assert page.status == 200
        assert page.response.headers["Content-Type"].startswith("text/event-stream")
        assert page.response.headers["Cache-Control"] == "no-store"
        assert page.wait_for("hello")["version"] == 1
        for part in PARTS:
            page.wait_for(part)
        assert {name for name, _ in page.events} == PARTS | {"hello"}
        assert page.of("backends")[0][0]["state"] == "online"
        assert abs(page.of("hello")[0]["uptime"] - page.of("backends")[0][0]["since"]) < 60

        known = len(page.events)
        begin = time.monotonic()
        assert post(rig, "/api/read-only", {"on": True})[0] == 200
        page.wait_for("commands", lambda body: body["read_only"]["is_on"], after=known)
        assert time.monotonic() - begin < 2
        assert page.wait_for("outcome", after=known)["action"] == "read_only_on"
        assert script.obey("home", axes=["X"])["reason"] == "read_only"
        refused = page.wait_for("outcome", lambda body: body["backend"] == "scripted")
        assert (refused["status"], refused["reason"]) == ("refused", "read_only")
        assert post(rig, "/api/read-only", {"on": False})[0] == 200

        assert post(rig, "/api/enabled", {"backend": "scripted", "on": False})[0] == 200
        page.wait_for("backends", lambda body: body[0]["state"] == "disabled" and not body[0]["is_enabled"])
        known = len(page.events)
        assert post(rig, "/api/enabled", {"backend": "scripted", "on": True})[0] == 200
        page.wait_for("backends", lambda body: body[0]["state"] == "online", after=known)

        start_job(rig)
        page.wait_for("printer", lambda body: body["condition"] == "printing")


def test_a_printing_printer_is_told_of_every_two_seconds(served: Rig) -> None:
    start_job(served)
    with stream(served) as page:
        page.wait_for("printer", lambda body: body["condition"] == "printing")
        time.sleep(1)
        known = len(page.of("printer"))
        time.sleep(8)
        assert 3 <= len(page.of("printer")) - known <= 6
        heard = [name for name, _ in page.events]
        assert heard.count("program") == heard.count("widened") == heard.count("hello") == 1


def test_the_curve_of_a_fresh_page(served: Rig) -> None:
    data = wait_until(lambda: (d := look(served, "/api/temperatures"))["series"] and d, 15, "a sample")
    assert {"Extruder", "Bed"} <= {series["title"] for series in data["series"]}
    for series in data["series"]:
        assert len(series["celsius"]) == len(series["target"]) == len(data["at"]) <= 180


def test_only_so_many_streams_and_who_leaves_makes_room(served: Rig) -> None:
    port = served.daemon.port
    readers = [EventStream(port) for _ in range(16)]
    try:
        assert {reader.status for reader in readers} == {200}
        refused = EventStream(port)
        assert refused.status == 503
        assert refused.response.headers["Retry-After"] == "5"
        refused.close()
        assert served.daemon.get("/api/status")[0] == 200, "a page can still look"
        assert _answers(served)
        for reader in readers[:8]:
            reader.close()

        def comes_in() -> bool:
            reader = EventStream(port)
            (readers.append if reader.status == 200 else EventStream.close)(reader)
            return reader.status == 200

        wait_until(comes_in, 20, "room for one more", interval=0.5)
    finally:
        for reader in readers:
            reader.close()


def test_who_may_look(served: Rig) -> None:
    port = served.daemon.port
    for fields in ({"Host": "evil.example"},):
        assert EventStream(port, **fields).status == 421
    for path in ("/api/events", "/api/history", "/api/temperatures", "/api/explain", "/api/owed"):
        assert post(served, path)[0] == 405
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("HEAD", "/api/events")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    connection.close()
    with stream(served, X_Forwarded_For="192.0.2.7") as page:
        page.wait_for("printer")


def test_a_daemon_ends_at_once_with_open_streams_and_is_found_again(served: Rig) -> None:
    with stream(served) as page, stream(served) as other:
        page.wait_for("widened")
        silent = silent_reader(served.daemon.port)
        assert served.daemon.stop() <= 3
        assert page.ended.wait(3)
        assert other.ended.wait(3)
        silent.close()
    served.daemon.start()
    wait_until(lambda: _answers(served), 10, "the daemon")
    with stream(served) as page:
        assert page.wait_for("hello")["uptime"] < 30
        page.wait_for("printer")


def _answers(rig: Rig) -> bool:
    try:
        return rig.daemon.get("/health")[0] in (200, 503)
    except OSError:
        return False


def resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1])
    return 0


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_readers_that_take_nothing_cost_nothing_and_are_let_go(served: Rig) -> None:
    """Many of them, while a printer prints and somebody flips switches: no memory, and room again after a while."""
    start_job(served)
    pid = served.daemon.process.pid
    with stream(served) as page:
        page.wait_for("printer")
        before = resident(pid)
        silent = [silent_reader(served.daemon.port) for _ in range(12)]
        deadline = time.monotonic() + 100
        on = False
        while time.monotonic() < deadline:
            on = not on
            post(served, "/api/read-only", {"on": on})
            time.sleep(0.45)
        assert resident(pid) - before < 2_000, "kB"
        assert len(page.of("commands")) > 100, "a neighbour hears everything"
        for sock in silent:
            sock.close()


def test_the_history_page_by_page(served: Rig) -> None:
    script = served.script
    for _ in range(3):
        script.obey("home", axes=["X"])
        script.obey("pause")
    everything = look(served, "/api/history?limit=200")
    assert everything["next"] is None
    actions = [row["action"] for row in everything["rows"]]
    assert actions[:2] == ["pause", "home"]
    assert everything["rows"][0]["explanation"]
    found: list[str] = []
    query = "/api/history?limit=2"
    while True:
        page = look(served, query)
        assert len(page["rows"]) <= 2
        found += [row["action"] for row in page["rows"]]
        if page["next"] is None:
            break
        query = f"/api/history?limit=2&before={page['next']}"
    assert found == actions
    assert {row["status"] for row in look(served, "/api/history?status=refused&backend=scripted")["rows"]} == {
        "refused"
    }
    assert look(served, "/api/history?backend=nobody")["rows"] == []
    for query in ("limit=0", "limit=1000", "before=x", "status=dune", "what=1"):
        assert served.daemon.get(f"/api/history?{query}")[0] == 400


def test_what_is_owed_and_what_is_sent(served: Rig) -> None:
    script = served.script
    script.is_away = True
    told = look(served, "/api/owed?backend=scripted")["owed"]
    assert all(set(entry) == {"kind", "since", "attempts"} for entry in told)
    assert served.daemon.get("/api/owed")[0] == served.daemon.get("/api/explain")[0] == 400
    assert served.daemon.get("/api/explain?backend=nobody")[0] == 404
    document = look(served, "/api/explain?backend=scripted")
    text = command(served, "explain", "scripted").stdout
    assert document["summary"].split()[0] in text
    for entry in document["commands"]:
        assert entry["name"] in text and entry["summary"] in text
        assert entry["is_allowed"] is True
    for message in document["sends"]:
        for field in message["fields"]:
            assert field["path"] in text


def test_a_change_that_is_pinned_waits_for_a_person_who_saw_it(rig: Rig) -> None:
    script = obey_script(rig)[0]

    def write(permissions: str, pinned: bool = True) -> None:
        document = rig.configuration() | {"backends": [script.entry(permissions=permissions)]}
        document["control"]["pin_permissions"] = pinned
        rig.daemon.write(document)

    def program() -> dict[str, Any]:
        return look(rig, "/api/status")["program"]

    write("print")
    rig.daemon.restart()
    wait_until(lambda: _answers(rig), 10, "the daemon")
    with stream(rig) as page:
        page.wait_for("program", lambda body: body["waiting"] is None)
        write("full")
        waiting = page.wait_for("program", lambda body: body["waiting"])["waiting"]
        assert waiting["changes"] == ["scripted: permissions was print, is full"]
        assert "waits" in program()["reload_problem"]
        assert page.of("backends")[-1][0]["permissions"] == "print"

        # Somebody changes the file once more, behind the person's back.
        write("full", pinned=False)
        page.wait_for("program", lambda body: body["waiting"] and body["waiting"]["file"] != waiting["file"])
        status, answer = post(rig, "/api/reload", {"only": waiting["file"]})
        assert status == 409, answer
        write("full")
        wait_until(lambda: (program()["waiting"] or {}).get("file") == waiting["file"], 10, "the former change")
        assert post(rig, "/api/reload", {"only": waiting["file"]}, {"Origin": "http://evil.example"})[0] == 403
        assert post(rig, "/api/reload", {"only": waiting["file"]})[0] == 200
        page.wait_for("backends", lambda body: body[0]["permissions"] == "full")
        assert program()["waiting"] is None and program()["reload_problem"] is None
        assert look(rig, "/api/status")["widened"] == [], "who accepted it has seen it"
        assert "permissions was print, is full" in command(rig, "audit").stdout


def test_a_reload_by_command_takes_what_waits(rig: Rig) -> None:
    script = obey_script(rig)[0]
    document = rig.configuration() | {"backends": [script.entry(permissions="print")]}
    document["control"]["pin_permissions"] = True
    rig.daemon.write(document)
    rig.daemon.restart()
    wait_until(lambda: _answers(rig), 10, "the daemon")
    document["backends"] = [script.entry(permissions="full")]
    rig.daemon.change(document)
    wait_until(lambda: look(rig, "/api/status")["program"]["waiting"], 10, "a change that waits")
    assert look(rig, "/api/status")["backends"][0]["permissions"] == "print"
    result = command(rig, "reload")
    assert result.returncode == 0, result.stderr
    document = look(rig, "/api/status")
    assert document["backends"][0]["permissions"] == "full"
    assert document["program"]["waiting"] is None
    assert document["widened"] == [] and "permissions was print, is full" in result.stdout, result.stdout


def test_a_garbled_stream_request_harms_nobody(served: Rig) -> None:
    for raw in (b"GET /api/events HTTP/1.1\r\n", b"GET /api/events HTTP/1.0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", served.daemon.port), 5) as sock:
            sock.sendall(raw)
            time.sleep(0.2)
    assert _answers(served)
