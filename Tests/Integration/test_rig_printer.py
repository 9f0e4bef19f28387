"""The printer of the rig behaves as a Klipper printer behind Moonraker does.

What these tests hold is what the daemon's tests rest on: order of notifications, waits behind slow
G-code, partial updates, the late `error` after an emergency stop.
"""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from harness import MoonrakerError, Rig, wait_until

STATUS = {"print_stats": None, "webhooks": None, "extruder": ["temperature", "target"]}


def klippy_notes(client) -> list[str]:
    """The Klippy notifications that this client got, without their prefix."""
    prefix = "notify_klippy_"
    return [note["method"].removeprefix(prefix) for note in client.notifications if prefix in note["method"]]


def test_moonraker_becomes_ready_with_all_objects(printer_rig: Rig) -> None:
    info = printer_rig.moonraker.call("server.info")
    assert (info["klippy_state"], info["missing_klippy_requirements"]) == ("ready", [])
    assert info["failed_components"] == []
    objects = printer_rig.moonraker.call("printer.objects.list")["objects"]
    wanted = {"print_stats", "virtual_sdcard", "extruder", "heater_bed", "toolhead", "pause_resume", "gcode_move"}
    assert wanted | {"fan", "system_stats", "temperature_sensor chamber", "display_status"} <= set(objects)


def test_a_whole_print_runs_to_its_end(printer_rig: Rig) -> None:
    client = printer_rig.moonraker.client()
    metadata = wait_until(lambda: metadata_of(client, "tower.gcode"), 10, "metadata")
    assert metadata["slicer"] == "PrusaSlicer"
    assert metadata["estimated_time"] == pytest.approx(58, abs=3)
    assert metadata["gcode_start_byte"] > 0
    assert len(metadata["thumbnails"]) == 2
    client.call("printer.objects.subscribe", objects={"print_stats": None})
    assert client.call("printer.print.start", filename="tower.gcode") == "ok"
    printer_rig.printer.wait_for_print_state("complete")
    stats = printer_rig.printer.object("print_stats")
    assert stats["print_duration"] == pytest.approx(58, abs=8)
    assert stats["total_duration"] > stats["print_duration"] + 40  # heating does not count as printing
    assert stats["info"] == {"total_layer": 22, "current_layer": 22}
    card = printer_rig.printer.object("virtual_sdcard")
    assert (card["progress"], card["file_path"], card["is_active"]) == (1.0, None, False)
    changes = [entry["new"] for entry in printer_rig.printer.journal("print_state")]
    assert changes == ["printing", "complete"]
    wait_until(lambda: seen_states(client)[-1:] == ["complete"], 2, "the update that says complete")
    assert "printing" in seen_states(client)


def metadata_of(client, name: str) -> dict | None:
    try:
        return client.call("server.files.metadata", filename=name)
    except MoonrakerError:
        return None


def seen_states(client) -> list[str]:
    updates = [note["params"][0].get("print_stats", {}) for note in client.notified("notify_status_update")]
    return [update["state"] for update in updates if "state" in update]


def test_pause_resume_and_cancel(printer_rig: Rig) -> None:
    call, printer = printer_rig.moonraker.call, printer_rig.printer
    call("printer.print.start", filename="tower.gcode")
    wait_until(lambda: printer.object("print_stats")["print_duration"] > 1, 20, "the first extrusion")
    call("printer.print.pause")
    assert printer.print_state == "paused"
    assert printer.object("pause_resume")["is_paused"] is True
    before = printer.object("print_stats")["print_duration"]
    time.sleep(0.3)
    assert printer.object("print_stats")["print_duration"] == pytest.approx(before, abs=0.01)
    call("printer.print.resume")
    printer.wait_for_print_state("printing", 2)
    call("printer.print.cancel")
    assert printer.print_state == "cancelled"
    assert printer.object("virtual_sdcard")["progress"] == 0
    assert printer.object("extruder")["target"] == 0


def test_a_pause_waits_for_the_running_gcode(printer_rig: Rig) -> None:
    printer_rig.printer.order("slow", command="M190", seconds=1.5)
    printer_rig.moonraker.call("printer.print.start", filename="tower.gcode")
    wait_until(lambda: "M190 S60" in printer_rig.printer.gcode_lines("file"), 10, "M190")
    begin = time.monotonic()
    printer_rig.moonraker.call("printer.print.pause")
    assert time.monotonic() - begin > 1.0
    assert printer_rig.printer.print_state == "paused"


def test_a_second_start_is_refused_and_a_failed_one_destroys_the_paused_job(printer_rig: Rig) -> None:
    call = printer_rig.moonraker.call
    call("printer.print.start", filename="tower.gcode")
    with pytest.raises(MoonrakerError, match="SD busy") as refused:
        call("printer.print.start", filename="tower.gcode")
    assert refused.value.code == 400
    call("printer.print.pause")
    with pytest.raises(MoonrakerError, match="Unable to open file"):
        call("printer.print.start", filename="missing.gcode")
    assert printer_rig.printer.print_state == "standby"


def test_after_an_emergency_stop_print_stats_lags_behind(printer_rig: Rig) -> None:
    client = printer_rig.moonraker.client()
    client.call("printer.print.start", filename="tower.gcode")
    time.sleep(0.5)
    begin = time.monotonic()
    assert client.call("printer.emergency_stop") == "ok"
    wait_until(lambda: "shutdown" in klippy_notes(client), 2, "notify_klippy_shutdown")
    assert time.monotonic() - begin < 0.8
    status = client.call("printer.objects.query", objects=STATUS)["status"]
    assert (status["webhooks"]["state"], status["print_stats"]["state"]) == ("shutdown", "printing")
    printer_rig.printer.wait_for_print_state("error", 3)
    assert 0.6 < time.monotonic() - begin < 2
    with pytest.raises(MoonrakerError, match="Shutdown due to webhooks request"):
        client.call("printer.gcode.script", script="G28")


def test_subscriptions_die_with_a_firmware_restart(printer_rig: Rig) -> None:
    client = printer_rig.moonraker.client()
    client.call("printer.objects.subscribe", objects=STATUS)
    wait_until(lambda: client.notified("notify_status_update"), 3, "an update")
    assert client.call("printer.firmware_restart") == "ok"
    wait_until(lambda: klippy_notes(client)[-2:] == ["disconnected", "ready"], 10, "ready again")
    client.notifications.clear()
    time.sleep(1.2)
    assert client.notified("notify_status_update") == []
    client.call("printer.objects.subscribe", objects=STATUS)
    wait_until(lambda: client.notified("notify_status_update"), 3, "an update after subscribing again")


@pytest.mark.parametrize("outcome", ["error", "shutdown"])
def test_a_start_that_fails_is_not_notified(printer_rig: Rig, outcome: str) -> None:
    client = printer_rig.moonraker.client()
    printer_rig.printer.restart(outcome=outcome, message="mcu 'mcu': Unable to connect")
    printer_rig.moonraker.wait_for_klippy(outcome)
    time.sleep(0.5)
    assert klippy_notes(client) == ["disconnected"]
    assert "Unable to connect" in client.call("printer.info")["state_message"]
    objects = client.call("printer.objects.list")["objects"]
    assert ("print_stats" in objects) is (outcome == "shutdown")


def test_updates_are_partial_and_at_most_four_a_second(printer_rig: Rig) -> None:
    client = printer_rig.moonraker.client()
    full = client.call("printer.objects.subscribe", objects={"extruder": None, "toolhead": ["homed_axes"]})["status"]
    assert {"temperature", "target", "can_extrude", "motion_queue"} <= set(full["extruder"])
    time.sleep(2.1)
    updates = [note["params"] for note in client.notified("notify_status_update")]
    assert 3 <= len(updates) <= 9
    assert all(set(status) == {"extruder"} for status, _ in updates)
    assert all(set(status["extruder"]) == {"temperature"} for status, _ in updates)
    eventtimes = [eventtime for _, eventtime in updates]
    assert eventtimes == sorted(eventtimes)
    assert abs(eventtimes[-1] - time.monotonic()) < 1


def test_a_frozen_klippy_says_nothing_and_comes_back(printer_rig: Rig) -> None:
    client = printer_rig.moonraker.client()
    client.call("printer.objects.subscribe", objects=STATUS)
    printer_rig.printer.freeze()
    time.sleep(0.3)
    client.notifications.clear()
    waiting = client.send("printer.objects.query", objects=STATUS)
    time.sleep(1.0)
    assert client.notified("notify_status_update") == []
    printer_rig.printer.thaw()
    assert client.result(waiting, 3)["status"]["webhooks"]["state"] == "ready"


def test_garbage_from_klippy_does_not_end_moonraker(printer_rig: Rig) -> None:
    printer_rig.printer.order("raw", text='{"half": ')
    printer_rig.printer.order("raw", text="\x00\x01 not JSON at all")
    assert printer_rig.moonraker.call("server.info")["klippy_state"] == "ready"


def test_a_crash_of_klippy_is_a_disconnect(printer_rig: Rig) -> None:
    client = printer_rig.moonraker.client()
    printer_rig.printer.kill()
    wait_until(lambda: klippy_notes(client) == ["disconnected"], 3, "notify_klippy_disconnected")
    assert client.call("server.info")["klippy_state"] == "disconnected"
    printer_rig.printer.restart_process()
    printer_rig.moonraker.wait_for_klippy()


def test_an_agent_name_is_unique_and_macros_reach_the_agent(printer_rig: Rig) -> None:
    identity = {"client_name": "agent", "version": "1", "type": "agent", "url": "http://localhost"}
    first, second = printer_rig.moonraker.client(), printer_rig.moonraker.client()
    first.call("server.connection.identify", **identity)
    with pytest.raises(MoonrakerError) as taken:
        second.call("server.connection.identify", **identity)
    assert taken.value.code == 400
    first.call("connection.register_remote_method", method_name="uplink_notify")
    wait_until(lambda: "uplink_notify" in registered_methods(printer_rig), 3, "the registration at Klippy")
    printer_rig.printer.gcode('CALL_REMOTE_METHOD METHOD=uplink_notify TEXT="done so far"')
    note = wait_until(lambda: first.notified("uplink_notify"), 3, "the macro's call")[0]
    assert note["params"] == {"text": "done so far"}


def registered_methods(rig: Rig) -> list[str]:
    return [name for client in rig.printer.order("clients")["clients"] for name in client["remote_methods"]]


def test_without_trust_the_api_key_opens_the_door(rig: Rig) -> None:
    rig.printer.start()
    rig.moonraker.start(trusted=False)
    rig.moonraker.wait_for_klippy()
    key = rig.moonraker.api_key()

    async def scenario() -> list[dict]:
        answers = []
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{rig.moonraker.url}/websocket") as socket:
            identity = {"client_name": "t", "version": "1", "type": "other", "url": "http://localhost"}
            requests = [("server.info", {}), ("server.connection.identify", identity | {"api_key": key})]
            for number, (method, params) in enumerate([*requests, ("server.info", {})]):
                await socket.send_json({"jsonrpc": "2.0", "method": method, "params": params, "id": number})
                while True:
                    answer = await socket.receive_json()
                    if answer.get("id") == number:
                        answers.append(answer)
                        break
        return answers

    refused, identified, answered = asyncio.run(scenario())
    assert refused["error"]["code"] == -32602
    assert "connection_id" in identified["result"]
    assert answered["result"]["klippy_state"] == "ready"


def test_fields_can_be_overridden_and_left_out(printer_rig: Rig) -> None:
    printer_rig.printer.order("set", object="extruder", fields={"temperature": None})
    printer_rig.printer.order("drop", object="toolhead", field="position")
    status = printer_rig.moonraker.call("printer.objects.query", objects={"extruder": None, "toolhead": None})["status"]
    assert status["extruder"]["temperature"] is None
    assert "position" not in status["toolhead"]
    printer_rig.printer.order("unset")
    status = printer_rig.moonraker.call("printer.objects.query", objects={"extruder": None})["status"]
    assert status["extruder"]["temperature"] > 20


def test_a_failing_gcode_ends_the_job_in_error(printer_rig: Rig) -> None:
    printer_rig.printer.order("fail", command="M106", message="Heater extruder not heating at expected rate")
    printer_rig.moonraker.call("printer.print.start", filename="tower.gcode")
    printer_rig.printer.wait_for_print_state("error")
    stats = printer_rig.printer.object("print_stats")
    assert stats["message"] == "Heater extruder not heating at expected rate"
    assert printer_rig.printer.state()["state"] == "ready"
