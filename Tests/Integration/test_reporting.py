"""One printer, two clouds: both are told the same, in their own words, and have nothing to complain about."""

from __future__ import annotations

import itertools
import re
import stat
import time
from typing import Any

import pytest
from harness import Rig, wait_until

from observe import megabytes_per_hour, reachable, state_of, status_of, wait_for_states

STATE_CHANGE = 2.6
"""Seconds until both clouds know of a change: Reach within 1 s, PrintDock at most one extra in 2 s, and the way."""


def test_both_clouds_follow_a_print_through_all_its_states(daemon_rig: Rig) -> None:
    rig, call, printer = daemon_rig, daemon_rig.moonraker.call, daemon_rig.printer

    def expect(reach: str, printdock: str, begin: float) -> None:
        telemetry, snapshot = wait_for_states(rig, reach, printdock, begin)
        assert telemetry["mono"] - begin < 1.0 + STATE_CHANGE
        assert snapshot["mono"] - begin < STATE_CHANGE + 1.0

    wait_for_states(rig, "idle", "standby", 0)
    begin = time.monotonic()
    call("printer.print.start", filename="tower.gcode")
    expect("printing", "printing", begin)
    wait_until(lambda: printer.object("print_stats")["print_duration"] > 2, 20, "the first layers")
    begin = time.monotonic()
    call("printer.print.pause")
    expect("paused", "paused", begin)
    time.sleep(2)
    begin = time.monotonic()
    call("printer.print.resume")
    expect("printing", "printing", begin)
    printer.wait_for_print_state("complete")
    expect("idle", "complete", time.monotonic() - 1)
    time.sleep(2)
    begin = time.monotonic()
    call("printer.print.start", filename="tower.gcode")
    expect("printing", "printing", begin)
    time.sleep(2)
    begin = time.monotonic()
    call("printer.print.cancel")
    expect("idle", "cancelled", begin)


CALLS = {
    "printdock": {"heartbeat": 360, "commands": 1200, "snapshots": 120},
    "reach": {"register": 120, "printer-data": 360},
}
"""The calls of an hour of printing, at the default intervals."""


def test_explain_says_how_much_is_sent(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.moonraker.call("printer.print.start", filename="long.gcode")
    begin = time.monotonic()
    wait_for_states(rig, "printing", "printing", begin)
    time.sleep(4)
    for cloud in rig.clouds:
        explained = rig.daemon.command("explain", cloud.kind, "--config", str(rig.daemon.config)).stdout
        claim = re.search(r"How much: ([0-9.]+) MB an hour while printing", " ".join(explained.split()))
        assert claim, explained
        measured = megabytes_per_hour(cloud, CALLS[cloud.kind])
        print(f"{cloud.kind}: {measured:.2f} MB an hour")
        assert 0.75 * measured < float(claim[1]) < 1.33 * measured, f"{measured:.2f} MB an hour at {cloud.kind}"
        assert cloud is not rig.printdock or measured < 1.0


def test_an_emergency_stop_and_a_firmware_restart(daemon_rig: Rig) -> None:
    rig, call = daemon_rig, daemon_rig.moonraker.call
    call("printer.print.start", filename="tower.gcode")
    wait_for_states(rig, "printing", "printing", 0)
    time.sleep(2)
    begin = time.monotonic()
    call("printer.emergency_stop")
    telemetry = rig.reach.wait_for("printer-data", 4, begin, lambda record: state_of(record) == "error")
    assert telemetry["mono"] - begin < 1.5
    assert [error["type"] for error in telemetry["body"]["errors"]][:1] == ["klippy"]
    assert "Shutdown due to webhooks request" in telemetry["body"]["errors"][0]["message"]
    rig.printdock.wait_for("snapshots", 8, begin, lambda record: state_of(record) == "error")
    assert reachable(rig.printdock.wait_for("heartbeat", after=begin))
    rig.disturbed()
    begin = time.monotonic()
    call("printer.firmware_restart")
    rig.moonraker.wait_for_klippy()
    rig.disturbed()
    rig.reach.wait_for("printer-data", 10, begin, lambda record: state_of(record) == "idle")
    after = rig.printdock.wait_for("snapshots", 10, begin, lambda record: state_of(record) == "standby")
    assert reachable(rig.printdock.wait_for("heartbeat", after=after["mono"]))


def test_the_values_are_the_printers(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printer.gcode("M220 S150\nM221 S95\nM106 S127\nG28\nG1 X100 Y50 Z10 F3000\nM104 S60\nM117 hello")
    begin = time.monotonic() + 0.6
    telemetry = rig.reach.wait_for("printer-data", after=begin)["body"]
    status = status_of(rig.printdock.wait_for("snapshots", after=begin))
    truth = rig.printer.state()["objects"]
    assert telemetry["motion"] == {
        "x": 100.0,
        "y": 50.0,
        "z": 10.0,
        "speed": 3000.0,
        "speedFactor": 1.5,
        "extrudeFactor": 0.95,
    }
    assert telemetry["fans"]["partCooling"] == pytest.approx(127 / 255)
    assert telemetry["temperatures"]["nozzleTarget"] == 60.0
    assert telemetry["temperatures"]["chamber"] == pytest.approx(28, abs=0.5)
    assert telemetry["temperatures"]["bed"] == pytest.approx(truth["heater_bed"]["temperature"], abs=0.2)
    assert status["toolhead"]["position"] == truth["toolhead"]["position"]
    assert status["toolhead"]["homed_axes"] == "xyz"
    assert status["extruder"].keys() == truth["extruder"].keys()
    assert status["pause_resume"] == truth["pause_resume"]
    health = telemetry["systemHealth"]
    assert health["cpuPercent"] is not None
    assert health["memoryPercent"] is not None


def test_progress_does_not_count_the_header_and_the_time_left_is_the_slicers(daemon_rig: Rig) -> None:
    rig = daemon_rig
    wait_until(lambda: "estimated_time" in metadata(rig), 10, "metadata")
    rig.moonraker.call("printer.print.start", filename="tower.gcode")
    first = rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "printing")["body"]["job"]
    assert rig.printer.object("virtual_sdcard")["file_size"] > 0
    assert first["progress"] < 2
    later = rig.reach.wait_for(
        "printer-data",
        20,
        where=lambda record: state_of(record) == "printing" and record["body"]["job"]["progress"] > 5,
    )["body"]["job"]
    assert later["filename"] == "tower.gcode"
    assert later["eta"] is not None
    share = later["progress"] / 100
    whole = [seconds / share - seconds for seconds in (later["elapsedTime"], later["elapsedTime"] + 1)]
    assert whole[0] - 1 <= later["eta"] <= whole[1] + 1
    rig.printer.wait_for_print_state("complete")
    done = rig.reach.wait_for("printer-data", after=time.monotonic() + 0.5)["body"]["job"]
    truth = rig.printer.object("print_stats")
    assert (done["state"], done["eta"]) == ("idle", None)
    assert done["elapsedTime"] == int(truth["print_duration"])
    assert done["totaltime"] == int(truth["total_duration"])
    assert done["filamentUsed"] == pytest.approx(truth["filament_used"])


def metadata(rig: Rig) -> dict[str, Any]:
    try:
        return rig.moonraker.call("server.files.metadata", filename="tower.gcode")
    except Exception:
        return {}


def test_a_printer_without_a_bed_and_with_nulls_is_reported(rig: Rig) -> None:
    rig.printer.start("--no-bed", speed=20)
    rig.moonraker.start()
    rig.moonraker.wait_for_klippy()
    rig.printer.order("set", object="toolhead", fields={"print_time": 1.0})
    rig.start_clouds()
    rig.start_daemon()
    assert status_of(rig.printdock.wait_for("snapshots"))["heater_bed"] == {}
    heat = rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "idle")["body"]["temperatures"]
    assert (heat["bed"], heat["bedTarget"]) == (None, None)
    assert heat["nozzle"] is not None
    rig.printer.order("set", object="extruder", fields={"target": None})
    report = rig.reach.wait_for("printer-data", after=time.monotonic() + 0.5)["body"]
    assert report["temperatures"]["nozzleTarget"] is None
    assert report["temperatures"]["nozzle"] is not None
    rig.printer.order("unset")


def test_moonraker_is_asked_once_and_for_no_field_that_changes_all_the_time(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    subscriptions = [client["subscription"] for client in rig.printer.order("clients")["clients"]]
    fields = [field for subscription in subscriptions for field in subscription.get("toolhead") or []]
    assert "position" in fields
    assert "estimated_print_time" not in fields
    assert all(subscription.get("toolhead", []) is not None for subscription in subscriptions)
    sockets = rig.moonraker.call("server.info")["websocket_count"]

    def settled() -> bool:  # Moonraker's own components may subscribe a moment after its start
        before = rig.printer.order("clients")
        time.sleep(3)
        return rig.printer.order("clients") == before

    wait_until(settled, 15, "a subscription that stays")
    assert rig.moonraker.call("server.info")["websocket_count"] == sockets == 2  # the daemon's, and this question's
    agents = rig.moonraker.call("server.extensions.list")["agents"]
    assert [agent["name"] for agent in agents] == ["printer-uplink"]


def test_both_clouds_over_tls_with_our_own_authority(printer_rig: Rig) -> None:
    rig = printer_rig
    rig.start_clouds(tls=True)
    rig.start_daemon()
    rig.printdock.wait_for("snapshots")
    rig.reach.wait_for("printer-data")
    assert rig.deviations() == []


def test_a_certificate_of_an_unknown_authority_is_refused(printer_rig: Rig) -> None:
    rig = printer_rig
    rig.start_clouds(tls=True)
    document = rig.configuration()
    del document["network"]
    rig.daemon.write(document)
    rig.daemon.start()
    wait_until(lambda: rig.daemon.process.lines("certificate"), 10, "a word about the certificate")
    assert rig.printdock.records() == rig.reach.records() == []
    assert rig.daemon.process.running


# Pairing


def test_what_pairing_yields_is_kept_and_the_spent_tokens_leave_the_file(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.start_daemon()
    rig.printdock.wait_for("snapshots")

    def spent_tokens_are_gone() -> bool:
        text = rig.daemon.config.read_text()
        return "PAIR_dummy_1" not in text and "PAIR-0001" not in text

    wait_until(spent_tokens_are_gone, 5, "the spent tokens' removal from the YAML")
    assert stat.S_IMODE(rig.daemon.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(rig.daemon.state.stat().st_mode) == 0o700
    files = [path for path in rig.daemon.state.rglob("*") if path.is_file() and path.stat().st_size]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files), files
    secret = re.compile("c_dummy_secret_for_tests|dummy-token-1|PAIR_dummy_1|PAIR-0001")
    assert any(secret.search(path.read_text(errors="replace")) for path in files)
    assert not secret.search(rig.daemon.log())
    rig.daemon.restart()
    begin = time.monotonic()
    rig.printdock.wait_for("heartbeat", after=begin)
    rig.reach.wait_for("register", after=begin)
    assert len(rig.printdock.records("register")) == len(rig.reach.records("claim")) == 1
    assert rig.deviations() == []


PRINTDOCK_ANSWER = {
    "connector": {"id": "46"},
    "credentials": {"secret": "c_dummy_secret_for_tests"},
    "printers": [{"id": "262", "name": "Sim"}],
}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in PRINTDOCK_ANSWER.items() if name != key}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("no printers", without("printers")),
        ("no credentials", without("credentials")),
        ("empty secret", PRINTDOCK_ANSWER | {"credentials": {"secret": ""}}),
        ("empty id", PRINTDOCK_ANSWER | {"connector": {"id": None}}),
        ("two printers", PRINTDOCK_ANSWER | {"printers": [{"id": 1}, {"id": 2}]}),
        ("negative printer id", PRINTDOCK_ANSWER | {"printers": [{"id": -1}]}),
        ("an array", [PRINTDOCK_ANSWER]),
    ],
)
def test_an_incomplete_printdock_registration_stores_nothing(cloud_rig: Rig, name: str, body: Any) -> None:
    rig = cloud_rig
    rig.printdock.fault("register", "json", body=body, count=None)
    rig.daemon.write(rig.configuration())
    rig.daemon.start()
    rig.printdock.wait_for("register")
    rig.reach.wait_for("printer-data")  # the neighbour goes on
    time.sleep(1)
    assert rig.printdock.records("heartbeat") == []
    assert "PAIR_dummy_1" in rig.daemon.config.read_text()
    assert len(rig.printdock.records("register")) <= 3
    assert rig.daemon.get("/health")[0] == 503


@pytest.mark.parametrize("status", [200, 201])
def test_string_ids_are_understood(cloud_rig: Rig, status: int) -> None:
    rig = cloud_rig
    rig.printdock.fault("register", "json", status=status, body=PRINTDOCK_ANSWER)
    rig.printdock.set(registered=True)
    rig.start_daemon()
    rig.printdock.wait_for("snapshots")
    assert rig.deviations() == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_a_refused_pairing_waits_for_a_person(cloud_rig: Rig, status: int) -> None:
    rig = cloud_rig
    refusal = {"error": "Pairing token already consumed"}
    rig.printdock.fault("register", "status", status=status, body=refusal, count=None)
    rig.reach.fault("claim", "status", status=status, body=refusal, count=None)
    rig.daemon.write(rig.configuration())
    rig.daemon.start()
    rig.printdock.wait_for("register")
    rig.reach.wait_for("claim")
    time.sleep(3)
    assert len(rig.printdock.records()) == len(rig.reach.records()) == 1
    status_code, text = rig.daemon.get("/health")
    assert status_code == 503
    assert "already consumed" in text
    assert rig.daemon.process.running


def test_pairing_survives_a_bad_start_of_the_cloud(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.printdock.fault("register", "status", status=500, count=2)
    rig.reach.fault("claim", "drop_before", count=2)
    rig.daemon.write(rig.configuration())
    rig.daemon.start()
    rig.printdock.wait_for("heartbeat", 30)
    rig.reach.wait_for("register", 30)
    assert rig.deviations() == []


def test_a_lost_pairing_answer_ends_in_a_message_and_a_new_token_helps(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.printdock.fault("register", "drop_after")
    rig.daemon.write(rig.configuration())
    rig.daemon.start()
    rig.printdock.wait_for("register", 20, where=lambda record: record["status"] == 422)
    wait_until(lambda: "already consumed" in rig.daemon.get("/health")[1], 5, "the cloud's message")
    rig.printdock.order("token", token="PAIR_dummy_2")
    rig.daemon.change(rig.daemon.config.read_text().replace("PAIR_dummy_1", "PAIR_dummy_2"))
    rig.printdock.wait_for("snapshots", 20)
    assert rig.deviations() == []


# Reach's own


def test_a_rotated_token_is_used_at_once_and_survives_a_kill(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.order("rotate")
    rig.reach.wait_for("register", 20, where=lambda record: record["body"]["token"] == "dummy-token-2")
    rig.daemon.restart()
    begin = time.monotonic()
    record = rig.reach.wait_for("register", after=begin)
    assert record["body"]["token"] == "dummy-token-2"
    assert len(rig.reach.records("claim")) == 1


def test_a_rotation_whose_answer_is_lost_does_not_cost_the_pairing(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.order("rotate")
    rig.reach.fault("register", "drop_after")
    begin = time.monotonic()
    rig.reach.wait_for("register", 20, begin, lambda record: record["fault"] == "drop_after")
    rig.reach.wait_for("printer-data", 20, time.monotonic(), lambda record: record["status"] == 200)


def test_a_revoked_token_ends_the_calls_and_not_the_neighbour(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.wait_for("printer-data")
    rig.reach.order("revoke")
    time.sleep(12)
    calls = len(rig.reach.records())
    refused = [record for record in rig.reach.records() if record["status"] == 401]
    assert 1 <= len(refused) <= 4
    begin = time.monotonic()
    time.sleep(6)
    assert len(rig.reach.records()) == calls
    assert rig.printdock.records("heartbeat", begin)
    assert "reach" in rig.daemon.get("/health")[1]


def test_the_relays_own_intervals_are_obeyed(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.reach.set(next_check_in=7, next_data_interval=5)
    first = rig.reach.wait_for("register", 10, time.monotonic())
    second = rig.reach.wait_for("register", 12, first["mono"])
    assert second["mono"] - first["mono"] == pytest.approx(7, abs=1.2)
    reports = [record["mono"] for record in rig.reach.records("printer-data", first["mono"])]
    gaps = [later - earlier for earlier, later in itertools.pairwise(reports)]
    assert all(gap > 4 for gap in gaps[1:])
