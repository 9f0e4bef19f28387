"""The PHP hub's commands: each action, what is checked before it, and what is never done. docs/connectors/php-hub.md.

What a command did is looked up at the simulated printer and in Moonraker, never in our own words.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import PATIENCE, PHPHub, Rig, wait_until

from commanding import JSON, files_of, start_job, wait_for_line
from php_hubs import (
    INTERVAL,
    audit_of,
    carry_out_all,
    ended,
    hub_entry,
    obey_hub,
    scripts,
    settle_hub,
    told_status,
)

MACRO = "PARK"


@pytest.fixture(scope="module")
def first_rig() -> Iterator[tuple[Rig, PHPHub]]:
    """Generation 1 at the default level, idle between its tests."""
    with Rig() as rig:
        hub = obey_hub(rig, allowed_macros=[MACRO])
        yield rig, hub
        assert rig.deviations() == []


@pytest.fixture(scope="module")
def second_rig() -> Iterator[tuple[Rig, PHPHub]]:
    """Generation 2, likewise."""
    with Rig() as rig:
        hub = obey_hub(rig, "v2", allowed_macros=[MACRO])
        yield rig, hub
        assert rig.deviations() == []


def made_idle(pair: tuple[Rig, PHPHub]) -> tuple[Rig, PHPHub]:
    rig, hub = pair
    hub.clear_faults()
    if rig.printer.print_state in ("printing", "paused"):
        rig.moonraker.call("printer.print.cancel")
        rig.printer.wait_for_print_state("cancelled")
        time.sleep(0.6)
    return pair


@pytest.fixture
def first(first_rig: tuple[Rig, PHPHub]) -> tuple[Rig, PHPHub]:
    return made_idle(first_rig)


@pytest.fixture
def second(second_rig: tuple[Rig, PHPHub]) -> tuple[Rig, PHPHub]:
    return made_idle(second_rig)


def done_at(rig: Rig, hub: PHPHub, *commands: Any) -> list[str]:
    """Commands that are all completed; the lines that reached the printer."""
    before = len(rig.printer.gcode_lines())
    for result in carry_out_all(hub, list(commands)):
        ended(result, "completed")
    return rig.printer.gcode_lines()[before:]


# What each action does


def test_each_action_of_an_idle_printer(first: tuple[Rig, PHPHub]) -> None:
    rig, hub = first
    order = lambda action, **given: {"action": action, **given}
    lines = done_at(rig, hub, *(order(name) for name in ("home", "home_x", "home_y", "home_z")))
    assert [line for line in lines if line.startswith("G28")] == ["G28", "G28 X", "G28 Y", "G28 Z"]
    assert rig.printer.object("toolhead")["homed_axes"] == "xyz"
    # One given: only that one; none, as the page sends it: the owner's. Together, so that each is seen in its turn.
    lines = done_at(
        rig,
        hub,
        order("heat", hotend_temp=200.5, bed_temp="60"),
        order("heat", bed_temp=55),
        order("cool_down"),
        order("heat"),
        order("set_speed", speed="120"),  # the page's slider sends text
        order("set_flow", flow=95),
        order("set_fan", speed=128),
    )
    heats = [heat for line in lines if (heat := heat_of(line)) is not None]
    assert heats == [
        *[("extruder", 200.5), ("heater_bed", 60), ("heater_bed", 55), ("extruder", 0), ("heater_bed", 0)],
        *[("extruder", 200), ("heater_bed", 60)],
    ]
    assert targets(rig) == (200, 60)
    assert rig.printer.object("gcode_move")["speed_factor"] == pytest.approx(1.2)
    assert rig.printer.object("gcode_move")["extrude_factor"] == pytest.approx(0.95)
    assert rig.printer.object("fan")["speed"] == pytest.approx(128 / 255, abs=0.005)
    done_at(rig, hub, order("toggle_fan"), order("cool_down"))
    assert rig.printer.object("fan")["speed"] == 0
    assert targets(rig) == (0, 0)
    done_at(rig, hub, order("toggle_fan"))
    assert rig.printer.object("fan")["speed"] == 1
    macros = [{"params": []}, {"params": {"X": 10, "TEXT": "a b"}}, {}]
    lines = done_at(
        rig,
        hub,
        order("fan_off"),
        order("set_speed", speed=100),
        order("set_flow", flow=100),
        order("gcode", gcode="M117 hola\nG28 X Y ; casa\nM105"),
        *(order("macro", macro_name=MACRO, **given) for given in macros),
    )
    assert lines[-6:] == ["M117 hola", "G28 X Y", "M105", "PARK", 'PARK X="10" TEXT="a b"', "PARK"]
    assert rig.printer.object("fan")["speed"] == 0


def heat_of(line: str) -> tuple[str, float] | None:
    """Which heater a line sets, and to what."""
    word, *rest = line.split()
    if word not in ("M104", "M140"):
        return None
    celsius = next(float(part[1:]) for part in rest if part.startswith("S"))
    return {"M104": "extruder", "M140": "heater_bed"}[word], celsius


def targets(rig: Rig) -> tuple[float, float]:
    return rig.printer.object("extruder")["target"], rig.printer.object("heater_bed")["target"]


def test_each_type_of_the_second_generation(second: tuple[Rig, PHPHub]) -> None:
    rig, hub = second
    hub.press("home", axes="XYZ")
    wait_until(lambda: rig.printer.object("toolhead")["homed_axes"] == "xyz", 10, "the homing")
    # Klipper reads `G28 XY` as home all: letters are taken apart.
    lines = done_at(rig, hub, ("gcode", "G28 XY"), ("gcode", "G28 all"), ("basic", "home"), ("basic", "HOME_X"))
    assert [line for line in lines if line.startswith("G28")] == ["G28 X Y", "G28", "G28", "G28 X"]
    hub.press("heat", hotend=210, bed=60)
    wait_until(lambda: targets(rig) == (210, 60), 10, "the targets")
    hub.press("set_speed", speed=120)
    wait_until(lambda: rig.printer.object("gcode_move")["speed_factor"] == pytest.approx(1.2), 10, "the speed")
    hub.press("custom_gcode", gcode="M117 hola\n; nada\nM140 S0\nM104 S0\nM220 S100")
    wait_until(lambda: targets(rig) == (0, 0), 10, "the targets")
    assert done_at(rig, hub, ("macro", "park X=10 Y=20")) == ['park X="10" Y="20"']
    for result in carry_out_all(
        hub,
        [
            ("basic", "M112"),
            ("basic", "FLY"),
            ("basic", ""),
            ("other", "G28"),
            ("gcode", "N1 M112"),
            ("gcode", "SAVE_CONFIG"),
            ("macro", "START_PRINT"),
            ("macro", "PARK X=1\nM112"),
            ("macro", "PARK X"),
            ("macro", 'PARK X="1'),
            ("basic", "PRINT_FILE:../../etc/passwd.gcode"),
            ("basic", "PRINT_FILE:"),
            ("basic", "PAUSE"),
        ],
    ):
        ended(result, "rejected")
    start_job(rig)
    hub.press("pause")
    rig.printer.wait_for_print_state("paused", 10)
    hub.wait_for("update", 10, where=lambda record: told_status(record) == "paused")
    time.sleep(0.5)
    hub.press("resume")
    rig.printer.wait_for_print_state("printing", 10)
    time.sleep(0.5)
    hub.press("cancel")
    rig.printer.wait_for_print_state("cancelled", 10)
    assert rig.printer.journal("emergency_stop") == []


@pytest.mark.soak
def test_a_hundred_commands_come_ten_at_a_time(second: tuple[Rig, PHPHub]) -> None:
    rig, hub = second
    numbers = hub.queue(*[("gcode", f"M117 {index}") for index in range(25)])
    begin = hub.wait_handed_out(numbers[0])["mono"]
    assert hub.wait_handed_out(numbers[24])["mono"] - begin < INTERVAL, "asked again at once while ten came"
    for number in numbers:
        ended(hub.result(number), "completed")
    assert [line for line in rig.printer.gcode_lines() if line.startswith("M117 ")][-25:] == [
        f"M117 {index}" for index in range(25)
    ]


def test_a_job_by_command(first: tuple[Rig, PHPHub]) -> None:
    rig, hub = first
    ended(hub.carry_out("pause"), "rejected")
    ended(hub.carry_out("print_local", file="long.gcode"), "completed")
    rig.printer.wait_for_print_state("printing")
    while_printing = ["home", "home_z", "print", "print_local"]
    for result in carry_out_all(hub, [{"action": name, "file": "tower.gcode"} for name in while_printing]):
        ended(result, "rejected")
    ended(hub.carry_out("resume"), "rejected")
    ended(hub.carry_out("pause"), "completed")
    assert rig.printer.print_state == "paused"
    ended(hub.carry_out("resume"), "completed")
    ended(hub.carry_out("cancel"), "completed")
    assert rig.printer.print_state == "cancelled"
    assert rig.printer.starts("long.gcode") == 1


# What is refused

REFUSED: list[JSON] = [
    *[
        {"action": "set_speed", "speed": value}
        for value in (9, 201, "abc", "120\nM112", None, True, [], {}, "NaN", 1e300)
    ],
    *[{"action": "set_flow", "flow": value} for value in (74, 126, "100;M112")],
    *[{"action": "set_fan", "speed": value} for value in (-1, 256, 12.5, "inf")],
    *[{"action": "heat", "hotend_temp": value} for value in (301, -1, "200\nM112", [200])],
    *[{"action": "heat", "bed_temp": value} for value in (121, "hot")],
    *[{"action": name} for name in ("firmware_restart", "reboot", "shutdown", "resume", "cancel")],
    *[{"action": name} for name in ("fly", "", "HOME\nM112", 7, None, ["home"], {"action": "home"})],
    *[
        {"action": "macro", "macro_name": name}
        for name in ("START_PRINT", "_HIDDEN", "ABSENT", "PARK\nM112", "PARK X=1", 5)
    ],
    *[
        {"action": "macro", "macro_name": "PARK", "params": params}
        for params in (
            {"X": "1\nM112"},
            {"X;M112": 1},
            {"X": 'a"b'},
            {"X": "a;b"},
            {"X": {"y": 1}},
            {"X\nM112": 1},
            "X=1",
            5,
        )
    ],
    *[
        {"action": "print", "file": name}
        for name in (
            *(
                "../x.gcode",
                "/etc/passwd.gcode",
                "a\u0000.gcode",
                "a\n.gcode",
                "x.txt",
                ".hidden.gcode",
                "..",
                "",
                "a/b.gcode",
            ),
            *("a\\b.gcode", "x" * 300 + ".gcode", 5, None, ["x.gcode"], "x.gcode\u202e.sh"),
        )
    ],
    *[
        {"action": "print_local", "file": name}
        for name in ("../config/moonraker.conf", "absent.gcode", "/etc/passwd", 5, None)
    ],
]

HOSTILE = [
    "M112",
    "m112",
    "G28\nM112",
    "G28\r\nM112",
    "G28\rM112",
    "G28\u2028M112",
    "G28\u0085M112",
    "G28\x0bM112",
    " M112",
    "\tM112",
    "\u00a0M112",
    "\u3000M112",
    "\ufeffM112",
    "M112;x",
    "M112 ; x",
    "M112*33",
    "N10 M112*33",
    "N10M112",
    "n10 m112",
    "N10 N11 M112",
    "M0112",
    "M112.0",
    "\uff2d112",
    "M\u0661\u0661\u0662",
    "M999",
    "M502",
    "M500",
    "M501",
    "RESTART",
    "restart",
    "FIRMWARE_RESTART",
    "Firmware_Restart",
    "SAVE_CONFIG",
    "save_config ; M105",
    "RUN_SHELL_COMMAND CMD=x",
    "FORCE_MOVE STEPPER=x DISTANCE=1 VELOCITY=1",
    "SET_KINEMATIC_POSITION X=1",
    "PID_CALIBRATE HEATER=extruder TARGET=200",
    "STEPPER_BUZZ STEPPER=x",
    "SDCARD_PRINT_FILE FILENAME=long.gcode",
    "SDCARD_RESET_FILE",
    "MY_MACRO",
    "TURN_OFF_HEATERS",
    "START_PRINT",
    "M104 S301",
    "M109 S999",
    "M140 S121",
    "M104 S\u0669\u0669\u0669",
    "G28\x00",
    "\n".join(["M105"] * 51),
    "M117 " + "x" * 5000,
    5,
    None,
    ["G28"],
    {"0": "G28"},
]


@pytest.mark.parametrize("kind", ["actions", "gcode"])
def test_what_is_wrong_or_hostile_is_rejected_and_reaches_nothing(first: tuple[Rig, PHPHub], kind: str) -> None:
    """The original pasted numbers, names and macros into G-code as they came: `speed: "120\\nM112"`."""
    rig, hub = first
    commands = REFUSED if kind == "actions" else [{"action": "gcode", "gcode": lines} for lines in HOSTILE]
    before, journal, sent = files_of(rig), len(rig.printer.journal()), len(hub.records("download"))
    numbers = []
    for start in range(0, len(commands), 20):
        numbers.append(hub.queue(*commands[start : start + 20]))
        for number, command in zip(numbers[-1], commands[start : start + 20], strict=True):
            result = hub.result(number)
            assert result["status"] == "rejected", (command, result)
            assert result["message"], (command, result)
            assert "\n" not in result["message"]
    assert files_of(rig) == before
    reached = [entry for entry in rig.printer.journal()[journal:] if entry["kind"] in ("request", "gcode")]
    assert [entry.get("script") or entry.get("line") for entry in reached] == []
    assert len(hub.records("download")) == sent
    audited = json.dumps(audit_of(rig))
    for number in (number for batch in numbers for number in batch):
        assert number in audited, "each has its record"
    assert "passwd" not in audited
    assert rig.daemon.process.running


def test_a_refusal_says_how_to_allow_it(first: tuple[Rig, PHPHub]) -> None:
    _, hub = first
    macro = hub.carry_out("macro", macro_name="START_PRINT")
    ended(macro, "rejected", "allowed_macros")
    ended(hub.carry_out("reboot"), "rejected", "permissions")


@pytest.mark.soak
def test_elements_that_are_no_commands_are_dropped(first: tuple[Rig, PHPHub]) -> None:
    rig, hub = first
    wrong: list[Any] = [None, 5, "home", [], {}, {"id": "x"}, {"action": "home"}, {"id": None, "action": "home"}]
    wrong += [{"id": [], "action": "home"}, {"id": {"a": 1}, "action": "home"}, {"id": True, "action": "home"}]
    lines = len(rig.printer.gcode_lines())
    hub.set(handed_out=hub.control("GET", "state")["state"]["handed_out"] | {"x": {"times": 1, "mono": 0, "seq": 1}})
    hub.fault("commands", "json", body={"success": True, "message": "OK", "commands": wrong})
    for commands in ({}, "home", 5, None, {"a": {"id": "x", "action": "home"}}):
        hub.fault("commands", "json", body={"success": True, "message": "OK", "commands": commands})
    begin = time.monotonic()
    hub.wait_for("commands", 20, begin, count=6)
    ended(hub.carry_out("gcode", gcode="M117 still here"), "completed")
    assert rig.printer.gcode_lines()[lines:] == ["M117 still here"]
    time.sleep(INTERVAL)


# Age, order, rate


def test_old_commands_are_rejected_and_an_emergency_stop_never(rig: Rig) -> None:
    """Both queues keep commands for ever; a `print` of last week must not start the heater today."""
    hub = obey_hub(rig)
    old = int(time.time()) - 125
    numbers = hub.queue(
        {"action": "home", "timestamp": old},
        {"action": "heat", "timestamp": str(old)},
        {"action": "gcode", "gcode": "G28", "timestamp": 0},
        {"action": "home_x", "timestamp": "soon"},
        {"action": "print_local", "file": "tower.gcode", "timestamp": old},
    )
    for number in numbers[:3] + numbers[4:]:
        ended(hub.result(number), "rejected", "stale" if number != numbers[2] else "")
    assert scripts(rig) == [] or rig.printer.gcode_lines() == ["G28 X"]
    number = hub.queue({"action": "emergency_stop", "timestamp": old})[0]
    ended(hub.result(number), "completed")
    assert len(rig.printer.journal("emergency_stop")) == 1
    assert rig.deviations() == []


@pytest.mark.soak
def test_the_age_is_taken_by_the_hubs_clock(rig: Rig) -> None:
    hub = obey_hub(rig)
    for skew in (-86_400, 86_400):
        hub.set(clock_skew=skew)
        hub.wait_for("commands", after=time.monotonic(), count=2)
        now = int(time.time()) + skew
        fresh, old = hub.queue({"action": "home", "timestamp": now}, {"action": "home", "timestamp": now - 200})
        ended(hub.result(fresh), "completed")
        ended(hub.result(old), "rejected")
    assert rig.printer.executed("G28") == 2


def test_the_second_generations_first_batch_after_a_start_is_stale(rig: Rig) -> None:
    hub = obey_hub(rig, "v2")
    rig.daemon.stop()
    stale = hub.queue(("gcode", "G28"), ("basic", "HOME"), ("basic", "PRINT_FILE:x.gcode"))
    begin = time.monotonic()
    rig.daemon.start()
    for number in stale:
        ended(hub.result(number), "rejected")
    settle_hub(hub, begin)
    ended(hub.carry_out_v2("gcode", "G28"), "completed")
    assert rig.printer.executed("G28") == 1
    rig.daemon.stop()
    stop = hub.queue(("basic", "EMERGENCY_STOP", 0))[0]
    rig.daemon.start()
    ended(hub.result(stop), "completed")
    assert len(rig.printer.journal("emergency_stop")) == 1


def test_rate_limited_commands_wait_and_are_not_dropped(rig: Rig) -> None:
    """The original dropped the second command of a batch."""
    hub = obey_hub(rig, security={"rate_limit_seconds": 1})
    numbers = hub.queue(*[{"action": "gcode", "gcode": f"M117 {index}"} for index in range(4)])
    for number in numbers:
        ended(hub.result(number), "completed")
    entries = [entry for entry in rig.printer.requests("gcode/script") if entry["script"].startswith("M117")]
    assert [entry["script"] for entry in entries] == [f"M117 {index}" for index in range(4)]
    spaces = [b["mono"] - a["mono"] for a, b in itertools.pairwise(entries)]
    assert min(spaces) > 1 - 0.1 * PATIENCE, spaces
    # Pause, cancel and emergency stop do not wait; more than 32 at once do not find room.
    start_job(rig)
    numbers = hub.queue(*[{"action": "gcode", "gcode": f"M117 n{index}"} for index in range(40)], {"action": "pause"})
    handed = hub.wait_handed_out(numbers[-1])["mono"]
    rig.printer.wait_for_print_state("paused", 5)
    paused = next(e["mono"] for e in rig.printer.journal("print_state") if e["new"] == "paused")
    assert paused - handed < 1.5
    time.sleep(2 * INTERVAL)
    overflown = [number for number in numbers if hub.results().get(number, {}).get("status") == "rejected"]
    assert 5 <= len(overflown) <= 12, len(overflown)
    stop = hub.command("emergency_stop")
    handed = hub.wait_handed_out(stop)["mono"]
    wait_until(lambda: rig.printer.journal("emergency_stop"), 5, "the emergency stop")
    assert rig.printer.journal("emergency_stop")[0]["mono"] - handed < 0.5


def test_a_batch_with_an_emergency_stop_runs_it_and_nothing_else(rig: Rig) -> None:
    """The original ran `cool_down` of the batch `[cool_down, emergency_stop]`; the stop never reached Moonraker."""
    hub = obey_hub(rig)
    cool, stop, home = hub.queue({"action": "cool_down"}, {"action": "emergency_stop"}, {"action": "home"})
    ended(hub.result(stop), "completed")
    for number in (cool, home):
        ended(hub.result(number), "rejected", "emergency_stop")
    assert len(rig.printer.journal("emergency_stop")) == 1
    assert scripts(rig) == []
    hub.wait_for("update", where=lambda record: told_status(record) == "error")  # the original: idle
    assert rig.deviations() == []


def test_the_full_level_takes_what_is_dangerous_only_while_idle(rig: Rig) -> None:
    hub = obey_hub(rig, permissions="full")
    ended(hub.carry_out("macro", macro_name="START_PRINT"), "completed")
    start_job(rig)
    for result in carry_out_all(hub, [{"action": name} for name in ("firmware_restart", "reboot", "shutdown")]):
        ended(result, "rejected")
    assert rig.printer.journal("restart") == []
    ended(hub.carry_out("cancel"), "completed")
    time.sleep(0.6)
    ended(hub.carry_out("firmware_restart"), "completed")
    wait_until(lambda: rig.printer.journal("restart"), 10, "the restart")
    hub.wait_for("update", 20, time.monotonic(), lambda record: told_status(record) == "idle")
    # Moonraker of the tests has no provider: it says no, once, and that is told.
    assert hub.carry_out("reboot")["status"] in ("failed", "unknown", "completed")
    write = hub_entry(rig, permissions="full", security={"dangerous_commands": "deny"})
    begin = time.monotonic()
    rig.daemon.change(rig.configuration() | {"backends": [write]})
    settle_hub(hub, begin + 1)
    ended(hub.carry_out("firmware_restart"), "rejected", "dangerous_commands")


@pytest.mark.soak
def test_monitor_and_control_hold_what_they_should(rig: Rig) -> None:
    hub = obey_hub(rig, permissions="control")
    for result in carry_out_all(hub, [{"action": name} for name in ("home", "heat", "toggle_fan", "set_speed")]):
        ended(result, "rejected")
    start_job(rig)
    ended(hub.carry_out("pause"), "completed")
    ended(hub.carry_out("emergency_stop"), "completed")
    assert scripts(rig)[1:] == [] or all("SDCARD" in line or "PAUSE" in line for line in scripts(rig))


# Once


def test_redelivery_for_ever_is_executed_once_over_restarts(rig: Rig) -> None:
    """A hub that forgets nothing: the same commands in every answer, through kills of ours and restarts of its own."""
    replay_for_ever(rig, rounds=3)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_redelivery_for_ever_is_executed_once_over_two_hundred_restarts(rig: Rig) -> None:
    replay_for_ever(rig, rounds=200)


def replay_for_ever(rig: Rig, rounds: int) -> None:
    hub = obey_hub(rig)
    hub.replay()
    numbers = hub.queue(
        {"action": "gcode", "gcode": "M117 once"},
        {"action": "home_x"},
        {"action": "gcode", "gcode": "M112"},
        {"action": "set_speed", "speed": "999"},
    )
    for number in numbers:
        hub.result(number)
    results = {number: hub.results()[number]["status"] for number in numbers}
    assert list(results.values()) == ["completed", "completed", "rejected", "rejected"]
    for index in range(rounds):
        begin = time.monotonic()
        if index % 3 == 1:
            hub.restart()
        rig.daemon.restart()
        rig.disturbed()
        hub.wait_for("commands", 15, begin, count=2)
        hub.wait_for("update", 15, begin, count=2)
    assert hub.handed_out(numbers[0])["times"] > 2 * rounds
    assert rig.printer.executed("M117 once") == 1
    assert [line for line in rig.printer.gcode_lines() if line.startswith("G28")] == ["G28 X"]
    assert {number: hub.results()[number]["status"] for number in numbers} == results
    records = json.dumps(audit_of(rig))
    assert records.count(numbers[0]) <= 2 + rounds, "not one record for each delivery"
    assert rig.deviations() == []


@pytest.mark.soak
def test_the_second_generation_replays_ten_for_ever_without_a_loop(rig: Rig) -> None:
    """Exactly ten pending ones that are never marked: asking again at once would never end."""
    hub = obey_hub(rig, "v2")
    hub.replay()
    numbers = hub.queue(*[("gcode", f"M117 t{index}") for index in range(10)])
    for number in numbers:
        ended(hub.result(number), "completed")
    begin = time.monotonic()
    time.sleep(4)
    polls = hub.records("commands", begin)
    assert len(polls) <= 10, "asked again at once for what it knew"
    assert len(hub.records("update", begin)) >= 3
    assert [rig.printer.executed(f"M117 t{index}") for index in range(10)] == [1] * 10


def test_a_crash_in_a_command_leaves_it_unknown_and_the_rest_is_not_lost(rig: Rig) -> None:
    hub = obey_hub(rig)
    rig.printer.slow("G28", 4)
    running, waiting = hub.queue({"action": "home"}, {"action": "gcode", "gcode": "M117 after"})
    wait_for_line(rig, "G28")
    rig.daemon.kill()
    rig.printer.slow("G28", 0)
    time.sleep(0.5)
    rig.daemon.start()
    ended(hub.result(running), "unknown")
    assert hub.result(waiting)["status"] in ("completed", "rejected")
    assert rig.printer.executed("G28") == 1
    assert rig.printer.executed("M117 after") == (hub.results()[waiting]["status"] == "completed")
    assert rig.deviations() == []


@pytest.mark.soak
def test_each_result_stands_in_three_updates_and_twenty_are_told(first: tuple[Rig, PHPHub]) -> None:
    _, hub = first
    numbers = hub.queue(*[{"action": "gcode", "gcode": f"M117 r{index}"} for index in range(25)])
    seen = lambda: hub.control("GET", "state")["state"]["results"]
    wait_until(lambda: all(seen().get(number, {}).get("updates", 0) >= 3 for number in numbers), 30, "three updates")
    sizes = [len(record["body"].get("command_results", [])) for record in hub.records("update")]
    assert max(sizes) <= 20
    result = hub.results()[numbers[0]]
    assert result["action"] == "gcode"
    assert abs(result["received_at"] - time.time()) < 60


@pytest.mark.soak
def test_results_are_not_told_where_that_is_off(rig: Rig) -> None:
    hub = obey_hub(rig, report_command_results=False)
    hub.command("gcode", gcode="M117 quiet")
    wait_until(lambda: rig.printer.executed("M117 quiet"), 10, "the command")
    time.sleep(2 * INTERVAL)
    assert all("command_results" not in record["body"] for record in hub.records("update"))
