"""The PHP hub of the tests: it answers as the original did, has its weaknesses, and its judge misses nothing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from camera import picture
from harness import ROOT, PHPHub, Rig, form_data, wait_until

from messages import send, spoil, utc
from test_transcripts import shape

AGENT = "printer-uplink/0.1.0"
JSON = dict[str, Any]
TRANSCRIPT = ROOT / "Tests" / "Fixtures" / "transcripts" / "php-hub.jsonl"

OCTETS = b"application/octet-stream"
QUEUED = {"commands": [{"id": "", "token": "", "action": "", "speed": "", "file": "", "timestamp": 0}]}
PRESSED = {"set_speed", "heat", "pause", "resume", "toggle_fan", "print", "print_local", "reboot", "emergency_stop"}
"""What was done on the page in the original's session; the rest was put into the queue by hand."""


def recorded(who: str = "") -> list[JSON]:
    """What was said with the hub in the original's session."""
    records = [json.loads(line) for line in TRANSCRIPT.read_text().splitlines()[1:]]
    return [record for record in records if record["side"] == "hub" and record["who"].startswith(who)]


def body_of(**changes: Any) -> JSON:
    """An update as ours should be."""
    return {
        "action": "update_printer",
        "token": "LAB_TEST_0001",
        "name": "Prusa 3",
        "client_version": "0.1.0",
        "uptime": "0h 7m",
        "timestamp": utc(time.time()),
        "status": "idle",
        "temp_hotend": 21.9,
        "temp_bed": 22.0,
        "temp_hotend_target": 0.0,
        "temp_bed_target": 0,
        "print_speed": 100,
        "fan_speed": 0,
        "files": [{"name": "a.gcode", "size": "1.0 KB", "modified": 1795162477.06}],
        "tags": ["PLA"],
        "filament": {"material": "PLA", "color": "Negro", "remaining": 100},
        "bed_status": "limpia",
        "location": "Lab",
    } | changes


class HubClient:
    """A printer's side of the wire, by hand."""

    def __init__(self, hub: PHPHub) -> None:
        self.hub = hub

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request below the hub's folder: status, and the answer's JSON or its bytes."""
        kind = {"Content-Type": "application/json"} if body is not None and not isinstance(body, bytes) else {}
        given = {"User-Agent": AGENT} | kind | headers
        status, _, data = send(self.hub, method, f"/printerhub/{path}", body, given)
        try:
            return status, json.loads(data)
        except ValueError:
            return status, data

    def update(self, **changes: Any) -> tuple[int, Any]:
        path = "api.php" if self.hub.generation == "v1" else "printer-api/update.php"
        return self.ask("POST", path, body_of(**changes))

    def poll(self) -> list[JSON]:
        path = (
            "api.php?action=get_commands&token=" if self.hub.generation == "v1" else "printer-api/commands.php?token="
        )
        status, answer = self.ask("GET", path + self.hub.token)
        assert (status, answer["success"]) == (200, True), answer
        return answer["commands"]


@pytest.fixture(scope="module")
def hubs() -> Iterator[dict[str, PHPHub]]:
    """A hub of each generation."""
    with Rig() as first, Rig() as second:
        found = {"v1": first.php_hub, "v2": second.php_hub}
        for generation, hub in found.items():
            hub.start("--update", "0.01", "--poll", "0.01", "--image", "0.01", generation=generation)
            assert HubClient(hub).update()[0] == 200
        yield found


@pytest.fixture(params=["v1", "v2"])
def shared(request: pytest.FixtureRequest, hubs: dict[str, PHPHub]) -> PHPHub:
    return hubs[request.param]


def new_deviations(hub: PHPHub, before: int) -> list[str]:
    return hub.deviations()[before:]


def replay(hub: PHPHub, record: JSON) -> Any:
    """Send what the original sent, as it was, and its picture anew; the answer."""
    headers = {name: value for name, value in record["headers"].items() if name != "Content-Length"}
    headers["User-Agent"] = "TecMedHub-Client/4.0.0"  # a script stood in for it where it cannot
    if "body_multipart" not in record:
        return HubClient(hub).ask(record["method"], record["url"].lstrip("/"), record.get("json"), **headers)[1]
    form, headers["Content-Type"] = form_data({"token": hub.token}, "image", "snapshot.jpg", picture())
    return HubClient(hub).ask(record["method"], "upload_image.php", form.replace(OCTETS, b"image/jpeg"), **headers)[1]


def test_the_original_client_is_understood(rig: Rig) -> None:
    hub = rig.php_hub
    hub.token = "TOK_DUMMY_1"
    hub.start("--original", generation="v1,v2")
    seen = set()
    for record in recorded():
        path, theirs = record["url"].lstrip("/").split("?")[0], record.get("answer")
        if "get_printers" in record["url"] or "download_file" in record["url"]:
            continue  # not ours to ask; a file that is not there
        if record["who"].startswith("web page"):
            if path == "api.php":
                ours = hub.page(path, record["json"] | {"printer_id": hub.printer()["id"]})[1]
                assert ours == theirs
            continue
        if (
            path in ("printer-api/commands.php", "printer-api/files.php")
            or record.get("json", ...) == {}
            or "text" in record
        ):
            continue  # what came of other pages; wrong on purpose
        if path == "printer-api/update.php":
            hub.set(token="TOK_V2")
        ours = replay(hub, record)
        assert set(shape([ours])) - {"commands[]"} <= set(shape([theirs])) | set(shape([QUEUED])), record["url"]
        assert (ours["success"], ours["message"]) == (theirs["success"], theirs["message"])
        hub.set(token="TOK_DUMMY_1")
        seen.add(f"{record['method']} {path}")
    assert seen == {
        "POST api.php",
        "GET api.php",
        "POST upload_image.php",
        "POST printer-api/update.php",
        "GET printer-api/update.php",
    }
    given = [entry["command"] for entry in hub.control("GET", "state")["state"]["handed_out"].values()]
    assert {command["action"] for command in given} == PRESSED
    assert next(c for c in given if c["action"] == "set_speed")["speed"] == "120", "a number as text"
    assert next(c for c in given if c["action"] == "heat").keys() == {"id", "token", "action", "timestamp"}
    assert hub.deviations() == []


def test_a_command_is_handed_out_once(shared: PHPHub) -> None:
    hub, client = shared, HubClient(shared)
    if hub.generation == "v1":
        ids = hub.queue({"action": "home"}, {"action": "macro", "macro_name": "X", "params": []})
        commands = client.poll()
        assert [command["id"] for command in commands] == ids
        assert commands[0]["token"] == hub.token
        assert commands[1]["params"] == [], "an empty map is an array"
        assert isinstance(commands[0]["timestamp"], int)
    else:
        ids = hub.queue(("gcode", "G28", 5), ("basic", "PAUSE", 1))
        assert client.poll() == [
            {"id": int(ids[1]), "type": "basic", "command": "PAUSE", "priority": 1},
            {"id": int(ids[0]), "type": "gcode", "command": "G28", "priority": 5},
        ]
        assert {row["status"] for row in hub.rows("SELECT status FROM commands")} == {"sent"}, "for ever"
        hub.queue(*[("gcode", "G28") for _ in range(12)])
        assert (len(client.poll()), len(client.poll()), len(client.poll())) == (10, 2, 0)
    assert client.poll() == []
    hub.replay()
    number = hub.queue({"action": "home"} if hub.generation == "v1" else ("basic", "HOME"))[0]
    assert [[str(command["id"]) for command in client.poll()] for _ in range(3)] == [[number]] * 3
    hub.replay(False)
    assert len(client.poll()) == 1
    assert client.poll() == []
    assert hub.handed_out(number)["times"] == 4


def test_the_pages_of_the_first_generation(hubs: dict[str, PHPHub]) -> None:
    hub, client = hubs["v1"], HubClient(hubs["v1"])
    assert hub.press("heat", hotend_temp=210, bed_temp=60)["success"]
    assert hub.press("print", file="x.gcode", download_url="http://hub/x")["success"]
    assert hub.press("shutdown") == {"success": False, "message": "Acción no válida"}
    heat, order = client.poll()
    assert "hotend_temp" not in heat
    assert "download_url" not in order
    assert hub.press("add_tag", tag="Frágil")["success"]
    assert hub.press("update_bed_status", bed_status="perfecta")["success"]
    client.update(tags=[], bed_status="limpia")
    assert hub.printer()["tags"] == ["PLA", "Frágil"], "empty tags keep the old ones"
    assert hub.printer()["bed_status"] == "limpia", "everything else is overwritten"


def test_the_pages_of_the_second_generation(hubs: dict[str, PHPHub]) -> None:
    hub, client = hubs["v2"], HubClient(hubs["v2"])
    assert hub.page("api/commands.php?action=pause", {"printer_id": 1})[0] == 401
    hub.press("home", axes="XYZ")
    hub.press("heat", hotend=210, bed=60)
    hub.press("emergency_stop")
    hub.press("send", type="basic", command="M112", priority="text")
    assert hub.press("custom_gcode", gcode="G28\nM112")["message"] == "Gcode contiene comandos peligrosos"
    hub.press("custom_gcode", gcode="N1 M112")
    commands = [(command["type"], command["command"]) for command in client.poll()]
    assert commands[0] == ("basic", "EMERGENCY_STOP")
    assert ("basic", "M112") == commands[1], "a text as priority is 0"
    assert commands[2:] == [("gcode", "G28 XYZ"), ("gcode", "M104 S210\nM140 S60"), ("gcode", "N1 M112")]
    file = hub.upload("t.gcode", b"G28\n")
    hub.page("api/files.php?action=send_to_printer", {"printer_id": hub.printer()["id"], "file_id": file["id"]})
    assert client.poll()[0]["command"] == f"PRINT_FILE:{file['filename']}"


def test_files(shared: PHPHub) -> None:
    hub, client = shared, HubClient(shared)
    script = "api_files.php" if hub.generation == "v1" else "printer-api/files.php"
    name = hub.upload("cube 1.gcode", b"G28\nG1 X1\n").get("name")
    rows = client.ask("GET", f"{script}?action=list_files&printer_token={hub.token}")[1]["files"]
    row = next(row for row in rows if row["original_name"] == "cube 1.gcode")
    assert (row["size_bytes"], row["md5"], row["exists"]) == (10, "3c4e55cf1d18b16e08c4c7c8aba8ee4f", True) or row[
        "md5"
    ]
    name = (name or row["name"]).replace(" ", "%20")
    path = f"{script}?action=download_file&file={name}&printer_token={hub.token}"
    assert client.ask("GET", path) == (200, b"G28\nG1 X1\n")
    refused = client.ask("GET", f"{script}?action=download_file&file=none.gcode&printer_token={hub.token}")
    assert refused == (200, {"success": False, "message": "Archivo no encontrado"})
    mark = {"file": row["name"], "printer_token": hub.token}
    if hub.generation == "v1":
        assert client.ask("POST", f"{script}?action=mark_downloaded", mark)[1]["success"]
        assert client.ask("GET", path)[1]["success"] is False, "it deletes"
    else:
        assert client.ask("POST", script, {"action": "mark_downloaded"} | mark)[1]["success"]
        assert hub.rows("SELECT downloaded FROM files WHERE filename = ?", row["name"]) == [{"downloaded": 1}]
        assert client.ask("GET", path)[0] == 200


def test_images(shared: PHPHub) -> None:
    hub, client = shared, HubClient(shared)
    before = len(hub.deviations())
    if hub.generation == "v1":
        form, kind = form_data({"token": hub.token}, "image", "snapshot.jpg", picture())
        form = form.replace(b"application/octet-stream", b"image/jpeg")
        _, answer = client.ask("POST", "upload_image.php", form, **{"Content-Type": kind})
        assert re.fullmatch(r"printer_images/LAB_TEST_0001\.jpg\?t=\d+", answer["image_url"])
        assert client.update(image=answer["image_url"])[0] == 200
        client.update()
        assert hub.printer()["image"] == answer["image_url"], "an update without one keeps it"
        assert (hub.folder / "printer_images" / "LAB_TEST_0001.jpg").read_bytes() == picture()
        assert new_deviations(hub, before) == []
        assert client.update(image="data:image/jpeg;base64,AAAA")[0] == 400
        client.ask("POST", "upload_image.php", form.replace(b"\xff\xd8", b"PN"), **{"Content-Type": kind})
        assert "no JPEG" in new_deviations(hub, before)[-1]
    else:
        assert client.update(image="data:image/jpeg;base64,/9j/4AAQ")[0] == 200
        assert hub.printer()["image"].startswith("data:")
        client.update()
        assert hub.printer()["image"] is None, "an update without one clears it"
        assert new_deviations(hub, before) == []
        assert client.update(image="printer_images/x.jpg")[0] == 400


SPOILED: list[tuple[str, Any, str]] = [
    ("token", "OTHER", "token"),
    ("action", "update", "update_printer"),
    ("uptime", "1h 60m", "uptime"),
    ("uptime", "01h 5m", "uptime"),
    ("timestamp", "2026-01-01T00:00:00", "timestamp"),
    ("status", "ready", "status"),
    ("temp_hotend", "21.5", "a number"),
    ("temp_bed", 21.55, "one decimal"),
    ("print_speed", 100.5, "an integer"),
    ("fan_speed", 101, "not within"),
    ("progress", 5, "only while a job runs"),
    ("files", {}, "an array"),
    ("files.0.size", "1024", "size"),
    ("files.0.name", "<b>", "name"),
    ("files.0.path", "x", "not a key"),
    ("filament.remaining", 101, "remaining"),
    ("tags", ..., "tags: missing"),
    ("temp_bed", ..., "temp_bed: missing"),
    ("extra", 1, "not a key"),
    ("system", {"cpu_temp": None}, "cpu_temp"),
    ("last_completed", "x.gcode", "last_completed"),
    ("command_results", [{"id": "cmd_x"}], "missing"),
]


@pytest.mark.parametrize(("path", "value", "words"), SPOILED)
def test_a_wrong_update_is_refused_and_recorded(shared: PHPHub, path: str, value: Any, words: str) -> None:
    before = len(shared.deviations())
    client = HubClient(shared)
    endpoint = "api.php" if shared.generation == "v1" else "printer-api/update.php"
    status, answer = client.ask("POST", endpoint, spoil(body_of(), path, value))
    assert status == 400
    assert any(words in text for text in new_deviations(shared, before)), (answer, words)


def test_wrong_requests_are_recorded(shared: PHPHub) -> None:
    client, script = HubClient(shared), "api.php" if shared.generation == "v1" else "printer-api/update.php"
    before = len(shared.deviations())

    def complains(words: str) -> None:
        nonlocal before
        found = new_deviations(shared, before)
        assert any(words in text for text in found), (words, found)
        before += len(found)

    client.ask("GET", script, **{"User-Agent": "curl"})
    complains("User-Agent")
    client.ask("GET", script, Authorization="Bearer x")
    complains("Authorization")
    client.ask("GET", "api.php?action=get_printers")
    complains("not an endpoint")
    client.ask("POST", script, b"not json", **{"Content-Type": "application/json"})
    complains("no valid JSON")
    client.ask("POST", script, json.dumps(body_of()).encode(), **{"Content-Type": "text/plain"})
    complains("application/json is due")
    query = "action=get_commands&token=" if shared.generation == "v1" else "token="
    poll = "api.php" if shared.generation == "v1" else "printer-api/commands.php"
    client.ask("GET", f"{poll}?{query}OTHER")
    complains("is due, got 'OTHER'")
    shared.set(token="a b&c")
    client.ask("GET", f"{poll}?{query}a+b%26c")
    complains("is due, got 'a+b%26c'")
    shared.set(token="LAB_TEST_0001")
    shared.fault("update", "delay", seconds=0.5)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(client.update)
        time.sleep(0.2)
        client.poll()
        slow.result()
    complains("while update is under way")


def test_intervals_are_watched(shared: PHPHub) -> None:
    client = HubClient(shared)
    shared.client_restarted()  # what other tests did does not count
    for _ in range(4):  # nor that it failed
        client.update()
        time.sleep(0.05)
        client.poll()
    shared.set(update_seconds=5.0, poll_seconds=3.0)
    before = len(shared.deviations())
    client.update(status="error")  # news may come early
    assert new_deviations(shared, before) == []
    client.update(status="error")
    client.poll()
    early = [text for text in new_deviations(shared, before) if " after " in text]
    assert [text.split(": ")[1].split(" after")[0] for text in early] == ["update", "poll"]
    shared.set(update_seconds=0.01, poll_seconds=0.01)


def test_php_fails_as_it_does(rig: Rig) -> None:
    """Its own failures, not ours: warnings before the JSON, and nothing saved; an error page with 200; an empty 500."""
    hub, client = rig.php_hub, HubClient(rig.php_hub)
    hub.start("--display-errors", "--update", "0.01", generation="v1,v2")
    client.update()
    (hub.folder / "printers.json").unlink()
    (hub.folder / "printers.json").mkdir()
    path, headers = "/printerhub/api.php", {"User-Agent": AGENT, "Content-Type": "application/json"}
    status, got, data = send(hub, "POST", path, body_of(), headers)
    assert (status, got["Content-Type"]) == (200, "application/json")
    *warnings, last = data.decode().strip().split("\n")
    assert any("<b>Warning</b>" in line for line in warnings)
    assert json.loads(last)["success"] is True, "although nothing was saved"
    hub.sql("DROP TABLE printers")
    path = "/printerhub/printer-api/commands.php?token=LAB_TEST_0001"
    status, got, data = send(hub, "GET", path, None, {"User-Agent": AGENT})
    assert (status, b"<b>Fatal error</b>" in data) == (200, True)
    assert got["Content-Type"].startswith(("text/html", "application/json"))
    hub.kill()
    hub.start(generation="v1,v2")
    hub.sql("DROP TABLE printers")
    assert send(hub, "GET", path, None, {"User-Agent": AGENT})[::2] == (500, b"")


def test_orders_to_misbehave(shared: PHPHub) -> None:
    hub = shared
    path = "/printerhub/" + ("api.php" if hub.generation == "v1" else "printer-api/update.php")

    def update() -> tuple[int, dict[str, str], bytes]:
        return send(hub, "POST", path, body_of(), {"User-Agent": AGENT, "Content-Type": "application/json"})

    hub.fault("update", "prefix", body="\ufeff")
    assert update()[2].startswith(b'\xef\xbb\xbf{"success":true')
    hub.fault("update", "truncate")
    whole = update()[2]
    assert whole.startswith(b'{"success":true')
    assert not whole.endswith(b"}")
    hub.fault("update", "page", body="<br />\n<b>Fatal error</b>")
    status, headers, data = update()
    assert (status, headers["Content-Type"][:9], data[:6]) == (200, "text/html", b"<br />")
    hub.set(keep_alive=True)
    status, headers, data = update()
    assert "Content-Length" in headers
    hub.set(keep_alive=False)
    assert "Content-Length" not in update()[1]
    assert update()[1]["Connection"] == "close"


def test_many_at_once_and_a_restart(rig: Rig) -> None:
    hub = rig.php_hub
    hub.start("--update", "0.01", generation="v2")
    client = HubClient(hub)
    client.update()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: hub.page(f"data/printerhub.db?{index}")[0], range(24)))
    assert hub.page("data/printerhub.db")[0] == 200, "the database lies open"
    number = hub.queue(("gcode", "G28"))[0]
    hub.restart()
    assert [str(command["id"]) for command in client.poll()] == [number]
    hub.kill()
    with pytest.raises(OSError):
        client.poll()
    hub.relaunch()
    wait_until(lambda: client.poll() == [], 5, "an answer")
