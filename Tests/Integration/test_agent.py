"""Being an agent of Moonraker's: macros call us, other clients ask us, and they hear of the clouds."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from harness import MoonrakerClient, MoonrakerError, Rig, wait_until

from polar_rig import obey_polar

NOTIFY = "CALL_REMOTE_METHOD METHOD=printer_uplink_notify"
AGENT = "printer-uplink"


def logged(rig: Rig, words: str, timeout: float = 10.0) -> None:
    wait_until(lambda: words in rig.daemon.log(), timeout, f"'{words}' in the log")


def ask(rig: Rig, method: str, **more: Any) -> Any:
    """Ask the daemon through Moonraker, as any frontend can."""
    return rig.moonraker.call("server.extensions.request", 5.0, agent=AGENT, method=method, **more)


def audited(rig: Rig, action: str) -> list[dict[str, Any]]:
    path = rig.daemon.state / "audit.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [record for record in records if record["action"] == action]


def wait_until_known(rig: Rig) -> None:
    """Moonraker lists us, and our methods are Klippy's."""

    def known() -> bool:
        agents = rig.moonraker.call("server.extensions.list")["agents"]
        if all(agent["name"] != AGENT for agent in agents):
            return False
        clients = rig.printer.order("clients")["clients"]
        return any("printer_uplink_notify" in client["remote_methods"] for client in clients)

    wait_until(known, 20, "the methods at Klippy")


def told(rig: Rig, text: str, after: float = 0.0) -> dict[str, Any]:
    """The first report to Reach that holds what a macro said."""
    return rig.reach.wait_for(
        "printer-data", 10, after, where=lambda record: any(text in line for line in record["body"]["logTail"])
    )


def allow(rig: Rig, *macros: str, **control: Any) -> None:
    """Let macros do that, beneath the running daemon."""
    document = rig.configuration()
    document["control"] |= {"macros": ["notify", *macros]} | control
    seen = rig.daemon.log().count("reloaded")
    rig.daemon.change(document)
    wait_until(lambda: rig.daemon.log().count("reloaded") > seen, 10, "the reload")


def states(rig: Rig) -> dict[str, str]:
    return {backend["name"]: backend["state"] for backend in ask(rig, "backends")["backends"]}


# Requests


def test_moonraker_lists_us_and_every_request_is_answered(daemon_rig: Rig) -> None:
    rig = daemon_rig
    wait_until_known(rig)
    [agent] = rig.moonraker.call("server.extensions.list")["agents"]
    assert (agent["name"], agent["type"]) == (AGENT, "agent")
    assert agent["url"] == f"http://127.0.0.1:{rig.daemon.port}"
    version = rig.daemon.command("version").stdout
    assert agent["version"] in version

    rig.reach.wait_for("printer-data")
    rig.printdock.wait_for("snapshots")
    status = ask(rig, "status")
    shown = json.loads(rig.daemon.get("/api/status")[1])
    assert status.keys() == shown.keys()
    assert status["printer"]["name"] == shown["printer"]["name"] == "Test printer"
    assert [entry["name"] for entry in status["backends"]] == ["reach", "printdock"]
    assert ask(rig, "backends")["backends"][0].keys() == status["backends"][0].keys()

    for arguments in ({}, [], {"a": {"b": [1, 2, None]}}, ["x" * 100_000], {"method": "status"}):
        assert ask(rig, "backends", arguments=arguments)["version"] == 1
    for unknown in ("reload", "STATUS", "status ", "", "x" * 10_000, "notify_klippy_ready", "printer_uplink_notify"):
        with pytest.raises(MoonrakerError) as refused:
            ask(rig, unknown)
        assert refused.value.code == 424, "Moonraker gives an agent's refusal as 424"


def test_fifty_at_once_are_answered_and_nothing_secret_is(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.wait_for("printer-data")
    rig.printdock.wait_for("snapshots")
    client = rig.moonraker.client()
    begin = time.monotonic()
    numbers = [
        client.send("server.extensions.request", agent=AGENT, method=("status", "backends", "x")[number % 3])
        for number in range(50)
    ]
    answers = []
    for number, index in enumerate(numbers):
        if number % 3 == 2:
            with pytest.raises(MoonrakerError):
                client.result(index, 10)
        else:
            answers.append(client.result(index, 10))
    assert time.monotonic() - begin < 5
    with ThreadPoolExecutor(8) as pool:
        answers += list(pool.map(lambda _: ask(rig, "status"), range(16)))
    text = json.dumps(answers)
    identities = [json.loads(path.read_text()) for path in (rig.daemon.state / "identities").glob("*.json")]
    found = [identity["identity"].get("token") or identity["identity"]["connector_secret"] for identity in identities]
    assert len(found) == 2
    for word in [*found, "PAIR-0001", "PAIR_dummy_1", str(rig.folder), str(rig.daemon.config)]:
        assert word not in text


# Macros


def test_what_a_macro_says_reaches_the_cloud_that_has_a_place_for_it(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.wait_for("printer-data")
    wait_until_known(rig)
    begin = time.monotonic()
    rig.printer.gcode(f'{NOTIFY} TEXT="filament is out"')
    record = told(rig, "filament is out", begin)
    assert record["mono"] - begin < 3
    assert record["body"]["errors"] == []
    assert [line[21:] for line in record["body"]["logTail"]] == ["filament is out"]
    rig.printer.gcode(f'{NOTIFY} TEXT="filament is out"')
    rig.printer.gcode(f"{NOTIFY} TEXT=again")
    assert len(told(rig, "again")["body"]["logTail"]) == 2, "the same twice is one"
    assert all("filament is out" not in json.dumps(record["body"]) for record in rig.printdock.records("snapshots"))
    assert [record["message"] for record in audited(rig, "notify")] == [
        "a macro said: filament is out",
        "a macro said: again",
    ]
    explained = rig.daemon.command("explain", "reach").stdout, rig.daemon.command("explain", "printdock").stdout
    assert "It is shown there in the printer's log" in explained[0]
    assert "It is not sent" in explained[1]


def test_bad_calls_are_said_once_and_change_nothing(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.wait_for("printer-data")
    wait_until_known(rig)
    for _ in range(3):
        rig.printer.order("remote", method="printer_uplink_notify", arguments={})
    for text in ([1], {"a": 1}, True, None, "", "\n\x1b"):
        rig.printer.order("remote", method="printer_uplink_notify", arguments={"text": text})
    for method in ("bed_cleared", "enable", "disable"):
        rig.printer.order("remote", method=f"printer_uplink_{method}", arguments={"backend": "reach"})
    logged(rig, "control.macros does not hold 'switch'")
    # A megabyte, with everything in it that could steer a terminal or break a line of JSON.
    rig.printer.order("remote", method="printer_uplink_notify", arguments={"text": 'a"\\\x00\x1b[2J\u202e\n' * 100_000})
    line = told(rig, "[2J")["body"]["logTail"][-1]
    assert len(line) <= 221
    assert line.endswith("…")
    time.sleep(1)
    log = rig.daemon.log()
    assert log.count("there is no text=… in it") <= 3
    assert "\x1b" not in log
    assert states(rig)["reach"] == "online"
    assert {record["status"] for record in audited(rig, "disable")} == {"refused"}


def test_a_macro_switches_a_cloud_off_and_on_but_not_what_a_person_has_switched_off(daemon_rig: Rig) -> None:
    rig = daemon_rig
    allow(rig, "switch")
    rig.printdock.wait_for("snapshots")
    wait_until_known(rig)

    def call(method: str, backend: str) -> None:
        rig.printer.gcode(f"CALL_REMOTE_METHOD METHOD=printer_uplink_{method} BACKEND={backend}")

    call("disable", "printdock")
    wait_until(lambda: states(rig)["printdock"] == "disabled", 10, "printdock to be off")
    assert "switched off by a macro" in rig.daemon.command("status", "-c", str(rig.daemon.config)).stdout
    rig.daemon.stop()
    rig.daemon.start()
    wait_until_known(rig)
    wait_until(lambda: states(rig)["printdock"] == "disabled", 10, "printdock to stay off")
    call("enable", "printdock")
    wait_until(lambda: states(rig)["printdock"] == "online", 15, "printdock to be back")

    assert rig.daemon.command("disable", "printdock", "-c", str(rig.daemon.config)).returncode == 0
    call("enable", "printdock")
    logged(rig, "only a person switches it on")
    call("enable", "nobody")
    logged(rig, "No entry is called 'nobody'")
    time.sleep(0.5)  # an answer may be a quarter of a second old
    assert states(rig)["printdock"] == "disabled"
    assert "a macro (printer_uplink_disable)" in audited(rig, "disable")[0]["message"]


def test_macros_reach_us_after_restarts_of_everything(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.wait_for("printer-data")
    wait_until_known(rig)
    rig.printer.restart()
    rig.moonraker.wait_for_klippy()
    wait_until_known(rig)
    rig.printer.gcode(f"{NOTIFY} TEXT=klippy")
    told(rig, "klippy")
    rig.moonraker.restart()
    rig.moonraker.wait_for_klippy()
    wait_until_known(rig)
    rig.printer.gcode(f"{NOTIFY} TEXT=moonraker")
    told(rig, "moonraker")
    assert ask(rig, "status")["printer"]["moonraker"]["is_connected"]
    rig.daemon.stop()
    # Klipper still has Moonraker's registration: the call is dropped, and no print ends of it.
    rig.printer.gcode(f"{NOTIFY} TEXT=nobody")


def test_a_name_that_somebody_else_has_is_said_and_costs_nothing_else(cloud_rig: Rig) -> None:
    rig = cloud_rig
    other = MoonrakerClient(rig.moonraker.unix_socket)
    other.call("server.connection.identify", client_name="other", version="1", type="agent", url="http://x")
    other.call("connection.register_remote_method", method_name="printer_uplink_notify")
    rig.start_daemon()
    logged(rig, "another client of Moonraker has printer_uplink_notify")
    assert "macros do not reach us" in ask(rig, "status")["printer"]["moonraker"]["condition"]
    rig.printer.gcode(f"{NOTIFY} TEXT=theirs")
    wait_until(lambda: other.notified("printer_uplink_notify"), 5, "the call at its holder")
    rig.reach.wait_for("printer-data")
    assert all(record["body"]["logTail"] == [] for record in rig.reach.records("printer-data"))
    other.close()
    assert rig.deviations() == []


# Events


def test_other_clients_hear_when_a_cloud_comes_and_goes(cloud_rig: Rig) -> None:
    rig = cloud_rig
    client = rig.moonraker.client()

    def events(name: str) -> list[dict[str, Any]]:
        notes = [note["params"][0] for note in client.notified("notify_agent_event")]
        return [note["data"] for note in notes if note["event"] == name]

    rig.start_daemon()
    wait_until(lambda: len(events("cloud_connected")) == 2, 20, "both clouds")
    assert {event["backend"]: event["type"] for event in events("cloud_connected")} == {
        "reach": "reach",
        "printdock": "printdock",
    }
    rig.reach.order("revoke")
    [gone] = wait_until(lambda: events("cloud_disconnected"), 30, "an event about the cloud that has gone")
    assert (gone["backend"], gone["state"]) == ("reach", "parked")
    assert gone["reason"]
    assert "127.0.0.1" not in gone["reason"]
    time.sleep(3)
    assert len(events("cloud_connected")) == 2


def test_the_console_says_once_that_a_cloud_waits_for_a_person(daemon_rig: Rig) -> None:
    rig = daemon_rig
    allow(rig, announce_parked=True)
    rig.reach.wait_for("printer-data")

    def lines() -> list[str]:
        return [line for line in rig.printer.gcode_lines() if line.startswith("RESPOND")]

    assert lines() == []
    rig.reach.order("revoke")
    wait_until(lines, 30, "a line on the console")
    assert lines() == ['RESPOND TYPE=command MSG="printer-uplink: reach waits for you, see printer-uplink status"']
    rig.moonraker.restart()
    rig.moonraker.wait_for_klippy()
    time.sleep(3)
    assert len(lines()) == 1
    assert audited(rig, "console")[0]["message"] == "the printer's console says that reach is parked"


# The other clouds


def test_what_a_macro_says_stands_behind_polars_state(rig: Rig) -> None:
    polar = obey_polar(rig)
    wait_until_known(rig)
    rig.printer.gcode(f'{NOTIFY} TEXT="part is ready"')
    polar.wait_for("status", 15, where=lambda record: record["body"]["progressDetail"] == "Idle - part is ready")
    assert polar.deviations() == []
